"""Checks how KLV is carried (MISB ST 1402, ISO/IEC 13818-1)."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.probe.report import Finding, Report, Severity
from klvrelay.probe.rules.rule import Check, Rule, announces_klv, at_pid, label_text, list_text, plural, span
from klvrelay.probe.transport.carriage import ASYNC_ID, ASYNC_TYPE, SYNC_ID, SYNC_TYPE
from klvrelay.probe.transport.codes import hexpid
from klvrelay.probe.transport_report import Carriage, DeclaredStream, PidCount

LATE = 0.1
EARLY = 10.0
BESIDE = 1.0
"""Maximum seconds between the transmission of metadata and of its frame."""

UNLISTED = Rule(
    "klv_not_listed", "error", "ISO/IEC 13818-1 2.4.4.8",
    "Add the stream to the PMT of its program (stream type 0x15, or 0x06 with KLVA): klvrelay reads it anyway, but"
    " other receivers read only the PIDs that a PMT lists.",
)  # fmt: skip
MISLABELLED = Rule(
    "klv_mislabelled", "error", "MISB ST 1402",
    "Declare it as stream type 0x15 or 0x06, where receivers expect KLV.",
)  # fmt: skip
SILENT = Rule(
    "klv_silent", "warning", "MISB ST 1402",
    "The encoder declares metadata but sends none: check that its metadata input is connected.",
)  # fmt: skip
OTHER_CONTENT = "Declare the stream as what it carries, or configure the encoder to send KLV: receivers expect KLV."
WRONG_LENGTH = (
    "The multiplexer writes a wrong PES_packet_length: it must be the number of bytes after the field (header and"
    " payload). Receivers truncate the KLV or wait for more data."
)
LENGTH = Rule("pes_length", "error", "ISO/IEC 13818-1 2.4.3.7, PES_packet_length", WRONG_LENGTH)
STREAM_ID = Rule(
    "stream_id", "warning", "MISB ST 1402, asynchronous carriage: PES stream_id 0xBD",
    "Set the PES stream_id to 0xBD, or change to synchronous carriage entirely: stream type 0x15, AU cells, PTS."
    " klvrelay reads the mixture (ffmpeg writes it whenever it copies KLV); strict receivers drop the stream.",
)  # fmt: skip
SYNC_ID_RULE = Rule(
    "stream_id", "warning", "MISB ST 1402, synchronous carriage: PES stream_id 0xFC",
    "Set the PES stream_id of stream type 0x15 to 0xFC (metadata stream).",
)  # fmt: skip
CELLS_MISSING = Rule(
    "cells_missing", "error", "MISB ST 1402, synchronous carriage; ISO/IEC 13818-1 2.12",
    "With stream type 0x15 each KLV packet needs the header of a metadata AU cell (5 bytes before it). Strict"
    " receivers remove five bytes of the KLV key and find no KLV: add the cells, or declare stream type 0x06.",
)  # fmt: skip
CELLS_UNEXPECTED = Rule(
    "cells_unexpected", "warning", "MISB ST 1402, asynchronous carriage",
    "AU cells belong to stream type 0x15; receivers of 0x06 may not find the KLV key at its expected position.",
)  # fmt: skip
CELL_GAP = Rule(
    "cell_gap", "warning", "ISO/IEC 13818-1 2.12, sequence_number",
    "Metadata AU cells are missing or misnumbered: check the link if there are also continuity errors, otherwise the"
    " encoder.",
)  # fmt: skip
NOT_REGISTERED = Rule(
    "not_registered", "warning", "MISB ST 1402; ISO/IEC 13818-1 2.6.8, registration_descriptor",
    "Add a registration_descriptor with format_identifier KLVA to the stream in the PMT: many players need it to"
    " find KLV.",
)  # fmt: skip
NOT_DESCRIBED = Rule(
    "not_described", "warning", "MISB ST 1402; ISO/IEC 13818-1 2.6.60, metadata_descriptor",
    "Add a metadata_descriptor (metadata_format 0xFF, format identifier KLVA) to the stream in the PMT.",
)  # fmt: skip
NO_STD = Rule(
    "no_metadata_std", "note", "MISB ST 1402; ISO/IEC 13818-1 2.6.62, metadata_std_descriptor",
    "Add a metadata_std_descriptor (leak rates and buffer size) to the stream in the PMT.",
)  # fmt: skip
PTS_MISSING = Rule(
    "pts_missing", "warning", "MISB ST 1402, synchronous carriage",
    "Give each PES packet of stream type 0x15 the PTS of its frame: otherwise receivers can't match metadata and"
    " frames.",
)  # fmt: skip
PTS_PRESENT = Rule(
    "pts_in_async", "note", "MISB ST 1402, asynchronous carriage",
    "The standard defines no PTS for asynchronous metadata. It is harmless; to synchronize metadata with video, use"
    " stream type 0x15.",
)  # fmt: skip
DTS = Rule(
    "dts_present", "warning", "MISB ST 1402, synchronous carriage", "Metadata has no DTS, only a PTS: omit the DTS."
)
UNSIZED = Rule(
    "pes_unsized", "warning", "ISO/IEC 13818-1 2.4.3.7, PES_packet_length",
    "Only video may have PES packets without a length: otherwise receivers must delay each record until the next one"
    " starts.",
)  # fmt: skip
LATE_RULE = Rule(
    "klv_late", "warning", "ISO/IEC 13818-1 2.4.2.3",
    "Metadata arrives after its presentation time and is shown late or dropped: multiplex it ahead of its PTS, like"
    " the video.",
)  # fmt: skip
BESIDE_RULE = Rule(
    "klv_beside_video", "warning", "MISB ST 1402; MISB ST 0604",
    "Video and metadata of the same instant should be sent together: check the encoder's delay settings for metadata.",
)  # fmt: skip


def _carriages(report: Report) -> Iterator[tuple[str, Carriage]]:
    """Each PID with KLV, once."""
    seen: set[int | None] = set()
    for stream in report.klv:
        if stream.carriage is not None and stream.pid not in seen:
            seen.add(stream.pid)
            yield at_pid(stream.pid), stream.carriage


def _labels(report: Report) -> Iterator[Finding]:
    if report.transport is None:
        return
    read = {stream.pid for stream in report.klv}
    counts = {pid.pid: pid for pid in report.transport.pids}
    for pid in report.transport.pids:
        if pid.holds_klv and pid.kind == "unlisted":
            yield UNLISTED.finding(f"KLV on PID {hexpid(pid.pid)}, which is in no PMT", at_pid(pid.pid), pid.packets)
    silent: list[DeclaredStream] = []
    for stream in _declared_streams(report):
        pid_ = counts.get(stream.pid)
        if pid_ is not None and pid_.holds_klv and not may_be_klv(stream.stream_type, stream.registration):
            declared = declaration_text(stream.stream_type, stream.registration)
            text = f"KLV on PID {hexpid(stream.pid)} is {declared}: receivers do not look there"
            yield MISLABELLED.finding(text, at_pid(stream.pid), stream.packets)
        elif announces_klv(stream.kind, stream.metadata_format) and stream.pid not in read:
            if pid_ is None:
                silent.append(stream)
            else:
                yield from _without(stream, pid_)
    if silent:
        where = f"PID {list_text([hexpid(stream.pid) for stream in silent])}"
        yield SILENT.finding(f"KLV is declared on {where}, but no packets were received", where, len(silent))


def may_be_klv(stream_type: int, registration: tuple[str, ...]) -> bool:
    """Whether KLV may be declared this way."""
    return stream_type == SYNC_TYPE or (stream_type == ASYNC_TYPE and (not registration or "KLVA" in registration))


def declaration_text(stream_type: int, registration: tuple[str, ...]) -> str:
    """How a stream is declared, as part of a sentence."""
    names = f" with registration {', '.join(registration)}" if registration else ""
    return f"declared as stream type 0x{stream_type:02X}{names}"


def _without(stream: DeclaredStream, pid: PidCount) -> Iterator[Finding]:
    """A stream that is declared as KLV but gave no record, unless another finding reports the cause."""
    where = at_pid(stream.pid)
    if pid.holds_klv or pid.scrambled or pid.transport_errors:
        return
    elif pid.carriage is not None and pid.carriage.content:
        yield SILENT.finding(f"{label_text(pid)} but carries {pid.carriage.content}", where, hint=OTHER_CONTENT)
    else:
        received = f"{plural(stream.packets, 'TS packet')} received, without KLV"
        yield SILENT.finding(f"KLV is declared on PID {hexpid(stream.pid)}: {received}", where)


def _declared_streams(report: Report) -> list[DeclaredStream]:
    programs = report.transport.programs if report.transport is not None else ()
    return [stream for program in programs for stream in program.streams]


def _ids(report: Report) -> Iterator[Finding]:
    wanted = {ASYNC_TYPE: (ASYNC_ID, STREAM_ID), SYNC_TYPE: (SYNC_ID, SYNC_ID_RULE)}
    for where, carriage in _carriages(report):
        if carriage.stream_type not in wanted:
            continue
        number, rule = wanted[carriage.stream_type]
        wrong = {key: count for key, count in carriage.stream_ids.items() if key != f"0x{number:02X}"}
        if wrong:
            label = "0x06 (asynchronous)" if rule is STREAM_ID else "0x15 (synchronous)"
            text = f"Labels that contradict each other: stream type {label} with PES stream_id {', '.join(wrong)}"
            yield rule.finding(f"{text}, in {_of(sum(wrong.values()), carriage.pes)}", where, sum(wrong.values()))


def _cells(report: Report) -> Iterator[Finding]:
    for where, c in _carriages(report):
        if c.stream_type == SYNC_TYPE and c.bare:
            yield CELLS_MISSING.finding(f"Stream type 0x15 without AU cells, in {_of(c.bare, c.pes)}", where, c.bare)
        if c.stream_type == ASYNC_TYPE and c.cells:
            text = f"Metadata AU cells under stream type 0x06, in {_of(c.cells, c.pes)}"
            yield CELLS_UNEXPECTED.finding(text, where, c.cells)
        if c.cell_gaps:
            text = f"{plural(c.cell_gaps, 'gap')} in the sequence numbers of the AU cells"
            yield CELL_GAP.finding(text, where, c.cell_gaps)


def _descriptors(report: Report) -> Iterator[Finding]:
    for where, c in _carriages(report):
        if c.stream_type == ASYNC_TYPE and "KLVA" not in c.registration:
            found = f", found {', '.join(c.registration)}" if c.registration else ""
            yield NOT_REGISTERED.finding(f"No KLVA registration in the PMT{found}", where)
        if c.stream_type == SYNC_TYPE and c.metadata_format != "KLVA":
            found = f", found {c.metadata_format}" if c.metadata_format else ""
            yield NOT_DESCRIBED.finding(f"No metadata_descriptor for KLVA in the PMT{found}", where)
        if c.stream_type == SYNC_TYPE and not c.metadata_std:
            yield NO_STD.finding("No metadata_std_descriptor in the PMT", where)


def _stamps(report: Report) -> Iterator[Finding]:
    for where, c in _carriages(report):
        if c.stream_type == SYNC_TYPE and c.with_pts < c.pes:
            missing = c.pes - c.with_pts
            yield PTS_MISSING.finding(f"No PTS in {_of(missing, c.pes)}", where, missing)
        if c.stream_type == ASYNC_TYPE and c.with_pts and f"0x{ASYNC_ID:02X}" in c.stream_ids:
            yield PTS_PRESENT.finding(f"PTS in {_of(c.with_pts, c.pes)}", where, c.with_pts)
        if c.with_dts:
            yield DTS.finding(f"DTS in {_of(c.with_dts, c.pes)}", where, c.with_dts)


def _sizes(report: Report) -> Iterator[Finding]:
    for where, c in _carriages(report):
        if c.unsized:
            yield UNSIZED.finding(f"No length in {_of(c.unsized, c.pes)}", where, c.unsized)


def _lengths(report: Report) -> Iterator[Finding]:
    for where, c in _carriages(report):
        if c.too_short or c.too_long:
            harm = any(s.damaged or s.checksum_bad for s in report.klv if at_pid(s.pid) == where)
            severity: Severity = "error" if harm else "note"
            yield LENGTH.finding(_capital(wrong_lengths(c)), where, c.too_short + c.too_long, severity=severity)


def wrong_lengths(c: Carriage) -> str:
    """How the lengths of PES packets are wrong, as part of a sentence."""
    bad, way = (c.too_short, "short") if c.too_short >= c.too_long else (c.too_long, "long")
    size = plural(round(c.length_off.median or 0), "byte")
    return f"the PES_packet_length is too {way} by {size} in {_of(bad, c.pes)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _timing(report: Report) -> Iterator[Finding]:
    for where, c in _carriages(report):
        ahead, beside = c.ahead.median, c.against_video.median
        if ahead is not None and ahead < -LATE:
            yield LATE_RULE.finding(f"KLV arrives {span(-ahead)} after its PTS (median)", where, c.ahead.count)
        elif ahead is not None and ahead > EARLY:
            yield LATE_RULE.finding(
                f"KLV arrives {span(ahead)} before its PTS (median)", where, c.ahead.count,
                hint="The PTS of metadata and video come from different clocks, or the encoder delays the video.",
            )  # fmt: skip
        if beside is not None and abs(beside) > BESIDE:
            side = "before" if beside > 0 else "after"
            text = f"KLV is sent {span(abs(beside))} {side} the frame with its PTS (median)"
            yield BESIDE_RULE.finding(text, where, c.against_video.count)


def _of(count: int, of: int) -> str:
    return f"all {of:,} PES packets" if count == of else f"{count:,} of {of:,} PES packets"


CHECKS: tuple[Check, ...] = (_lengths, _labels, _ids, _cells, _descriptors, _stamps, _sizes, _timing)
