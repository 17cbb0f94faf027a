"""A million flaps: the ledger stays within its size, in bounded memory, and its figures are true."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest
from incident_clock import Machine, OneASecond

from klvrelay.incidents import database
from klvrelay.incidents.incident import Incident
from klvrelay.incidents.ledger_file import LedgerFile
from klvrelay.incidents.opening import NAME
from klvrelay.incidents.query import Query
from klvrelay.incidents.tracker import Tracker

FLAPS, SIZE = 1_000_000, 16 << 20

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


class Batched:
    """Writes incidents to a file, many at a time."""

    def __init__(self, file: LedgerFile) -> None:
        self._file, self._waiting = file, dict[str, Incident]()

    def save(self, incident: Incident) -> None:
        self._waiting[incident.id] = incident
        if len(self._waiting) >= 1000:
            self.flush()

    def discard(self, incident: Incident) -> None:
        self._waiting.pop(incident.id, None)

    def flush(self) -> None:
        self._file.write(self._waiting.values(), [])
        self._waiting.clear()


def test_a_million_flaps_stay_bounded(tmp_path: Path):
    """All are counted; the newest are kept, as many as fit."""
    machine, path = Machine(), tmp_path / NAME
    file = LedgerFile(path, 3650 * 86400.0, SIZE, machine.clock())
    store = Batched(file)
    tracker = Tracker("run1", machine.clock(), store, OneASecond())
    began, most = time.monotonic(), 0
    for number in range(FLAPS):
        machine.seconds += 10
        tracker.note(machine.change("uav1", "stale", ago=2))
        machine.seconds += 1 + number % 5
        tracker.note(machine.change("uav1", "live"))
        tracker.check()
        if number == FLAPS // 5:
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if number % 10_000 == 0:
            most = max(most, sum(each.stat().st_size for each in tmp_path.iterdir()))
    store.flush()
    key = ("stream", "source")
    assert tracker.counts.closed[key] == FLAPS
    assert tracker.counts.seconds[key] / FLAPS == pytest.approx(5)
    assert most < SIZE + (8 << 20), "the file and its log"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 20_000, "kilobytes"
    kept = file.use(lambda connection: database.select(connection, Query(limit=10_000)))
    assert len(kept) == 10_000
    assert kept[0].since_us > kept[-1].since_us
    file.close()
    print(f"{(time.monotonic() - began) / FLAPS * 1e6:.0f} us a flap, at most {most / 1e6:.1f} MB")
