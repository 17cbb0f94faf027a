"""Formats the report as rows of text for the terminal and the HTML page."""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.probe.metadata.items import tags_of
from klvrelay.probe.output.document import pid_weight, program_weight
from klvrelay.probe.output.list_limits import ListLimits, more, pick_largest
from klvrelay.probe.report import Against, Frames, ItemReport, KlvStream, Paired, Report
from klvrelay.probe.report_builder import title
from klvrelay.probe.rules.rule import plural, span
from klvrelay.probe.rules.times import drifts
from klvrelay.probe.transport.codes import hexpid, set_title
from klvrelay.probe.transport_report import Carriage, PidCount, Program, RepeatReport, SpreadReport, Transport
from klvrelay.text import printable

Row = tuple[str, ...]
VERSIONS = 8
"""Maximum number of versions shown per set."""

_CLOCKS = {
    "arrival": "by arrival",
    "PCR": "by the stream clock",
    "PTS": "by PTS",
    "item 2": "by record time",
}
_ENDS = {"end": "read to its end", "time": "for the requested time", "stopped": "stopped"}
_PASSAGES = {"ts": "MPEG-TS", "klv": "bare KLV", "container": "read by libav"}


def source_facts(report: Report) -> list[Row]:
    """Rows (name, value) on the source and its transport."""
    length = f"{span(report.seconds)} {_CLOCKS[report.clock]}" if report.clock in _CLOCKS else "no clock"
    rate = f", {bits(report.bit_rate)}" if report.bit_rate else ""
    amount = size(report.size) + (" of KLV" if report.passage not in ("ts", "klv") else "")
    ended = _ENDS.get(report.ended, f"ended early: {report.ended}")
    rows = [
        ("source", printable(report.source)),
        ("probed", f"{length}, {amount}{rate}; {'live, ' if report.live else ''}{ended}"),
    ]
    return [*rows, ("transport", _transport(report))]


def _transport(report: Report) -> str:
    t = report.transport
    if t is None:
        return _PASSAGES.get(report.passage, "read by libav")
    gaps = sum(pid.gaps for pid in t.pids)
    lost = f"{plural(gaps, 'gap')}, {plural(sum(pid.lost for pid in t.pids), 'packet')} lost" if gaps else "none lost"
    return f"MPEG-TS, {t.packets:,} packets of {t.packet_size} bytes, {lost}; PAT {_repeats(t.pat)}"


def _repeats(repeats: RepeatReport) -> str:
    if not repeats.count:
        return "never"
    if repeats.interval is None or repeats.longest is None:
        return plural(repeats.count, "time")
    return f"every {span(repeats.interval)} (up to {span(repeats.longest)})"


PROGRAM_HEAD = ("PID", "what", "bit rate", "packets", "lost", "declared")
OTHER_HEAD = ("PID", "what", "bit rate", "packets", "lost")


def program_title(program: Program) -> str:
    clock = f"PCR on {hexpid(program.pcr_pid)} {_repeats(program.pcr)}" if program.pcr_pid is not None else "no PCR"
    return f"Program {program.number}: PMT on {hexpid(program.pmt_pid)} {_repeats(program.pmt)}, {clock}"


def select_programs(transport: Transport, limits: ListLimits) -> tuple[list[Program], int]:
    """The programs to show and the number omitted."""
    shown = pick_largest(transport.programs, limits.programs, program_weight)
    return shown, len(transport.programs) - len(shown) + transport.programs_left_out


def program_rows(report: Report, program: Program, limits: ListLimits) -> tuple[list[Row], int]:
    """One row per stream, with the columns of PROGRAM_HEAD; and the number omitted."""
    streams = pick_largest(program.streams, limits.streams, lambda each: each.packets)
    wanted = {stream.pid for stream in streams}
    pids = report.transport.pids if report.transport is not None else ()
    counts = {pid.pid: pid for pid in pids if pid.pid in wanted}
    rows: list[Row] = [
        (
            hexpid(stream.pid), stream.codec + _marks(counts.get(stream.pid)),
            bits(stream.bit_rate) if stream.packets else "-", f"{stream.packets:,}", _lost(counts.get(stream.pid)),
            ", ".join((f"0x{stream.stream_type:02X}", *stream.descriptors)),
        )
        for stream in streams
    ]  # fmt: skip
    return rows, len(program.streams) - len(streams) + program.streams_left_out


