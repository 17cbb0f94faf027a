"""How KLV is carried, against how it should be (MISB ST 1402, ISO/IEC 13818-1)."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.probe.report import Carriage, Elementary, Finding, Report
from klvrelay.probe.rules.rule import Check, Rule, at_pid, plural, span
from klvrelay.probe.transport.carriage import ASYNC_ID, ASYNC_TYPE, SYNC_ID, SYNC_TYPE
from klvrelay.probe.transport.codes import hexpid

LATE = 0.1
EARLY = 10.0
BESIDE = 1.0
"""Seconds that metadata may be sent apart from its picture."""

UNLISTED = Rule(
    "klv_not_listed", "error", "ISO/IEC 13818-1 2.4.4.8",
    "No receiver looks at a PID that no PMT names: add the stream to the program's map (type 0x15, or 0x06 with KLVA).",
)  # fmt: skip
MISLABELLED = Rule(
    "klv_mislabelled", "error", "MISB ST 1402",
    "Receivers look for KLV under stream type 0x15 and 0x06: declare it as one of these.",
)  # fmt: skip
SILENT = Rule(
    "klv_silent", "warning", "MISB ST 1402",
    "The encoder announces metadata and sends none there: see that its metadata input is connected.",
)  # fmt: skip
STREAM_ID = Rule(
    "stream_id", "warning", "MISB ST 1402, asynchronous carriage: PES stream_id 0xBD",
    "Set the PES stream_id to 0xBD, or go over to synchronous carriage whole: stream type 0x15, AU cells, PTS."
    " klvrelay reads the mixture (ffmpeg writes it whenever it copies KLV); strict receivers drop the stream.",
)  # fmt: skip
SYNC_ID_RULE = Rule(
    "stream_id", "warning", "MISB ST 1402, synchronous carriage: PES stream_id 0xFC",
    "Set the PES stream_id of stream type 0x15 to 0xFC (metadata stream).",
)  # fmt: skip
CELLS_MISSING = Rule(
    "cells_missing", "error", "MISB ST 1402, synchronous carriage; ISO/IEC 13818-1 2.12",
    "Under stream type 0x15 each KLV packet goes into a metadata AU cell (5 bytes before it). Receivers that go by the"
    " rule cut five bytes off the KLV key and find nothing: add the cells, or declare stream type 0x06.",
)  # fmt: skip
CELLS_UNEXPECTED = Rule(
    "cells_unexpected", "warning", "MISB ST 1402, asynchronous carriage",
    "AU cells belong to stream type 0x15; receivers of 0x06 may find no KLV key where they look for it.",
)  # fmt: skip
CELL_GAP = Rule(
    "cell_gap", "warning", "ISO/IEC 13818-1 2.12, sequence_number",
    "Metadata cells are missing or numbered wrongly: with continuity errors the link loses them, without the"
    " encoder does.",
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
    "Give each PES packet of stream type 0x15 the PTS of the frame that it belongs to: without it nothing ties them.",
)  # fmt: skip
PTS_PRESENT = Rule(
    "pts_in_async", "note", "MISB ST 1402, asynchronous carriage",
    "Asynchronous metadata has no PTS by the rule. It does no harm; where picture and metadata belong together,"
    " use 0x15.",
)  # fmt: skip
DTS = Rule(
    "dts_present", "warning", "MISB ST 1402, synchronous carriage", "Metadata has a PTS and no DTS: leave the DTS out."
)
UNSIZED = Rule(
    "pes_unsized", "warning", "ISO/IEC 13818-1 2.4.3.7, PES_packet_length",
    "Only video may have PES packets without a length: receivers hold each record back until the next one begins.",
)  # fmt: skip
OVERSIZED = Rule(
    "oversized", "error", "klvrelay's limit of 64 KiB a packet",
    "Receivers set a limit to a packet, klvrelay's is 64 KiB, and these are passed over: send fewer targets or"
    " cells each.",
)  # fmt: skip
LATE_RULE = Rule(
    "klv_late", "warning", "ISO/IEC 13818-1 2.4.2.3",
    "Metadata arrives when its time is over, and is shown late or dropped: mux it ahead of its PTS, as the video.",
)  # fmt: skip
BESIDE_RULE = Rule(
    "klv_beside_video", "warning", "MISB ST 1402; MISB ST 0604",
    "Picture and metadata of one instant should be sent together: look at the encoder's delay settings for metadata.",
)  # fmt: skip


def _carried(report: Report) -> Iterator[tuple[str, Carriage]]:
    """Each PID with KLV once."""
    seen: set[int | None] = set()
    for stream in report.klv:
        if stream.carriage is not None and stream.pid not in seen:
            seen.add(stream.pid)
            yield at_pid(stream.pid), stream.carriage


def _labels(report: Report) -> Iterator[Finding]:
    if report.transport is None:
        return
    read = {stream.pid for stream in report.klv}
    for pid in report.transport.pids:
        if pid.holds_klv and pid.kind == "unlisted":
            yield UNLISTED.broken(f"KLV on PID {hexpid(pid.pid)}, which no PMT names", at_pid(pid.pid), pid.packets)
        elif pid.holds_klv and pid.pid not in read and not pid.scrambled:
            yield MISLABELLED.broken(f"{pid.label}: receivers do not look there", at_pid(pid.pid), pid.packets)
    for stream in _declared(report):
        if stream.kind in ("klv", "metadata") and stream.pid not in read and not _holds(report, stream.pid):
            came = f"{plural(stream.packets, 'TS packet')} came, no KLV in them" if stream.packets else "nothing came"
            yield SILENT.broken(f"KLV is announced on PID {hexpid(stream.pid)}: {came}", at_pid(stream.pid))


def _declared(report: Report) -> list[Elementary]:
    programs = report.transport.programs if report.transport is not None else ()
    return [stream for program in programs for stream in program.streams]


def _holds(report: Report, pid: int) -> bool:
    return report.transport is not None and any(each.holds_klv for each in report.transport.pids if each.pid == pid)


def _ids(report: Report) -> Iterator[Finding]:
    wanted = {ASYNC_TYPE: (ASYNC_ID, STREAM_ID), SYNC_TYPE: (SYNC_ID, SYNC_ID_RULE)}
    for where, carriage in _carried(report):
        if carriage.stream_type not in wanted:
            continue
        number, rule = wanted[carriage.stream_type]
        wrong = {key: count for key, count in carriage.stream_ids.items() if key != f"0x{number:02X}"}
        if wrong:
            label = "0x06 (asynchronous)" if rule is STREAM_ID else "0x15 (synchronous)"
            text = f"Labels that contradict each other: stream type {label} with PES stream_id {', '.join(wrong)}"
            yield rule.broken(f"{text}, in {_of(sum(wrong.values()), carriage.pes)}", where, sum(wrong.values()))


def _cells(report: Report) -> Iterator[Finding]:
    for where, c in _carried(report):
        if c.stream_type == SYNC_TYPE and c.bare:
            yield CELLS_MISSING.broken(f"Stream type 0x15 without AU cells, in {_of(c.bare, c.pes)}", where, c.bare)
        if c.stream_type == ASYNC_TYPE and c.cells:
            text = f"Metadata AU cells under stream type 0x06, in {_of(c.cells, c.pes)}"
            yield CELLS_UNEXPECTED.broken(text, where, c.cells)
        if c.cell_gaps:
            yield CELL_GAP.broken(f"{plural(c.cell_gaps, 'gap')} in the numbers of the AU cells", where, c.cell_gaps)


def _descriptors(report: Report) -> Iterator[Finding]:
    for where, c in _carried(report):
        if c.stream_type == ASYNC_TYPE and "KLVA" not in c.registration:
            said = f"it says {', '.join(c.registration)}" if c.registration else "there is none"
            yield NOT_REGISTERED.broken(f"No registration KLVA in the PMT, {said}", where)
        if c.stream_type == SYNC_TYPE and c.metadata_format != "KLVA":
            said = f"it says {c.metadata_format}" if c.metadata_format else "there is none"
            yield NOT_DESCRIBED.broken(f"No metadata_descriptor for KLVA in the PMT, {said}", where)
        if c.stream_type == SYNC_TYPE and not c.metadata_std:
            yield NO_STD.broken("No metadata_std_descriptor in the PMT", where)


def _stamps(report: Report) -> Iterator[Finding]:
    for where, c in _carried(report):
        if c.stream_type == SYNC_TYPE and c.with_pts < c.pes:
            missing = c.pes - c.with_pts
            yield PTS_MISSING.broken(f"No PTS in {_of(missing, c.pes)}", where, missing)
        if c.stream_type == ASYNC_TYPE and c.with_pts and f"0x{ASYNC_ID:02X}" in c.stream_ids:
            yield PTS_PRESENT.broken(f"A PTS in {_of(c.with_pts, c.pes)}", where, c.with_pts)
        if c.with_dts:
            yield DTS.broken(f"A DTS in {_of(c.with_dts, c.pes)}", where, c.with_dts)


def _sizes(report: Report) -> Iterator[Finding]:
    for where, c in _carried(report):
        if c.unsized:
            yield UNSIZED.broken(f"No length in {_of(c.unsized, c.pes)}", where, c.unsized)
        if c.oversized:
            yield OVERSIZED.broken(f"{plural(c.oversized, 'KLV packet')} of more than 64 KiB", where, c.oversized)


def _timing(report: Report) -> Iterator[Finding]:
    for where, c in _carried(report):
        ahead, beside = c.ahead.median, c.against_video.median
        if ahead is not None and ahead < -LATE:
            yield LATE_RULE.broken(f"KLV arrives {span(-ahead)} after its PTS (median)", where, c.ahead.count)
        elif ahead is not None and ahead > EARLY:
            yield LATE_RULE.broken(
                f"KLV arrives {span(ahead)} before its PTS (median)", where, c.ahead.count,
                hint="Its PTS is from another clock than the video's, or the encoder delays the picture by so much.",
            )  # fmt: skip
        if beside is not None and abs(beside) > BESIDE:
            side = "before" if beside > 0 else "behind"
            text = f"KLV is sent {span(abs(beside))} {side} the picture of its PTS (median)"
            yield BESIDE_RULE.broken(text, where, c.against_video.count)


def _of(count: int, of: int) -> str:
    return f"all {of:,} PES packets" if count == of else f"{count:,} of {of:,} PES packets"


CHECKS: tuple[Check, ...] = (_labels, _ids, _cells, _descriptors, _stamps, _sizes, _timing)
