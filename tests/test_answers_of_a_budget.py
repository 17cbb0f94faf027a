"""The answer to a request names what the budget leaves out of the output at present."""

from __future__ import annotations

from functools import partial
from typing import Any

import jsonschema
import pytest
from test_live_changes import asked, shaper

from klvrelay.schema.output_changes import result
from klvrelay.shape.budget.ladder import Reduction, Rung
from klvrelay.shape.budget.reduction import reduced_all

TELEMETRY: dict[str, Any] = {"preset": "telemetry"}
POSITION: dict[str, Any] = {"name": "position", "items": ("position",)}


@pytest.mark.parametrize(
    ("step", "items", "left_out"),
    [
        (Reduction.CONFIGURED, ["vmti"], None),
        (Reduction.LOWER_RATES, ["vmti"], ["vmti"]),
        (Reduction.LOWER_RATES, ["vmti", "position"], ["vmti"]),
        (Reduction.LOWER_RATES, ["position", "mission_id"], None),
        (Reduction.LOWER_RATES, [], ["imagery", "payloads", "rvt", "substreams", "vmti", "unknown"]),
        (Reduction.POSITION_ONLY, ["mission_id", "position"], ["mission_id"]),
        (Reduction.POSITION_ONLY, [], ["*", "!position"]),
    ],
)
def test_an_answer_names_what_the_budget_leaves_out(step, items, left_out):
    """As groups and keys; of many, those that stay."""
    of = shaper(TELEMETRY)
    of.reduce(partial(reduced_all, rung=Rung(step)))
    answer = asked(of, output="telemetry", items=items)
    assert answer["ok"]
    assert answer["values"]["items"] == items
    assert answer.get("left_out") == left_out
    jsonschema.validate(answer, result())


def test_an_output_of_which_nothing_is_left_is_named_as_a_whole():
    of = shaper(TELEMETRY, POSITION)
    of.reduce(partial(reduced_all, rung=Rung(Reduction.POSITION_ONLY)))
    assert asked(of, output="telemetry")["left_out"] == ["*"]
    assert asked(of, output="telemetry", items=["mission_id"])["left_out"] == ["mission_id"]
    assert "left_out" not in asked(of, output="position")
