"""The page about alerts has every rule with its values."""

from __future__ import annotations

from conftest import ROOT

from klvrelay.config.alert_rules import RULES

PAGE = (ROOT / "docs" / "alerts.md").read_text()


def test_the_table_has_every_rule_with_its_values():
    """As they are without settings."""
    found = (line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| `"))
    rows = {row[0].strip("`"): tuple(row[1:]) for row in found}
    assert rows.keys() == {rule.id for rule in RULES}
    for rule in RULES:
        sign = "<" if rule.below else ">"
        threshold = "-" if rule.threshold is None else f"{sign} {rule.threshold:g}"
        clear = "-" if rule.clear is None else f"{rule.clear:g}"
        assert rows[rule.id] == (
            rule.subject, rule.text, rule.unit, threshold, clear, f"{rule.hold:g} s", rule.severity
        ), rule.id  # fmt: skip
