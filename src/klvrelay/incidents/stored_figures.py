"""The figures of what is in the SQLite file of the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence, Set

from klvrelay.incidents.database import select_period
from klvrelay.incidents.figures import FigureReport, Period, report
from klvrelay.incidents.parts import Part, select_parts
from klvrelay.incidents.rows import RelayRun


def stored_report(
    connection: sqlite3.Connection, period: Period, runs: Sequence[RelayRun], parts: Set[Part] = frozenset()
) -> FigureReport:
    """The figures of a period, of these parts and of those that its runs had; `runs`: all, as they were seen last."""
    seen = {run.run: run.seen_us for run in runs}
    had = select_parts(connection, period.start_us, period.end_us, seen)
    spans = [(run.start_us, run.seen_us) for run in runs]
    return report(select_period(connection, period), spans, period, {*parts, *had})
