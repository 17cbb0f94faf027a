"""Logs once for each output and stream that a record is withheld: else a wrong limit looks like a silent stream."""

from __future__ import annotations

import logging

from klvrelay.shape.marking import CLASSIFICATIONS, UNREADABLE, Limit, RecordMarking
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.relay")

NOTED_MOST = 4096
"""Maximum number of outputs and streams that are logged."""


class WithheldLog:
    """What of one sink was logged."""

    def __init__(self, sink: str) -> None:
        self._sink = sink
        self._noted: set[tuple[str, str]] = set()

    def note(self, output: str, stream: str, mark: RecordMarking, limit: Limit) -> None:
        """A record of a stream is withheld from an output; "" stands for all outputs of the sink."""
        key = output, stream
        if key in self._noted or len(self._noted) >= NOTED_MOST:
            return
        self._noted.add(key)
        name = output or "all"
        text = "records withheld because of their marking: sink=%s output=%s stream=%s marking=%r limit=%r"
        LOG.warning(text, self._sink, name, printable(stream), marking_text(mark), limit_text(limit))


def marking_text(mark: RecordMarking) -> str:
    """The level of a marking. Caveats and countries stay out of the log."""
    if mark.level == UNREADABLE:
        return "unreadable"
    level = CLASSIFICATIONS[mark.level - 1] if mark.level else "unmarked"
    return level if mark.is_sure or not mark.level else f"{level}, records missing since"


def limit_text(limit: Limit) -> str:
    """The settings of a limit."""
    found = {
        "max_classification": CLASSIFICATIONS[limit.level - 1] if limit.level else "",
        "caveats": "" if limit.caveats is None else ",".join(sorted(limit.caveats)) or "none",
        "releasable_to": ",".join(sorted(limit.releasable_to)),
        "unmarked": limit.unmarked or "withhold",
    }
    return " ".join(f"{key}={value}" for key, value in found.items() if value)
