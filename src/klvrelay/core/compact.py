"""Compact messages: thinned packets as CBOR with the tags and codes of KLV (native/compact.c has the layout)."""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.core._core import ffi, lib
from klvrelay.core.memory import Memory
from klvrelay.core.thinning import Thinned

_compact = lib.klv_compact_record
_NULL = ffi.NULL
_memory = Memory()


def compact_record(
    thinned: Thinned,
    seq: int,
    *,
    boot: bytes | None = None,
    received_us: int | None = None,
    pts: int | None = None,
    pid: int | None = None,
    program: int | None = None,
    before_us: int | None = None,
) -> bytes:
    """One record of a compact message.

    seq        of the second and later records of a message the difference to the one before it
    boot       in UTF-8; this and what follows is in full records only
    before_us  item 2, as sent, of the record of this stream and set that was published before; None: not known
    """
    raw, full, removed = thinned
    memory = _memory
    written = _compact(
        raw, len(raw), full, bytes(removed), 0 if full else len(removed), seq,
        _NULL if boot is None else boot, 0 if boot is None else len(boot),
        -1 if received_us is None else received_us, -1 if pts is None else pts, -1 if pid is None else pid,
        -1 if program is None else program, -1 if before_us is None or before_us >> 63 else before_us,
        memory.out, memory.size,
    )  # fmt: skip
    if written:
        return memory.view[:written]  # type: ignore[no-any-return]
    memory.grow(2 * len(raw) + 512 + len(boot or b"") + memory.size)
    return compact_record(
        thinned, seq, boot=boot, received_us=received_us, pts=pts, pid=pid, program=program, before_us=before_us
    )


_FEW = 24


def compact(records: Sequence[bytes]) -> bytes:
    """The message of at most 65,535 results of `compact_record`, in order."""
    count = len(records)
    if count < _FEW:
        head = bytes([0x80 | count])
    else:
        head = bytes([0x98, count]) if count < 256 else b"\x99" + count.to_bytes(2, "big")
    return head + b"".join(records)
