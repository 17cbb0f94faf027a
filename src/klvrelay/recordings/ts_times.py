"""The times in MPEG-TS, and which of them paces a recording: PCR, else PTS, else item 2 of its KLV.

    | kind   | where                                                     | clause                  |
    | PCR    | adaptation field, 33 bits of 90 kHz and 9 of 27 MHz       | ISO/IEC 13818-1 2.4.3.5 |
    | PTS    | PES header; the DTS if there is one, as it is monotonic   | ISO/IEC 13818-1 2.4.3.7 |
    | item 2 | of a KLV set that begins in the packet, microseconds      | ST 0603                 |

When the time in use does not advance while another advances by LATE, the other is used. PCR is preferred: it is used
again once it advances. A clock that starts late, stops, repeats or jumps does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from klvrelay.core.carriage import KEY
from klvrelay.recordings.timeline import KLV_GAP, MODULUS, TICKS, precision_time

PCR_GAP = 10.0
"""Seconds between two time stamps that count as a step of the clock, not as a pause of the stream."""
LATE = 2.0
"""Seconds by which another time must advance, while the one in use does not, before it is used."""
SURE = 3
"""Time stamps needed for that."""
BACK = 0.25
"""Seconds by which a PCR must advance before it is used again."""
LEAP = 1.5
"""Maximum seconds by which PCR alone may advance at once; after LEAPS such jumps it is not used any more."""
LEAPS = 3
TRACKS = 32
"""Maximum number of times followed, so that a stream with many PIDs takes no longer."""
REORDER = TICKS
"""Ticks by which a PTS may be earlier than a previous one, in decoding order."""

KINDS = ("PCR", "PTS", "item 2")
_GAPS = (PCR_GAP, PCR_GAP, KLV_GAP)

Key = tuple[int, int]
"""(place in KINDS, PID)."""
Anchor = tuple[int, float]
"""(packet number, second at which it is due)."""


@dataclass(slots=True)
class _Track:
    """One time, by kind and PID: seconds `gained` since the last anchor, and at which packets.

    since   one of its time stamps was seen since the anchor; otherwise the step to the first began before it
    back    seconds by which it advanced while another time was in use
    total   as `gained`, with the whole step to the first time stamp
    """

    kind: int
    last: int | None = None
    since: bool = True
    back: float = 0.0
    total: float = 0.0
    gained: float = 0.0
    steps: list[Anchor] = field(default_factory=list)

    def step(self, ticks: int) -> float:
        """Seconds by which it advances; a step of the clock takes no time."""
        if self.last is None:
            self.last = ticks
            return 0.0
        step = (ticks - self.last) % MODULUS
        if self.kind == 1 and (self.last - ticks) % MODULUS <= REORDER:
            return 0.0
        self.last = ticks
        return step / TICKS if step / TICKS <= _GAPS[self.kind] else 0.0


class TsTimes:
    """Takes the packets of a stream, and returns when the packets with a time stamp in use are due."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._tracks: dict[Key, _Track] = {}
        self._used: Key | None = None
        self._unreliable: set[Key] = set()  # PCRs that jump repeatedly
        self._leap = 0.0  # the jump of the PCR in use, until another time confirms or refutes it
        self._leaps = 0

    @property
    def by(self) -> str | None:
        """The kind of time in use; None before the first."""
        return None if self._used is None else KINDS[self._used[0]]

    @property
    def has_advanced(self) -> bool:
        """Has any time advanced since the last anchor?"""
        return any(track.gained for track in self._tracks.values())

    def feed(self, packets: NDArray[np.uint8], first: int) -> list[Anchor]:
        """The anchors in these packets (of 188 bytes, numbered from `first`), in order."""
        anchors: list[Anchor] = []
        for row, kind, pid, ticks in _stamps(packets):
            key = kind, pid
            if key in self._unreliable or (key not in self._tracks and len(self._tracks) >= TRACKS):
                continue
            track = self._tracks.setdefault(key, _Track(kind))
            gained = track.step(ticks)
            if self._used is None and kind == 0:
                self._switch(BACK, anchors)
            if self._used is None and kind == 0:
                self._used = key
                self._anchor(first + row, 0.0, anchors)
            elif key == self._used:
                if gained:
                    self._check_leap(gained)
                    self._anchor(first + row, gained, anchors)
            elif kind == 0 and self._recovers(track, gained):
                self._used = key
                self._clear_gains()
            elif self._used is not None and self._judge_leap(track, gained):
                self._unreliable.add(self._used)
                del self._tracks[self._used]
                self._used = None
            elif not track.since:
                track.since = True
            elif gained:
                self._other_advances(track, first + row, gained, anchors)
        return anchors

    def end(self) -> list[Anchor]:
        """The stream has ended: anchors for the advance since the last one, by the best time that advanced."""
        anchors: list[Anchor] = []
        self._switch(0.0 if self._used is None else LATE, anchors)
        return anchors

    def shift(self, packets: int) -> None:
        """The first `packets` were discarded: lower all packet numbers accordingly."""
        for track in self._tracks.values():
            track.steps = [(row - packets, gained) for row, gained in track.steps if row >= packets]

    def skip(self, seconds: float) -> None:
        """This many seconds were assigned to packets without a time."""
        self.seconds += seconds
        self._clear_gains()

    def _anchor(self, row: int, gained: float, anchors: list[Anchor]) -> None:
        self._clear_gains()
        self.seconds += gained
        anchors.append((row, self.seconds))

    def _clear_gains(self) -> None:
        for track in self._tracks.values():
            track.since, track.gained, track.total, track.steps = False, 0.0, 0.0, []

    def _check_leap(self, gained: float) -> None:
        """The PCR in use advanced by this much: did any other time?"""
        others = max((track.total for key, track in self._tracks.items() if key != self._used), default=0.0)
        self._leap = gained if gained > LEAP and others < gained / 2 and self.by == "PCR" else 0.0

    def _judge_leap(self, track: _Track, gained: float) -> bool:
        """Another time advances: does it show that the PCR in use jumped?"""
        track.total += gained
        if self._leap and gained:
            self._leaps += gained < self._leap / 2
            self._leap = 0.0
        return self._leaps >= LEAPS and self.by == "PCR"

    def _recovers(self, track: _Track, gained: float) -> bool:
        """A PCR that is not in use: can it be used again?"""
        track.back = track.back + gained if gained else 0.0
        return self._used is not None and self._used[0] > 0 and track.back >= BACK

    def _other_advances(self, track: _Track, row: int, gained: float, anchors: list[Anchor]) -> None:
        track.gained += gained
        track.steps.append((row, track.gained))
        if track.gained > LATE and len(track.steps) >= SURE:
            self._switch(LATE / 2, anchors)

    def _switch(self, least: float, anchors: list[Anchor]) -> None:
        """From the last anchor on, use the first time that has advanced by more than `least`, if there is one."""
        ready = [key for key, track in self._tracks.items() if key != self._used and track.gained > least]
        if not ready:
            return
        key = min(ready)
        before, track = self.seconds, self._tracks[key]
        self._used, track.back = key, 0.0
        anchors += [(row, before + gained) for row, gained in track.steps]
        self.seconds += track.gained
        self._clear_gains()


