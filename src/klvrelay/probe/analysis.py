"""Reads one source through the relay's decoder and measures everything the report needs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace

from klvrelay.config.choice import EVERYTHING, Choice
from klvrelay.config.names import stream_name
from klvrelay.core import LIMIT
from klvrelay.errors import NotMedia, SourceDown, SourceError
from klvrelay.health.diagnosis import no_klv
from klvrelay.probe import report, report_builder
from klvrelay.probe.metadata.clocks import Steps, iso, microseconds
from klvrelay.probe.metadata.sampler import Sampler
from klvrelay.probe.metadata.series import rate_of
from klvrelay.probe.metadata.telemetry import Telemetry
from klvrelay.probe.output.verdict import verdict_of
from klvrelay.probe.rules import judge
from klvrelay.probe.selection import select_klv
from klvrelay.probe.transport.pes import pts_difference
from klvrelay.probe.transport.survey import Piece, Survey
from klvrelay.record import Packet, Record
from klvrelay.sources.blocking import packets_blocking
from klvrelay.sources.contract import Source
from klvrelay.sources.files.file import FileSource

PACKETS_PER_TURN = 4
"""Pieces of a file read before yielding to the event loop."""
FIRST_DATA_WAIT = 5.0
"""Minimum time in seconds to wait for the first data of a live source."""
SILENT_HINT = "is the sender running, and sending to this address and port?"
LIVE_SECONDS = 10.0
"""Default probing time of a live source in seconds."""
PIECE = 512 << 10
"""Bytes of a file per block. The survey times packets by block, so the size affects the measured times."""
SMALL = 16 << 10
"""Bytes between two checks of a file's own time."""
OWN_CLOCKS_MOST = 32
"""Maximum number of PIDs whose record times are followed."""
Progress = Callable[[int, float, int], None]
"""Called with the bytes, seconds and records so far."""


