"""The clocks of a machine that a test sets, changes of health, and a store that keeps what it gets."""

from __future__ import annotations

from dataclasses import dataclass, field

from klvrelay.health.causes import Cause
from klvrelay.health.changes import Change, Subject
from klvrelay.incidents.incident import Incident
from klvrelay.incidents.losses import Cost, Measure
from klvrelay.incidents.moment import MachineClock
from klvrelay.incidents.tracker import Tracker

NOON = 1_796_126_400_000_000
"""Noon of a day, microseconds since 1970."""
OK = ("live", "up", "writing", "running", "ended")


@dataclass
class Machine:
    """All clocks run together; `step` sets the wall clock only, `restart` begins another start of the machine."""

    seconds: float = 0.0
    wall: float = 0.0
    booted: float = 0.0
    starts: int = 1

    def clock(self) -> MachineClock:
        return MachineClock(
            monotonic=lambda: 100.0 + self.seconds,
            boottime=lambda: 100.0 + self.seconds - self.booted,
            wall_us=lambda: NOON + round((self.seconds + self.wall) * 1e6),
            boot_id=lambda: f"start-{self.starts}",
        )

    def step(self, seconds: float) -> None:
        self.wall += seconds

    def restart(self) -> None:
        self.booted, self.starts = self.seconds + 100.0, self.starts + 1

    def change(
        self, name: str, state: str, *, subject: Subject = "stream", ago: float = 0.0, cause: Cause | None = None,
        reason: str = "", before: str = "",
    ) -> Change:  # fmt: skip
        """A change found now, of a state that began `ago` seconds before."""
        clock = self.clock()
        now = clock.monotonic()
        found = cause or ("source" if state in ("down", "stale", "stalled", "failing") else None)
        return Change(subject, name, state, before, state in OK, reason, found, now - ago, now, clock.wall_us())


@dataclass
class Kept:
    """Keeps the latest version of each incident."""

    known: dict[str, Incident] = field(default_factory=dict)
    saves: int = 0

    def save(self, incident: Incident) -> None:
        self.known[incident.id] = incident
        self.saves += 1

    def discard(self, incident: Incident) -> None:
        self.known.pop(incident.id, None)

    @property
    def all(self) -> list[Incident]:
        return list(self.known.values())

    @property
    def only(self) -> Incident:
        (one,) = self.all
        return one


class OneASecond:
    """Every outage costs one lost record per second."""

    def begin(self, change: Change) -> Measure:
        return lambda seconds: Cost(round(seconds), estimated=True)


def tracking(machine: Machine, run: str = "run1") -> tuple[Tracker, Kept]:
    kept = Kept()
    return Tracker(run, machine.clock(), kept, OneASecond()), kept
