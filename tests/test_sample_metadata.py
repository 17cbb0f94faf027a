"""The sample's KLV read by other decoders: klvdata and tstrans, item by item compared with the flight."""

from __future__ import annotations

import dataclasses
import math

import klvdata
import pytest
from klvdata.common import packet_checksum
from klvdata.elementparser import MappedElementParser
from klvdata.misb0601 import UASLocalMetadataSet
from tstrans import klv as tstrans

from klvrelay import sample
from klvrelay.sample.flight import GEOID, Flight, Instant
from klvrelay.sample.metadata import Metadata
from klvrelay.standards.spec import SETS

START_US = 1_780_306_200_000_000
SEED, WIDTH, HEIGHT = 5, 640, 360


@pytest.fixture(scope="module")
def flown() -> list[tuple[bytes, Instant]]:
    """Packets and the true values: three a second for twenty seconds."""
    flight = Flight(SEED, WIDTH, HEIGHT)
    packets = sample.packets(seconds=20, klv_rate=10, seed=SEED, start=START_US)
    return [(packet, flight.at(number / 10)) for number, packet in enumerate(packets)][::3]


@pytest.fixture(autouse=True)
def klvdata_without_its_faults(monkeypatch):
    """klvdata 0.0.3 fails on item 74 (an abstract class) and does not know IMAPB for item 104: there, bytes."""
    for tag in (74, 104):
        monkeypatch.delitem(UASLocalMetadataSet.parsers, bytes([tag]))


def truth(instant: Instant) -> dict[int, float]:
    """Every number of ST 0601 in the sample, by tag, from the flight itself; not item 104."""
    camera, centre = instant.camera, instant.centre
    numbers = {
        5: instant.heading, 6: instant.pitch, 7: instant.roll,
        13: instant.place.lat, 14: instant.place.lon, 15: instant.place.hae - GEOID,
        16: camera.hfov, 17: camera.vfov,
        18: instant.azimuth, 19: instant.elevation, 20: instant.twist,
        21: instant.slant, 22: instant.across,
        23: centre.lat, 24: centre.lon, 25: centre.hae - GEOID,
        51: instant.climb, 56: round(math.hypot(instant.north, instant.east)), 65: 19,
        75: instant.place.hae,
    }  # fmt: skip
    for number, corner in enumerate(instant.corners):
        numbers[26 + 2 * number], numbers[27 + 2 * number] = corner.lat - centre.lat, corner.lon - centre.lon
        numbers[82 + 2 * number], numbers[83 + 2 * number] = corner.lat, corner.lon
    return numbers


def half_a_step(tag: int) -> float:
    """The maximum distance to the nearest code of an item."""
    item = SETS["ST0601"][tag]
    return (item.max - item.min) / (256**item.len_max - 2) / 2 * 1.000001


def test_klvdata_reads_every_number_as_the_flight_has_it(flown):
    """Every mapped item is within half a step of its encoding."""
    for packet, instant in flown:
        (parsed,) = klvdata.StreamParser(packet)
        read = {key[0]: one for key, one in parsed.items.items() if isinstance(one, MappedElementParser)}
        known = truth(instant)

        assert read.keys() == known.keys()
        for tag, element in read.items():
            assert element.value.value == pytest.approx(known[tag], abs=half_a_step(tag)), element.LDSName


def test_klvdata_reads_texts_and_time(flown):
    """Values that are not mapped numbers are as intended, and the checksum is correct."""
    for number, (packet, _) in enumerate(flown):
        (parsed,) = klvdata.StreamParser(packet)
        read = {key[0]: one.value.value for key, one in parsed.items.items() if hasattr(one.value, "value")}

        assert round(read[2].timestamp() * 1e6) == START_US + number * 300_000
        assert [read[tag] for tag in (3, 4, 10, 11, 12, 59)] == [
            "ORBIT-5", "OY-KLV", "Kestrel 3", "EO Nose", "Geodetic WGS84", "KESTREL 21",
        ]  # fmt: skip
        assert packet[-2:] == packet_checksum(packet)


