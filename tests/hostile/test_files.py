"""Files that name other files, and special files: no verb opens what a file names, and none hangs.

`decoys.py` has the files.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import av
import pytest
import stamped
from av.container import InputContainer
from conftest import ROOT
from decoys import CONTENT, DECOYS, Bait, bait
from test_cli import COMMAND, ENVIRONMENT, ran

from klvrelay import frame_times
from klvrelay.errors import KlvrelayError, NotMedia
from klvrelay.sources.libav.demuxer import Demuxer

SAMPLE = ROOT / "samples" / "orbit.ts"
VECTORS = ROOT / "tests" / "vectors"
NOWHERE = "mqtt://127.0.0.1:9"
VERBS = {
    "decode": ("decode", "-q", "SOURCE"),
    "decode by libav": ("decode", "-q", "--demux", "libav", "SOURCE"),
    "frame times": ("decode", "-q", "--frame-times", "SOURCE"),
    "probe": ("probe", "-q", "SOURCE"),
    "record": ("record", "-q", "SOURCE", "OUT"),
    "send": ("send", "-q", "SOURCE", "udp://127.0.0.1:9"),
    "run": ("run", "-q", "--mqtt", NOWHERE, "SOURCE"),
    "replay": ("replay", "-q", "--mqtt", NOWHERE, "SOURCE"),
}
UNREADABLE, NO_KLV, ERRORS = 3, 4, 7


def command(verb: str, source: Path | str, folder: Path) -> list[str]:
    """The arguments of a verb that reads `source`."""
    places = {"SOURCE": str(source), "OUT": str(folder / "out")}
    return [places.get(part, part) for part in VERBS[verb]]


@pytest.fixture
def laid(tmp_path: Path) -> Iterator[Bait]:
    with bait(tmp_path) as laid:
        yield laid


@pytest.mark.parametrize("name", DECOYS)
def test_no_verb_opens_what_a_file_names(
    name: str, laid: Bait, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Playlists, manifests, descriptions and containers with external data are refused or have no KLV."""
    path = tmp_path / name
    path.write_bytes(DECOYS[name](laid))
    for verb in VERBS:
        code, out, said = ran(capfd, *command(verb, path, tmp_path))
        assert laid.touched() == [], verb
        nothing_came = (0,) if verb == "record" else ()
        assert code in (UNREADABLE, NO_KLV, ERRORS, *nothing_came), (verb, said)
        assert CONTENT.decode().strip() not in out + said, verb
    assert not list(tmp_path.glob("out/*")), "something was recorded"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("playlist.m3u8", {"allowed_extensions": "ALL", "extension_picky": "0"}),
        ("list.ffconcat", {"safe": "0"}),
        ("alias.mov", {"enable_drefs": "1", "use_absolute_path": "1"}),
    ],
)
def test_libav_opens_it_where_it_is_allowed(name: str, options: dict[str, str], laid: Bait, tmp_path: Path) -> None:
    """libav opens the named files where it is allowed to: the decoys are effective."""
    path = tmp_path / name
    path.write_bytes(DECOYS[name](laid).replace(os.fsencode(laid.pipe), os.fsencode(laid.file)))
    try:
        with av.open(f"file:{path}", options=options) as container:
            list(container.demux())
    except (av.FFmpegError, ValueError):
        pass
    assert "file" in laid.touched()


# ---- special files ----


@pytest.mark.parametrize("verb", VERBS)
def test_a_named_pipe_without_a_writer_is_waited_for_until_a_signal(verb: str, tmp_path: Path) -> None:
    """Then the verb ends at once."""
    pipe = tmp_path / "feed.ts"
    os.mkfifo(pipe)
    _waits_until_a_signal(command(verb, pipe, tmp_path), pipe)


@pytest.mark.parametrize("options", [[], ["--follow"]])
def test_a_pipe_among_the_segments_of_a_folder_is_waited_for_until_a_signal(options: list[str], tmp_path: Path) -> None:
    """Also where a thread follows the folder."""
    pipe = tmp_path / "uav-20261122T181500.123456Z.ts"
    os.mkfifo(pipe)
    _waits_until_a_signal(["decode", "-q", *options, str(tmp_path)], pipe)


