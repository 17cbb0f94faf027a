"""Outputs on an uplink with a budget: their classes, and what each step of the ladder leaves of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, log2

from klvrelay.shape.budget.classes import Urgency
from klvrelay.shape.budget.ladder import HALVINGS, Reduction, Rung, rungs_of
from klvrelay.shape.items import UNKNOWN, chosen_keys, groups
from klvrelay.shape.output import Output

BULK, UNKNOWN_KEY = ("vmti", "rvt", "imagery", "substreams", "payloads"), frozenset({UNKNOWN})
"""Groups of large items, which a command post can do without; and items without a definition."""
FULL_RATE, LEAST_RATE, POSITION_RATE = 30.0, 1.0, 2.0
"""Records per second that an output without a rate is taken to have, and those that remain at least."""


NAMES_MOST = 20
"""Maximum number of names of what is left out."""


def urgency_of(output: Output) -> Urgency:
    """The class of an output: that of its setting, or the one that its items have."""
    if output.priority is not None:
        return Urgency[output.priority.upper()]
    if output.retain and output.is_merged:
        return Urgency.STATE
    if not output.items:
        return Urgency.OTHER
    named = groups()
    keys = chosen_keys(output.items) - named["head"]
    if keys <= named["position"]:
        return Urgency.POSITION
    return Urgency.ATTITUDE if keys <= named["position"] | named["attitude"] else Urgency.OTHER


def reduced(output: Output, rung: Rung, *, has_position: bool = False) -> Output | None:
    """What a rung leaves of an output; None: nothing. Alerts are not reduced.

    has_position   another output of the sink is of the class position
    """
    urgency = urgency_of(output)
    if urgency is Urgency.ALERT:
        return output
    if rung.step >= Reduction.NO_BULK and (kept := _without_bulk(output)) is not output:
        if kept is None:
            return None
        output = kept
    if rung.step >= Reduction.ON_CHANGE and output.content == "records" and not output.retain:
        output = replace(output, on_change=True)
    if rung.step >= Reduction.DEAD_BAND and output.on_change and not output.dead_bands:
        output = replace(output, dead_bands=True)
    if rung.step >= Reduction.LOWER_RATES:
        output = replace(output, rate=_lower_rate(output, urgency, rung.halvings))
    if rung.step >= Reduction.POSITION_ONLY and urgency is not Urgency.POSITION:
        return None if has_position else _position_only(output)
    return output


def reduced_all(outputs: Sequence[Output], rung: Rung) -> list[Output | None]:
    """What a rung leaves of the outputs of a sink."""
    has_position = any(urgency_of(output) is Urgency.POSITION for output in outputs)
    return [reduced(output, rung, has_position=has_position) for output in outputs]


def left_out(output: Output, published: Output | None) -> list[str]:
    """The items of an output that another one has not, as keys and groups; of many, those that stay, with `!`."""
    if published is None:
        return [one for one in output.items if not one.startswith("!")] or ["*"]
    if published.items == output.items:
        return []
    before, after = chosen_keys(output.items), chosen_keys(published.items)
    names = _named(before - after)
    return names if len(names) <= NAMES_MOST else ["*", *(f"!{one}" for one in _named(after))]


def _named(keys: frozenset[str]) -> list[str]:
    """Keys, as the groups that contain only them, and those that are in no such group."""
    whole = {name: group for name, group in groups().items() if name != "head" and group <= keys}
    covered: frozenset[str] = frozenset().union(*whole.values())
    return [*sorted(whole), *sorted(keys - covered - groups()["head"])]


def rungs_for(outputs: Sequence[Output]) -> tuple[Rung, ...]:
    """The rungs that change something of these outputs."""
    rates = [output.rate or FULL_RATE for output in outputs]
    halvings = min(HALVINGS, max(1, ceil(log2(max(rates, default=FULL_RATE) / LEAST_RATE) - 1e-9)))
    first, *rungs = rungs_of(halvings=halvings)
    found, before = [first], reduced_all(outputs, first)
    for rung in rungs:
        after = reduced_all(outputs, rung)
        if after != before:
            found.append(rung)
            before = after
    return tuple(found)


def _without_bulk(output: Output) -> Output | None:
    bulk = UNKNOWN_KEY.union(*(groups()[name] for name in BULK))
    before = chosen_keys(output.items)
    kept = before - bulk
    if kept == before:
        return output
    return replace(output, items=tuple(sorted(kept))) if kept - groups()["head"] else None


def _lower_rate(output: Output, urgency: Urgency, halvings: int) -> float:
    """The rate of an output, halved. Of a retained document, only the latest counts, so it may become rare."""
    rate = output.rate or FULL_RATE
    least = POSITION_RATE if urgency is Urgency.POSITION else LEAST_RATE
    lowered: float = rate / 2**halvings
    return lowered if output.retain else max(min(rate, least), lowered)


def _position_only(output: Output) -> Output | None:
    kept = chosen_keys(output.items) & groups()["position"]
    if output.is_merged or not kept:
        return None
    return replace(output, items=tuple(sorted(kept)))
