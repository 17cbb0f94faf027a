"""The source itself, and whether there is KLV in it at all."""

from __future__ import annotations

from collections.abc import Iterator

from klvrelay.probe.report import Finding, PidCount, Report
from klvrelay.probe.rules.rule import Check, Rule, listed, plural
from klvrelay.probe.transport.codes import hexpid

NO_KLV = Rule(
    "no_klv", "error", "MISB ST 1402; STANAG 4609",
    "Switch metadata on in the encoder (KLV, MISB ST 0601, STANAG 4609). If it is on, something on the way drops it:"
    " restreamers and media servers pass on video only unless told otherwise (ffmpeg needs `-map 0 -c copy`).",
)  # fmt: skip
DROPPED = Rule(
    "dropped_here", "warning", "",
    "This machine was too slow or its socket buffer too small: raise it with `sysctl -w net.core.rmem_max=8388608`.",
)  # fmt: skip
BROKE_OFF = Rule(
    "broke_off", "warning", "", "What follows is of the part that came. Probe again; see that the sender keeps sending."
)
THROUGH_LIBAV = Rule(
    "through_libav", "note", "",
    "Tables, PIDs, losses and PES headers stay inside libav. To see them probe the MPEG-TS itself, as a file or by"
    " UDP.",
)  # fmt: skip
PASSED_OVER = Rule(
    "passed_over", "warning", "SMPTE ST 336",
    "A file of KLV should hold whole packets back to back: key, BER length, value. Something else is mixed in.",
)  # fmt: skip
NO_VIDEO = Rule(
    "no_video", "note", "STANAG 4609",
    "Fine for a metadata-only feed; where a picture is expected, look for it at the encoder.",
)  # fmt: skip


def _no_klv(report: Report) -> Iterator[Finding]:
    if report.klv:
        return
    pids = report.transport.pids if report.transport is not None else ()
    announced = [pid for pid in pids if pid.kind in ("klv", "metadata")] + _silent(report)
    scrambled = [pid for pid in pids if pid.scrambled and pid.kind in ("klv", "metadata", "private")]
    hidden = [pid for pid in pids if pid.holds_klv]
    where = "stream"
    hint = ""
    if hidden:
        where = f"PID {hexpid(hidden[0].pid)}"
        hint = f"KLV is sent on PID {hexpid(hidden[0].pid)}, and no receiver looks there: see the findings below."
    elif scrambled:
        where = f"PID {hexpid(scrambled[0].pid)}"
        hint = "The metadata is scrambled (encrypted): send it in the clear, or descramble it before this."
    elif announced:
        where = f"PID {hexpid(announced[0].pid)}"
        hint = (
            f"The tables announce KLV on PID {hexpid(announced[0].pid)}, and no KLV packet comes there: see that the"
            " encoder's metadata input (autopilot, gimbal) is connected and sends."
        )
    looked = f" in {report.size:,} bytes" if report.size else ""
    yield NO_KLV.broken(f"No KLV{looked}; what is there: {contents(report)}", where, hint=hint)


def _silent(report: Report) -> list[PidCount]:
    """Streams that are announced as KLV, and not one packet of them came."""
    if report.transport is None:
        return []
    streams = [s for program in report.transport.programs for s in program.streams if s.kind in ("klv", "metadata")]
    none = [s for s in streams if not s.packets]
    return [PidCount(s.pid, s.kind, s.codec, None, 0, None, 0, 0, 0, 0, 0, False) for s in none]


def contents(report: Report) -> str:
    """What there is, in a few words."""
    if report.transport is None:
        return "no packet that is whole" if report.passage == "klv" else "no data stream, as libav sees it"
    named = [
        f"{pid.label} on PID {hexpid(pid.pid)}" + (" (scrambled)" if pid.scrambled else "")
        for pid in report.transport.pids
        if pid.kind not in ("tables", "null") and pid.label != "PCR"
    ]
    return listed(named) or "no stream of any kind, only tables and stuffing"


def _dropped(report: Report) -> Iterator[Finding]:
    if report.dropped:
        text = f"{plural(report.dropped, 'datagram')} or packets lost on this machine"
        yield DROPPED.broken(text, count=report.dropped)


def _broke_off(report: Report) -> Iterator[Finding]:
    if report.ended not in ("end", "time", "stopped"):
        yield BROKE_OFF.broken(f"The source broke off: {report.ended}")


def _through_libav(report: Report) -> Iterator[Finding]:
    if report.passage == "container":
        yield THROUGH_LIBAV.broken("Read through libav: only the KLV itself could be looked at")


def _passed_over(report: Report) -> Iterator[Finding]:
    if report.passage == "klv" and report.skipped:
        yield PASSED_OVER.broken(f"{plural(report.skipped, 'byte')} belong to no KLV packet", count=report.skipped)


def _no_video(report: Report) -> Iterator[Finding]:
    if report.transport is None or not report.klv:
        return
    if not any(pid.kind == "video" for pid in report.transport.pids):
        yield NO_VIDEO.broken("No video stream beside the KLV")


CHECKS: tuple[Check, ...] = (_no_klv, _broke_off, _dropped, _passed_over, _through_libav, _no_video)
