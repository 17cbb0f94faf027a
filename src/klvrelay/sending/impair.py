"""Simulated network impairment: takes units (datagrams or TS packets) and returns what such a network would deliver.

It uses no clock and no socket, and its only randomness is a seeded generator: the same seed and the same units give
the same result.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import count

from klvrelay.errors import ConfigError
from klvrelay.text import printable

TS_SIZE = 188

Delayed = tuple[float, bytes]
"""(seconds of extra delay, unit)."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """An impairment; probabilities are fractions of all units.

    loss        fraction that is lost; `burst`: consecutive units lost at a time
    reorder     fraction that arrives after the next `by` units
    duplicate   fraction that arrives twice; `apart`: units between the two copies
    flip        fraction in which bits are inverted; `bits`: how many
    delay       extra seconds for each unit; `jitter`: up to this many more, random per unit, so that units may reorder
    level       "datagram", or "ts": TS packets before they are put into datagrams
    pid         only TS packets of this PID, or None for all
    seed        of the random generator
    """

    loss: float = 0.0
    burst: int = 1
    reorder: float = 0.0
    by: int = 1
    duplicate: float = 0.0
    apart: int = 0
    flip: float = 0.0
    bits: int = 1
    delay: float = 0.0
    jitter: float = 0.0
    level: str = "datagram"
    pid: int | None = None
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> Impairment:
        """Parse `loss=1%,reorder=0.5%,seed=7`; raises ConfigError, which lists the valid keys.

        If no seed is given, one is chosen, so that it can be reported and reused.
        """
        options: dict[str, object] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals or key not in _READERS:
                raise ConfigError(f"--impair: unknown {printable(part)!r}\n{KNOWN}")
            if key in options:
                raise ConfigError(f"--impair: {key} is specified twice")
            try:
                options[key] = _READERS[key](value)
            except ValueError as fault:
                raise ConfigError(f"--impair: {key}={printable(value)}: give {fault}") from None
        if not options:
            raise ConfigError(f"--impair: no impairment specified\n{KNOWN}")
        options.setdefault("seed", random.SystemRandom().randrange(1, 100_000))
        self = cls(**options)  # type: ignore[arg-type]  # each reader gives its field's type
        self._fit(options)
        return self

    def _fit(self, options: Collection[str]) -> None:
        """Reject keys that have no effect without another key, or at this level."""
        for key, needed in (("burst", "loss"), ("by", "reorder"), ("apart", "duplicate"), ("bits", "flip")):
            if key in options and not getattr(self, needed):
                raise ConfigError(f"--impair: {key} qualifies {needed}: give {needed} too, as in {needed}=1%")
        if self.level == "ts" and (self.delay or self.jitter):
            raise ConfigError("--impair: delay and jitter apply to datagrams: leave out level=ts")
        if self.pid is not None and self.level != "ts":
            raise ConfigError("--impair: pid selects TS packets: give level=ts too")
        if not any((self.loss, self.reorder, self.duplicate, self.flip, self.delay, self.jitter)):
            raise ConfigError(f"--impair: no impairment has an effect\n{KNOWN}")


def _share(text: str) -> float:
    """`1%` or `0.01` as a fraction."""
    wanted = "a share such as 1% or 0.01, at most 100%"
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)(\s*%)?", text, re.ASCII)
    if found is None:
        raise ValueError(wanted)
    share = float(found[1]) / 100 if found[2] else float(found[1])
    if share > 1:
        raise ValueError(wanted)
    if share == 1 and not found[2]:
        raise ValueError("1% or 100%: it could be either")
    return share


def _seconds(text: str) -> float:
    """`20ms`, `20` (milliseconds) or `0.5s` in seconds."""
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*(ms|s|)", text, re.ASCII)
    if found is None or float(found[1]) * (1 if found[2] == "s" else 1e-3) > 60:
        raise ValueError("milliseconds such as 20 or 20ms, at most 60s")
    return float(found[1]) if found[2] == "s" else float(found[1]) / 1000


def _integer(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            number = int(text, 0)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return number

    return read


def _level(text: str) -> str:
    if text not in ("datagram", "ts"):
        raise ValueError("datagram or ts")
    return text


_READERS: dict[str, Callable[[str], object]] = {
    "loss": _share,
    "burst": _integer(1, 100_000),
    "reorder": _share,
    "by": _integer(1, 10_000),
    "duplicate": _share,
    "apart": _integer(0, 10_000),
    "flip": _share,
    "bits": _integer(1, 10_000),
    "delay": _seconds,
    "jitter": _seconds,
    "level": _level,
    "pid": _integer(0, 0x1FFF),
    "seed": _integer(0, (1 << 63) - 1),
}

KNOWN = (
    "valid keys: loss=1% (burst=3: in a row), reorder=1% (by=1: units late), duplicate=1% (apart=0: units later),"
    " flip=0.01% (bits=1), delay=20ms, jitter=5ms, level=datagram or ts (pid=0x101), seed=7"
)
"""The keys of --impair, for messages."""


@dataclass(slots=True)
class Tally:
    """Counts of units: `units` entered, and how many were lost, reordered, duplicated, and so on."""

    units: int = 0
    lost: int = 0
    reordered: int = 0
    duplicated: int = 0
    flipped: int = 0
    delayed: int = 0

    def __str__(self) -> str:
        done = [f"{getattr(self, f.name)} {f.name}" for f in fields(self)[1:] if getattr(self, f.name)]
        return ", ".join(done) or "none yet"


class Impairer:
    """One simulated network: `push` each unit, `rest` at the end; both return what arrives, in order of arrival.

    Each kind of impairment has a separate random generator, so that the same units are lost whatever else is requested.
    """

    def __init__(self, impairment: Impairment) -> None:
        self.impairment = impairment
        self.tally = Tally()
        self._chance = {name: random.Random(f"{impairment.seed} {name}") for name in _KINDS}
        # The probability of a burst that gives the requested fraction of lost units.
        loss, burst = impairment.loss, impairment.burst
        self._burst_begins = loss / (burst - loss * (burst - 1))
        self._burst_left = 0
        self._pending: list[tuple[int, int, bytes]] = []  # (units to wait for, sequence, unit)
        self._number = count()

    def push(self, unit: bytes) -> Iterator[Delayed]:
        """The units that arrive once this one is sent: none, this one, or this one and held ones."""
        impairment, tally = self.impairment, self.tally
        if impairment.pid is not None and not _is_of(unit, impairment.pid):
            yield from self._arrive(unit)
            return
        tally.units += 1
        reordered = self._draw("reorder", impairment.reorder)
        duplicated = self._draw("duplicate", impairment.duplicate)
        flipped = self._draw("flip", impairment.flip)
        if self._is_lost():
            tally.lost += 1
            return
        if flipped:
            tally.flipped += 1
            unit = self._flip(unit)
        if duplicated:
            tally.duplicated += 1
            if impairment.apart:
                self._delay_units(impairment.apart + 1, unit)
        if reordered:
            tally.reordered += 1
            self._delay_units(impairment.by, unit)
            return
        yield from self._arrive(unit)
        if duplicated and not impairment.apart:
            yield from self._arrive(unit)

    def rest(self) -> Iterator[Delayed]:
        """The held units, at the end of the stream."""
        held, self._pending = self._pending, []
        for _, _, unit in sorted(held):
            yield self._delay(), unit

    def _draw(self, name: str, share: float) -> bool:
        return share > 0 and self._chance[name].random() < share

    def _is_lost(self) -> bool:
        if not self._burst_left and self._draw("loss", self._burst_begins):
            self._burst_left = self.impairment.burst
        lost = self._burst_left > 0
        self._burst_left -= lost
        return lost

    def _delay_units(self, units: int, unit: bytes) -> None:
        self._pending.append((units, next(self._number), unit))

    def _arrive(self, unit: bytes) -> Iterator[Delayed]:
        """This unit, and the held ones that have now waited long enough."""
        yield self._delay(), unit
        if self._pending:
            self._pending = [(left - 1, number, held) for left, number, held in self._pending]
            due = [entry for entry in self._pending if entry[0] <= 0]
            self._pending = [entry for entry in self._pending if entry[0] > 0]
            for _, _, held in due:
                yield self._delay(), held

    def _delay(self) -> float:
        impairment = self.impairment
        if not (impairment.delay or impairment.jitter):
            return 0.0
        self.tally.delayed += 1
        return impairment.delay + (self._chance["jitter"].random() * impairment.jitter if impairment.jitter else 0.0)

    def _flip(self, unit: bytes) -> bytes:
        changed, chance = bytearray(unit), self._chance["bit"]
        for place in chance.sample(range(len(unit) * 8), min(self.impairment.bits, len(unit) * 8)):
            changed[place >> 3] ^= 0x80 >> (place & 7)
        return bytes(changed)


_KINDS = ("loss", "reorder", "duplicate", "flip", "bit", "jitter")


def _is_of(packet: bytes, pid: int) -> bool:
    return (packet[1] & 0x1F) << 8 | packet[2] == pid if len(packet) > 2 else False


def ts_packets(data: bytes) -> Iterable[bytes]:
    """Transport packets of 188 bytes, one by one."""
    return (data[at : at + TS_SIZE] for at in range(0, len(data), TS_SIZE))
