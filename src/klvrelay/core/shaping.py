"""Thins and writes records as an output publishes them: one call of the C core for each record."""

from __future__ import annotations

import threading
from typing import Literal

from klvrelay.core._core import ffi, lib
from klvrelay.core.packet import CHECKSUMS, Checksum, Transport, head
from klvrelay.core.thinning import Base, Thinning
from klvrelay.errors import DecodeError

Fields = tuple[
    bytes, str, Checksum, Transport, int | None, int | None, int | None, str, str | None, int, int | None, int | None
]
"""The fields of `klvrelay.record.Record`."""
Form = Literal["json", "cbor", "msgpack", "klv", "compact"]

_FORMS: dict[Form, int] = {
    "json": int(lib.KLV_JSON),
    "cbor": int(lib.KLV_CBOR),
    "msgpack": int(lib.KLV_MSGPACK),
    "klv": int(lib.KLV_KLV),
    "compact": int(lib.KLV_COMPACT),
}
_CODES: dict[Checksum, int] = {name: code for code, name in enumerate(CHECKSUMS)}
_NO_CLEAR = ffi.new_allocator(should_clear_after_alloc=False)
_shape_record = lib.klv_shape_record
_NULL = ffi.NULL
_ROOM_THIN, _ROOM_WRITE, _MORE = int(lib.KLV_ROOM_THIN), int(lib.KLV_ROOM_WRITE), int(lib.KLV_THIN_MORE)
_LATEST = (1 << 63) - 1


class _Memory(threading.local):
    """What the C core needs for a record: one per thread, growing to the largest record seen."""

    def __init__(self) -> None:
        self.struct = ffi.new("struct klv_shape_memory *")
        self._packet = self._json = self._out = _NULL
        self._enlarge(32768)

    def _enlarge(self, size: int) -> None:
        struct = self.struct
        self._json, self._out = _NO_CLEAR("char[]", size), _NO_CLEAR("uint8_t[]", size)
        struct.json, struct.json_room, struct.out, struct.out_room = self._json, size, self._out, size
        self.view = ffi.buffer(self._out)

    def take_packet(self, size: int) -> None:
        """Room for a packet of this size."""
        self.struct.packet_room = 2 * size + _MORE
        self.struct.packet = self._packet = _NO_CLEAR("uint8_t[]", self.struct.packet_room)

    def take_result(self) -> None:
        """More room for what is written of a packet."""
        self._enlarge(2 * int(self.struct.out_room))


_memory = _Memory()


class Shape:
    """How an output publishes the records of one stream and set, and what it has published of them in this run.

    thinning   what of each packet; None: all of it
    on_change  a record may continue the one before it, and says so
    safe       integers beyond 2^53 - 1 as strings
    snapshot   seconds between two full records, with `on_change`
    """

    __slots__ = ("_base", "_boot", "_form", "_head", "_struct", "_thinning")

    def __init__(
        self,
        thinning: Thinning | None,
        form: Form,
        *,
        on_change: bool = False,
        safe: bool = False,
        snapshot: float = 0.0,
    ) -> None:
        self._struct = ffi.new("struct klv_shape *")
        self._base: Base | None = None
        self._form = form
        self.retune(thinning, on_change=on_change)
        self._struct.format, self._struct.safe = _FORMS[form], safe
        self._struct.snapshot = int(min(snapshot * 1e6, _LATEST))
        self._boot: object = self  # no run yet

    def _begin(self, stream: str, boot: str | None) -> None:
        """Another run of the relay: the next record is full."""
        struct, self._boot = self._struct, boot
        start = head(stream, boot) if self._form != "compact" else None if boot is None else boot.encode()
        self._head = _NULL if start is None else ffi.new("char[]", start)
        struct.head, struct.head_size = self._head, len(start or b"")
        struct.seq = struct.highest = struct.before_us = -1
        struct.begun = 0

    def retune(self, thinning: Thinning | None, *, on_change: bool) -> None:
        """Other items, or other changes, from the next record on."""
        self._thinning = thinning
        self._struct.thinning = _NULL if thinning is None else thinning.struct
        if on_change != (self._base is not None):
            self._base = Base() if on_change else None
            self._struct.base = _NULL if self._base is None else self._base.struct
            self._struct.begun = 0

    def reset(self) -> None:
        """Subscribers may have missed a record: the next one is full."""
        self._struct.begun = 0
        if self._base is not None:
            self._base.reset()

    def write(self, record: Fields, at: int, *, again: bool = False) -> bytes | None:
        """The payload of a record at this time, in microseconds; None: nothing of it is to be published.

        A bad record is published as it is, or not at all if only a part is wanted.
        """
        raw, _, checksum, transport, pts, pid, received_us, stream, boot, seq, _, program = record
        if boot != self._boot:
            self._begin(stream, boot)
        memory = _memory
        written = _shape_record(
            self._struct, memory.struct, raw, len(raw), seq, -1 if received_us is None else received_us,
            -1 if pts is None else pts, -1 if pid is None else pid, -1 if program is None else program,
            transport != "ok", _CODES[checksum], at, again,
        )  # fmt: skip
        if written > 0:
            return memory.view[:written]  # type: ignore[no-any-return]
        if not written:
            return None
        if written == _ROOM_THIN:
            memory.take_packet(len(raw))
        elif written == _ROOM_WRITE:
            memory.take_result()
        else:
            raise DecodeError("not a KLV packet: it does not begin with a key and a length")
        return self.write(record, at, again=written == _ROOM_WRITE)