def other_rows(report: Report, limits: ListLimits) -> tuple[list[Row], int]:
    """One row per PID outside all programs, with the columns of OTHER_HEAD; and the number omitted."""
    if report.transport is None:
        return [], 0
    inside = {stream.pid for program in report.transport.programs for stream in program.streams}
    others = [pid for pid in report.transport.pids if pid.pid not in inside]
    shown = pick_largest(others, limits.pids, pid_weight)
    rows: list[Row] = [
        (hexpid(pid.pid), pid.label + _marks(pid), bits(pid.bit_rate), f"{pid.packets:,}", _lost(pid)) for pid in shown
    ]
    return rows, len(others) - len(shown)


def klv_left_out(report: Report, limits: ListLimits) -> str:
    """The KLV streams and records not shown; empty if all are shown."""
    parts = [more(len(report.klv) - limits.klv, "KLV streams")]
    if report.records_left_out:
        parts.append(f"and {plural(report.records_left_out, 'record')} of other sets or PIDs")
    return "; ".join(filter(None, parts))


def _marks(pid: PidCount | None) -> str:
    flags = [] if pid is None else [word for word, count in (("scrambled", pid.scrambled),
                                                           ("damaged", pid.transport_errors)) if count]  # fmt: skip
    return f" ({', '.join(flags)})" if flags else ""


def _lost(pid: PidCount | None) -> str:
    return str(pid.lost) if pid is not None and pid.lost else "-"


def stream_title(stream: KlvStream) -> str:
    version = stream.versions[-1] if len(stream.versions) == 1 else None
    return title(stream.pid, stream.set, version)


def stream_facts(stream: KlvStream, frames: Sequence[Frames]) -> list[Row]:
    """Rows (name, value) on one record stream."""
    rows: list[Row] = []
    if stream.carriage is not None:
        rows += [("declared", stream.carriage.declared), ("found", stream.carriage.found)]
        if stream.carriage.with_pts:
            rows.append(("video timing", _video_timing(stream.carriage)))
    rows += [("records", _records(stream)), ("checksums", _checksums(stream))]
    if stream.nested:
        inside = [f"{set_title(name)}.{_versions(found)}".rstrip(".") for name, found in stream.nested.items()]
        rows.append(("nested sets", ", ".join(inside)))
    rows.append(("time", _time(stream)))
    rows += [(f"- {against.clock}", _against(against)) for against in stream.times.references]
    rows += [("frames", _frames(each, stream)) for each in frames if each.searched and _is_same_program(each, stream)]
    return rows


def _versions(found: tuple[int, ...]) -> str:
    return "/".join(map(str, found[:VERSIONS])) + (f" {more(len(found) - VERSIONS)}" if len(found) > VERSIONS else "")


def _video_timing(c: Carriage) -> str:
    """How the PTS relate to the video frames."""
    parts = [f"{c.on_frame:,} of {c.with_pts:,} PTS match a frame"]
    if c.ahead.median is not None:
        side = "before" if c.ahead.median >= 0 else "after"
        parts.append(f"sent {span(abs(c.ahead.median))} {side} presentation")
    return ", ".join(parts)


def _records(s: KlvStream) -> str:
    rate = _rate(s)
    apart = s.intervals
    steps = f"{_spread(apart)} apart, " if apart.count else ""
    sizes = f"{s.sizes.low:.0f}" if s.sizes.low == s.sizes.high else f"{s.sizes.low:.0f} to {s.sizes.high:.0f}"
    damaged = f"; {s.damaged:,} damaged" if s.damaged else ""
    read = f"; {s.records - s.damaged - s.passed:,} of them inspected" if s.passed else ""
    return f"{s.records:,}: {rate}{steps}{sizes} bytes each{damaged}{read}"


def _rate(s: KlvStream) -> str:
    if s.rate is not None:
        return f"{s.rate:.2f} per second, " if s.rate >= 0.1 else f"{s.rate * 60:.2f} per minute, "
    if s.records < 2 or s.intervals.mean is None:
        return ""
    return f"within {span(s.intervals.mean * s.intervals.count)}, too short for a rate; "


