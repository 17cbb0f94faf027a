"""Holds blocks of a file until the next PCR defines the times of their packets."""

from __future__ import annotations

import numpy as np

from klvrelay.probe.transport.framer import Run

MOST = 4 << 20
"""Maximum number of bytes held; after that the data is processed without a clock."""

Block = tuple[bytes, Run | None]
"""Consecutive bytes and the packets among them."""


class PendingBlocks:
    """Data after the last PCR, as pieces that are joined once."""

    def __init__(self) -> None:
        self._parts: list[Block] = []
        self._size = 0

    def take_up_to(self, block: bytes, run: Run | None, end: int) -> Block:
        """All held data and the first `end` packets of this block; hold the rest. 0: hold the whole block."""
        head, tail = _split(block, run, end)
        if end == 0 and self._size + len(tail[0]) <= MOST:
            self._hold(tail)
            return b"", None
        self._parts.append(head if end else tail)
        whole, self._parts, self._size = _join(self._parts), [], 0
        if end:
            self._hold(tail)
        return whole

    def take_all(self, block: bytes, run: Run | None) -> Block:
        """All held data and this block."""
        whole, self._parts, self._size = _join([*self._parts, (block, run)]), [], 0
        return whole

    def _hold(self, part: Block) -> None:
        if part[0]:
            self._parts.append(part)
            self._size += len(part[0])


def _split(block: bytes, run: Run | None, end: int) -> tuple[Block, Block]:
    """Split a block at its `end`-th packet."""
    if run is None or end == 0:
        return (b"", None), (block, run)
    if end == len(run.at):
        return (block, run), (b"", None)
    edge = int(run.at[end])
    return (block[:edge], Run(run.at[:end], run.rows[:end])), (block[edge:], Run(run.at[end:] - edge, run.rows[end:]))


def _join(parts: list[Block]) -> Block:
    """Concatenate blocks."""
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
