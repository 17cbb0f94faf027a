"""PAT and PMT: which programs there are, how each stream is declared (ISO/IEC 13818-1, 2.4.4); next door, `survey.py`.

Sections are read to tell what the sender says, not to find KLV: the decoder does that on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from klvrelay.probe import report
from klvrelay.probe.metadata.series import Spread
from klvrelay.probe.report import Kind
from klvrelay.probe.transport import codes
from klvrelay.wire import crc32

LATEST = 0.5
"""Seconds that two of a table may be apart at most (ETSI TR 101 290, 1.3 and 1.5)."""
PROGRAMS = 64
NO_PCR = 0x1FFF


class Declared(NamedTuple):
    """A stream as its PMT has it."""

    pid: int
    stream_type: int
    codec: str
    kind: Kind
    descriptors: tuple[str, ...]
    registration: tuple[str, ...]
    metadata_format: str | None
    metadata_std: bool


class Sections:
    """Whole sections out of one PID's payloads."""

    def __init__(self) -> None:
        self._data: bytearray | None = None
        self._counter = -1

    def take(self, payload: bytes, start: bool, counter: int) -> Iterator[bytes]:
        """The sections that end in this payload; what a lost packet cut is dropped."""
        if counter == self._counter:
            return  # sent twice
        if self._counter >= 0 and counter != self._counter + 1 & 15:
            self._data = None
        self._counter = counter
        if start:
            pointer = payload[0] + 1 if payload else 1
            if self._data is not None:
                self._data += payload[1:pointer]
                yield from self._whole()
            self._data = bytearray(payload[pointer:])
        elif self._data is not None:
            self._data += payload
        yield from self._whole()

    def _whole(self) -> Iterator[bytes]:
        data = self._data
        while data is not None and len(data) >= 3 and data[0] != 0xFF:
            size = 3 + (int.from_bytes(data[1:3]) & 0x0FFF)
            if len(data) < size:
                return
            yield bytes(data[:size])
            del data[:size]
        if data is not None and data[:1] == b"\xff":
            self._data = None


class Pace:
    """How often a table comes."""

    def __init__(self) -> None:
        self._count = 0
        self._late = 0
        self._steps = Spread()
        self._last: float | None = None

    def tick(self, at: float | None) -> None:
        self._count += 1
        if at is not None and self._last is not None:
            self._steps.add(at - self._last)
            self._late += at - self._last > LATEST
        self._last = at

    def frozen(self) -> report.Repeats:
        steps = self._steps.frozen()
        return report.Repeats(self._count, steps.median, steps.high, self._late)


@dataclass(slots=True)
class Map:
    """A program as its PMT has it; `changes` counts PMTs that said something else than the one before."""

    number: int
    pmt_pid: int
    pcr_pid: int | None = None
    pace: Pace = field(default_factory=Pace)
    changes: int = 0
    streams: dict[int, Declared] = field(default_factory=dict)
    _body: bytes = b""

    def take(self, section: bytes, at: float | None) -> bool:
        """Read its PMT; true if it says something new."""
        self.pace.tick(at)
        body = section[8:-4]
        if body == self._body:
            return False
        self.changes += bool(self._body)
        self._body = body
        pcr = int.from_bytes(body[:2]) & 0x1FFF
        self.pcr_pid = None if pcr == NO_PCR else pcr
        self.streams |= {stream.pid: stream for stream in _streams(body)}
        return True


class Tables:
    """The PAT, and the PMTs it names. `bad`: sections whose CRC is wrong."""

    def __init__(self) -> None:
        self.pat = Pace()
        self.programs: dict[int, Map] = {}
        self.bad = 0
        self._sections: dict[int, Sections] = {}

    @property
    def pids(self) -> set[int]:
        """Where sections are to be looked for."""
        return {0, *(program.pmt_pid for program in self.programs.values())}

    @property
    def streams(self) -> dict[int, tuple[Map, Declared]]:
        """Every stream that a PMT names, by PID."""
        return {pid: (map_, stream) for map_ in self.programs.values() for pid, stream in map_.streams.items()}

    def take(self, pid: int, payload: bytes, start: bool, counter: int, at: float | None) -> bool:
        """Read a packet of a table's PID; true if programs or streams are others now."""
        sections = self._sections.setdefault(pid, Sections())
        news = [self._section(pid, section, at) for section in sections.take(payload, start, counter)]
        return any(news)

    def _section(self, pid: int, section: bytes, at: float | None) -> bool:
        table = section[0]
        if len(section) < 12 or not section[1] & 0x80 or table not in (0, 2):
            return False
        if crc32(section):
            self.bad += 1
            return False
        if not section[5] & 1:
            return False  # not yet in force
        if table == 0 and pid == 0:
            return self._take_pat(section, at)
        map_ = self.programs.get(int.from_bytes(section[3:5]))
        return table == 2 and map_ is not None and map_.pmt_pid == pid and map_.take(section, at)

    def _take_pat(self, section: bytes, at: float | None) -> bool:
        self.pat.tick(at)
        changed = False
        for place in range(8, len(section) - 7, 4):
            number, pid = int.from_bytes(section[place : place + 2]), int.from_bytes(section[place + 2 : place + 4])
            known = self.programs.get(number)
            if number and (known is None or known.pmt_pid != pid & 0x1FFF) and len(self.programs) < PROGRAMS:
                self.programs[number] = Map(number, pid & 0x1FFF)
                changed = True
        return changed


def _streams(body: bytes) -> Iterator[Declared]:
    at = 4 + (int.from_bytes(body[2:4]) & 0x0FFF)
    while at + 5 <= len(body):
        size = int.from_bytes(body[at + 3 : at + 5]) & 0x0FFF
        yield _declared(body[at], int.from_bytes(body[at + 1 : at + 3]) & 0x1FFF, body[at + 5 : at + 5 + size])
        at += 5 + size


def _declared(stream_type: int, pid: int, info: bytes) -> Declared:
    found = list(_descriptors(info))
    registration = tuple(codes.identifier(body[:4]) for tag, body in found if tag == 0x05 and len(body) >= 4)
    formats = [codes.metadata_format(body) for tag, body in found if tag == 0x26]
    format_ = next(filter(None, formats), "?" if formats else None)
    codec, kind = codes.codec(stream_type, tuple(tag for tag, _ in found), registration, format_)
    return Declared(
        pid, stream_type, codec, kind, tuple(codes.descriptor(*each) for each in found), registration,
        format_, any(tag == 0x27 for tag, _ in found),
    )  # fmt: skip


def _descriptors(info: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(info):
        yield info[at], info[at + 2 : at + 2 + info[at + 1]]
        at += 2 + info[at + 1]