def _spread(numbers: SpreadReport) -> str:
    if numbers.median is None or numbers.low is None or numbers.high is None:
        return "-"
    if span(numbers.low) == span(numbers.high):
        return span(numbers.median)
    return f"{span(numbers.median)} (from {span(numbers.low)} to {span(numbers.high)})"


def _checksums(s: KlvStream) -> str:
    counts = (("right", s.checksum_ok), ("wrong", s.checksum_bad), ("partial", s.checksum_partial),
              ("absent", s.checksum_absent))  # fmt: skip
    return ", ".join(f"{count:,} {word}" for word, count in counts if count)


def _time(s: KlvStream) -> str:
    if s.times.first is None and s.times.first_us is None:
        return "none in the records"
    first, last = (moment or f"{number} µs" for moment, number in ((s.times.first, s.times.first_us),
                                                                   (s.times.last, s.times.last_us)))  # fmt: skip
    unit = {"us": "", "?": ", implausible"}.get(s.times.unit, f", in {s.times.unit}")
    return f"{moment_text(first)} to {moment_text(last)}{unit}"


def moment_text(moment: str) -> str:
    """ISO 8601 in readable form: a space for the T, milliseconds."""
    return moment.replace("T", " ")[:23] if moment.endswith("Z") else moment


def _against(against: Against) -> str:
    """How the record time relates to another clock."""
    o = against.offset
    if o.median is None:
        return "-"
    drift = ""
    if against.drift_ppm is not None and against.over > 1:
        drift = f", drifting {against.drift_ppm:+,.0f} ppm" if drifts(against) else ", no visible drift"
    if against.clock == "wall clock":
        side = "ahead" if o.median > 0 else "behind"
        return f"{span(abs(o.median))} {side}, varying by {span(against.varies)}{drift}"
    return f"in sync within {span(against.varies)}{drift}"


def _is_same_program(frames: Frames, stream: KlvStream) -> bool:
    """Whether these frames belong to the stream's program; unknown, and true, if its records have no time."""
    return not frames.beside or _pair(frames, stream) is not None


def _pair(frames: Frames, stream: KlvStream) -> Paired | None:
    return next((each for each in frames.beside if (each.pid, each.set) == (stream.pid, stream.set)), None)


def _frames(f: Frames, stream: KlvStream) -> str:
    """The frames of a video compared with the records of one stream."""
    if not f.stamped:
        return f"{f.frames:,} {f.codec} frames on PID {hexpid(f.pid)}, without time stamps"
    text = f"{f.stamped:,} of {f.frames:,} {f.codec} frames on PID {hexpid(f.pid)} have time stamps"
    pair = _pair(f, stream)
    if pair is None:
        return text
    text += f"; {pair.matched:,} of {plural(pair.compared, 'record')} have exactly the time of a frame"
    if pair.against.count and pair.against.median is not None and abs(pair.against.median) >= 1e-6:
        text += f"; {span(pair.against.median)} apart at the same PTS"
    return text


ITEM_HEAD = ("item", "name", "per second", "share", "longest gap", "last value")


def item_rows(stream: KlvStream, limits: ListLimits) -> tuple[list[Row], int]:
    """One row per item, with the columns of ITEM_HEAD; and the number omitted."""
    shown = stream.items[: limits.items]
    return [_item(stream, item) for item in shown], len(stream.items) - len(shown) + stream.items_left_out


def _item(stream: KlvStream, item: ItemReport) -> Row:
    depth = item.path.count(".")
    rate = "-" if item.rate is None else f"{item.rate:.1f}"
    gap = span(item.longest) if item.count > 1 else "-"
    value = item.last if item.units == "us" and item.last.endswith("Z") else f"{item.last} {item.units}".rstrip()
    name, share = (
        "  " * depth + (item.name or item.path),
        f"{100 if item.share == 1 else min(99.0, 100 * item.share):.0f} %",
    )
    return tags_of(item.path, stream.set), name, rate, share, gap, value


def bits(rate: float | None) -> str:
    """A bit rate with its unit."""
    if rate is None:
        return "-"
    if rate < 1e4:
        return f"{rate:.0f} bit/s"
    return f"{rate / 1e6:.2f} Mbit/s" if rate >= 1e6 else f"{rate / 1e3:.0f} kbit/s"


def size(count: int) -> str:
    """A size with its unit."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return plural(count, "byte")