def _waits_until_a_signal(arguments: list[str], pipe: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        try:
            _wait_until_opened(pipe, process)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode in (0, UNREADABLE)
    assert b"Traceback" not in said
    assert b"EINTR" not in said


def _wait_until_opened(pipe: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        if _has_open(process.pid, pipe):
            return
        time.sleep(0.02)
    raise AssertionError("the pipe was not opened")


def _has_open(pid: int, pipe: Path) -> bool:
    return any(_target(link) == str(pipe) for link in Path(f"/proc/{pid}/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""


def test_frame_times_come_through_a_named_pipe(tmp_path: Path) -> None:
    """Frame times through a pipe equal those of the file."""
    pipe = tmp_path / "feed.ts"
    os.mkfifo(pipe)
    script = "import shutil, sys; shutil.copyfileobj(open(sys.argv[1], 'rb'), open(sys.argv[2], 'wb'))"
    with subprocess.Popen([sys.executable, "-c", script, SAMPLE, pipe]) as writer:
        found = list(frame_times(pipe))
    assert writer.returncode == 0
    assert [frame.time_us for frame in found] == [frame.time_us for frame in frame_times(SAMPLE)]


@pytest.mark.parametrize("verb", VERBS)
def test_a_socket_and_an_empty_folder_are_no_source(
    verb: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One error line, without advice about a network."""
    place, folder = tmp_path / "socket.ts", tmp_path / "folder"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        for source in (place, folder):
            code, _, said = ran(capfd, *command(verb, source, tmp_path))
            assert code == UNREADABLE, said
            assert str(source) in said
            assert "Traceback" not in said
            assert "TLS" not in said


def test_a_device_is_not_followed(capfd: pytest.CaptureFixture[str]) -> None:
    """/dev/zero never ends, and a search behind its zeros would never return."""
    for device in ("/dev/zero", "/dev/null"):
        code, _, said = ran(capfd, "decode", "-q", "--follow", device)
        assert (code, said.count("\n")) == (UNREADABLE, 1)
        assert "device" in said


# ---- frame times of files that libav cannot handle ----


def test_klv_beside_a_video_without_stamps_is_no_fault(capfd: pytest.CaptureFixture[str]) -> None:
    """The KLV stream comes first and libav cannot time the video: one line reports it."""
    code, out, said = ran(capfd, "decode", "--frame-times", str(VECTORS / "klv_before_video.ts"))
    assert (code, out, said.count("\n")) == (NO_KLV, "", 1)
    assert "no video frame carries a time stamp" in said


def test_video_of_another_codec_is_skipped_and_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A cover picture of the recording is not a video."""
    path = tmp_path / "old.avi"
    path.write_bytes(stamped.muxed("mpeg4", stamped.encoded("mpeg4", 5), "avi"))
    code, _, said = ran(capfd, "decode", "--frame-times", str(path))
    assert code == NO_KLV
    assert "stream=0 codec=mpeg4" in said


@pytest.mark.parametrize("options", [("--frame-times",), ("--demux", "libav"), ()])
@pytest.mark.parametrize("name", ["codec_change.ts", "codec_change_at_end.ts"])
def test_a_codec_that_changes_late_ends_no_process(name: str, options: tuple[str, ...]) -> None:
    """A PID changes from MPEG-2 video to H.264, or from H.265 after its last frame: libav's assertions do not fire,
    since it computes no times and decodes no frames.
    """
    line = [*COMMAND, "decode", "-q", *options, str(VECTORS / name)]
    done = subprocess.run(line, capture_output=True, timeout=30, env=ENVIRONMENT)
    assert done.returncode in (0, NO_KLV), done.stderr


class _Late:
    """A container in which a stream appeared after the opening: PyAV stops there."""

    def __init__(self, container: InputContainer) -> None:
        self._container, self.streams, self.format = container, container.streams, container.format

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def demux(self, streams: Sequence[Any]) -> Iterator[Any]:
        yield from self._container.demux(streams)
        raise IndexError("list index out of range")


def test_a_stream_that_appears_late_costs_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """All frames of the earlier streams are output by then."""
    whole = [frame.time_us for frame in frame_times(SAMPLE)]
    opened = Demuxer.open
    monkeypatch.setattr(Demuxer, "open", lambda *arguments: _Late(opened(*arguments)))
    assert [frame.time_us for frame in frame_times(SAMPLE)] == whole


def test_frame_times_of_damaged_files_are_frames_or_an_error_line() -> None:
    """Truncated, damaged and concatenated files in every container raise only klvrelay's exceptions."""
    frames = [stamped.frame("h264", stamped.START + number) for number in range(8)]
    forms = [stamped.muxed("h264", frames), (VECTORS / "klv_before_video.ts").read_bytes(), stamped.mpeg2()]
    forms += [stamped.muxed("mpeg4", stamped.encoded("mpeg4", 5), form) for form in ("mp4", "matroska", "avi")]
    chance = random.Random(7)
    for _ in range(150):
        data = bytearray(chance.choice(forms))
        for _ in range(chance.choice((1, 4, 16))):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] ^= 1 << chance.randrange(8)
                case 1:
                    data[at : at + 188] = bytes(188)
                case 2:
                    data = data[: max(400, at)]
                case _:
                    data[at:at] = chance.choice(forms)[: 188 * 4]
        with suppress(KlvrelayError):
            list(frame_times(bytes(data)))


# ---- recordings ----


@pytest.mark.parametrize(("mask", "file", "folder"), [(0, 0o640, 0o750), (0o077, 0o600, 0o700)])
def test_recordings_are_for_the_owner_and_the_group(mask: int, file: int, folder: int, tmp_path: Path) -> None:
    """Mode 0640 in folders of 0750, whatever more the umask allows; it may remove more."""
    place = tmp_path / "new" / "records"
    subprocess.run(
        [*COMMAND, "record", "-q", str(SAMPLE), str(place)], check=True, timeout=30, env=ENVIRONMENT, umask=mask
    )
    (segment,) = place.iterdir()
    assert stat.S_IMODE(segment.stat().st_mode) == file
    assert {stat.S_IMODE(path.stat().st_mode) for path in (place, place.parent)} == {folder}


def test_a_folder_that_is_there_keeps_its_permissions(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its creator decides who may read it."""
    place = tmp_path / "records"
    place.mkdir(mode=0o755)
    place.chmod(0o755)
    assert ran(capfd, "record", "-q", str(SAMPLE), str(place))[0] == 0
    assert stat.S_IMODE(place.stat().st_mode) == 0o755


def test_a_source_that_is_a_playlist_is_named(tmp_path: Path) -> None:
    """The library detects it too, whatever its file name."""
    path = tmp_path / "flight.ts"
    path.write_text("#EXTM3U\n#EXTINF:5,\n/etc/passwd\n")
    with pytest.raises(NotMedia, match="a playlist"):
        list(frame_times(path))