def _stamps(packets: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    """(packet, place in KINDS, PID, ticks) of each time stamp in the packets, in order."""
    pids = (packets[:, 1].astype(np.int64) & 0x1F) << 8 | packets[:, 2]
    found = [*_pcrs(packets, pids), *_in_payloads(packets, pids)]
    return sorted(found)


def _pcrs(packets: NDArray[np.uint8], pids: NDArray[np.int64]) -> Iterator[tuple[int, int, int, int]]:
    has = (packets[:, 3] & 0x20 != 0) & (packets[:, 4] >= 7) & (packets[:, 5] & 0x10 != 0)
    where = np.flatnonzero(has)
    octets = packets[where, 6:11].astype(np.int64)
    # 33 bits at 90 kHz; the 27 MHz extension is finer than needed.
    octets <<= np.array([25, 17, 9, 1, 0])
    octets[:, 4] >>= 7
    for row, pid, ticks in zip(where.tolist(), pids[where].tolist(), octets.sum(axis=1).tolist(), strict=True):
        yield row, 0, pid, ticks


def _in_payloads(packets: NDArray[np.uint8], pids: NDArray[np.int64]) -> Iterator[tuple[int, int, int, int]]:
    """PTS and item 2 of the packets in which a PES packet begins."""
    begins = np.flatnonzero((packets[:, 1] & 0x40 != 0) & (packets[:, 3] & 0x10 != 0))
    for row, pid in zip(begins.tolist(), pids[begins].tolist(), strict=True):
        packet = packets[row, :188].tobytes()
        pes = packet[5 + packet[4] if packet[3] & 0x20 else 4 :]
        if not pes.startswith(b"\0\0\1"):
            continue
        if (ticks := _pes_time(pes)) is not None:
            yield row, 1, pid, ticks
        if (key := pes.find(KEY)) >= 0 and (time_us := precision_time(pes[key:])) is not None:
            yield row, 2, pid, time_us * 9 // 100 % MODULUS


def _pes_time(pes: bytes) -> int | None:
    """The DTS, or else the PTS, of a PES packet."""
    if len(pes) < 14 or pes[6] >> 6 != 2 or not pes[7] & 0x80:
        return None
    at = 14 if pes[7] & 0x40 and len(pes) >= 19 else 9
    a, b, c = pes[at], int.from_bytes(pes[at + 1 : at + 3]), int.from_bytes(pes[at + 3 : at + 5])
    return (a >> 1 & 7) << 30 | b >> 1 << 15 | c >> 1
