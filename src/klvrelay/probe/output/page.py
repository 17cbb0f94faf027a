"""Writes the report as one HTML file without scripts or external resources; all untrusted text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from klvrelay.probe.output import text_rows
from klvrelay.probe.output.list_limits import ListLimits, more, shorten_to_fit
from klvrelay.probe.output.plots import pictures
from klvrelay.probe.output.style import STYLE
from klvrelay.probe.report import Finding, KlvStream, Report
from klvrelay.text import printable

_RIGHT = {"per second", "share", "longest gap", "bit rate", "packets", "lost", "item"}
LIMIT = 2 << 20
"""Maximum size of the page in bytes."""
LIST_LIMITS = ListLimits(programs=64, streams=128, pids=1024, klv=32, items=512, remarks=512, findings=512, strips=160)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report) -> str:
    """The complete HTML document, at most LIMIT bytes."""
    return shorten_to_fit(lambda limits: _page(report, limits), LIST_LIMITS, LIMIT)


def _page(report: Report, limits: ListLimits) -> str:
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_safe(f'klvrelay probe: {report.source}')}</title>",
            f"<style>{STYLE}</style></head><body>",
            *_body(report, limits),
            "</body></html>\n",
        )
    )


def _safe(text: str) -> str:
    """Escaped text on one line."""
    return escape(printable(text))


def _body(report: Report, limits: ListLimits) -> Iterator[str]:
    verdict = report.verdict
    yield f'<header class="{verdict.level}"><h1>{_safe(verdict.text)}</h1>'
    if verdict.advice:
        yield f'<p class="advice"><b>Do this:</b> {_safe(verdict.advice)}</p>'
    yield "</header>"
    yield _facts(text_rows.source_facts(report))
    yield from _findings(report.findings, limits)
    for stream in report.klv[: limits.klv]:
        yield from _stream(report, stream, limits)
    if left := text_rows.klv_left_out(report, limits):
        yield f"<h2>{_safe(left)}</h2>"
    yield from _transport(report, limits)
    yield f"<footer>klvrelay {_safe(report.klvrelay)} probe, {_safe(text_rows.moment_text(report.began))} UTC</footer>"


def _facts(rows: Iterable[text_rows.Row]) -> str:
    inside = "".join(f"<dt>{_safe(what)}</dt><dd>{_safe(how)}</dd>" for what, how in rows)
    return f"<dl>{inside}</dl>"


def _findings(findings: tuple[Finding, ...], limits: ListLimits) -> Iterator[str]:
    yield "<h2>Findings</h2>"
    if not findings:
        yield "<p>No findings.</p>"
    for f in findings[: limits.findings]:
        where = ", ".join(filter(None, (f.where, f.clause)))
        yield (
            f'<div class="finding {f.severity}"><span class="tag">{f.severity}</span><b>{_safe(f.what)}</b>'
            f'<p class="clause">{_safe(where)}</p><p>{_safe(f.hint)}</p></div>'
        )
    yield _more(len(findings) - limits.findings)


def _more(count: int, noun: str = "") -> str:
    return f"<p>{_safe(more(count, noun))}</p>" if count > 0 else ""


def _stream(report: Report, stream: KlvStream, limits: ListLimits) -> Iterator[str]:
    yield f"<h2>{_safe(text_rows.stream_title(stream))}</h2>"
    yield _facts(text_rows.stream_facts(stream, report.frames))
    ours = (plots for plots in report.plots if (plots.pid, plots.set) == (stream.pid, stream.set))
    charts = "".join(pictures(plots, limits.strips) for plots in ours)
    if charts:
        yield f"<h3>Over time</h3>{charts}"
    if stream.items:
        rows, left = text_rows.item_rows(stream, limits)
        yield "<h3>Items</h3>" + _table(text_rows.ITEM_HEAD, rows) + _more(left)


def _transport(report: Report, limits: ListLimits) -> Iterator[str]:
    if report.transport is None:
        return
    yield "<h2>Transport stream</h2>"
    programs, left = text_rows.select_programs(report.transport, limits)
    for program in programs:
        rows, beyond = text_rows.program_rows(report, program, limits)
        yield f"<h3>{_safe(text_rows.program_title(program))}</h3>"
        yield _table(text_rows.PROGRAM_HEAD, rows) + _more(beyond)
    yield _more(left, "programs")
    others, left = text_rows.other_rows(report, limits)
    if others:
        yield "<h3>Other PIDs</h3>" + _table(text_rows.OTHER_HEAD, others) + _more(left)


def _table(head: text_rows.Row, rows: Iterable[text_rows.Row]) -> str:
    right = [' class="n"' if column in _RIGHT else "" for column in head]
    titles = "".join(f"<th{side}>{_safe(column)}</th>" for column, side in zip(head, right, strict=True))
    body = "".join(
        "<tr>" + "".join(_cell(cell, side) for cell, side in zip(row, right, strict=True)) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str, side: str) -> str:
    inner = ' class="inner"' if text.startswith("  ") else ""
    return f"<td{side or inner}>{_safe(text.strip())}</td>"
