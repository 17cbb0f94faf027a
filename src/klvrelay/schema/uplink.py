"""The schema of `uplink`: the use of the budget of a sink."""

from __future__ import annotations

from klvrelay.schema.parts import COUNT, TEXT, Schema, closed, described, document
from klvrelay.shape.budget.ladder import HALVINGS, Reduction
from klvrelay.sinks.mqtt.budget.budget_values import SCHEMA

UPLINK_STEPS = {int(step): step.label for step in Reduction}


def uplink() -> Schema:
    """The JSON Schema of the use of the budget."""
    members = {"schema": {"const": SCHEMA}, **uplink_members()}
    return document("klvrelay uplink", "How a sink with a budget uses it, and what it leaves out", closed(members))


def uplink_members() -> dict[str, Schema]:
    """Its members, which `status` has too."""
    steps = "; ".join(f"{step}: {label}" for step, label in UPLINK_STEPS.items())
    return {
        "step": {"enum": list(UPLINK_STEPS), "description": f"What is reduced: {steps}"},
        "name": {"enum": list(UPLINK_STEPS.values()), "description": "The step in words"},
        "halvings": {
            "type": "integer", "minimum": 0, "maximum": HALVINGS,
            "description": "How often the rates are halved, from step 4 on",
        },
        "reason": described(TEXT, "Why the step was changed last, or that the relay is stopped"),
        "budget": described(TEXT, "The setting, such as 64kbit/s"),
        "used": described(COUNT, "Bits per second that were sent in the last seconds, with all headers"),
        "bytes": described(COUNT, "Bytes that were sent since the start, with all headers"),
        "left_out": described(COUNT, "Messages that the budget left out"),
    }  # fmt: skip
