"""Files that name other files and servers as bait for a reader, and a check whether it opened them.

`test_files.py` passes them to every verb. `Bait` detects an access by inotify (Linux) and by a listening socket: no
server has to answer.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

IN_OPEN = 0x20
CONTENT = b"what nobody asked for\n"


@dataclass(frozen=True, slots=True)
class Bait:
    """A file, a named pipe without a writer and a port; none may be touched."""

    file: Path
    pipe: Path
    port: int
    _listening: socket.socket
    _notes: int

    def touched(self) -> list[str]:
        """What was opened or connected to since the last call."""
        found = []
        try:
            names = {1: "file", 2: "pipe"}
            data = os.read(self._notes, 1 << 16)
            found += sorted({names[struct.unpack_from("=i", data, at)[0]] for at in range(0, len(data), 16)})
        except BlockingIOError:
            pass
        try:
            self._listening.accept()[0].close()
            found.append("port")
        except BlockingIOError:
            pass
        return found


@contextmanager
def bait(folder: Path) -> Iterator[Bait]:
    """The bait, created in `folder` and watched."""
    file, pipe = folder / "bait.txt", folder / "bait.fifo"
    file.write_bytes(CONTENT)
    os.mkfifo(pipe)
    libc = ctypes.CDLL(None, use_errno=True)
    notes = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert notes >= 0, os.strerror(ctypes.get_errno())
    watches = [libc.inotify_add_watch(notes, os.fsencode(path), IN_OPEN) for path in (file, pipe)]
    assert watches == [1, 2]
    try:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            yield Bait(file, pipe, listening.getsockname()[1], listening, notes)
    finally:
        os.close(notes)


def named(bait: Bait) -> list[str]:
    """The bait under every kind of name that libav accepts."""
    file = str(bait.file)
    http = f"http://127.0.0.1:{bait.port}/segment.ts"
    return [
        file, bait.file.name, f"file:{file}", f"file://{file}", str(bait.pipe), "/etc/passwd", http,
        f"tcp://127.0.0.1:{bait.port}", f"concat:{file}|{bait.pipe}", f"crypto:{file}", f"async:{file}",
        f"subfile,,start,0,end,100,,:{file}", f"cache:{file}", f"hls+{http}",
    ]  # fmt: skip


# ---- playlists and the like ----


def playlist(bait: Bait) -> bytes:
    """HLS: key, initialisation section and segments are elsewhere."""
    names = named(bait)
    head = ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:5", f'#EXT-X-MAP:URI="{names[0]}"',
            f'#EXT-X-KEY:METHOD=AES-128,URI="{names[0]}"']  # fmt: skip
    segments = [line for name in names for line in ("#EXTINF:5,", name)]
    return "\n".join([*head, *segments, "#EXT-X-ENDLIST", ""]).encode()


def master(bait: Bait) -> bytes:
    """HLS: other playlists."""
    variants = [f'#EXT-X-STREAM-INF:BANDWIDTH={number}\n{name}' for number, name in enumerate(named(bait), 1)]
    return "\n".join(["#EXTM3U", *variants, ""]).encode()


def concatenation(bait: Bait) -> bytes:
    """ffconcat."""
    return "\n".join(["ffconcat version 1.0", *(f"file '{name}'" for name in named(bait)), ""]).encode()


def manifest(bait: Bait) -> bytes:
    """MPEG-DASH."""
    inside = "".join(
        f'<Representation id="{number}" bandwidth="1"><BaseURL>{name}</BaseURL></Representation>'
        for number, name in enumerate(named(bait))
    )
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
        ' mediaPresentationDuration="PT5S"><Period><AdaptationSet mimeType="video/mp4">'
        f"{inside}</AdaptationSet></Period></MPD>"
    ).encode()


def description(bait: Bait) -> bytes:
    """SDP."""
    return (
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=video {bait.port} TCP/RTP/AVP 33\r\na=control:rtsp://127.0.0.1:{bait.port}/\r\n"
    ).encode()


# ---- containers ----


def quicktime(bait: Bait) -> bytes:
    """A track whose samples are in another file (a QuickTime alias)."""
    return _box(b"ftyp", b"qt  \0\0\0\0qt  ") + _box(b"moov", _movie_header(), _track(_alias(bait.file)))


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full(kind: bytes, *parts: bytes) -> bytes:
    return _box(kind, bytes(4), *parts)


_UNITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _movie_header() -> bytes:
    times = struct.pack(">IIIIIH10x", 0, 0, 1000, 1000, 0x10000, 0x100)
    return _full(b"mvhd", times, _UNITY, bytes(24), struct.pack(">I", 2))


def _alias(file: Path) -> bytes:
    """A Macintosh alias record: a volume, a name, and the path under 2 and 18."""
    volume, name, path = b"volume", os.fsencode(file.name), os.fsencode(file)
    record = bytes(10) + bytes([len(volume)]) + volume.ljust(27, b"\0") + bytes(12)
    record += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    for kind, text in ((2, path), (18, path)):
        record += struct.pack(">HH", kind, len(text)) + text + bytes(len(text) % 2)
    return _box(b"alis", bytes(4), record + struct.pack(">Hh", -1 & 0xFFFF, 0))


def _track(reference: bytes) -> bytes:
    header = _box(b"tkhd", bytes([0, 0, 0, 7]), struct.pack(">5I16x", 0, 0, 1, 0, 1000), _UNITY,
                  struct.pack(">II", 64 << 16, 64 << 16))  # fmt: skip
    media = _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 1000, 1000, 0, 0))
    handler = _full(b"hdlr", bytes(4) + b"meta" + bytes(12) + b"x\0")
    entry = _box(b"mett", bytes(6) + b"\0\1" + b"\0application/x\0")
    table = _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), entry),
        _full(b"stts", struct.pack(">III", 1, 2, 500)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1)),
        _full(b"stsz", struct.pack(">II", 4, 2)),
        _full(b"stco", struct.pack(">III", 2, 0, 2)),
    )
    where = _box(b"dinf", _full(b"dref", struct.pack(">I", 1), reference))
    return _box(b"trak", header, _box(b"mdia", media, handler, _box(b"minf", _full(b"nmhd"), where, table)))


def matroska(bait: Bait) -> bytes:
    """Ordered chapters from another segment, and the names of the previous and next files."""
    other = bytes(range(16))
    info = _element(0x1549A966, _element(0x73A4, bytes(16)), _element(0x3CB923, other), _element(0x3EB923, other),
                    _element(0x3C83AB, os.fsencode(bait.file)), _element(0x3E83BB, os.fsencode(bait.pipe)),
                    _element(0x2AD7B1, b"\x0f\x42\x40"))  # fmt: skip
    chapter = _element(0xB6, _element(0x73C4, b"\1"), _element(0x91, b"\0"), _element(0x6E67, other))
    chapters = _element(0x1043A770, _element(0x45B9, _element(0x45DD, b"\1"), chapter))
    track = _element(0xAE, _element(0xD7, b"\1"), _element(0x73C5, b"\1"), _element(0x83, b"\x11"),
                     _element(0x86, b"S_TEXT/UTF8"))  # fmt: skip
    head = _element(0x1A45DFA3, _element(0x4282, b"matroska"), _element(0x4287, b"\4"), _element(0x4285, b"\2"))
    return head + _element(0x18538067, info, chapters, _element(0x1654AE6B, track))


def _element(number: int, *parts: bytes) -> bytes:
    """EBML: a self-delimiting number, a size of 4 bytes, the content."""
    body = b"".join(parts)
    return number.to_bytes((number.bit_length() + 7) // 8, "big") + (0x10000000 | len(body)).to_bytes(4, "big") + body


DECOYS: dict[str, Callable[[Bait], bytes]] = {
    "playlist.m3u8": playlist,
    "playlist.ts": playlist,
    "marked.m3u8": lambda bait: b"\xef\xbb\xbf" + playlist(bait),
    "binary.m3u8": lambda bait: playlist(bait) + bytes(range(256)),
    "latin.m3u8": lambda bait: playlist(bait).replace(b"#EXT-X-VERSION", b"#\xe9\xff\n#EXT-X-VERSION"),
    "far.m3u8": lambda bait: b"\n" * 5000 + playlist(bait),
    "master.m3u8": master,
    "list.ffconcat": concatenation,
    "binary.ffconcat": lambda bait: concatenation(bait) + b"#\0\xff\xfe\n",
    "manifest.mpd": manifest,
    "session.sdp": description,
    "alias.mov": quicktime,
    "chapters.mkv": matroska,
}
"""The content of each file, by name."""
