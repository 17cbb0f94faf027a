"""Surveys a transport stream: counts every packet and reads tables and PES headers.

numpy counts one block at a time. Python code handles only table packets, the first packet of each PES packet that may
carry KLV, and the first few packets of each video frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from klvrelay.core.carriage import KEY
from klvrelay.probe.allowance import Allowance
from klvrelay.probe.transport.framer import Framer, Rows, Run
from klvrelay.probe.transport.pcr import StreamClock
from klvrelay.probe.transport.pending import PendingBlocks
from klvrelay.probe.transport.pes import FoundCarriage, head_of
from klvrelay.probe.transport.pids import NULL, PIDS, Groups, PidCounts, pids_of
from klvrelay.probe.transport.pmt_stream import PmtStream
from klvrelay.probe.transport.tables import PACKETS, ProgramMap, Tables
from klvrelay.probe.transport.videos import Videos

CARRIAGES = 256
"""Maximum number of PIDs whose PES packets are read; PIDs with KLV, or declared as KLV, take precedence."""
HEADS, LENGTHS = (16_384, 4096), (65_536, 1024)
"""Allowances of PES headers, and of TS packets with KLV whose PES lengths are checked."""
TRIES = 64
"""PES packets that are searched for a key on a PID that is not declared as KLV."""

_PASS, _TABLE, _PES, _FRAME = range(4)
_SI = range(0x01, 0x20)  # other tables of ISO/IEC 13818-1 and DVB

Places = NDArray[np.intp]


class Piece(NamedTuple):
    """Bytes for the decoder and the stream time at their start; None without a clock."""

    data: memoryview
    at: float | None


class Survey:
    """Takes a transport stream in pieces of any size."""

    def __init__(self) -> None:
        self.framer = Framer()
        self.counts = PidCounts()
        self.clock = StreamClock()
        self.tables = Tables(self._has_packets, self.clock.due)
        self.found: dict[int, FoundCarriage] = {}
        self.videos = Videos(self._program_of)
        self.packets = 0
        self._look = np.full(PIDS, _PES, np.uint8)
        self._look[[0]] = _TABLE
        self._look[[NULL, *_SI]] = _PASS
        self._is_declared = np.zeros(PIDS, bool)
        self._listed: set[int] = set()
        self._streams: dict[int, tuple[ProgramMap, PmtStream]] = {}
        self._tables, self._heads, self._others = Allowance(*PACKETS), Allowance(*HEADS), Allowance(*HEADS)
        self._lengths = Allowance(*LENGTHS)
        self._starts: list[tuple[int, float | None]] = []
        self._pending = PendingBlocks()
        self._at: float | None = None

    @property
    def seconds(self) -> float:
        """Stream time so far in seconds, by its PCRs; 0 without any."""
        return self.clock.at(self.packets) or 0.0

    def feed(self, data: bytes | bytearray | memoryview, *, last: bool = False, live: bool = False) -> Iterator[Piece]:
        """Return the same bytes (some with the next call), split where a PES packet starts that may carry KLV.

        live   Data is returned at once, with times extrapolated from the pace before the last PCR. Data of a file waits
               for the next PCR, so that its times do not depend on the piece size.
        """
        block, run = self.framer.split(data, last=last)
        if live or last:
            block, run = self._pending.take_all(block, run)
        else:
            block, run = self._pending.take_up_to(block, run, 0 if run is None else self.clock.look_ahead(run.rows))
        self._starts = [(0, self.clock.at(self.packets) if live else self._at)]
        if run is not None:
            self._credit(len(block))
            self._run(run)
        self._at = self._starts[-1][1]
        view = memoryview(block)
        ends = [place for place, _ in self._starts[1:]] + [len(block)]
        for (begin, at), end in zip(self._starts, ends, strict=True):
            if end > begin:
                yield Piece(view[begin:end], at)

    def finish(self) -> Iterator[Piece]:
        """End of data: return the remaining pieces."""
        yield from self.feed(b"", last=True)
        self.tables.finish(self.clock.at)
        self._streams = self.tables.streams
        self.videos.finish()
        for pid, found in self.found.items():
            found.settle(self.videos.beside(self._program_of(pid)))
            found.lengths.finish()

    def record(self, pid: int | None, set_name: str, time_us: int, pts: int | None) -> None:
        """Compare a record on a PID with the frames of its program, or of all programs if no PMT lists the PID."""
        for frames in self.videos.of_program(self._program_of(pid)):
            frames.record((pid, set_name), time_us, pts)

    def _program_of(self, pid: int | None) -> int | None:
        listed = self._streams.get(pid) if pid is not None else None
        return listed[0].number if listed is not None else None

    def _credit(self, size: int) -> None:
        self.tables.credit(size)
        for allowance in (self._tables, self._heads, self._others, self.videos.allowance, self._lengths):
            allowance.credit(size)

    def _has_packets(self, pid: int) -> bool:
        """Whether the PID carried packets."""
        return bool(self.counts.packets[pid])

    def _run(self, run: Run) -> None:
        pids = pids_of(run.rows)
        self.counts.take(run.rows, pids)
        self.clock.take(run.rows, pids, self.packets)
        self.tables.settle(self.clock.due)
        good = (run.rows[:, 1] & 0x80 == 0) & (run.rows[:, 3] & 0xC0 == 0) & (run.rows[:, 3] & 0x10 != 0)
        self._tables_in(run, pids, good)
        starts = good & (run.rows[:, 1] & 0x40 != 0)
        groups = Groups(pids)
        for place in self._select_packets(run.rows, pids, groups, good, starts).tolist():
            pid = int(pids[place])
            if self._look[pid] == _FRAME:
                self.videos.take(pid, run.rows[place], self._payload(run, place), bool(starts[place]))
            else:
                self._pes(run, pid, place)
        self._measure(run.rows, groups)
        self.packets += len(pids)

    def _measure(self, rows: Rows, groups: Groups) -> None:
        """Measure the lengths of PES packets with KLV."""
        for pid, found in self.found.items():
            if found.holds_klv and len(places := groups.of(pid)):
                if self._lengths.left < len(places):
                    found.lengths.skip()
                else:
                    self._lengths.take(len(places))
                    found.lengths.take(rows[places])

    def _select_packets(
        self, rows: Rows, pids: Places, groups: Groups, good: NDArray[np.bool_], starts: NDArray[np.bool_]
    ) -> Places:
        """Positions of packets with PES headers, and a few more per video frame, in order."""
        heads = np.flatnonzero(starts & (self._look[pids] == _PES))
        announced = self._is_declared[pids[heads]]
        wanted = [self._sample(heads[announced], self._heads), self._sample(heads[~announced], self._others)]
        return np.sort(np.concatenate([*wanted, *self.videos.select_packets(rows, groups, good, starts)]))

    def _sample(self, heads: Places, allowance: Allowance) -> Places:
        """As many of these packets as the allowance permits, spread evenly over the block."""
        most = allowance.left
        if len(heads) <= most:
            allowance.take(len(heads))
            return heads
        for found in self.found.values():
            found.skip()
        allowance.take(most)
        return heads[np.arange(most) * len(heads) // max(1, most)]

    def _payload(self, run: Run, place: int) -> bytes:
        row = run.rows[place]
        skip = 5 + int(row[4]) if row[3] & 0x20 else 4
        payload: bytes = row[skip:].tobytes()
        return payload

    # ---- tables ----

    def _tables_in(self, run: Run, pids: Places, good: NDArray[np.bool_]) -> None:
        """Read all table packets; if one names further tables, search for them from that point on."""
        begin, known, changed = 0, None, False
        while known != (known := self.tables.pids):
            for place in (begin + np.flatnonzero(good[begin:] & (self._look[pids[begin:]] == _TABLE))).tolist():
                if not self._tables.take():
                    self.tables.skip()
                    break
                begin = place + 1
                changed |= self._table(run, int(pids[place]), place)
                if known != self.tables.pids:
                    self._look_for(known, self.tables.pids)
                    break
        if changed:
            self._learn()

    def _table(self, run: Run, pid: int, place: int) -> bool:
        row, index = run.rows[place], self.packets + place
        return self.tables.take(pid, self._payload(run, place), bool(row[1] & 0x40), int(row[3]) & 15, index)

    def _look_for(self, before: Set[int], now: Set[int]) -> None:
        """Replace the PIDs that are searched for tables."""
        for pid in before - now:
            self._look[pid] = _PASS if pid in _SI else _PES
        self._look[list(now)] = _TABLE

    def _learn(self) -> None:
        """Update all PIDs to match the current tables."""
        tables, streams = self.tables.pids, self.tables.streams
        for pid in self._listed - streams.keys() - tables:
            self._look[pid] = _PES
        self._streams, self._listed = streams, set(streams)
        self._is_declared[:] = False
        self.clock.expect({map_.pcr_pid for map_ in self.tables.programs.values() if map_.pcr_pid is not None})
        for pid, (map_, stream) in streams.items():
            self._is_declared[pid] = self._declares_klv(pid)
            is_followed = stream.kind == "video" and self.videos.follow(stream)
            if pid not in tables:
                look = {"video": _FRAME if is_followed else _PASS, "audio": _PASS}
                self._look[pid] = look.get(stream.kind, _PES)
            if map_.pcr_pid is not None and self.clock.pid != map_.pcr_pid and not self.clock.ticking:
                self.clock.follow(map_.pcr_pid)

    # ---- PES ----

    def _pes(self, run: Run, pid: int, place: int) -> None:
        data, counter = self._payload(run, place), int(run.rows[place, 3]) & 15
        pes = head_of(data)
        found = self._carriage(pid, data)
        if found is not None and found.is_again(counter, data):
            return
        if found is None or pes is None:
            self._look[pid] = _PES if self._declares_klv(pid) or pes is not None else _PASS
            return
        index = self.packets + place
        found.take(pes, self.clock.ticks(index), self.videos.beside(self._program_of(pid)))
        if not found.holds_klv and found.pes > TRIES and KEY not in data and not self._declares_klv(pid):
            self._look[pid] = _PASS
        self._starts.append((int(run.at[place]), self.clock.at(index)))

    def _carriage(self, pid: int, data: bytes) -> FoundCarriage | None:
        """The statistics of a PID; None if its priority is too low for a place."""
        found = self.found.get(pid)
        if found is None and len(self.found) >= CARRIAGES:
            has_priority = self._declares_klv(pid) or KEY in data
            less = next((other for other, kept in self.found.items() if not self._has_priority(other, kept)), None)
            if less is None or not has_priority:
                return None
            del self.found[less]
        if found is None:
            found = self.found[pid] = FoundCarriage()
        return found

    def _has_priority(self, pid: int, found: FoundCarriage) -> bool:
        return found.holds_klv or (self._declares_klv(pid) and found.pes > 0)

    def _declares_klv(self, pid: int) -> bool:
        """Whether a table declares that this PID may carry KLV."""
        listed = self._streams.get(pid)
        return listed is not None and listed[1].kind in ("klv", "metadata", "private")
