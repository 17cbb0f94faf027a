"""The rule type: id, severity, clause and remedy; and helpers to word findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from klvrelay.probe.report import Finding, KlvStream, Report, Severity
from klvrelay.probe.transport.codes import hexpid, set_title
from klvrelay.probe.transport_report import PidCount

MANY = 0.05
"""Share of damaged records above which damage is an error."""
SENTENCE = 1000
"""Maximum length of a finding's text in characters."""

Check = Callable[[Report], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a standard or of klvrelay; its findings add what was found, where, and how often."""

    id: str
    severity: Severity
    clause: str
    hint: str

    def finding(
        self, what: str, where: str = "stream", count: int = 1, *, severity: Severity | None = None, hint: str = ""
    ) -> Finding:
        what, where = shorten(what), shorten(where)
        return Finding(self.id, severity or self.severity, what, where, count, self.clause, hint or self.hint)


def at_pid(pid: int | None, label: str = "") -> str:
    """The place of a finding."""
    place = "stream" if pid is None else f"PID {hexpid(pid)}"
    return f"{place}, {label}" if label else place


def at_stream(stream: KlvStream) -> str:
    return at_pid(stream.pid, set_title(stream.set))


def announces_klv(kind: str, metadata_format: str | None) -> bool:
    """Whether the tables declare a stream of this kind as KLV; metadata of another format does not count."""
    return kind == "klv" or (kind == "metadata" and metadata_format in (None, "?", "KLVA"))


def label_text(pid: PidCount) -> str:
    """`PID 0x101 is labelled as KLV`."""
    return f"PID {hexpid(pid.pid)} is labelled as {'KLV' if pid.kind == 'klv' else 'metadata'}"


def has_much_damage(report: Report, pid: int | None = None) -> bool:
    """Whether many records of this PID, or of any, were damaged in transit; their cause is then an error too."""
    streams = [stream for stream in report.klv if pid is None or stream.pid == pid]
    return any(stream.damaged > MANY * stream.records for stream in streams)


def plural(count: int, noun: str) -> str:
    """`1 record`, `12,000 records`. Log lines use `text.counted`, without separators."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def span(seconds: float) -> str:
    """A duration in readable form."""
    size = abs(seconds)
    if size < 0.0015:
        return f"{seconds * 1e6:.0f} µs"
    if size < 1.5:
        return f"{seconds * 1e3:.0f} ms"
    if size < 120:
        return f"{seconds:.1f} s"
    for most, unit, name in ((7200, 60, "min"), (172_800, 3600, "h"), (63_072_000, 86_400, "days")):
        if size < most:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 31_557_600:.1f} years"


def shorten(text: str) -> str:
    """Text shortened to SENTENCE characters."""
    return text if len(text) <= SENTENCE else f"{text[: SENTENCE - 4]} ..."


def list_text(parts: list[str], most: int = 6) -> str:
    """A list with at most `most` entries."""
    if len(parts) <= most:
        return ", ".join(parts)
    return ", ".join(parts[: most - 1]) + f" and {len(parts) - most + 1} more"
