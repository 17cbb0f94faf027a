"""Reads one KLV packet by the C core: set, checksum, times and JSON."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any, Literal

from klvrelay.core._core import ffi, lib
from klvrelay.errors import ConfigError, DecodeError

LIMIT = 1 << 20
"""Default maximum bytes of a packet's value."""

LIMIT_LEAST, LIMIT_MOST = 512, 8 << 20
"""Valid range of that limit."""

PACKET_HEAD = 25
"""Maximum bytes before a packet's value: the key, and a length in long form."""


def checked_limit(limit: int) -> int:
    """A valid `packet_limit`. Raises ConfigError for any other."""
    if not LIMIT_LEAST <= limit <= LIMIT_MOST:
        raise ConfigError(f"packet_limit {limit}: must be {LIMIT_LEAST} to {LIMIT_MOST} bytes")
    return limit


Checksum = Literal["ok", "bad", "absent", "partial"]
Transport = Literal["ok", "damaged"]

CHECKSUMS: tuple[Checksum, ...] = ("absent", "ok", "bad", "partial")
TRANSPORTS: tuple[Transport, ...] = ("ok", "damaged")
SET_NAMES = [ffi.string(lib.klv_set_name(i)).decode() for i in range(256)]
_NO_CLEAR = ffi.new_allocator(should_clear_after_alloc=False)


EVERYTHING = ffi.NULL
"""The selection of all items."""


class _TextBuffer(threading.local):
    """Buffer for text written by C: one per thread, growing to the largest record seen."""

    def __init__(self) -> None:
        self.unknown = ffi.new("uint64_t *")
        self.grow(32768)
        self.time = ffi.new("uint64_t *")
        bits = ffi.new("uint64_t[3]")
        self.bits = bits, ffi.buffer(bits)

    def grow(self, size: int) -> None:
        self.size = size
        self.out = _NO_CLEAR("char[]", size)
        self.text = self.out, ffi.buffer(self.out), size, self.unknown


_CODES: dict[Checksum, int] = {name: code for code, name in enumerate(CHECKSUMS)}
text_buffer = _TextBuffer()
_klv_record = lib.klv_record
_klv_whole = lib.klv_whole


def checksum_code(checksum: Checksum | None) -> int:
    """What C calls the result of a check; -1 = it is made again."""
    return -1 if checksum is None else _CODES[checksum]


_PLAIN = re.compile(r"[A-Za-z0-9_.-]*")
"""A name that needs no escape in JSON, such as one derived from a file name."""


@lru_cache(maxsize=4096)
def head(stream: str, boot: str | None) -> bytes:
    """The first keys of every record of a stream, escaped once."""
    if _PLAIN.fullmatch(stream) and boot is None:
        return f'{{"schema":"klvrelay/1","stream":"{stream}","boot":null'.encode()
    from klvrelay.json_output import dumps  # here, since a command that reads a file does not need it

    return dumps({"schema": "klvrelay/1", "stream": stream, "boot": boot})[:-1]


def record_json(
    raw: bytes,
    head_: bytes,
    seq: int = 0,
    received_us: int | None = None,
    pts: int | None = None,
    damaged: bool = False,
    pid: int | None = None,
    program: int | None = None,
    checksum: Checksum | None = None,
    safe: bool = False,
    chosen: Any = EVERYTHING,
) -> bytes:
    """One packet as the JSON document of a record, UTF-8. Raises DecodeError if it is not a packet.

    `head_` is the result of `head()`. `checksum` is the earlier result of its check; None: check again. `chosen` is a
    `new_selection()` of items.
    """
    out, text, size, unknown = text_buffer.text
    received = -1 if received_us is None else received_us
    written = _klv_record(
        raw, len(raw), head_, len(head_), seq, received, -1 if pts is None else pts,
        -1 if pid is None else pid, -1 if program is None else program, damaged,
        -1 if checksum is None else _CODES[checksum], safe, chosen, out, size, unknown,
    )  # fmt: skip
    if written > 0:
        return text[:written]  # type: ignore[no-any-return]
    if written < 0:
        raise DecodeError("not a KLV packet: it does not begin with a key and a length")
    text_buffer.grow(min(4 * size, lib.klv_json_room(len(raw), len(head_))))
    return record_json(raw, head_, seq, received_us, pts, damaged, pid, program, checksum, safe, chosen)


def new_selection() -> Any:
    """An empty selection of items for `record_json`."""
    return ffi.new("struct klv_selection *")


def select(chosen: Any, key: str) -> int:
    """Add the items with a key to a selection. Returns the number of sets and tables that have one."""
    name = key.encode(errors="replace")
    return int(lib.klv_select(chosen, name, len(name)))


def unknown_items() -> int:
    """Number of items that `record_json` has left raw in this thread."""
    return int(text_buffer.unknown[0])


def items_json(raw: bytes) -> bytes:
    """The items of one packet as a JSON object, as in the record."""
    return record_json(raw, b"")


def tags(raw: bytes) -> bytes | None:
    """A number that identifies which items a packet has; None if they do not fit in one."""
    bits, view = text_buffer.bits
    return view[:] if lib.klv_tags(raw, len(raw), bits) else None


def time_us(raw: bytes) -> int | None:
    """Item 2 of a packet (ST 0603 microseconds), or None."""
    out = text_buffer.time
    return int(out[0]) if lib.klv_time(raw, len(raw), out) else None


def clock_us(raw: bytes) -> int | None:
    """`micros` of item 2 of a packet, or None."""
    out = text_buffer.time
    return int(lib.klv_micros(out[0])) if lib.klv_time(raw, len(raw), out) else None


def micros(sent: int) -> int:
    """A time stamp in microseconds since 1970, even if its sender counts nanoseconds, milliseconds or seconds."""
    return int(lib.klv_micros(sent))


def time_unit(sent: int) -> str | None:
    """The unit of a time stamp if not microseconds: "nanoseconds", "milliseconds" or "seconds"."""
    name = lib.klv_time_unit(sent)
    return ffi.string(name).decode() if name else None


_CODECS = {
    "h264": lib.KLV_H264,
    "hevc": lib.KLV_HEVC,
    "mpeg1video": lib.KLV_MPEG2,
    "mpeg2video": lib.KLV_MPEG2,
}
STAMPED_CODECS = frozenset(_CODECS)
"""libav names of the codecs whose frames may contain a time stamp (ST 0604)."""


def stamp(frame: Any, codec: str) -> tuple[int, int | None, int, bool, bool] | None:
    """(microseconds, nanoseconds beside them, status, they were nanoseconds, odd) of a video frame's first stamp."""
    source = ffi.from_buffer("uint8_t[]", frame)
    out = ffi.new("struct klv_stamp *")
    if codec not in _CODECS or not lib.klv_stamp(source, len(source), _CODECS[codec], out):
        return None
    beside = None if out.nanoseconds < 0 else int(out.nanoseconds)
    sniffed, odd = bool(out.flags & lib.KLV_NANOSECONDS), bool(out.flags & lib.KLV_ODD_BODY)
    return int(out.time_us), beside, int(out.status), sniffed, odd


def whole(data: bytes, limit: int = LIMIT) -> tuple[str, Checksum] | None:
    """(set, checksum) of a buffer that is exactly one regular packet; None: use a `Lane`."""
    found = _klv_whole(data, len(data), limit)
    return None if found < 0 else (SET_NAMES[found >> 2], CHECKSUMS[found & 3])
