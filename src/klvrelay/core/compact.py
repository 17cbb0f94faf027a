"""Messages of compact records: thinned packets as CBOR with KLV tags and codes (native/compact.c has the layout)."""

from __future__ import annotations

from collections.abc import Sequence

_FEW = 24


def compact(records: Sequence[bytes]) -> bytes:
    """The message of at most 65,535 compact records, which `Shape` writes, in order."""
    count = len(records)
    if count < _FEW:
        head = bytes([0x80 | count])
    else:
        head = bytes([0x98, count]) if count < 256 else b"\x99" + count.to_bytes(2, "big")
    return head + b"".join(records)
