"""The tables that `klvrelay incidents` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from klvrelay.cli.verbs.printout import Listing, Printout
from klvrelay.incidents.query import Query
from klvrelay.text import counted, printable

SHORT = 8
"""Characters of an id in a table."""


def list_printout(found: Sequence[Mapping[str, Any]], query: Query) -> Printout:
    """Incidents as a table."""
    is_cut = len(found) >= query.limit
    hints = [f"--limit {query.limit} reached: there may be more"] if is_cut else []
    columns = ("id", "what", "cause", "since (UTC)", "duration", "lost", "message", "acknowledged")
    tables = [Listing(columns, [_row(each) for each in found], spare=2)] if found else []
    return Printout(counted(len(found), "incident"), [], tables, hints)


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    duration = "open" if one["duration_s"] is None else seconds_text(one["duration_s"])
    note = f": {one['note']}".replace("\n", "; ") if one["note"] else ""
    by = f"{one['acknowledged_by']}{note}" if one["acknowledged_by"] else "-"
    since = one["since"].replace("T", " ").removesuffix("Z")
    id, what, lost = one["id"][:SHORT], _what(one), _lost(one)
    return tuple(map(printable, (id, what, one["cause"], since, duration, lost, one["message"], by)))


def _what(one: Mapping[str, Any]) -> str:
    return one["subject"] if one["name"] == one["subject"] else f"{one['subject']} {one['name']}"


def figures_printout(report: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Printout:
    """Figures as a table."""
    columns = (
        "what", "cause", "count", "open", "MTTR", "MTBF", "time to detect", "availability", "longest", "downtime",
        "observed", "lost", "delayed",
    )  # fmt: skip
    title = f"figures from {report['from']} to {report['to']}"
    listed = [Listing(columns, [_figures_row(each) for each in rows], spare=3)] if rows else []
    return Printout(title, [] if rows else [("", "nothing was observed")], listed)


def _figures_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    share = "-" if one["availability"] is None else f"{100 * one['availability']:.3f} %"
    times = [_optional(one[name]) for name in ("mttr_s", "mtbf_s", "detection_s")]
    spans = [_optional(one[name]) for name in ("longest_s", "downtime_s", "observed_s")]
    return (
        printable(_what(one)), one["cause"] or "all", str(one["count"]), str(one["open"]), *times, share,
        *spans, _lost(one), "-" if one["delayed"] is None else str(one["delayed"]),
    )  # fmt: skip


def _lost(one: Mapping[str, Any]) -> str:
    """`~` marks an estimate."""
    return "-" if one["lost"] is None else f"{'~' if one['estimated'] else ''}{one['lost']}"


def _optional(seconds: float | None) -> str:
    return "-" if seconds is None else seconds_text(seconds)


def seconds_text(seconds: float) -> str:
    """`2.4 s`, `12 min 03 s`, `5 h 07 min`, `3 d 04 h`."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, small, part in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= 2 * size or size == 60:
            return f"{whole // size} {unit} {whole % size // small:02d} {part}"
    return f"{whole} s"
