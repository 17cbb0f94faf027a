"""Checks time stamps: records (ST 0603) against PTS, stream clock, wall clock, and video frames (ST 0604)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from klvrelay.probe.metadata.clocks import PTS_JUMP, unit_of
from klvrelay.probe.report import Against, Finding, Frames, KlvStream, Paired, Report, Severity, Times
from klvrelay.probe.rules.rule import Check, Rule, at_pid, at_stream, plural, span
from klvrelay.probe.transport.codes import set_title

DRIFT_PPM = 100.0
DRIFT_OVER = 5.0
SLOW_PACE = 0.02
BEHIND = 5.0
LEAST = 3
DAY = 86_400.0
MATCH, ROUGH = 0.001, 0.5
"""Minimum divergence in seconds for a drift: PTS are exact, arrival times and PCRs are not."""

SCALES = (("GPS time", 18.0), ("MISP time, without leap seconds", 29.0), ("TAI", 37.0))
"""Time scales that are whole seconds ahead of UTC since 2017."""

WHOLE = frozenset(("time_unit", "time_implausible", "time_future", "time_off_wall"))
"""Ids of findings about all time stamps of a stream, which make a finding about one of them superfluous."""

UNIT = Rule(
    "time_unit", "error", "ST 0603; ST 0601.19 item 2",
    "Item 2 must be in microseconds since 1970: correct the unit in the encoder.",
)  # fmt: skip
IMPLAUSIBLE = Rule(
    "time_implausible", "error", "ST 0603; ST 0601.19 item 2",
    "The encoder's clock was never set: synchronize it by NTP, PTP or GPS.",
)  # fmt: skip
FUTURE = Rule(
    "time_future", "warning", "ST 0603",
    "The encoder's clock is ahead, or this machine's is behind: synchronize both by NTP.",
)
WALL = Rule(
    "time_off_wall", "warning", "ST 0603",
    "A recording is being sent as live, or a clock is not set: synchronize the encoder and this machine by NTP or"
    " GPS.",
)  # fmt: skip
SCALE = Rule(
    "time_scale", "note", "ST 0603, MISP time",
    "Item 2 counts without leap seconds: subtract them to get UTC (items 136 and 137 give their number).",
)  # fmt: skip
JUMPS = Rule(
    "time_jumps", "warning", "ST 0603",
    "The encoder's clock was set while it ran, records were lost, or recordings were joined.",
)  # fmt: skip
BACKWARDS = Rule(
    "time_backwards", "warning", "ST 0603",
    "Records are out of order, the clock was set back, or a recording restarted: matching by time fails.",
)  # fmt: skip
REPEATED = Rule(
    "time_repeated", "note", "ST 0603",
    "Several records have the same time: the encoder sends faster than its sensor measures, or sends each record"
    " twice.",
)  # fmt: skip
DRIFT = Rule(
    "time_drift", "warning", "ST 0603; ST 1402",
    "Metadata and video use different clocks and drift apart: lock the encoder's PTS to its time of"
    " day.",
)  # fmt: skip
PACE = Rule(
    "not_real_time", "note", "ST 0603",
    "The record time runs at a different speed than this clock: a replay is sped up, slowed down or stalling.",
)  # fmt: skip
WRAPS = Rule(
    "pts_wrap", "note", "ISO/IEC 13818-1 2.4.3.7, 33-bit PTS",
    "This is normal every 26.5 hours, and klvrelay continues; a player that stops there is faulty.",
)  # fmt: skip
PTS_BACK = Rule(
    "pts_backwards", "warning", "ISO/IEC 13818-1 2.4.3.7",
    "Metadata is multiplexed out of order: its PTS must increase.",
)
PTS_JUMPS = Rule(
    "pts_jumps", "warning", "ISO/IEC 13818-1 2.4.3.7",
    "The encoder restarted or paused, or recordings were joined without repair.",
)  # fmt: skip
NO_FRAME_TIMES = Rule(
    "frames_unstamped", "note", "ST 0604",
    "Configure the encoder to write time stamps into the video (SEI, user data): each record then matches its frame"
    " exactly.",
)  # fmt: skip
FRAME_NS = Rule(
    "frames_nanoseconds", "warning", "ST 0603; ST 0604",
    "The encoder writes nanoseconds instead of microseconds: klvrelay converts them, others get a year past 5000.",
)  # fmt: skip
FRAME_UNMATCHED = Rule(
    "frames_unmatched", "note", "ST 0604; ST 0601.19 item 2",
    "Record times differ from frame times: records can only be matched to the nearest frame.",
)  # fmt: skip
FRAME_APART = Rule(
    "frames_apart", "warning", "ST 0604; ST 1402",
    "Video and metadata with the same PTS have different times: the encoder stamps one of them too late.",
)  # fmt: skip


def _units(report: Report) -> Iterator[Finding]:
    names = {"ns": "nanoseconds", "ms": "milliseconds", "s": "seconds"}
    for s in report.klv:
        if s.times.unit in names:
            text = f"Item 2 is in {names[s.times.unit]} instead of microseconds"
            yield UNIT.finding(text, at_stream(s), s.times.stamped)
        elif s.times.unit == "?":
            yield IMPLAUSIBLE.finding(_implausible(s.times), at_stream(s), s.times.stamped)


def _implausible(times: Times) -> str:
    """The first time may be a true one, of a clock that was set back later."""
    for us, moment in ((times.first_us, times.first), (times.last_us, times.last)):
        if us is not None and unit_of(us) == "?":
            return f"The record time {moment or f'{us} µs'} is implausible"
    return "Most record times are implausible"


def _wall(report: Report) -> Iterator[Finding]:
    now = datetime.fromisoformat(report.began).timestamp()
    for s in report.klv:
        wall = next((each for each in s.times.references if each.clock == "wall clock"), None)
        if s.times.unit != "us":
            continue
        if wall is None:
            if s.times.last_us is not None and s.times.last_us / 1e6 > now + DAY:
                yield FUTURE.finding(f"The record time {s.times.last} is in the future", at_stream(s))
        elif wall.offset.median is not None:
            yield from _off(wall.offset.median, s)


def _off(offset: float, s: KlvStream) -> Iterator[Finding]:
    for name, ahead in SCALES:
        if abs(offset - ahead) < 3:
            yield SCALE.finding(f"Time stamps are {span(offset)} ahead of UTC, as in {name}", at_stream(s))
            return
    if abs(offset) > BEHIND:
        text = f"Time stamps are {span(abs(offset))} {'ahead of' if offset > 0 else 'behind'} this machine's clock"
        yield WALL.finding(text, at_stream(s), s.times.stamped)


def _steps(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        t, where = s.times, at_stream(s)
        if t.jumps:
            beyond = " without a jump of another clock" if t.references else ""
            text = f"{plural(t.jumps, 'time jump')}{beyond}, up to {span(t.longest_jump)}"
            yield JUMPS.finding(text, where, t.jumps)
        if t.backwards:
            yield BACKWARDS.finding(f"The record time went backwards {plural(t.backwards, 'time')}", where, t.backwards)
        if t.repeated:
            many: Severity | None = "warning" if t.repeated > t.stamped / 2 and t.stamped > 4 else None
            text = f"{t.repeated:,} of {plural(t.stamped, 'record')} have the time of the previous one"
            yield REPEATED.finding(text, where, t.repeated, severity=many)


def _drift(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        for against in s.times.references:
            if against.over >= DRIFT_OVER and drifts(against):
                ppm = against.drift_ppm or 0.0
                if against.clock == "PTS" and abs(ppm) > DRIFT_PPM:
                    text = f"Relative to the PTS, the record time {_drifting(ppm)}"
                    yield DRIFT.finding(text, at_stream(s), against.offset.count)
                elif against.clock != "PTS" and abs(ppm) > SLOW_PACE * 1e6:
                    text = f"Relative to the {against.clock}, the record time {_drifting(ppm)}"
                    yield PACE.finding(text, at_stream(s), against.offset.count)


def drifts(against: Against) -> bool:
    """Whether there is a drift beyond the effect of early or late packets."""
    if against.drift_ppm is None or against.offset.count <= 10:
        return False
    least = MATCH if against.clock == "PTS" else ROUGH
    grown = abs(against.drift_ppm) * against.over * 1e-6
    return abs(against.drift_ppm) > LEAST * (against.drift_error_ppm or 0.0) and grown > least


def _drifting(ppm: float) -> str:
    speed = "gains" if ppm > 0 else "loses"
    return f"{speed} {span(abs(ppm) * 3600e-6)} per hour ({abs(ppm):,.0f} ppm)"


def _pts(report: Report) -> Iterator[Finding]:
    for s in report.klv:
        t, where = s.times, at_stream(s)
        if t.pts_wraps:
            yield WRAPS.finding(f"The PTS wrapped {plural(t.pts_wraps, 'time')}", where, t.pts_wraps)
        if t.pts_backwards:
            yield PTS_BACK.finding(f"The PTS went backwards {plural(t.pts_backwards, 'time')}", where, t.pts_backwards)
        if t.pts_jumps:
            text = f"The PTS jumped by more than {span(PTS_JUMP)} {plural(t.pts_jumps, 'time')}"
            yield PTS_JUMPS.finding(text, where, t.pts_jumps)


def _frames(report: Report) -> Iterator[Finding]:
    for f in report.frames:
        where = at_pid(f.pid, f.codec)
        if f.searched and not f.stamped:
            yield NO_FRAME_TIMES.finding(f"No time stamps in {plural(f.frames, 'frame')}", where)
        if f.nanoseconds:
            text = f"{f.nanoseconds:,} of {plural(f.stamped, 'frame time')} in nanoseconds"
            yield FRAME_NS.finding(text, where, f.nanoseconds)
        for pair in f.beside if f.stamped else ():
            yield from _apart(f, pair)


def _apart(f: Frames, pair: Paired) -> Iterator[Finding]:
    """The records of one stream compared with the frames of its program's video."""
    where = at_pid(pair.pid, set_title(pair.set))
    if pair.compared > 10 and not pair.matched:
        text = f"None of {plural(pair.compared, 'record')} has exactly the time of a frame"
        yield FRAME_UNMATCHED.finding(text, where, pair.compared)
    apart = pair.against.median
    if apart is not None and f.rate and abs(apart) > 1 / f.rate:
        side = "after" if apart > 0 else "before"
        text = f"The record time is {span(abs(apart))} {side} that of the frame with the same PTS"
        yield FRAME_APART.finding(text, where, pair.against.count)


CHECKS: tuple[Check, ...] = (_units, _wall, _steps, _drift, _pts, _frames)
