"""Outputs on an uplink with a budget: their classes, and what each step of the ladder leaves of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import ceil, log2

from klvrelay.shape.classes import Urgency
from klvrelay.shape.items import UNKNOWN, chosen_keys, groups
from klvrelay.shape.ladder import HALVINGS, Reduction, Rung, rungs_of
from klvrelay.shape.output import Output

BULK, UNKNOWN_KEY = ("vmti", "rvt", "imagery", "substreams", "payloads"), frozenset({UNKNOWN})
"""Groups of large items, which a command post can do without; and items without a definition."""
FULL_RATE, LEAST_RATE = 30.0, 1.0
"""Records per second that an output without a rate is taken to have, and those that remain at least."""


def urgency_of(output: Output) -> Urgency:
    """The class of an output: that of its setting, or the one that its items have."""
    if output.priority is not None:
        return Urgency[output.priority.upper()]
    if output.retain and output.content == "state":
        return Urgency.STATE
    if not output.items:
        return Urgency.OTHER
    named = groups()
    keys = chosen_keys(output.items) - named["head"]
    if keys <= named["position"]:
        return Urgency.POSITION
    return Urgency.ATTITUDE if keys <= named["position"] | named["attitude"] else Urgency.OTHER


def reduced(output: Output, rung: Rung) -> Output | None:
    """What a rung leaves of an output; None: nothing. Alerts are not reduced."""
    if urgency_of(output) is Urgency.ALERT:
        return output
    found: Output | None = output
    for step, reduce in _REDUCTIONS:
        if found is not None and step <= rung.step:
            found = reduce(found, rung)
    return found


def rungs_for(outputs: Iterable[Output]) -> tuple[Rung, ...]:
    """The rungs that change something of these outputs."""
    outputs = list(outputs)
    rates = [output.rate or FULL_RATE for output in outputs]
    halvings = min(HALVINGS, max(1, ceil(log2(max(rates, default=FULL_RATE) / LEAST_RATE) - 1e-9)))
    rungs = rungs_of(halvings=halvings)
    found, before = [rungs[0]], [reduced(output, rungs[0]) for output in outputs]
    for rung in rungs[1:]:
        after = [reduced(output, rung) for output in outputs]
        if after != before:
            found.append(rung)
            before = after
    return tuple(found)


def _without_bulk(output: Output, rung: Rung) -> Output | None:
    bulk = UNKNOWN_KEY.union(*(groups()[name] for name in BULK))
    kept = chosen_keys(output.items) - bulk
    if kept == chosen_keys(output.items):
        return output
    return replace(output, items=tuple(sorted(kept))) if kept - groups()["head"] else None


def _on_change(output: Output, rung: Rung) -> Output:
    if output.content != "records" or output.retain:
        return output
    return replace(output, on_change=True)


def _dead_band(output: Output, rung: Rung) -> Output:
    if not output.on_change or output.dead_bands:
        return output
    return replace(output, dead_bands=True)


def _lower_rate(output: Output, rung: Rung) -> Output:
    rate = output.rate or FULL_RATE
    least = 0.0 if output.retain else min(rate, LEAST_RATE)
    return replace(output, rate=max(least, rate / 2**rung.halvings))


def _position_only(output: Output, rung: Rung) -> Output | None:
    kept = chosen_keys(output.items) & groups()["position"]
    if output.content == "state" or not kept:
        return None
    return replace(output, items=tuple(sorted(kept)))


_REDUCTIONS: Sequence[tuple[Reduction, Callable[[Output, Rung], Output | None]]] = (
    (Reduction.NO_BULK, _without_bulk),
    (Reduction.ON_CHANGE, _on_change),
    (Reduction.DEAD_BAND, _dead_band),
    (Reduction.LOWER_RATES, _lower_rate),
    (Reduction.POSITION_ONLY, _position_only),
)
