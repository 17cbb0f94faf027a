"""Transport streams with several KLV PIDs and programs, whose tables change: for `test_elementary.py` and others.

The mission id of each KLV packet names its aircraft; item 150 holds its sequence number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from test_lane import ASYNC, KLVA, SYNC, Wire, cell
from test_psi import Stream, pat, pmt, version

from klvrelay.encode import encode

FIRST, SECOND = 0x101, 0x201
PTS = 90_000
START = 1_700_000_000_000_000


def aircraft(name: str, number: int, set_: str = "ST0601") -> bytes:
    """A valid packet of an aircraft."""
    items: dict[str | int, object] = {"precision_time_stamp": START + number * 33_333}
    if set_ == "ST0601":
        items |= {"mission_id": name, 150: number.to_bytes(2)}
    return encode(items, set=set_)


class Air(Wire):
    """A multiplexer with several programs."""

    def __init__(self) -> None:
        super().__init__()
        self._version = -1

    def map(self, **programs: Sequence[Stream | int]) -> list[bytes]:
        """PAT and PMTs of programs p1, p2, ...: streams, or PIDs of asynchronous KLV."""
        self._version += 1
        flags, numbers = version(self._version % 32), {int(name[1:]): streams for name, streams in programs.items()}
        ts = self.carry(0, b"\0" + pat(*((number, 0x1000 + number) for number in numbers), flags=flags))
        for number, streams in numbers.items():
            listed = [(ASYNC, each, KLVA) if isinstance(each, int) else each for each in streams]
            ts += self.carry(0x1000 + number, b"\0" + pmt(*listed, program=number, flags=flags))
        return ts

    def at(self, seconds: float, pid: int, raw: bytes) -> list[bytes]:
        """A packet at a time of the program clock."""
        return self.pes(raw, pid, pts=round(PTS * (1 + seconds)) % (1 << 33))

    def flight(
        self, pid: int, name: str, count: int, *, hz: float = 30, begin: float = 0.0, set_: str = "ST0601"
    ) -> list[tuple[float, list[bytes]]]:
        """`count` packets with their times; `mixed` interleaves them with others."""
        found = []
        for number in range(count):
            seconds = begin + number / hz
            found.append((seconds, self.at(seconds, pid, aircraft(name, number, set_))))
        return found


def mixed(*flights: Iterable[tuple[float, list[bytes]]]) -> list[bytes]:
    """The packets in order of time."""
    rows = sorted((row for flight in flights for row in flight), key=lambda row: row[0])
    return [packet for _, packets in rows for packet in packets]


def two(*, program: int = 1, higher_first: bool = False, count: int = 20, sync: bool = False) -> bytes:
    """Two aircraft at 30 Hz; the second is half a period behind the first, or ahead of it."""
    air = Air()
    streams = [(SYNC, pid, b"") if sync else pid for pid in (FIRST, SECOND)]
    maps = {"p1": streams} if program == 1 else {"p1": streams[:1], "p2": streams[1:]}
    late = [0.0, 1 / 60][:: -1 if higher_first else 1]
    if not sync:
        flights = [air.flight(pid, pid_name, count, begin=begin)
                   for pid, pid_name, begin in ((FIRST, "ALPHA", late[0]), (SECOND, "BRAVO", late[1]))]  # fmt: skip
        return b"".join(air.map(**maps) + mixed(*flights))
    rows = []
    for pid, name, begin in ((FIRST, "ALPHA", late[0]), (SECOND, "BRAVO", late[1])):
        for number in range(count):
            seconds = begin + number / 30
            rows.append((seconds, air.at(seconds, pid, cell(aircraft(name, number), number))))
    return b"".join(air.map(**maps) + mixed(rows))
