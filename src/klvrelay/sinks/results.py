"""The result of a record or gap at a far end, and the outcome of a batch from the results of its items."""

from __future__ import annotations

from collections.abc import Iterable

from klvrelay.outcome import Outcome, Reason, Unpublished

DELIVERED, REJECTED, LEFT_OUT, UNWANTED, GAP, THINNED, WITHHELD, UNCHOSEN = range(8)
"""UNCHOSEN: no output wants the record, so no subscriber misses it."""
_REASONS: dict[int, Reason] = {REJECTED: "refused", LEFT_OUT: "too_large", UNWANTED: "excluded"}


def counted(results: Iterable[int]) -> Outcome:
    """The outcome of a batch from the results of its leading items."""
    counts = [0] * 8
    unpublished: list[Unpublished] = []
    places: list[int] = []
    for place, result in enumerate(results):
        counts[result] += 1
        if result == DELIVERED:
            places.append(place)
            continue
        if (reason := _REASONS.get(result)) is not None:
            unpublished.append(Unpublished(place, reason))
    counts[UNWANTED] += counts.pop()
    outcome = Outcome(*counts)
    outcome.unpublished = unpublished
    if outcome.delivered < outcome.answered:
        outcome.places = places
    return outcome


def best_of(results: Iterable[int]) -> int:
    """The result of a record from those of its publications: the best counts."""
    found = set(results)
    return next(result for result in (DELIVERED, REJECTED, LEFT_OUT, THINNED, UNWANTED) if result in found)
