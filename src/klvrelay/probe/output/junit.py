"""Writes the findings as JUnit XML, for build servers: one test case for each rule."""

from __future__ import annotations

from html import escape

from klvrelay.probe.report import Finding, Report, Severity
from klvrelay.probe.rules import all_rules
from klvrelay.text import printable

MOST = 512
"""Findings written, the most severe first."""


def junit(report: Report, fail_on: Severity = "error") -> bytes:
    """The document, UTF-8.

    fail_on   "error": findings of this severity are failures; "warning": these too. All others are the output of a
              test case that passes.
    """
    failing: set[str] = {"error", fail_on}
    shown = report.findings[:MOST]
    cases = [_case(rule.id, [f for f in shown if f.id == rule.id], failing) for rule in all_rules()]
    failures = sum("<failure " in case for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    head = f'name="klvrelay probe" {counts} time="{report.seconds:.3f}"'
    suite = f'name="{_safe(report.source)}" {counts} skipped="0" time="{report.seconds:.3f}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {head}>",
        f'<testsuite {suite} timestamp="{report.began[:19]}">',
        *cases,
        f"<system-out>{_safe(report.verdict.text)}</system-out>",
        "</testsuite>",
        "</testsuites>",
        "",
    ]
    return "\n".join(lines).encode()


def _case(id_: str, findings: list[Finding], failing: set[str]) -> str:
    head = f'<testcase classname="klvrelay.probe" name="{_safe(id_)}" time="0"'
    if not findings:
        return f"{head}/>"
    text = "\n".join(_text(finding) for finding in findings)
    worst = next((finding for finding in findings if finding.severity in failing), None)
    if worst is None:
        return f"{head}><system-out>{text}</system-out></testcase>"
    return f'{head}><failure type="{worst.severity}" message="{_safe(worst.what)}">{text}</failure></testcase>'


def _text(finding: Finding) -> str:
    clause = f" ({finding.clause})" if finding.clause else ""
    return _safe(f"{finding.severity}: {finding.where}: {finding.what}{clause}. {finding.hint}")


def _safe(text: str) -> str:
    """Text for elements and attributes, on one line: `printable` leaves no character that XML 1.0 forbids."""
    return escape(printable(text))
