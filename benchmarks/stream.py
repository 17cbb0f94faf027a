"""A live stream of 5 Mbit/s and 30 frames per second as datagrams; only the time in its KLV changes.

The KLV packet ends its frame and is completely in the last datagram, so that its time stamp is the time of sending.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass

from klvrelay import sample
from klvrelay.core import checksum16
from klvrelay.multiplex.mux import Mux
from klvrelay.multiplex.tables import KLV_PID

FRAMES = 30
"""Frames and KLV packets per second."""
PACKET = 188
DATAGRAM = 7 * PACKET
DATAGRAMS = 16
"""Datagrams per frame: 5.05 Mbit/s."""
TABLES = 4
"""Frames between two PATs: 0.13 s."""
CYCLE = 16 * TABLES
"""Frames after which all continuity counters have their initial values again."""

_VIDEO_SIZE = 18_500
_NULL = bytes([0x47, 0x1F, 0xFF, 0x10]) + b"\xff" * 184
_TIME_AT = 21  # key, BER length of three bytes, tag and length of item 2
_KEY = b"\x06\x0e\x2b\x34\x02\x0b\x01\x01"


@dataclass(slots=True)
class Frame:
    """The bytes of a frame, and the offsets of the time stamp and checksum of its KLV."""

    data: bytearray
    time_at: list[int]
    sum_at: list[int]
    sum_without_time: int

    def set_time(self, time_us: int) -> None:
        stamp = time_us.to_bytes(8, "big")
        data = self.data
        for at, octet in zip(self.time_at, stamp, strict=True):
            data[at] = octet
        # The time stamp starts at an odd offset of its packet, where the sum takes octets once, not times 256.
        total = self.sum_without_time + sum(stamp[0::2]) + 256 * sum(stamp[1::2])
        data[self.sum_at[0]] = total >> 8 & 0xFF
        data[self.sum_at[1]] = total & 0xFF


def frames() -> list[Frame]:
    """A cycle of frames of one stream."""
    out = io.BytesIO()
    mux = Mux(out, "h264", "sync", 90_000 // FRAMES)
    chance = random.Random(5)
    made = []
    for number, klv in enumerate(sample.packets(seconds=CYCLE / FRAMES, klv_rate=FRAMES)):
        out.seek(0)
        out.truncate()
        mux.frame(90_000 + number * 3000, chance.randbytes(_VIDEO_SIZE), number % TABLES == 0, klv)
        made.append(_frame(out.getvalue(), klv))
    return made


def _frame(data: bytes, klv: bytes) -> Frame:
    """Prepend null packets to fill whole datagrams."""
    missing = DATAGRAMS * DATAGRAM - len(data)
    if missing < 0 or missing % PACKET:
        raise ValueError(f"a frame of {len(data)} bytes")
    whole = bytearray(_NULL * (missing // PACKET) + data)
    where = _payload(whole, KLV_PID)
    begin = bytes(whole[at] for at in where).index(_KEY)
    blank = klv[:_TIME_AT] + bytes(8) + klv[_TIME_AT + 8 : -2]
    end = begin + len(klv)
    return Frame(whole, where[begin + _TIME_AT : begin + _TIME_AT + 8], where[end - 2 : end], checksum16(blank))


def _payload(data: bytes | bytearray, pid: int) -> list[int]:
    """Offsets of the payload bytes of a PID."""
    found: list[int] = []
    for at in range(0, len(data), PACKET):
        if (data[at + 1] & 0x1F) << 8 | data[at + 2] == pid:
            adaptation = 1 + data[at + 4] if data[at + 3] & 0x20 else 0
            found += range(at + 4 + adaptation, at + PACKET)
    return found
