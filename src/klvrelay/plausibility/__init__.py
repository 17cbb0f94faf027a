"""Checks whether the records of one stream can be true: frozen encoders and implausible metadata.

    checks = Plausibility()                            # one for each stream
    for found in checks.check(record, monotonic_s):    # in the order of arrival
        found.id, found.what, found.advice, found.seen, found.limit

    plausibility.py   `Plausibility`: all checks of a stream    implausibility.py  the findings: ids, words, advice
    stillness.py      `frozen`                                  sight.py           `frame_centre`
    steps.py          `position_step`                           outline.py         `corners`
    heights.py        `below_ground`                            moments.py         `time`
    places.py         `position_zero`; positions in a record    speeds.py          reported speeds
    warned.py         items that the decoder warned about

The checks are pure; docs/plausibility.md has the limits and their reasons.
"""

from klvrelay.plausibility.implausibility import CHECKS, Implausibility, PlausibilityCheck
from klvrelay.plausibility.plausibility import Plausibility

__all__ = ["CHECKS", "Implausibility", "Plausibility", "PlausibilityCheck"]
