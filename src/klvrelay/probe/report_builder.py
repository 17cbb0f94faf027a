"""Builds the report from the measurements."""

from __future__ import annotations

from collections.abc import Container

from klvrelay.probe import charts, report, transport_report
from klvrelay.probe.metadata.series import rate_of
from klvrelay.probe.metadata.telemetry import Telemetry
from klvrelay.probe.transport.carriage import carriage_of
from klvrelay.probe.transport.codes import hexpid, set_title
from klvrelay.probe.transport.pids import NULL
from klvrelay.probe.transport.pmt_stream import PmtStream
from klvrelay.probe.transport.survey import Survey
from klvrelay.probe.transport.tables import ProgramMap
from klvrelay.probe.transport_report import Kind

_SYSTEM: dict[int, str] = {0: "PAT", 1: "CAT", 2: "TSDT", 0x10: "NIT", 0x11: "SDT", 0x12: "EIT", 0x14: "TDT"}
_TS = 188
_NO_REPEATS = transport_report.RepeatReport(0, None, None, 0)


def transport_of(survey: Survey, telemetry: Telemetry, seconds: float) -> transport_report.Transport:
    """Report on packets, tables and clocks."""
    tables, read = survey.tables, {tally.pid for tally in telemetry.streams.values()}
    return transport_report.Transport(
        survey.framer.size,
        survey.packets,
        survey.framer.losses,
        survey.framer.skipped,
        tables.pat.freeze(),
        tables.bad,
        tuple(_program(survey, map_, seconds) for map_ in tables.programs.values()),
        tuple(_pid(survey, pid, read, seconds) for pid in survey.counts.packets.nonzero()[0].tolist()),
        tables.left_out,
    )


def _program(survey: Survey, map_: ProgramMap, seconds: float) -> transport_report.Program:
    stats = survey.clock.stats.get(map_.pcr_pid) if map_.pcr_pid is not None else None
    return transport_report.Program(
        map_.number, map_.pmt_pid, map_.pcr_pid, map_.pace.freeze(),
        stats.freeze() if stats else _NO_REPEATS, stats.jumps if stats else 0, map_.changes,
        tuple(_elementary(survey, stream, seconds) for stream in map_.streams.values()), map_.left_out,
    )  # fmt: skip


def _elementary(survey: Survey, stream: PmtStream, seconds: float) -> transport_report.DeclaredStream:
    packets = int(survey.counts.packets[stream.pid])
    codec, kind = _codec_and_kind(survey, stream)
    return transport_report.DeclaredStream(
        stream.pid, stream.stream_type, codec, kind, stream.descriptors, stream.registration,
        stream.metadata_format, stream.metadata_std, packets, _bit_rate(packets, seconds),
    )  # fmt: skip


def _codec_and_kind(survey: Survey, stream: PmtStream) -> tuple[str, Kind]:
    """Codec and kind of a stream: KLV if any was found, regardless of the declaration."""
    found = survey.found.get(stream.pid)
    if found is not None and found.holds_klv:
        return ("KLV" if stream.kind in ("klv", "metadata", "private") else f"KLV, declared as {stream.codec}"), "klv"
    return stream.codec, stream.kind


def _pid(survey: Survey, pid: int, read: Container[int | None], seconds: float) -> transport_report.PidCount:
    counts, found, listed = survey.counts, survey.found.get(pid), survey.tables.streams.get(pid)
    kind, label, program = _role(survey, pid)
    packets = int(counts.packets[pid])
    return transport_report.PidCount(
        pid, kind, label, program, packets, _bit_rate(packets, seconds), int(counts.gaps[pid]), int(counts.lost[pid]),
        int(counts.duplicates[pid]), int(counts.scrambled[pid]), int(counts.errors[pid]),
        found is not None and found.holds_klv,
        carriage_of(listed[1] if listed else None, found) if found is not None and pid not in read else None,
    )  # fmt: skip


def _role(survey: Survey, pid: int) -> tuple[Kind, str, int | None]:
    if pid == NULL:
        return "null", "stuffing", None
    if pid in survey.tables.pids and pid != 0:
        map_ = next(map_ for map_ in survey.tables.programs.values() if pid == map_.pmt_pid)
        return "tables", "PMT", map_.number
    if (program := survey.tables.streams.get(pid)) is not None:
        codec, kind = _codec_and_kind(survey, program[1])
        return kind, codec, program[0].number
    if pid in _SYSTEM:
        return "tables", _SYSTEM[pid], None
    if pid in survey.clock.stats:
        for map_ in survey.tables.programs.values():
            if pid == map_.pcr_pid:
                return "data", "PCR", map_.number
    found = survey.found.get(pid)
    return "unlisted", "KLV, in no PMT" if found is not None and found.holds_klv else "in no PMT", None


def _bit_rate(packets: int, seconds: float) -> float | None:
    return rate_of(packets * _TS * 8, seconds)


def streams_of(telemetry: Telemetry, survey: Survey | None) -> tuple[report.KlvStream, ...]:
    """Report on each record stream, the most informative first."""
    made = []
    for tally in telemetry.streams.values():
        found = survey.found.get(tally.pid) if survey is not None and tally.pid is not None else None
        declared = survey.tables.streams.get(tally.pid) if survey is not None and tally.pid is not None else None
        made.append(tally.freeze(carriage_of(declared[1] if declared else None, found) if found else None))
    return tuple(sorted(made, key=_information_content, reverse=True))


def _information_content(stream: report.KlvStream) -> tuple[bool, float]:
    """Sort key for information content: platform telemetry first, then the number of valid values."""
    right = (stream.records - stream.damaged - stream.checksum_bad) / stream.records
    values = sum(item.count for item in stream.items if not item.path.startswith("unknown"))
    return stream.set in ("ST0601", "ST0104"), values * right


def frames_of(survey: Survey | None, seconds: float) -> tuple[report.Frames, ...]:
    """Report on each video stream that had frames."""
    if survey is None:
        return ()
    return tuple(tally.freeze(seconds) for tally in survey.videos.frames.values() if tally.frames)


def plots_of(telemetry: Telemetry) -> tuple[charts.Plots, ...]:
    """Chart data, streams with the most records first; one or two records give no curve."""
    tallies = sorted(telemetry.streams.values(), key=lambda tally: -tally.records)
    return tuple(tally.plots() for tally in tallies if tally.records > 2)


def title(pid: int | None, set_name: str, version: int | None = None) -> str:
    """Display name of a record stream, such as ST 0601.13 on PID 0x101."""
    return set_title(set_name, version) + ("" if pid is None else f" on PID {hexpid(pid)}")