def test_the_time_comes_first_the_checksum_last_and_no_item_twice(flown):
    """The order of ST 0601, about fifty items, all of them known."""
    for packet, _ in flown:
        (parsed,) = klvdata.StreamParser(packet)
        tags = [key[0] for key in parsed.items]

        assert tags[0] == 2
        assert tags[-1] == 1
        assert 35 <= len(tags) <= 50
        assert set(tags) <= SETS["ST0601"].keys()


def test_tstrans_finds_nothing_to_complain_of(flown):
    """A strict decoder reads all sets without an unknown tag, a wrong length or a value out of range."""
    for packet, instant in flown:
        uas = tstrans.decode_uas_datalink(packet)
        vmti = tstrans.decode_vmti(uas.vmti, strict=True)
        security = tstrans.decode_security(uas.security_local_set, strict=True)

        assert uas.field_errors == vmti.field_errors == security.field_errors == ()
        assert uas.unknown == vmti.unknown == security.unknown == ()
        assert uas.sensor_ellipsoid_height_extended_m == pytest.approx(instant.place.hae, abs=1e-4)


def test_tstrans_reads_the_security_set(flown):
    """ST 0102 has all its mandatory items."""
    security = tstrans.decode_security(tstrans.decode_uas_datalink(flown[0][0]).security_local_set, strict=True)

    assert security.security_classification is tstrans.SecurityClassification.UNCLASSIFIED
    assert security.classifying_country_coding_method.name == "ISO_3166_THREE_LETTER"
    assert security.classifying_country == "//DNK"
    assert security.object_country_coding_method.name == "ISO_3166_THREE_LETTER"
    assert security.object_country_codes == "DNK"
    assert security.version == 12


def test_tstrans_reads_the_target_as_the_picture_has_it(flown):
    """ST 0903 has the lorry's place in pixels, and its appearance."""
    for packet, instant in flown:
        vmti = tstrans.decode_vmti(tstrans.decode_uas_datalink(packet).vmti, strict=True)
        (target,) = vmti.targets
        seen = instant.target
        assert seen is not None

        assert (vmti.frame_width, vmti.frame_height) == (WIDTH, HEIGHT)
        assert vmti.total_targets_in_frame == vmti.num_targets_reported == 1
        assert target.centroid_pix_col - 1 <= seen.column < target.centroid_pix_col
        assert target.centroid_pix_row - 1 <= seen.row < target.centroid_pix_row
        assert target.centroid_pixel == (target.centroid_pix_row - 1) * WIDTH + target.centroid_pix_col
        assert divmod(target.bbox_top_left_pixel - 1, WIDTH) == (int(seen.top), int(seen.left))
        bottom, right = divmod(target.bbox_bottom_right_pixel - 1, WIDTH)
        assert bottom < seen.bottom <= bottom + 1
        assert right < seen.right <= right + 1
        assert target.target_color == (196, 44, 38)
        assert target.detection_status == 1


def test_a_lorry_out_of_sight_is_no_target(flown):
    """Without a target the VMTI set reports zero targets."""
    instant = dataclasses.replace(flown[0][1], target=None)

    packet = Metadata(SEED, START_US).packet(instant, START_US)

    vmti = tstrans.decode_vmti(tstrans.decode_uas_datalink(packet).vmti, strict=True)
    assert (vmti.total_targets_in_frame, vmti.num_targets_reported, vmti.targets) == (0, 0, ())


def test_corners_out_of_range_of_the_offsets_are_only_sent_in_full(flown):
    """Items 26-33 reach 0.075 degrees; corners further away are in items 82-89 alone."""
    instant = flown[0][1]
    far = tuple(dataclasses.replace(corner, lat=corner.lat + 0.1) for corner in instant.corners)

    items = Metadata(SEED, START_US).items(dataclasses.replace(instant, corners=far), START_US)

    assert not [key for key in items if key.startswith("offset_corner")]
    assert items["corner_latitude_point_1_full"] == far[0].lat


def test_klv_comes_at_its_own_rate():
    """A packet belongs to the first frame at or after its due time, from the start on."""
    times = [
        tstrans.decode_uas_datalink(packet).timestamp_us - START_US
        for packet in sample.packets(seconds=2, klv_rate=4, start=START_US)
    ]

    assert times == [0, 300_000, 500_000, 800_000, 1_000_000, 1_300_000, 1_500_000, 1_800_000]
