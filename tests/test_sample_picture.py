"""The sample's picture compared with its metadata: objects are visible where the KLV says.

Pictures are decoded from the file, positions computed from decoded KLV by `test_sample_geometry.Eye`, independently of
the generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import av
import numpy as np
import pytest
from test_sample_geometry import GEOID, Eye, centre_of, ecef
from tstrans.klv import UasDatalinkLs, VmtiLs, decode_uas_datalink, decode_vmti

from klvrelay import sample
from klvrelay.sample import font
from klvrelay.sample.flight import Flight
from klvrelay.sample.overlay import read_counter
from klvrelay.sample.picture import Picture

WIDTH, HEIGHT = 400, 224
TEXT = 12  # rows at the top with clock and counter


@dataclass
class Shown:
    """One decoded frame and its packet."""

    rgb: np.ndarray
    luma: np.ndarray
    klv: UasDatalinkLs

    @property
    def vmti(self) -> VmtiLs:
        return decode_vmti(self.klv.vmti)


def show(path) -> list[Shown]:
    """A recording's frames with their packets, matched by order."""
    with av.open(str(path)) as container:
        streams = container.streams.video[0], container.streams.data[0]
        pictures, packets = [], []
        for packet in container.demux(*streams):
            if packet.stream.type == "video":
                pictures += packet.decode()
            elif packet.size:
                packets.append(decode_uas_datalink(bytes(packet)))
    return [
        Shown(picture.to_ndarray(format="rgb24"), picture.to_ndarray(format="gray"), packet)
        for picture, packet in zip(pictures, packets, strict=True)
    ]


@pytest.fixture(scope="module", params=["h264", "h265"])
def shown(request, tmp_path_factory) -> list[Shown]:
    """A second and a half, small but sharp."""
    path = tmp_path_factory.mktemp("picture") / "sharp.ts"
    sample.write(path, seconds=1.5, size=(WIDTH, HEIGHT), codec=request.param, bit_rate=2_000_000)
    return show(path)


def redness(rgb: np.ndarray) -> np.ndarray:
    """How much redder each pixel is than the reddest roof; the lorry reaches about 60."""
    red, green, blue = rgb.astype(float).transpose(2, 0, 1)
    return np.clip(red - np.maximum(green, blue) - 80, 0, None)


def test_the_lorry_is_seen_at_the_target_centroid(shown):
    """The red pixels are around the pixel in VMTI, in every frame."""
    for one in shown:
        (target,) = one.vmti.targets
        red = redness(one.rgb)
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]

        row, column = (float((red * place).sum() / red.sum()) for place in (rows, columns))

        assert row + 1 == pytest.approx(target.centroid_pix_row, abs=1.5)
        assert column + 1 == pytest.approx(target.centroid_pix_col, abs=1.5)


def test_the_lorry_fills_its_bounding_box(shown):
    """The box in VMTI contains as much red as a lorry of 9 by 3 metres makes, and there is none elsewhere."""
    for one in shown[::5]:
        (target,) = one.vmti.targets
        top, left = divmod(target.bbox_top_left_pixel - 1, WIDTH)
        bottom, right = divmod(target.bbox_bottom_right_pixel - 1, WIDTH)
        rows, columns = np.nonzero(redness(one.rgb))

        assert top - 1 <= rows.min() <= rows.max() <= bottom + 1
        assert left - 2 <= columns.min() <= columns.max() <= right + 2
        steepness = (one.klv.sensor_alt_m - one.klv.frame_center_elev_m) / one.klv.slant_range_m
        pixels = 9.0 * 3.0 * steepness / (one.klv.target_width_m / WIDTH) ** 2
        assert 0.4 * pixels < len(rows) < 1.6 * pixels


def ground_points(eye: Eye, klv: UasDatalinkLs, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """The intersections of rays with the level ground at the frame centre's height."""
    centre = centre_of(klv)
    up = ecef(klv.frame_center_lat_deg, klv.frame_center_lon_deg, klv.frame_center_elev_m + GEOID + 1) - centre
    rays = eye.ray(across, down)
    return eye.position + rays * ((centre - eye.position) @ up / (rays @ up))[:, None]


def moved(before: Shown, after: Shown, *, by_metadata: bool) -> float:
    """How similar two frames are where they show the same ground, if the metadata is correct (or nothing moves)."""
    rows, columns = np.mgrid[TEXT + 40 : HEIGHT - 40, 40 : WIDTH - 40]
    rows, columns = rows.ravel(), columns.ravel()
    across, down = (columns + 0.5) / WIDTH * 2 - 1, (rows + 0.5) / HEIGHT * 2 - 1
    if by_metadata:
        across, down = Eye.of(before.klv).see(ground_points(Eye.of(after.klv), after.klv, across, down))
    then_columns, then_rows = ((across + 1) / 2 * WIDTH - 0.5), ((down + 1) / 2 * HEIGHT - 0.5)
    then = before.luma[np.rint(then_rows).astype(int), np.rint(then_columns).astype(int)]
    return float(np.corrcoef(then, after.luma[rows, columns])[0, 1])


def test_the_ground_moves_as_the_metadata_says(shown):
    """Frames a second apart match after a shift by attitude and position, and not without."""
    assert moved(shown[5], shown[35], by_metadata=True) > 0.9
    assert moved(shown[5], shown[35], by_metadata=False) < 0.5


def test_a_wrong_attitude_would_be_seen(shown):
    """A packet with its heading off by a tenth of a degree no longer matches the picture."""
    right = moved(shown[5], shown[35], by_metadata=True)
    wrong = Shown(shown[5].rgb, shown[5].luma, shown[5].klv)
    wrong.klv = wrong.klv.with_(platform_heading_deg=wrong.klv.platform_heading_deg + 0.1)

    assert moved(wrong, shown[35], by_metadata=True) < right - 0.1


def test_the_counter_is_burned_in(shown):
    """Each frame's number can be read from the decoded picture."""
    assert [read_counter(one.luma) for one in shown] == list(range(45))


def test_a_picture_without_a_counter_has_none():
    """The reader of the counter does not make one up."""
    assert read_counter(np.full((HEIGHT, WIDTH), 90, np.uint8)) is None


def test_the_clock_is_burned_in(shown):
    """The clock shows the packet's time to the millisecond."""
    for one in shown:
        time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=one.klv.timestamp_us)
        ink, _ = font.text(f"{time:%H:%M:%S}.{time.microsecond // 1000:03d}", 1)
        bright = one.luma[: ink.shape[0], : ink.shape[1]] > 128

        assert (bright == ink).mean() > 0.97


@pytest.mark.parametrize("size", [(160, 90), (640, 360)])
def test_counter_and_ground_are_correct_at_any_size(size):
    """The counter is readable, and the ground positions of pixels are those of exact rays."""
    flight = Flight(2, *size)
    picture = Picture(2, flight, *size)
    instant = flight.at(12.3)

    planes = picture.draw(instant, 1_780_306_200_000_000, 987_654, "TEST 1")

    east, north = picture.positions(instant.camera)
    for column, row in ((0, 0), (size[0] - 1, 3), (size[0] // 2 + 3, size[1] // 2), (13, size[1] - 1)):
        exact = flight.ground.seen(instant.camera.eye, instant.camera.ray(column + 0.5, row + 0.5))
        seen = instant.camera.pixel(np.array([east[row, column], north[row, column], exact[2]]))
        assert seen == (pytest.approx(column + 0.5, abs=0.1), pytest.approx(row + 0.5, abs=0.1))
    assert read_counter(planes[: size[1]]) == 987_654
