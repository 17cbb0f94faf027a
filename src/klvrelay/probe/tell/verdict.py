"""The first two lines: how the stream is, and what to do first; next door, `rules/` found what there is to say."""

from __future__ import annotations

from klvrelay.probe.outcome import title
from klvrelay.probe.report import Finding, KlvStream, Level, Report, Severity, Verdict
from klvrelay.probe.rules.rule import plural
from klvrelay.probe.rules.source import NO_KLV

GOOD, NO_KLV_CODE, WARNINGS, ERRORS = 0, 4, 6, 7
"""Exit codes."""


def verdict_of(report: Report) -> Verdict:
    """Sum a judged report up."""
    findings = report.findings
    if not report.klv:
        nothing = next(finding for finding in findings if finding.id == NO_KLV.id)
        return Verdict("no_klv", f"{nothing.what}.", nothing.hint, NO_KLV_CODE)
    errors, warnings = (_of(findings, severity) for severity in ("error", "warning"))
    what = _what(report)
    if errors:
        return _bad("errors", ERRORS, f"KLV is there ({what}), but {_lower(errors[0].what)}", errors, warnings)
    if warnings:
        return _bad("warnings", WARNINGS, f"Usable: {what}; but {_lower(warnings[0].what)}", warnings, [])
    return Verdict("good", f"Good: {what}.", "", GOOD)


def _of(findings: tuple[Finding, ...], severity: Severity) -> list[Finding]:
    return [finding for finding in findings if finding.severity == severity]


def _bad(level: Level, code: int, text: str, worst: list[Finding], others: list[Finding]) -> Verdict:
    more = [plural(len(worst) - 1, f"more {worst[0].severity}")] if len(worst) > 1 else []
    more += [plural(len(others), "warning")] if others else []
    behind = f" ({' and '.join(more)} below)" if more else ""
    return Verdict(level, f"{text}{behind}.", worst[0].hint, code)


def _lower(text: str) -> str:
    """A sentence's beginning inside another; names in capitals stay so."""
    first = text.split(" ", 1)[0]
    return text if first.isupper() or any(c.isupper() for c in first[1:]) else text[:1].lower() + text[1:]


def _what(report: Report) -> str:
    """What comes, at which rate, and whether it is right."""
    first = report.klv[0]
    others = len(report.klv) - 1
    rate = f"{first.rate:.1f} records/s" if first.rate is not None else plural(first.records, "record")
    version = first.versions[-1] if len(first.versions) == 1 else None
    text = f"{rate} of {title(first.pid, first.set, version)}, {_checksums(first)}"
    return text + (f", and {plural(others, 'other stream')} of records" if others else "")


def _checksums(stream: KlvStream) -> str:
    if stream.checksum_absent == stream.records:
        return "no checksums"
    if stream.checksum_ok == stream.records:
        return f"all {stream.records:,} checksums right" if stream.records > 1 else "its checksum right"
    return f"{stream.checksum_ok:,} of {stream.records:,} checksums right"
