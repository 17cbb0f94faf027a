"""Checks packets, tables and clocks of the transport stream (ISO/IEC 13818-1)."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.probe.report import Finding, Report, Severity
from klvrelay.probe.rules.rule import Check, Rule, at_pid, has_much_damage, list_text, plural, span
from klvrelay.probe.transport import pcr, tables
from klvrelay.probe.transport.codes import hexpid
from klvrelay.probe.transport_report import PidCount, Program, RepeatReport

SYNC_LOST = Rule(
    "sync_lost", "warning", "ISO/IEC 13818-1 2.4.3.2",
    "Bytes were lost or added between packets: check for a lossy link, a truncated recording, or two senders on one"
    " port.",
)  # fmt: skip
TRANSPORT_ERROR = Rule(
    "transport_error", "warning", "ISO/IEC 13818-1 2.4.3.3, transport_error_indicator",
    "An upstream receiver (radio, modem) could not correct these packets: improve the link or its error correction.",
)  # fmt: skip
CONTINUITY = Rule(
    "continuity", "warning", "ISO/IEC 13818-1 2.4.3.3, continuity_counter",
    "Packets were lost in transit: check for congestion, Wi-Fi, a small socket buffer, or a faulty remultiplexer.",
)  # fmt: skip
COUNTER = Rule(
    "counter_stands", "warning", "ISO/IEC 13818-1 2.4.3.3, continuity_counter",
    "The multiplexer must increment the counter for each packet with payload: receivers may drop these as duplicates.",
)  # fmt: skip
SCRAMBLED = Rule(
    "scrambled", "error", "ISO/IEC 13818-1 2.4.3.3, transport_scrambling_control",
    "Send the metadata in the clear, or descramble the stream before it reaches klvrelay.",
)  # fmt: skip
NO_PAT = Rule(
    "no_pat", "error", "ISO/IEC 13818-1 2.4.4.3",
    "Configure the multiplexer to send the PAT on PID 0 at least twice per second: without it receivers find no"
    " program.",
)  # fmt: skip
NO_PMT = Rule(
    "no_pmt", "error", "ISO/IEC 13818-1 2.4.4.8",
    "Configure the multiplexer to send the PMT at least twice per second: the PAT lists this program, but its PMT was"
    " not received.",
)  # fmt: skip
BAD_TABLE = Rule(
    "bad_table", "warning", "ISO/IEC 13818-1 2.4.4, CRC_32",
    "Tables arrive damaged, or the multiplexer computes their CRC wrongly; receivers ignore them.",
)  # fmt: skip
RARE_TABLE = Rule(
    "rare_table", "warning", "ETSI TR 101 290 1.3, 1.5",
    "A receiver that joins waits that long for video and metadata: send PAT and PMT every 100 ms.",
)  # fmt: skip
NO_PCR = Rule(
    "no_pcr", "warning", "ISO/IEC 13818-1 2.4.3.5",
    "Configure the multiplexer to send PCRs on the PID that the PMT names: without a clock players can't keep time,"
    " and PTS are meaningless.",
)  # fmt: skip
RARE_PCR = Rule(
    "rare_pcr", "warning", "ISO/IEC 13818-1 2.7.2",
    "Send a PCR at least every 100 ms (40 ms is usual).",
)  # fmt: skip
PCR_JUMP = Rule(
    "pcr_jump", "warning", "ISO/IEC 13818-1 2.4.3.5, discontinuity_indicator",
    "The stream clock jumps without being signalled: the encoder restarted, or recordings were joined without repair.",
)  # fmt: skip
CHANGED = Rule(
    "map_changed", "note", "ISO/IEC 13818-1 2.4.4.8, version_number",
    "Streams were added, removed or moved: klvrelay follows, simpler receivers may not.",
)  # fmt: skip


def _sync(report: Report) -> Iterator[Finding]:
    t = report.transport
    if t is not None and t.sync_losses:
        yield SYNC_LOST.finding(
            f"Packet sync lost {plural(t.sync_losses, 'time')}, {plural(t.skipped, 'byte')} skipped",
            count=t.sync_losses, severity="error" if has_much_damage(report) else None,
        )  # fmt: skip


def _pids(report: Report) -> tuple[PidCount, ...]:
    return report.transport.pids if report.transport is not None else ()


def _programs(report: Report) -> tuple[Program, ...]:
    return report.transport.programs if report.transport is not None else ()


def _errors(report: Report) -> Iterator[Finding]:
    hit = [pid for pid in _pids(report) if pid.transport_errors]
    if hit:
        count = sum(pid.transport_errors for pid in hit)
        where = f"PID {list_text([hexpid(pid.pid) for pid in hit])}"
        text = f"{plural(count, 'packet')} marked as damaged by an upstream receiver"
        ours = any(has_much_damage(report, pid.pid) for pid in hit if pid.holds_klv)
        yield TRANSPORT_ERROR.finding(text, where, count, severity="error" if ours else None)


def _continuity(report: Report) -> Iterator[Finding]:
    # A packet marked as damaged also causes a gap in the counter of its PID; it is not counted twice.
    hit = [pid for pid in _pids(report) if pid.gaps > pid.transport_errors]
    ours = [pid for pid in hit if pid.holds_klv]
    for pids in (ours, [pid for pid in hit if not pid.holds_klv]):
        if pids:
            gaps, lost = (sum(getattr(pid, name) for pid in pids) for name in ("gaps", "lost"))
            share = 100 * lost / (lost + sum(pid.packets for pid in pids))
            what = list_text([pid.label for pid in pids])
            text = f"{plural(gaps, 'gap')} in {what}: at least {plural(lost, 'packet')} lost ({share:.2g} %)"
            harm = pids is ours and any(has_much_damage(report, pid.pid) for pid in ours)
            severity: Severity | None = "error" if harm else None
            yield CONTINUITY.finding(
                text, f"PID {list_text([hexpid(pid.pid) for pid in pids])}", gaps, severity=severity
            )
    for pid in _pids(report):
        if pid.packets > 8 and pid.duplicates > pid.packets / 2:
            text = f"The continuity counter of {pid.label} does not increment"
            severity = "error" if pid.holds_klv and has_much_damage(report, pid.pid) else None
            yield COUNTER.finding(text, at_pid(pid.pid), pid.duplicates, severity=severity)


def _scrambled(report: Report) -> Iterator[Finding]:
    for pid in _pids(report):
        if pid.scrambled:
            ours = pid.kind in ("klv", "metadata", "private")
            text = f"{plural(pid.scrambled, 'packet')} of {pid.label} scrambled"
            yield SCRAMBLED.finding(text, at_pid(pid.pid), pid.scrambled, severity="error" if ours else "note")


def _tables(report: Report) -> Iterator[Finding]:
    t = report.transport
    if t is None or not t.packets:
        return
    if not t.pat.count:
        right = " with a valid CRC" if t.bad_tables else ""
        text = f"No PAT{right}: the programs are unknown"
        yield NO_PAT.finding(text, "PID 0x00", hint=BAD_TABLE.hint if t.bad_tables else "")
    for program in t.programs:
        if not program.pmt.count:
            right = " with a valid CRC" if t.bad_tables else ""
            text = f"No PMT of program {program.number}{right}: its streams are unknown"
            hint = BAD_TABLE.hint if t.bad_tables else ""
            yield NO_PMT.finding(text, at_pid(program.pmt_pid), hint=hint)
        if program.changes:
            text = f"The PMT of program {program.number} changed {plural(program.changes, 'time')}"
            yield CHANGED.finding(text, at_pid(program.pmt_pid), program.changes)
    if t.bad_tables:
        yield BAD_TABLE.finding(f"{plural(t.bad_tables, 'table section')} with a wrong CRC", count=t.bad_tables)


def _rare_tables(report: Report) -> Iterator[Finding]:
    t = report.transport
    kinds = [] if t is None else [("PAT", 0, t.pat), *(("PMT", p.pmt_pid, p.pmt) for p in t.programs)]
    for name, pid, repeats in kinds:
        if repeats.late and repeats.longest is not None:
            yield RARE_TABLE.finding(
                f"{name} up to {span(repeats.longest)} apart, {_often(repeats, tables.LATEST)}",
                at_pid(pid), repeats.late,
            )  # fmt: skip


def _pcr(report: Report) -> Iterator[Finding]:
    for program in _programs(report):
        if not program.pmt.count:
            continue
        where = f"program {program.number}"
        if program.pcr_pid is None or not program.pcr.count:
            wanted = "names no PCR PID" if program.pcr_pid is None else f"has no PCR on PID {hexpid(program.pcr_pid)}"
            yield NO_PCR.finding(f"Program {program.number} {wanted}: the stream has no clock", where)
            continue
        if program.pcr.late and program.pcr.longest is not None:
            yield RARE_PCR.finding(
                f"PCRs up to {span(program.pcr.longest)} apart, {_often(program.pcr, pcr.LATEST)}",
                f"{where}, PID {hexpid(program.pcr_pid)}", program.pcr.late,
            )  # fmt: skip
        if program.pcr_jumps:
            text = f"The stream clock jumped {plural(program.pcr_jumps, 'time')}"
            yield PCR_JUMP.finding(text, f"{where}, PID {hexpid(program.pcr_pid)}", program.pcr_jumps)


def _often(repeats: RepeatReport, latest: float) -> str:
    return f"{plural(repeats.late, 'time')} over {span(latest)}"


CHECKS: tuple[Check, ...] = (_tables, _scrambled, _errors, _sync, _continuity)
MINOR: tuple[Check, ...] = (_rare_tables, _pcr)
