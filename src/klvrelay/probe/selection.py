"""Restricts a report to the KLV selected by `--pid` and `--program`.

The rules run on the complete report first, so that no rule reports unselected KLV as missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from klvrelay.config.choice import Choice
from klvrelay.errors import NoKlv
from klvrelay.probe.report import Finding, Report
from klvrelay.probe.rules.rule import at_pid


def select_klv(report: Report, choice: Choice, programs: Mapping[int | None, int | None]) -> Report:
    """The report on the selected KLV only; raises NoKlv if none of the KLV is selected."""
    if choice.everything:
        return report
    others = {pid for pid, program in programs.items() if not choice.wants(pid, program)}
    klv = tuple(stream for stream in report.klv if stream.pid not in others)
    if report.klv and not klv:
        places = {pid: programs[pid] for pid in others}
        raise NoKlv(f"{report.source}: none of the selected KLV found: {choice.missed(places)}")
    return replace(
        report,
        klv=klv,
        findings=tuple(finding for finding in report.findings if not _is_about(finding, others)),
        plots=tuple(plots for plots in report.plots if plots.pid not in others),
    )


def _is_about(finding: Finding, pids: set[int | None]) -> bool:
    return any(finding.where == place or finding.where.startswith(f"{place},") for place in map(at_pid, pids))
