"""`klvrelay export` to MCAP: the video of a recording, in step with its records."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import ROOT
from exported import ORBIT
from filmed import (
    FRAME_US,
    Shown,
    coded,
    decoded,
    documents,
    film,
    in_colour,
    klv,
    shown,
    source_pictures,
    time_of,
)
from test_cli import COMMAND, ENVIRONMENT, ran

from klvrelay.multiplex.frame_stamp import Codec
from klvrelay.multiplex.mux import KLV_PID, PMT_PID, VIDEO_PID

TIMES = [time_of(number) for number in range(60)]
PACKET = 188
VECTORS = ROOT / "tests" / "vectors"


@dataclass(frozen=True, slots=True)
class Exported:
    """An MCAP file, and the summary printed about it."""

    data: bytes
    summary: str

    @property
    def pictures(self) -> list[Shown]:
        return shown(self.data)

    @property
    def kinds(self) -> set[tuple[str, str]]:
        return {(one.topic, one.form) for one in self.pictures}

    @property
    def units(self) -> list[bytes]:
        return [one.data for one in self.pictures]

    def apart(self, times: list[int] = TIMES) -> int:
        """The largest difference between the times of the pictures and these, in microseconds."""
        return max(abs(one.time_us - time) for one, time in zip(self.pictures, times, strict=True))


Export = Callable[..., Exported]


@pytest.fixture
def export(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Export:
    """Exports a recording: its bytes, or its path."""

    def run(tape: bytes | Path, *options: str) -> Exported:
        path, out = tmp_path / "uav1.ts", tmp_path / "out.mcap"
        if isinstance(tape, bytes):
            path.write_bytes(tape)
        code, _, summary = ran(capfd, "export", str(path if isinstance(tape, bytes) else tape), *options, str(out))
        assert code == 0, summary
        return Exported(out.read_bytes(), summary)

    return run


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_pictures_are_those_of_the_recording(codec: Codec, export: Export):
    """Each message is an access unit that decodes to the same bits as in the recording, at the time of its record."""
    tape = film(coded(codec), codec)
    found = export(tape)
    assert found.kinds == {("/uav1/video", codec)}
    assert decoded(codec, found.units) == source_pictures(tape)
    assert found.apart() <= 1
    assert found.summary.endswith(": 60 records, 60 pictures\n")


def test_pictures_have_their_time_stamps(export: Export):
    """Those inside the video (ST 0604); in the sample they are the times of the records."""
    found = export(ORBIT)
    assert decoded("h264", found.units) == source_pictures(ORBIT.read_bytes())
    assert [one.time_us for one in found.pictures] == [time for _, time, _ in documents(found.data, "/orbit/record")]


def test_asynchronous_klv_gives_the_times_too(export: Export):
    """It has no presentation time; that of the video beside it in the file counts."""
    found = export(film(coded(), carriage="async"))
    assert found.apart() <= FRAME_US + 1


def test_presentation_times_may_begin_again_at_0(export: Export):
    """They have 33 bits, and wrap after 26.5 hours."""
    assert export(film(coded(), first_pts=(1 << 33) - 60_000)).apart() <= 1


def test_pictures_before_the_first_record_have_their_time(export: Export):
    """Viewers need the key frame at the beginning."""
    assert export(film(coded(), first_klv=40)).apart() <= 1


def test_key_frames_have_their_parameter_sets(export: Export):
    """Also where the recording has them only once: viewers begin anywhere."""
    units = export(film(coded(parameters=False))).units
    keys = [data for data in units if b"\0\0\1\x65" in data]
    assert len(keys) == 4
    assert all(b"\0\0\1\x67" in data and b"\0\0\1\x68" in data for data in keys)
    assert decoded("h264", units[15:]) == decoded("h264", [one.data for one in coded()])[15:]


def test_video_with_b_frames_becomes_jpeg(export: Export):
    """In order of presentation: viewers do not reorder."""
    pictures = coded(b_frames=2)
    found = export(film(pictures))
    assert found.kinds == {("/uav1/image", "jpeg")}
    assert found.apart() <= 1
    assert found.summary.endswith(": 60 records, 60 pictures as JPEG\n")
    originals = in_colour("h264", [one.data for one in pictures])
    for data, original in zip(found.units, originals, strict=True):
        (jpeg,) = in_colour("mjpeg", [data])
        assert np.abs(jpeg.astype(int) - original).mean() < 8


def test_lost_packets_spoil_only_their_pictures(export: Export):
    """A picture with a gap is left out and counted; its neighbours are unchanged."""
    tape = film(coded())
    video = [at for at in range(0, len(tape), PACKET) if _pid(tape[at : at + PACKET]) == VIDEO_PID]
    begins = [at for at in video if tape[at + 1] & 0x40]
    second = video[video.index(begins[30]) + 1]
    found = export(tape[:second] + tape[second + PACKET :])
    numbers = [TIMES.index(one.time_us) for one in found.pictures]
    assert numbers == [number for number in range(60) if number != 30]
    assert "damaged or without a time" in found.summary


def test_no_video_leaves_it_out(export: Export):
    """And the other channels are the same."""
    tape = film(coded())
    found = export(tape, "--no-video")
    assert found.pictures == []
    assert len(documents(found.data, "/uav1/record")) == 60
    assert found.summary.endswith(": 60 records\n")


def test_no_video_applies_to_mcap_only(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Other formats never have it."""
    code, _, error = ran(capfd, "export", str(ORBIT), "--no-video", str(tmp_path / "out.kml"))
    assert (code, error) == (2, "klvrelay: --no-video has no effect with kml; it applies to mcap\n")


