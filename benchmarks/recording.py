"""Creates the TS file for measuring demultiplexers: a few seconds of a sample recording at 5 Mbit/s, repeated.

Creating it takes a while, so it is created once per run, in a temporary folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from klvrelay import sample

BIT_RATE = 5_000_000
_PACKET = 188
_COUNTERS = 8192


def make(folder: Path, *, seconds: float, size: int) -> Path:
    """A recording of at least `size` bytes: one of `seconds`, repeated with continuous continuity counters."""
    short, long = folder / "short.ts", folder / "recording.ts"
    sample.write(short, seconds=seconds, bit_rate=BIT_RATE)
    packets = np.frombuffer(short.read_bytes(), dtype=np.uint8).reshape(-1, _PACKET).copy()
    pids = (packets[:, 1].astype(np.uint16) & 0x1F) << 8 | packets[:, 2]
    bears = (packets[:, 3] & 0x10) != 0
    steps = np.bincount(pids[bears], minlength=_COUNTERS)[pids].astype(np.uint8)
    with long.open("wb") as out:
        while out.tell() < size:
            out.write(packets.tobytes())
            packets[:, 3] = packets[:, 3] & 0xF0 | (packets[:, 3] + steps) & 0x0F
    return long
