"""Writes the first two lines of the report: the result and the first thing to do."""

from __future__ import annotations

from klvrelay.probe.report import Finding, KlvStream, Level, Report, Severity, Verdict
from klvrelay.probe.report_builder import title
from klvrelay.probe.rules.rule import at_pid, at_stream, plural, span
from klvrelay.probe.rules.source import NO_KLV

GOOD, NO_KLV_CODE, WARNINGS, ERRORS = 0, 4, 6, 7
"""Exit codes."""


def verdict_of(report: Report) -> Verdict:
    """Summarize a report with findings."""
    findings = report.findings
    if not report.klv:
        nothing = next(finding for finding in findings if finding.id == NO_KLV.id)
        return Verdict("no_klv", f"{nothing.what}.", nothing.hint, NO_KLV_CODE)
    errors, warnings = (_of(findings, severity) for severity in ("error", "warning"))
    what = _what(report)
    if errors:
        text = f"KLV found ({what}), but {_with_place(errors[0], report)}"
        return _bad("errors", ERRORS, text, errors, warnings)
    if warnings:
        return _bad("warnings", WARNINGS, f"Usable: {what}; but {_with_place(warnings[0], report)}", warnings, [])
    return Verdict("good", f"Good: {what}.", "", GOOD)


def _of(findings: tuple[Finding, ...], severity: Severity) -> list[Finding]:
    return [finding for finding in findings if finding.severity == severity]


def _with_place(finding: Finding, report: Report) -> str:
    """The finding as text, with its place if that is not the first KLV stream."""
    others = {at_stream(stream) for stream in report.klv[1:]} | {at_pid(stream.pid) for stream in report.klv[1:]}
    first = report.klv[0]
    elsewhere = finding.where in others - {at_stream(first), at_pid(first.pid)}
    return _lower(finding.what) + (f" ({finding.where})" if elsewhere else "")


def _bad(level: Level, code: int, text: str, main: list[Finding], others: list[Finding]) -> Verdict:
    more = [plural(len(main) - 1, f"more {main[0].severity}")] if len(main) > 1 else []
    more += [plural(len(others), "warning")] if others else []
    more_text = f" ({' and '.join(more)} below)" if more else ""
    return Verdict(level, f"{text}{more_text}.", main[0].hint, code)


def _lower(text: str) -> str:
    """The text with a lower-case first letter, unless it starts with a name in capitals."""
    first = text.split(" ", 1)[0]
    return text if first.isupper() or any(c.isupper() for c in first[1:]) else text[:1].lower() + text[1:]


def _what(report: Report) -> str:
    """The records, their rate, and the result of their checksums."""
    first = report.klv[0]
    others = len(report.klv) - 1
    version = first.versions[-1] if len(first.versions) == 1 else None
    text = f"{_rate(first)} of {title(first.pid, first.set, version)}, {_checksums(first)}"
    return text + (f", and {plural(others, 'other stream')} of records" if others else "")


def _rate(stream: KlvStream) -> str:
    """The record rate, or the record count if the rate is unknown."""
    if stream.rate is None:
        return plural(stream.records, "record")
    return f"{stream.rate:.1f} records/s" if stream.rate >= 1 else f"a record every {span(1 / stream.rate)}"


def _checksums(stream: KlvStream) -> str:
    whole = stream.records - stream.damaged
    if not whole:
        return f"all {stream.records:,} damaged" if stream.records > 1 else "damaged"
    damage = f", {stream.damaged:,} damaged" if stream.damaged else ""
    if stream.checksum_absent == whole:
        return f"no checksums{damage}"
    if stream.checksum_ok == whole:
        return (f"all {whole:,} checksums right" if whole > 1 else "its checksum right") + damage
    return f"{stream.checksum_ok:,} of {whole:,} checksums right{damage}"