def test_a_recording_without_video_has_no_such_channel(export: Export):
    """Bare KLV."""
    found = export(b"".join(klv(number) for number in range(5)))
    assert found.pictures == []
    assert len(documents(found.data, "/uav1/record")) == 5


def test_standard_input_has_video_too(tmp_path: Path):
    """It is read once, as a stream."""
    command = [*COMMAND, "export", "-q", "-", "--to", "mcap", "-"]
    done = subprocess.run(command, input=film(coded()), env=ENVIRONMENT, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert [one.time_us for one in shown(done.stdout)] == pytest.approx(TIMES, abs=1)


def test_segments_of_a_folder_are_one_video(tmp_path: Path, export: Export):
    """Pictures that continue in the next file are whole."""
    tape = film(coded())
    folder = tmp_path / "uav1"
    folder.mkdir()
    cut = len(tape) // 2 // PACKET * PACKET
    for number, part in enumerate((tape[:cut], tape[cut:])):
        (folder / f"{number}.ts").write_bytes(part)
    found = export(folder)
    assert decoded("h264", found.units) == source_pictures(tape)
    assert found.apart() <= 1


def test_other_containers_have_video_too(tmp_path: Path, export: Export):
    """Their units have lengths instead of start codes, and their parameter sets are at the beginning of the file."""
    tape, path = film(coded()), tmp_path / "uav1.mov"
    with av.open(io.BytesIO(tape)) as source, av.open(path, "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    found = export(path)
    assert found.kinds == {("/uav1/video", "h264")}
    assert decoded("h264", found.units) == source_pictures(tape)
    assert found.apart() <= 1000  # of the clock of this container


def with_second_klv(tape: bytes) -> bytes:
    """Each packet of the KLV once more, on another PID."""
    packets = [tape[at : at + PACKET] for at in range(0, len(tape), PACKET)]
    copies = ([one, one[:2] + b"\x02" + one[3:]] if _pid(one) == KLV_PID else [one] for one in packets)
    return b"".join(packet for both in copies for packet in both)


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def test_streams_of_klv_have_the_video_each(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Two PIDs with KLV are two files in a folder, with the same pictures."""
    path, out = tmp_path / "uav1.ts", tmp_path / "out"
    path.write_bytes(with_second_klv(film(coded())))
    assert ran(capfd, "export", "-q", str(path), "--to", "mcap", f"{out}/") == (0, "", "")
    files = [shown(file.read_bytes()) for file in sorted(out.iterdir())]
    assert len(files) == 2
    assert all([one.time_us for one in found] == pytest.approx(TIMES, abs=1) for found in files)
    assert [one.data for one in files[0]] == [one.data for one in files[1]]


@pytest.mark.parametrize("name", ["codec_change.ts", "codec_change_at_end.ts"])
def test_a_codec_that_changes_late_ends_no_process(name: str, tmp_path: Path):
    """Libav's assertions do not fire, since it computes no times; pictures are decoded apart from it."""
    tape, out = tmp_path / name, tmp_path / "out.mcap"
    tape.write_bytes((VECTORS / name).read_bytes() + b"".join(_klv_packets(film(coded()))))
    done = subprocess.run([*COMMAND, "export", str(tape), str(out)], env=ENVIRONMENT, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert len(documents(out.read_bytes(), "/codec_change/record", "/codec_change_at_end/record")) == 60


def _klv_packets(tape: bytes) -> Iterator[bytes]:
    for at in range(0, len(tape), PACKET):
        if _pid(tape[at : at + PACKET]) in (0, PMT_PID, KLV_PID):
            yield tape[at : at + PACKET]


def test_every_thins_the_records_only(export: Export):
    """The video remains whole: it could not be decoded otherwise."""
    found = export(film(coded()), "--every", "1")
    assert len(documents(found.data, "/uav1/record")) == 2
    assert found.apart() <= 1
