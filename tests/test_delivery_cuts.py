"""Connections that the network cuts, to a sink that cannot tell at which record: no intact record is left out, and one
that breaks every connection is.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
import virtual_time
from records import record
from remote_sinks import FarEnd
from scripted_ends import sink_task_of

from klvrelay.outcome import Sums

CUTS, RECORDS = 40, 30
STREAMS = "uav1", "uav2", "uav3"
CULPRITS = {
    "none": (),
    "one": (("uav2", 7),),
    "two": (("uav2", 7), ("uav3", 9)),
    "in a row": (("uav2", 7), ("uav2", 8)),
}
CHANCE = random.Random(3)
RANDOM = [CHANCE.choice((1, 1, 2, 3, 5, 8)) for _ in range(CUTS)]
POINTS: dict[str, Callable[[int], int]] = {
    "first": lambda number: 1,
    "second": lambda number: 2,
    "third": lambda number: 3,
    "random": lambda number: RANDOM[number - 1],
}


class CutLine(FarEnd):
    """Connection number n is cut at its record number `point(n)`, the first CUTS of them; all are at a culprit."""

    def __init__(self, point: Callable[[int], int], culprits: tuple[tuple[str, int], ...]) -> None:
        super().__init__(0.05, breaks=self._is_cut)
        self._point, self._culprits = point, culprits
        self._counted, self._count = 0, 0

    def _is_cut(self, each: Any) -> bool:
        number = len(self.entries)
        if number != self._counted:
            self._counted, self._count = number, 0
        self._count += 1
        is_cut = number <= CUTS and self._count == self._point(number)
        return is_cut or (each.stream, each.seq) in self._culprits


@pytest.mark.parametrize("culprits", CULPRITS)
@pytest.mark.parametrize("point", POINTS)
def test_connections_that_are_cut_at_any_record_cost_only_the_one_that_breaks_them_all(point: str, culprits: str):
    """Wherever the network cuts them."""

    async def main() -> None:
        far = CutLine(POINTS[point], CULPRITS[culprits])
        sink_task, log = sink_task_of(far)
        task = asyncio.create_task(sink_task.drain())
        sent = 0
        while len(far.entries) <= CUTS or sent < RECORDS:
            for stream in STREAMS:
                log.append(record(sent, stream))
            sent += 1
            await asyncio.sleep(0.5)
        await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 600)
        task.cancel()
        await asyncio.wait({task})
        left_out = CULPRITS[culprits]
        for stream in STREAMS:
            wanted = [seq for seq in range(sent) if (stream, seq) not in left_out]
            assert list(dict.fromkeys(far.seqs(stream))) == wanted
        count = len(STREAMS) * sent
        assert sink_task.sums() == Sums(count, delivered=count - len(left_out), left_out=len(left_out))

    virtual_time.run(main())
