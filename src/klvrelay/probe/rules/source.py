"""Checks the source itself, and whether it holds KLV."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.health.diagnosis import METADATA_HINT
from klvrelay.probe.report import Finding, Report
from klvrelay.probe.rules.carriage import MISLABELLED, WRONG_LENGTH, declaration_text, may_be_klv, wrong_lengths
from klvrelay.probe.rules.rule import Check, Rule, announces_klv, at_pid, label_text, list_text, plural
from klvrelay.probe.transport.codes import hexpid
from klvrelay.probe.transport.pes import NO_HEADER
from klvrelay.probe.transport_report import Carriage, PidCount

NO_KLV = Rule("no_klv", "error", "MISB ST 1402; STANAG 4609", METADATA_HINT)
DROPPED = Rule(
    "dropped_here", "warning", "",
    "This machine was too slow, or its socket buffer too small: increase it with"
    " `sysctl -w net.core.rmem_max=8388608`.",
)  # fmt: skip
ENDED_EARLY = Rule(
    "broke_off", "warning", "",
    "This report covers the data received until then. Probe again, and check that the sender keeps sending.",
)  # fmt: skip
THROUGH_LIBAV = Rule(
    "through_libav", "note", "",
    "libav does not expose tables, PIDs, losses and PES headers. To see them, probe the MPEG-TS itself, as a file or"
    " over UDP.",
)  # fmt: skip
PASSED_OVER = Rule(
    "passed_over", "warning", "SMPTE ST 336",
    "A KLV file must consist of complete packets, one directly after another (key, BER length, value). This one"
    " contains other data.",
)  # fmt: skip
TOO_LARGE = Rule(
    "too_large", "error", "klvrelay's packet_limit, 1 MiB by default",
    "If packets of this size are expected, probe again with a larger --packet-limit, and relay with that"
    " packet_limit.",
)  # fmt: skip
EMPTY_HINT = (
    "Check that the encoder's metadata input (autopilot, gimbal) is connected and sends data, and that KLV is selected"
    " as its output."
)
NO_VIDEO = Rule(
    "no_video", "note", "STANAG 4609",
    "This is normal for a metadata-only feed; if video is expected, check the encoder.",
)  # fmt: skip


def _no_klv(report: Report) -> Iterator[Finding]:
    if report.klv:
        return
    where, cause, hint = next(_causes(report))
    searched = f" in {report.size:,} bytes" if report.size else ""
    cause_text = f": {cause}" if cause else ""
    content = "" if report.passage == "klv" else f"; the source contains: {contents(report)}"
    yield NO_KLV.finding(f"No KLV{searched}{cause_text}{content}", where, hint=hint)


def _causes(report: Report) -> Iterator[tuple[str, str, str]]:
    """Causes for the absence of KLV, the most likely first: place, clause of a sentence, remedy. Includes those that
    `decode` reports, and those that the PIDs show.
    """
    found = report.nothing
    pids = report.transport.pids if report.transport is not None else ()
    ours = [pid for pid in pids if pid.kind in ("klv", "metadata", "private")]
    if found is not None and found.id in ("transport_error", "scrambled"):
        hit = [pid for pid in ours if pid.scrambled or pid.transport_errors]
        yield at_pid(hit[0].pid) if hit else "stream", found.cause, found.advice
    if found is not None and found.id == "too_large":
        yield "stream", found.cause, found.advice
    for pid in pids:
        if pid.carriage is not None and pid.holds_klv:
            yield at_pid(pid.pid), *_unread(pid, pid.carriage)
    for pid in ours:
        if pid.carriage is not None and pid.carriage.content and announces_klv(pid.kind, pid.carriage.metadata_format):
            yield at_pid(pid.pid), f"{label_text(pid)} but carries {pid.carriage.content}", EMPTY_HINT
    announced = [pid for pid in ours if pid.kind == "klv"] + _silent(report)
    for pid in announced:
        received = f"no {'KLV ' if pid.packets else ''}packet was received"
        yield at_pid(pid.pid), f"the tables declare KLV on PID {hexpid(pid.pid)}, but {received}", EMPTY_HINT
    if found is None or found.id == "no_klv":
        yield "stream", "", NO_KLV.hint
    else:
        yield "stream", found.cause, found.advice


def _unread(pid: PidCount, carriage: Carriage) -> tuple[str, str]:
    """Cause and remedy for a PID that holds KLV keys but no readable packet."""
    bare = [name for name in carriage.stream_ids if int(name, 16) in NO_HEADER]
    if bare:
        return f"the KLV on PID {hexpid(pid.pid)} is in PES packets with stream_id {bare[0]}", (
            "PES packets with that stream_id have no header: configure the encoder to send KLV with stream_id 0xBD or"
            " 0xFC, as MISB ST 1402 requires."
        )
    if carriage.stream_type is not None and not may_be_klv(carriage.stream_type, carriage.registration):
        return f"the KLV on PID {hexpid(pid.pid)} is {declaration_text(carriage.stream_type, carriage.registration)}", (
            MISLABELLED.hint
        )
    if carriage.too_short or carriage.too_long:
        return f"{wrong_lengths(carriage)} on PID {hexpid(pid.pid)}", WRONG_LENGTH
    if pid.gaps or pid.transport_errors:
        return f"so many packets of PID {hexpid(pid.pid)} are lost that no KLV packet is complete", (
            "Improve the link: check for congestion, Wi-Fi, a small socket buffer."
        )
    return f"KLV starts on PID {hexpid(pid.pid)}, but no packet is complete", "Probe for longer: --seconds."


def _silent(report: Report) -> list[PidCount]:
    """Streams that are declared as KLV but sent no packet."""
    if report.transport is None:
        return []
    streams = [s for program in report.transport.programs for s in program.streams if s.kind in ("klv", "metadata")]
    none = [s for s in streams if not s.packets]
    return [PidCount(s.pid, s.kind, s.codec, None, 0, None, 0, 0, 0, 0, 0, False) for s in none]


def contents(report: Report) -> str:
    """The contents of the source in a few words."""
    if report.transport is None:
        return "no data stream, according to libav"
    named = [
        f"{pid.label} on PID {hexpid(pid.pid)}" + (" (scrambled)" if pid.scrambled else "")
        for pid in report.transport.pids
        if pid.kind not in ("tables", "null") and pid.label != "PCR"
    ]
    return list_text(named) or "no stream of any kind, only tables and stuffing"


def _dropped(report: Report) -> Iterator[Finding]:
    if report.dropped:
        text = f"{plural(report.dropped, 'packet')} dropped on this machine"
        yield DROPPED.finding(text, count=report.dropped)


def _ended_early(report: Report) -> Iterator[Finding]:
    if report.ended not in ("end", "time", "stopped"):
        yield ENDED_EARLY.finding(f"The source ended early: {report.ended}")


def _through_libav(report: Report) -> Iterator[Finding]:
    if report.passage == "container":
        yield THROUGH_LIBAV.finding("Read through libav: only the KLV itself was examined")


def _passed_over(report: Report) -> Iterator[Finding]:
    if report.passage == "klv" and report.skipped and report.klv:
        yield PASSED_OVER.finding(f"{plural(report.skipped, 'byte')} outside KLV packets", count=report.skipped)


def _too_large(report: Report) -> Iterator[Finding]:
    if report.too_large and report.klv:
        text = f"{plural(report.too_large, 'KLV packet')} larger than the limit, skipped"
        yield TOO_LARGE.finding(text, count=report.too_large)


def _no_video(report: Report) -> Iterator[Finding]:
    if report.transport is None or not report.klv:
        return
    if not any(pid.kind == "video" for pid in report.transport.pids):
        yield NO_VIDEO.finding("No video stream with the KLV")


CHECKS: tuple[Check, ...] = (_no_klv, _ended_early, _dropped, _passed_over, _too_large, _through_libav, _no_video)
