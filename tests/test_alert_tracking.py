"""Threshold, hysteresis, hold and re-arm of one rule, from both sides of each threshold."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from cases import each_case

from klvrelay.alerts.rule import AlertRule, RuleMeaning, clear_for
from klvrelay.alerts.tracking import RuleTrack
from klvrelay.config.alert_rules import BY_ID

RULE = AlertRule(
    "checksum", "stream", "share", threshold=10.0, clear=5.0, hold=3.0, rearm=20.0, severity="warning", below=False,
    meaning=RuleMeaning(lambda _: None, lambda *_: "", lambda *_: ""),
)  # fmt: skip
LOW = replace(RULE, threshold=5.0, clear=10.0, below=True)


def steps(rule: AlertRule, values: list[float | None]) -> list[tuple[int, str]]:
    """What happens at which second, with one value a second."""
    track = RuleTrack(rule)
    happened = ((second, track.step(value, float(second), float(second))) for second, value in enumerate(values))
    return [(second, what) for second, what in happened if what is not None]


CASES = [
    ("at the threshold it is quiet", RULE, [10.0] * 9, []),
    ("above it, it is raised after the hold, once", RULE, [10.1] * 9, [(3, "raised")]),
    ("a blip that is shorter than the hold stays silent", RULE, [11, 11, 11, 9, 11, 11, 11, 9], []),
    ("an unknown value ends the hold", RULE, [11, 11, 11, None, 11, 11, 11], []),
    ("between the thresholds it stays raised", RULE, [11] * 4 + [9, 5.1, 6], [(3, "raised")]),
    ("at the clear threshold it is cleared, once", RULE, [11] * 4 + [5, 4, 4], [(3, "raised"), (4, "cleared")]),
    ("an unknown value does not clear it", RULE, [11] * 4 + [None, None], [(3, "raised")]),
    ("without a hold it is raised at once", replace(RULE, hold=0.0), [11], [(0, "raised")]),
    ("below: at the threshold it is quiet", LOW, [5.0] * 9, []),
    ("below: it is raised under it", LOW, [4.9] * 4, [(3, "raised")]),
    ("below: it stays raised between the thresholds", LOW, [4.9] * 4 + [9.9], [(3, "raised")]),
    ("below: it is cleared at the clear threshold", LOW, [4.9] * 4 + [10], [(3, "raised"), (4, "cleared")]),
    ("until it is re-armed it is not raised again", RULE, [11] * 4 + [0] + [11] * 19, [(3, "raised"), (4, "cleared")]),
    ("then it is raised at once: the value was above for longer than the hold", RULE, [11] * 4 + [0] + [11] * 21,
     [(3, "raised"), (4, "cleared"), (24, "raised")]),
    ("blips after the re-arm stay silent", RULE, [11] * 4 + [0] * 21 + [11, 11, 0, 11, 0],
     [(3, "raised"), (4, "cleared")]),
]  # fmt: skip


@each_case(("name", "rule", "values", "expected"), CASES)
def test_a_rule_is_raised_once_and_cleared_once(
    name: str, rule: AlertRule, values: list[float | None], expected: object
):
    """See the names of the cases."""
    assert steps(rule, values) == expected, name


def test_a_flapping_value_is_raised_once_in_each_re_arm_time():
    """1,000 seconds of a value that is above for 4 s and below for 4 s."""
    found = [second for second, what in steps(RULE, ([11.0] * 4 + [0.0] * 4) * 125) if what == "raised"]
    assert 30 <= len(found) <= 50
    assert all(later - earlier >= RULE.rearm for earlier, later in pairwise(found))


def test_the_begin_and_the_worst_value_are_kept():
    """`since` is when the value left its normal range, not when it was raised."""
    track = RuleTrack(RULE)
    for second, value in enumerate((11, 30, 12, 11)):
        track.step(value, float(second), -7.0)
    assert (track.state, track.since, track.worst) == ("raised", -7.0, 30)


def test_a_track_with_other_values_continues():
    """After a reload, a raised alert stays raised."""
    track = RuleTrack(RULE)
    for second in range(5):
        track.step(11.0, float(second), 0.0)
    later = RuleTrack(replace(RULE, threshold=8.0, clear=2.0))
    later.adopt(track)
    assert later.step(6.0, 6.0, 6.0) is None
    assert later.step(2.0, 7.0, 7.0) == "cleared"


def test_another_threshold_has_the_clear_threshold_in_the_same_ratio():
    """Unless the settings have one too; a rule that clears at 0 still does."""
    assert clear_for(BY_ID["checksum"], 0.10) == 0.02
    assert clear_for(BY_ID["no_klv"], 60.0) == 0.0
    assert clear_for(BY_ID["altitude_above"], 120.0) == 120.0
