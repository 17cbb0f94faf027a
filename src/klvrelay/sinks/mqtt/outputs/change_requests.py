"""Reads requests to change an output, applies them, and makes their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klvrelay.config.json_request import id_of, refusal, request_of
from klvrelay.config.kinds import did_you_mean
from klvrelay.config.output_changes import allowed, changed, read_change, values_of
from klvrelay.errors import ConfigError
from klvrelay.shape.budget.reduction import left_out
from klvrelay.shape.output import Output
from klvrelay.shape.shaper import Shaper

PAYLOAD_MOST = 4 << 10
"""Maximum bytes of a request."""
CHANGES_MOST = 1000
"""Maximum number of changed outputs, over all streams."""
_OWN = ("output", "id", "reset")


def answer(shaper: Shaper, stream: str, payload: bytes, now: float) -> dict[str, Any]:
    """Apply a request. Returns its answer: whether it was applied, the values that now apply, and
    what a budget leaves out of them at present.
    """
    found: dict[str, Any] = {}
    try:
        request = request_of(payload, PAYLOAD_MOST, '{"output": "telemetry", "rate": 2}')
        found |= id_of(request)
        output = _output(shaper, request)
        found["output"] = output.name
        _apply(shaper, stream, output, request, now)
        found["ok"] = True
    except ConfigError as fault:
        found |= refusal(fault)
    if "output" in found:
        output = shaper.configured[found["output"]]
        found["values"] = values_of(changed(output, shaper.change_of(stream, output.name), {}))
        shaped = shaper.shaped(stream, output.name)
        if missing := left_out(shaped.configured, shaped.published):
            found["left_out"] = missing
    return found


def _output(shaper: Shaper, request: Mapping[str, Any]) -> Output:
    name, outputs = request.get("output"), shaper.configured
    if not isinstance(name, str) or name not in outputs:
        names = [each for each in outputs if allowed(shaper.changeable, each)]
        shown = f"; outputs that can be changed: {', '.join(names)}"
        raise ConfigError(f"output: must be the name of an output{did_you_mean(name, names) if name else ''}{shown}")
    return outputs[name]


def _apply(shaper: Shaper, stream: str, output: Output, request: Mapping[str, Any], now: float) -> None:
    names = allowed(shaper.changeable, output.name)
    given = {name: value for name, value in request.items() if name not in _OWN}
    if not output.wants(stream):
        raise ConfigError(f"output: {output.name} does not publish this stream")
    if "reset" in request:
        _check_reset(request, given, names)
        shaper.change(stream, output, {}, now)
        return
    latest = read_change(given, names)
    earlier = shaper.change_of(stream, output.name)
    if not earlier and shaper.changes >= CHANGES_MOST:
        raise ConfigError(f"{CHANGES_MOST} outputs of streams are changed, no more can be: reset one")
    values = {**earlier, **latest}
    if values != earlier:
        shaper.change(stream, changed(output, values, latest), values, now)


def _check_reset(request: Mapping[str, Any], given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    if request["reset"] is not True or given:
        raise ConfigError("reset: must be true, without other values")
    if not names:
        raise ConfigError("reset: nothing of this output can be changed")
