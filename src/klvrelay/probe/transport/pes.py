"""Reads PES packets: stream id, time stamps, metadata AU cells (ISO/IEC 13818-1, 2.4.3.6, 2.12)."""

from __future__ import annotations

from collections import Counter, deque
from typing import NamedTuple

from klvrelay.core.carriage import KEY
from klvrelay.probe.metadata.series import Spread
from klvrelay.probe.transport.lengths import PesLengths
from klvrelay.recordings import contents

PTS_MODULUS = 1 << 33
PTS_RATE = 90_000
STAMPS_MOST = 300
"""Video time stamps kept for comparison."""
CELL_HEAD = 5
SAMPLES = 64
"""PES packets without KLV that are used to identify their content."""
UNRELATED_SECONDS = 60.0
"""Seconds between two stamps of one stream beyond which they are unrelated."""

NO_HEADER = frozenset((0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF))  # stream ids without a header after the length


class Pes(NamedTuple):
    """A PES header and the part of the payload that is in the same TS packet."""

    stream_id: int
    size: int
    pts: int | None
    dts: int | None
    payload: bytes


def head_of(data: bytes) -> Pes | None:
    """Parse the payload of a TS packet as the start of a PES packet; None if it is not one."""
    if len(data) < 9 or data[:3] != b"\0\0\1":
        return None
    stream_id, size = data[3], int.from_bytes(data[4:6])
    if stream_id in NO_HEADER or data[6] >> 6 != 2:
        return Pes(stream_id, size, None, None, data[6:])
    flags, at = data[7], 9 + data[8]
    pts = _stamp(data, 9) if flags & 0x80 else None
    dts = _stamp(data, 14) if flags & 0xC0 == 0xC0 else None
    return Pes(stream_id, size - 3 - data[8] if size else 0, pts, dts, data[at:])


def _stamp(data: bytes, at: int) -> int | None:
    if len(data) < at + 5:
        return None
    return (
        (data[at] >> 1 & 7) << 30
        | (int.from_bytes(data[at + 1 : at + 3]) >> 1) << 15
        | int.from_bytes(data[at + 3 : at + 5]) >> 1
    )


def pts_difference(a: int, b: int) -> float:
    """Seconds from stamp `b` to stamp `a`, the shorter way around 33 bits."""
    ticks = (a - b) % PTS_MODULUS
    return (ticks - PTS_MODULUS if ticks >= PTS_MODULUS // 2 else ticks) / PTS_RATE


class VideoTimes:
    """Time stamps of the most recent frames."""

    def __init__(self) -> None:
        self._order: deque[int] = deque()
        self._known: set[int] = set()
        self.last: int | None = None

    def add(self, pts: int) -> None:
        self.last = pts
        if pts in self._known:
            return
        self._order.append(pts)
        self._known.add(pts)
        if len(self._order) > STAMPS_MOST:
            self._known.discard(self._order.popleft())

    def __contains__(self, pts: int) -> bool:
        return pts in self._known


class FoundCarriage:
    """Statistics of the PES packets of one PID that may carry KLV; the fields match `report.Carriage`."""

    def __init__(self) -> None:
        self.pes = self.with_pts = self.with_dts = self.unsized = 0
        self.cells = self.cell_gaps = self.bare = self.continued = self.on_frame = 0
        self.stream_ids: Counter[int] = Counter()
        self.ahead = Spread()
        self.against_video = Spread()
        self.lengths = PesLengths()
        self._contents: Counter[str] = Counter()  # of packets that start without KLV
        self._waiting: deque[int] = deque(maxlen=STAMPS_MOST)  # stamps not yet matched by a frame
        self._cell: int | None = None
        self._last: tuple[int, bytes] | None = None

    @property
    def holds_klv(self) -> bool:
        """Whether a KLV key was found where one is allowed."""
        return bool(self.cells or self.bare)

    @property
    def content(self) -> str:
        """Name of the content if it is not KLV, such as "text"; otherwise empty."""
        name, count = self._contents.most_common(1)[0] if self._contents else ("", 0)
        return name if not self.holds_klv and 2 * count > self._contents.total() else ""

    def is_again(self, counter: int, data: bytes) -> bool:
        """Whether this TS packet repeats the previous one, which 2.4.3.3 permits once. Call once per packet."""
        last, self._last = self._last, (counter, data)
        return last == self._last

    def take(self, pes: Pes, clock: int | None, video: VideoTimes | None) -> None:
        """Count a PES packet received when the stream clock read `clock`."""
        self.pes += 1
        self.stream_ids[pes.stream_id] += 1
        self.with_dts += pes.dts is not None
        self.unsized += pes.size <= 0
        if pes.pts is not None:
            self._times(pes.pts, clock, video)
        self._payload(pes)

    def _times(self, pts: int, clock: int | None, video: VideoTimes | None) -> None:
        self.with_pts += 1
        if clock is not None and abs(ahead := pts_difference(pts, clock)) < UNRELATED_SECONDS:
            self.ahead.add(ahead)
        if video is None or video.last is None:
            return
        if abs(lead := pts_difference(pts, video.last)) < UNRELATED_SECONDS:
            self.against_video.add(lead)
        self._waiting.append(pts)
        while self._waiting and (self._waiting[0] in video or len(self._waiting) > STAMPS_MOST // 2):
            self.on_frame += self._waiting.popleft() in video

    def skip(self) -> None:
        """PES packets are skipped here."""
        self._cell = self._last = None

    def settle(self, video: VideoTimes | None) -> None:
        """End of data: stop waiting for frames."""
        self.on_frame += sum(pts in video for pts in self._waiting) if video is not None else 0
        self._waiting.clear()

    def _payload(self, pes: Pes) -> None:
        data = pes.payload
        if data.startswith(KEY):
            self.bare += 1
        elif (cell := _cell(pes, begun=self.cells > 0)) is not None:
            self.cells += 1
            whole = len(data) >= CELL_HEAD and int.from_bytes(data[3:5]) + CELL_HEAD == pes.size
            if self._cell is not None and cell != self._cell + 1 & 255:
                self.cell_gaps += 1
            # If several cells share a PES packet, only the sequence number of the first is read.
            self._cell = cell if whole else None
        else:
            self.continued += 1
            if self.continued <= SAMPLES:
                found = contents.identify(data) or contents.identify(data[CELL_HEAD:])
                self._contents[found.name if found else ""] += 1


def _cell(pes: Pes, *, begun: bool) -> int | None:
    """Sequence number of the metadata AU cell at the start of a payload; None if there is no cell.

    begun   cells with a KLV key were seen before; only then may a cell without a key continue one
    """
    data = pes.payload
    if len(data) < CELL_HEAD or data[2] & 0x0F != 0x0F:
        return None
    begins = data[2] >> 6 in (2, 3)
    if not (data[CELL_HEAD:].startswith(KEY) if begins else begun):
        return None
    fits = pes.size <= 0 or int.from_bytes(data[3:5]) + CELL_HEAD <= pes.size
    return data[1] if fits else None
