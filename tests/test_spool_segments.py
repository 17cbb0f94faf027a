"""Segments on a disk that forgets what was not synced: what was synced is read again, and nothing else is invented."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import hypothesis.strategies as st
import pytest
from forgetful_disk import ForgetfulFolder
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from klvrelay.spool.disk.format import Codec, new_id
from klvrelay.spool.disk.segments import Segments

SIZE = 4096
LIMIT = 5 * SIZE


class Histories(RuleBasedStateMachine):
    """Writes, syncs, releases, sheddings, kills, losses of power and full disks, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder, self.codec = ForgetfulFolder(), Codec(new_id())
        self.random = Random(0)
        self.written: dict[int, bytes] = {}
        """Payload by position of all that may be read."""
        self.owed: set[int] = set()
        """Positions that must be read: synced, and neither released nor shed."""
        self.floor = 0
        self.segments = self.opened()

    @initialize(seed=st.integers(0, 1 << 32))
    def begin(self, seed: int) -> None:
        self.random = Random(seed)

    def opened(self) -> Segments:
        return Segments(self.folder, self.codec, size=SIZE, limit=LIMIT)

    @rule(sizes=st.lists(st.integers(0, 2 * SIZE), min_size=1, max_size=8), skipped=st.integers(0, 2))
    def write(self, sizes: list[int], skipped: int) -> None:
        positions = range(self.segments.next + skipped, 1 << 62, skipped + 1)
        payloads = {position: self.random.randbytes(size) for position, size in zip(positions, sizes, strict=False)}
        before = self.segments.next
        with suppress(OSError):
            self.segments.write(payloads)
        written = {position: payload for position, payload in payloads.items() if position < self.segments.next}
        assert self.segments.next == max(written, default=before - 1) + 1
        self.written |= written

    @rule()
    def sync(self) -> None:
        self.segments.sync()
        self.owed |= {position for position in self.written if position >= self.floor}

    @rule(share=st.floats(0, 1))
    def release(self, share: float) -> None:
        first, end = self.segments.first, self.segments.next
        position = first + int(share * (end - first))
        self.give_up(position)
        self.segments.release(position)

    @precondition(lambda self: self.segments.bounds())
    @rule()
    def shed(self) -> None:
        first, end = self.segments.bounds()[0]
        found = self.segments.shed()
        assert {position for position in self.owed if first <= position < end} <= {one.position for one in found}
        assert all(self.written[one.position] == one.payload for one in found)
        self.segments.release_held(lambda first, end: False)
        self.give_up(end)

    def give_up(self, position: int) -> None:
        self.floor = max(self.floor, position)
        self.owed = {owed for owed in self.owed if owed >= self.floor}

    @rule()
    def kill(self) -> None:
        self.segments = self.opened()

    @rule()
    def lose_power(self) -> None:
        self.folder.lose_power(self.random)
        self.segments = self.opened()
        self.written = {position: self.written[position] for position in self.readable()}

    @rule(room=st.integers(0, 3 * SIZE))
    def fill_up(self, room: int) -> None:
        self.folder.size = self.folder.used + room

    @rule()
    def make_room(self) -> None:
        self.folder.size = 1 << 40

    def readable(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        position = 0
        while entries := list(self.segments.read(position)):
            found |= {entry.position: entry.payload for entry in entries}
            position = entries[-1].position + 1
        return found

    @invariant()
    def what_is_owed_is_there_and_nothing_is_invented(self) -> None:
        found = self.readable()
        assert self.owed <= found.keys()
        assert all(self.written[position] == payload for position, payload in found.items())
        assert list(found) == sorted(found)

    @invariant()
    def the_disk_holds_no_more_than_the_limit(self) -> None:
        assert self.segments.allocated <= LIMIT + 3 * SIZE


@pytest.mark.parametrize("count", [40, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_whatever_happens_what_is_durable_is_read(count: int) -> None:
    """Until it is released or shed, through any history."""
    run_state_machine_as_test(Histories, settings=settings(max_examples=count, stateful_step_count=40, deadline=None))
