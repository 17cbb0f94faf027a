"""Checks a report: each rule is a small function that yields findings.

rule.py       the rule type               transport.py  packets, tables, clocks of the stream
carriage.py   how KLV is carried          sets.py       contents of the records
remarks.py    warnings of the decoder     times.py      time stamps
source.py     the source, and whether it holds KLV
plausibility.py   records that cannot be true
"""

from __future__ import annotations

from klvrelay.probe.report import SEVERITIES, Finding, Report
from klvrelay.probe.rules import carriage, plausibility, remarks, sets, source, times, transport
from klvrelay.probe.rules.rule import Rule

CHECKS = (
    *source.CHECKS, *transport.CHECKS, *carriage.CHECKS, *sets.CHECKS, *plausibility.CHECKS, *times.CHECKS,
    *remarks.CHECKS, *transport.MINOR,
)  # fmt: skip
"""In order of importance to an operator, among findings of equal severity."""

_MODULES = source, transport, carriage, sets, times, remarks


def all_rules() -> tuple[Rule, ...]:
    """Every rule, sorted by id; of rules that share an id, the first."""
    found = [value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)]
    by_id = {rule.id: rule for rule in reversed([*found, *plausibility.RULES])}
    return tuple(by_id[id_] for id_ in sorted(by_id))


def judge(report: Report) -> tuple[Finding, ...]:
    """All findings, the most severe first."""
    found = [finding for check in CHECKS for finding in check(report)]
    wrong_times = {finding.where for finding in found if finding.id in times.WHOLE}
    found = [finding for finding in found if finding.id != "time" or finding.where not in wrong_times]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))
