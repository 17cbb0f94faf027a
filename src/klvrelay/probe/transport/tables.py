"""Reads PAT and PMT: the programs and the declaration of each stream (ISO/IEC 13818-1, 2.4.4).

The tables are read only to report what the sender declares. The decoder finds KLV by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from struct import iter_unpack

from klvrelay.core import crc32
from klvrelay.probe import transport_report
from klvrelay.probe.allowance import Allowance
from klvrelay.probe.metadata.series import Spread
from klvrelay.probe.transport.pmt_stream import PmtStream, parse_stream, streams_in

LATEST = 0.5
"""Maximum interval between two sections of a table in seconds (ETSI TR 101 290, 1.3 and 1.5)."""
PROGRAMS = 64
STREAMS = 64
"""Maximum number of streams listed per program, and of earlier streams kept because they carried packets."""
SECTIONS = 4
"""Maximum number of PAT sections in force together."""
PACKETS = 16_384, 2048
MAPS = 65_536, 512
"""Allowance of table packets, and of descriptors and streams of changed PMTs."""
NO_PCR = 0x1FFF
PENDING = 4096
"""Sections of one table between two PCRs whose times are measured."""

Due = Callable[[int], float | None]
"""Returns the time in seconds of the packet with the given stream index; None until the next PCR has arrived."""


class Sections:
    """Reassembles the sections of one PID from its payloads."""

    def __init__(self) -> None:
        self._data: bytearray | None = None
        self._counter = -1

    def take(self, payload: bytes, start: bool, counter: int) -> Iterator[bytes]:
        """The sections that end in this payload; a section that lost a packet is discarded."""
        if counter == self._counter:
            return  # duplicate packet
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

    def skip(self) -> None:
        """Packets are skipped here: discard the unfinished section."""
        self._data, self._counter = None, -1

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


class TableInterval:
    """Measures the repetition interval of a table.

    Packets after the last PCR wait for the next one, which defines their times. The intervals therefore do not
    depend on how the stream is divided into blocks.
    """

    def __init__(self) -> None:
        self.count = 0
        self._late = 0
        self._steps = Spread()
        self._last: float | None = None
        self._pending: deque[int] = deque()

    def tick(self, index: int, due: Due) -> None:
        """The table arrived in the packet with this stream index."""
        self.count += 1
        self._pending.append(index)
        self.settle(due)
        if len(self._pending) > PENDING:
            self._pending.clear()
            self._last = None

    def settle(self, due: Due) -> None:
        """Measure the intervals up to packets whose times are now known."""
        while self._pending and (at := due(self._pending[0])) is not None:
            self._pending.popleft()
            if self._last is not None:
                self._steps.add(at - self._last)
                self._late += at - self._last > LATEST
            self._last = at

    def freeze(self) -> transport_report.RepeatReport:
        steps = self._steps.freeze()
        return transport_report.RepeatReport(self.count, steps.median, steps.high, self._late)


@dataclass(slots=True)
class ProgramMap:
    """A program as its PMT declares it; `changes` counts PMTs that differ from the previous one.

    streams   those of the latest PMT, followed by earlier ones that carried packets
    left_out  streams of the latest PMT beyond STREAMS
    """

    number: int
    pmt_pid: int
    pcr_pid: int | None = None
    pace: TableInterval = field(default_factory=TableInterval)
    changes: int = 0
    streams: dict[int, PmtStream] = field(default_factory=dict)
    left_out: int = 0
    _body: bytes = b""
    _is_read: bool = True

    def take(self, section: bytes, index: int, due: Due) -> bool:
        """Take the PMT in the packet with this index; true if it has content not yet read."""
        self.pace.tick(index, due)
        body = section[8:-4]
        if body != self._body:
            self.changes += bool(self._body)
            self._body, self._is_read = body, False
        return not self._is_read

    @property
    def cost(self) -> int:
        """Upper bound of the streams and descriptors to read."""
        return 1 + len(self._body) // 4

    def read(self, carried: Callable[[int], bool]) -> None:
        """Read the latest PMT; `carried` reports whether a PID carried packets."""
        pcr = int.from_bytes(self._body[:2]) & 0x1FFF
        self.pcr_pid = None if pcr == NO_PCR else pcr
        now = list(streams_in(self._body))
        before, self.left_out = self.streams, max(0, len(now) - STREAMS)
        self.streams = {pid: parse_stream(kind, pid, info) for kind, pid, info in now[:STREAMS]}
        for pid, stream in before.items():
            if pid not in self.streams and len(self.streams) < 2 * STREAMS and carried(pid):
                self.streams[pid] = stream
        self._is_read = True


class Tables:
    """The PAT and the PMTs it names. `bad`: sections with a wrong CRC.

    pids     PIDs to search for sections
    streams  every stream that a PMT declares, by PID
    """

    def __init__(self, carried: Callable[[int], bool], due: Due) -> None:
        self.pat = TableInterval()
        self.programs: dict[int, ProgramMap] = {}
        self.bad = 0
        self.pids: frozenset[int] = frozenset((0,))
        self.streams: dict[int, tuple[ProgramMap, PmtStream]] = {}
        self._named = bytearray(1 << 16)  # programs that any PAT has named
        self._current: dict[int, bytes] = {}  # the PAT by section
        self._carried, self._due = carried, due
        self._sections: dict[int, Sections] = {}
        self._maps = Allowance(*MAPS)

    @property
    def left_out(self) -> int:
        """Number of programs that were named and are not listed here."""
        return self._named.count(1) - len(self.programs)

    def credit(self, size: int) -> None:
        """Account for `size` bytes of the stream."""
        self._maps.credit(size)

    def take(self, pid: int, payload: bytes, start: bool, counter: int, index: int) -> bool:
        """Read a table packet with this stream index; true if programs or streams changed."""
        sections = self._sections.setdefault(pid, Sections())
        news = [self._section(pid, section, index) for section in sections.take(payload, start, counter)]
        return any(news)

    def skip(self) -> None:
        """Table packets are skipped here."""
        for sections in self._sections.values():
            sections.skip()

    def settle(self, due: Due) -> None:
        """Measure the intervals of tables whose times are now known."""
        for pace in (self.pat, *(map_.pace for map_ in self.programs.values())):
            pace.settle(due)

    def finish(self, due: Due) -> None:
        """End of data: measure the last intervals and read the PMTs not yet read."""
        self.settle(due)
        for map_ in self.programs.values():
            if map_.cost > 1:
                self._read(map_)

    def _section(self, pid: int, section: bytes, index: int) -> bool:
        table = section[0]
        if len(section) < 12 or not section[1] & 0x80 or table not in (0, 2):
            return False
        if crc32(section):
            self.bad += 1
            return False
        if not section[5] & 1:
            return False  # not yet in force
        if table == 0 and pid == 0:
            return self._take_pat(section, index)
        map_ = self.programs.get(int.from_bytes(section[3:5]))
        if table != 2 or map_ is None or map_.pmt_pid != pid or not map_.take(section, index, self._due):
            return False
        if not self._maps.take(map_.cost):
            return False
        self._read(map_)
        return True

    def _read(self, map_: ProgramMap) -> None:
        before = map_.streams
        map_.read(self._carried)
        for pid in before.keys() - map_.streams.keys():
            self._unlist(map_, pid)
        for pid, stream in map_.streams.items():
            self.streams[pid] = map_, stream

    def _unlist(self, map_: ProgramMap, pid: int) -> None:
        """Remove a PID from a program's streams; another program may still list it."""
        if pid in self.streams and self.streams[pid][0] is map_:
            del self.streams[pid]
            for other in self.programs.values():
                if pid in other.streams:
                    self.streams[pid] = other, other.streams[pid]

    def _take_pat(self, section: bytes, index: int) -> bool:
        self.pat.tick(index, self._due)
        body = section[8:-4]
        if self._current.get(section[6]) == body:
            return False
        self._current = {number: pat for number, pat in self._current.items() if number <= section[7]}
        if section[6] < SECTIONS:
            self._current[section[6]] = body
        spare = self._spare()
        changed = self._drop_unseen(spare)
        for number, pid in _programs(body):
            self._named[number] = 1
            known = self.programs.get(number)
            if known is not None and known.pmt_pid == pid:
                continue
            if known is None and len(self.programs) >= PROGRAMS:
                if not spare:
                    continue
                self._drop(spare.pop())
            self._drop(number)
            self.programs[number] = ProgramMap(number, pid)
            changed = True
        if changed:
            self.pids = frozenset((0, *(program.pmt_pid for program in self.programs.values())))
            self._sections = {pid: found for pid, found in self._sections.items() if pid in self.pids}
        return changed

    def _spare(self) -> list[int]:
        """Programs that the PAT no longer names and that carried nothing."""
        named = {number for body in self._current.values() for number, _ in _programs(body)}
        return [
            number for number, map_ in self.programs.items()
            if number not in named and not any(map(self._carried, map_.streams))
        ]  # fmt: skip

    def _drop_unseen(self, spare: list[int]) -> bool:
        """Remove the programs whose PMT never arrived."""
        unseen = [number for number in spare if not self.programs[number].pace.count]
        for number in unseen:
            self._drop(number)
            spare.remove(number)
        return bool(unseen)

    def _drop(self, number: int) -> None:
        if (map_ := self.programs.pop(number, None)) is not None:
            for pid in map_.streams:
                self._unlist(map_, pid)


def _programs(body: bytes) -> list[tuple[int, int]]:
    """Programs of a PAT section and their PMT PIDs."""
    return [(number, pid & 0x1FFF) for number, pid in iter_unpack(">HH", body[: len(body) & ~3]) if number]