class OwnClock:
    """Elapsed seconds of one PID by its own time stamps; a jump counts as 0."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._steps = Steps()
        self._last: int | None = None

    def at(self, stamp: int | None, is_pts: bool) -> float:
        """Time of a record with this stamp: a PTS, item 2 in any unit, or None."""
        if stamp is None:
            return self.seconds
        if not is_pts:
            stamp = microseconds(stamp)
        if self._last is not None:
            step = pts_difference(stamp, self._last) if is_pts else (stamp - self._last) / 1e6
            if not self._steps.is_jump(step):
                self.seconds += max(0.0, step)
        self._last = stamp
        return self.seconds


class Analysis:
    """Measurements of one source."""

    def __init__(self, source: Source, choice: Choice = EVERYTHING, packet_limit: int = LIMIT) -> None:
        self.telemetry = Telemetry()
        self.survey: Survey | None = None
        self.size = 0
        self.ended = "end"
        self._source = source
        self._choice = choice
        self._programs: dict[int | None, int | None] = {}
        self._decoder = Sampler(stream_name(source.url), packet_limit, self.telemetry)
        self._began = time.time()
        self._passage = ""
        self._first_received: int | None = None
        self._last_received: int | None = None
        self._own: dict[tuple[int | None, bool], OwnClock] = {}

    # ---- input ----

    def take(self, packet: Packet) -> None:
        """Take one packet of the source."""
        self.size += len(packet.data)
        if packet.received_us is not None:
            if self._first_received is None:
                self._first_received = packet.received_us
            self._last_received = packet.received_us
        if not self._passage and packet.data:
            container = packet.carriage == "klv" and packet.pid is not None
            self._passage = "container" if container else packet.carriage
            self.survey = Survey() if packet.carriage == "ts" else None
        if self.survey is None or packet.carriage == "klv" or not packet.data:
            self._decoder.count_bytes(len(packet.data))
            self._records(self._decoder.feed(packet), None, packet.received_us)
            return
        live = packet.received_us is not None
        if packet.damaged and not live:  # held data precedes the missing bytes
            self._pieces(self.survey.feed(b"", live=True), packet._replace(damaged=False))
        self._pieces(self.survey.feed(packet.data, live=live), packet)

    def _pieces(self, pieces: Iterator[Piece], packet: Packet) -> None:
        """Decode the pieces of this packet, or of data held before it."""
        for piece in pieces:
            self._decoder.count_bytes(len(piece.data))
            records = self._decoder.feed(packet._replace(data=piece.data))
            packet = packet._replace(damaged=False)
            self._records(records, piece.at, packet.received_us)

    def finish(self) -> None:
        """End of data: process what is still held."""
        if self.survey is not None:
            for piece in self.survey.finish():
                records = self._decoder.feed(Packet(piece.data, self._last_received))
                self._records(records, piece.at, self._last_received)
        at = self.survey.clock.at(self.survey.packets) if self.survey is not None else None
        self._decoder.is_ending = True
        rest = self._decoder.flush(self._last_received)
        if self.ended != "end":  # a record begun then would have continued
            rest = [record for record in rest if record.transport == "ok"]
        self._records(rest, at, self._last_received)
        for record in rest:
            if record.transport != "ok":
                self.telemetry.cut_off(record)

    def _records(self, records: list[Record], stream: float | None, received_us: int | None) -> None:
        for record in records:
            arrived = self._arrival_seconds(received_us)
            at = arrived if arrived is not None else stream if stream is not None else self._own_time(record)
            time_us = self.telemetry.add(record, at, stream)
            self._programs[record.pid] = record.program
            if time_us is not None and self.survey is not None:
                self.survey.record(record.pid, record.set, time_us, record.pts)

    def _arrival_seconds(self, received_us: int | None) -> float | None:
        if received_us is None or self._first_received is None:
            return None
        return max(0.0, (received_us - self._first_received) / 1e6)

    def _own_time(self, record: Record) -> float:
        """Time of a record by its own stamps, if no other clock is available."""
        by = record.pid, record.pts is not None
        if by not in self._own and len(self._own) >= OWN_CLOCKS_MOST:
            return self._own_seconds
        return self._own.setdefault(by, OwnClock()).at(record.clock_us if record.pts is None else record.pts, by[1])

    # ---- the report ----

    @property
    def clock(self) -> str:
        """The clock that `seconds` is measured by."""
        if self._first_received is not None:
            return "arrival"
        if self.survey is not None and self.survey.seconds:
            return "PCR"
        if not (own := self._own_seconds):
            return "none"
        return "PTS" if any(by_pts and clock.seconds == own for (_, by_pts), clock in self._own.items()) else "item 2"

    @property
    def _own_seconds(self) -> float:
        """Largest elapsed time of any PID by its own time stamps."""
        return max((clock.seconds for clock in self._own.values()), default=0.0)

    @property
    def seconds(self) -> float:
        """Duration of the probed part by `clock`; 0 without a clock."""
        match self.clock:
            case "arrival":
                return self._arrival_seconds(self._last_received) or 0.0
            case "PCR":
                return self.survey.seconds if self.survey is not None else 0.0
            case "none":
                return 0.0
            case _:
                return self._own_seconds

    @property
    def _too_large(self) -> int:
        """KLV packets above the limit, counted by the source or by the decoder."""
        return self._source.link.lane.too_large + self._decoder.counters.too_large

    def report(self) -> report.Report:
        """The report with its findings."""
        from klvrelay import __version__

        survey, seconds = self.survey, self.seconds
        skipped = survey.framer.skipped if survey is not None else self._decoder.counters.passed_over
        made = report.Report(
            __version__, str(self._source.url), self._source.live, self._passage,
            iso(round(self._began * 1e6)) or "", seconds, self.clock, self.size,
            rate_of(self.size * 8, seconds) if self._passage != "container" else None,
            self._source.dropped, skipped, self._too_large, self.ended,
            None if self.telemetry.records else no_klv(self._decoder.counters), report.Verdict("good", "", "", 0), (),
            report_builder.transport_of(survey, self.telemetry, seconds) if survey is not None else None,
            report_builder.streams_of(self.telemetry, survey), self.telemetry.left_out,
            report_builder.frames_of(survey, seconds),
            report_builder.plots_of(self.telemetry),
        )  # fmt: skip
        made = select_klv(replace(made, findings=judge(made)), self._choice, self._programs)
        return replace(made, verdict=verdict_of(made))


async def analyse(
    source: Source,
    *,
    seconds: float | None = None,
    progress: Progress | None = None,
    choice: Choice = EVERYTHING,
    packet_limit: int = LIMIT,
) -> report.Report:
    """Probe a source until its end, for a time, or until cancelled, and return the report.

    seconds       None: 10 s of a live source, all of any other. For a regular file, seconds of its timeline
    choice        the KLV that the report covers
    packet_limit  maximum size of a KLV value in bytes

    Raises SourceError if nothing could be read, including when cancelled before any data arrived. A later cancellation
    ends probing without an error.
    """
    analysis = Analysis(source, choice, packet_limit)
    try:
        analysis.ended = await _read_until(analysis, source, seconds, progress)
    except SourceError as fault:
        if not analysis.size:
            raise
        analysis.ended = str(fault)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None:
            raise
        task.uncancel()
        if not analysis.size:
            why = f": {SILENT_HINT}" if source.live else ""
            raise SourceDown(f"{source.url}: stopped before any data was received{why}") from None
        analysis.ended = "stopped"
    analysis.finish()
    if analysis.survey is not None and not analysis.survey.packets and not analysis.telemetry.records:
        raise NotMedia(f"{source.url}: {analysis.size} bytes received, neither MPEG-TS nor KLV")
    return analysis.report()


async def _read_until(analysis: Analysis, source: Source, seconds: float | None, progress: Progress | None) -> str:
    """Read until a reason to stop; return the reason."""
    limit = seconds if seconds is not None else LIVE_SECONDS if source.live else None
    own = seconds if isinstance(source, FileSource) and source.url.scheme == "file" else None
    async with aclosing(packets_blocking(source, turn_every=PACKETS_PER_TURN, piece=PIECE)) as packets:
        packet = await _first(source, packets, limit)
        if own is not None or not (source.live or seconds):
            limit = None  # an http source may turn out to be a file
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while packet is not None:
                    if _take_until(analysis, packet, own):
                        return "time"
                    if progress is not None:
                        progress(analysis.size, analysis.seconds, analysis.telemetry.records)
                    packet = await anext(packets, None)
                return "end"
        return "time"


async def _first(source: Source, packets: AsyncGenerator[Packet, None], limit: float | None) -> Packet | None:
    """Wait for the first packet; None at the end. Raises SourceDown if a live source stays silent."""
    wait = max(limit or 0.0, FIRST_DATA_WAIT) if source.live else None
    try:
        async with asyncio.timeout(wait):
            return await anext(packets, None)
    except TimeoutError:
        raise SourceDown(
            f"{source.url}: nothing received for {wait:g} s: {SILENT_HINT}"
        ) from None


def _take_until(analysis: Analysis, packet: Packet, own: float | None) -> bool:
    """Take a packet; true once `own` seconds of the source's own time were read, possibly within the packet."""
    for at in range(0, len(packet.data) or 1, SMALL if own is not None else max(1, len(packet.data))):
        part = packet if own is None else packet._replace(data=packet.data[at : at + SMALL])
        analysis.take(part)
        if own is not None and analysis.seconds >= own:
            return True
    return False
