"""Writes the findings as workflow commands of GitHub Actions, which annotate the run."""

from __future__ import annotations

from klvrelay.probe.report import Finding, Report, Severity
from klvrelay.text import printable

MOST = 256
"""Findings written; GitHub shows ten of each kind in a step."""
_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}


def github(report: Report) -> bytes:
    """A line with the verdict, and one workflow command for each finding, UTF-8."""
    file = "" if "://" in report.source else f"file={_property(report.source)},"
    lines = [_data(report.verdict.text), *(_command(finding, file) for finding in report.findings[:MOST])]
    return "".join(f"{line}\n" for line in lines).encode()


def _command(finding: Finding, file: str) -> str:
    text = f"{finding.where}: {finding.what}. {finding.hint}"
    return f"::{_COMMANDS[finding.severity]} {file}title={_property(f'klvrelay {finding.id}')}::{_data(text)}"


def _data(text: str) -> str:
    """The text of a command: one line, `%` escaped."""
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    """The value of a property, in which `:` and `,` are escaped too."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
