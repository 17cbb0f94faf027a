"""Blocks of a file, held until the next PCR says when their packets were due; `survey.py` reads them then."""

from __future__ import annotations

import numpy as np

from klvrelay.probe.transport.framer import Run

MOST = 4 << 20
"""Bytes that are held: a stream without a clock for so long is read without."""

Block = tuple[bytes, Run | None]
"""Bytes in order, and the packets among them."""


class Held:
    """What came behind the last PCR, in pieces that are put together once."""

    def __init__(self) -> None:
        self._parts: list[Block] = []
        self._size = 0

    def up_to(self, block: bytes, run: Run | None, end: int) -> Block:
        """All that is held, and of this the first `end` packets; the rest is held. 0 = all of this is held."""
        head, tail = _cut(block, run, end)
        if end == 0 and self._size + len(tail[0]) <= MOST:
            self._hold(tail)
            return b"", None
        self._parts.append(head if end else tail)
        whole, self._parts, self._size = _joined(self._parts), [], 0
        if end:
            self._hold(tail)
        return whole

    def all_with(self, block: bytes, run: Run | None) -> Block:
        """All that is held, and this."""
        whole, self._parts, self._size = _joined([*self._parts, (block, run)]), [], 0
        return whole

    def _hold(self, part: Block) -> None:
        if part[0]:
            self._parts.append(part)
            self._size += len(part[0])


def _cut(block: bytes, run: Run | None, end: int) -> tuple[Block, Block]:
    """A block before and from its `end`-th packet on."""
    if run is None or end == 0:
        return (b"", None), (block, run)
    if end == len(run.at):
        return (block, run), (b"", None)
    edge = int(run.at[end])
    return (block[:edge], Run(run.at[:end], run.rows[:end])), (block[edge:], Run(run.at[end:] - edge, run.rows[end:]))


def _joined(parts: list[Block]) -> Block:
    """Blocks one behind the other."""
    if len(parts) == 1:
        return parts[0]
    begin, at, rows = 0, [], []
    for block, run in parts:
        if run is not None:
            at.append(run.at + begin)
            rows.append(run.rows)
        begin += len(block)
    whole = b"".join(block for block, _ in parts)
    return whole, Run(np.concatenate(at), np.concatenate(rows)) if at else None
