"""Spreads the checks of many streams evenly over time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator


def turns(count: int, slots: int, states: int) -> Iterator[list[tuple[int, bool]]]:
    """For each slot: the numbers of the streams to check, and whether their latest values are due.

    Each stream is in every `slots`th slot, and its values are due at every `states`th check. The streams are spread
    evenly over both, so that a hundred streams do not create all their documents at the same moment.
    """
    for check in itertools.count(1):
        for slot in range(slots):
            yield [(number, (check + number // slots) % states == 0) for number in range(slot, count, slots)]
