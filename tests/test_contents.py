"""Every verb that reads files names the type of a file that is not a stream."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from probe_streams import Mux, klv_only, record
from test_cli import ran

from klvrelay.recordings import contents

SRT = "1\n00:00:00,000 --> 00:00:00,033\n<font size=28>SrtCnt : 1\n[latitude: 56.1] </font>\n\n"


def pcap(payloads: list[bytes], magic: bytes = b"\xd4\xc3\xb2\xa1") -> bytes:
    """A capture of UDP datagrams."""
    out = magic + struct.pack("<HHiIII", 2, 4, 0, 0, 65535, 1)
    for payload in payloads:
        frame = bytes(42) + payload
        out += struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame
    return out


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("flight.ts", "x" * 100)
    return buffer.getvalue()


def png() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + bytes(13) + zlib.compress(bytes(999))


def datagrams() -> list[bytes]:
    ts = Mux().bytes()
    return [ts[at : at + 1316] for at in range(0, len(ts), 1316)]


FILES: dict[str, tuple[bytes, str]] = {
    "dji.srt": ((SRT * 40).encode(), "subtitles (SRT)"),
    "crlf.srt": (("\ufeff" + SRT.replace("\n", "\r\n")).encode(), "subtitles (SRT)"),
    "utf16.srt": (SRT.encode("utf-16"), "subtitles (SRT)"),
    "subtitles.vtt": (b"WEBVTT\n\n00:01.000 --> 00:04.000\n56.1\n", "subtitles (WebVTT)"),
    "notes.txt": (("Flug über Ærø, 12 Grad\n" * 9).encode(), "text"),
    "records.jsonl": (json.dumps({"schema": "klvrelay/1"}).encode() + b"\n", "JSON"),
    "mission.xml": (b"<?xml version='1.0'?><a/>", "XML or HTML"),
    "page.html": (b"<!DOCTYPE html><html></html>", "XML or HTML"),
    "live.m3u8": (b"#EXTM3U\n#EXT-X-VERSION:3\n", "a playlist (HLS)"),
    "cam.sdp": (b"v=0\no=- 0 0 IN IP4 127.0.0.1\n", "a session description (SDP)"),
    "klv.hex": (record(0).hex(" ").encode(), "hex text"),
    "gps.nmea": (b"$GPGGA,123519,4807.038,N,01131.000,E\r\n" * 20, "NMEA sentences"),
    "capture.pcap": (pcap(datagrams()), "a packet capture"),
    "capture_klv.pcap": (pcap([record(n) for n in range(9)], b"\x4d\x3c\xb2\xa1"), "a packet capture"),
    "flight.ts.gz": (gzip.compress(Mux().bytes()), "gzip data"),
    "flight.zip": (zipped(), "a zip archive"),
    "frame.png": (png(), "a PNG picture"),
    "program": (b"\x7fELF\x02\x01\x01" + bytes(9999), "a program (ELF)"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_each_verb_names_the_type_of_a_wrong_file(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """One line, exit code 3, nothing on standard output."""
    data, called = FILES[name]
    path = tmp_path / name
    path.write_bytes(data)
    for args in (["decode", str(path)], ["probe", str(path)], ["decode", str(path), "--frame-times"],
                 ["send", str(path), "udp://127.0.0.1:9"]):  # fmt: skip
        code, out, said = ran(capfd, *args)
        assert (code, out) == (3, ""), args
        assert said.startswith(f"klvrelay: {path} holds {called}, neither MPEG-TS nor KLV"), args
        assert said.count("\n") == 1


def test_a_file_of_mostly_zeros_is_not_called_empty(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Even without a known type, and where it is longer than the inspected part."""
    program, other = b"\x7fELF\x02\x01\x01", bytes(range(1, 32))
    for size in (5000, 9_000_000):
        for begin, says in ((program, " holds a program (ELF), neither"), (other, ": holds neither MPEG-TS nor KLV")):
            path = tmp_path / "wrong"
            path.write_bytes(begin + bytes(size))

            code, out, said = ran(capfd, "decode", str(path))

            assert (code, out) == (3, "")
            assert said.startswith(f"klvrelay: {path}{says}"), said


def test_a_replay_names_the_type_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """In the log, with the exit code of an unreadable source."""
    path = tmp_path / "dji.srt"
    path.write_bytes(FILES["dji.srt"][0])

    code, _, said = ran(capfd, "replay", str(path), "--mqtt", "mqtt://127.0.0.1:1")

    assert code == 3
    assert "dji.srt holds subtitles (SRT), neither MPEG-TS nor KLV" in said


def test_streams_and_noise_have_no_file_type():
    """Noise may be anything."""
    for data in (Mux().bytes(), klv_only([record(0)]), bytes(5000), b"\xff" * 5000, bytes(range(256)) * 4, b""):
        assert contents.named(data) is None


def test_a_text_before_a_stream_does_not_hide_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """For example a saved HTTP header."""
    path = tmp_path / "saved.ts"
    path.write_bytes(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n" + Mux().bytes())

    code, out, _ = ran(capfd, "decode", str(path))

    assert (code, out.count("\n")) == (0, 60)


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_text_is_recognised_wherever_it_is_cut(cut: int):
    """Even in the middle of a character."""
    text = ("x" * (contents.LOOKED_AT - cut) + "→→→→").encode()
    assert contents.named(text[: contents.LOOKED_AT]) == contents.Contents("text")
