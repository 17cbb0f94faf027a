"""Writes the report as text: styled on a terminal, plain in a pipe."""

from __future__ import annotations

from typing import IO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from klvrelay.probe.output import text_rows
from klvrelay.probe.output.list_limits import ListLimits, more, shorten_to_fit
from klvrelay.probe.report import Finding, KlvStream, Report, Severity
from klvrelay.probe.rules.rule import plural
from klvrelay.probe.transport_report import Transport
from klvrelay.text import printable

PIPE_WIDTH = 120
LIMIT = 64 << 10
"""Maximum size of the text in bytes."""
LIST_LIMITS = ListLimits(programs=16, streams=64, pids=64, klv=8, items=256, remarks=16, findings=64, strips=0)

_LEVELS = {"good": "bold green", "warnings": "bold yellow", "errors": "bold red", "no_klv": "bold red"}
_SEVERITIES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_RIGHT = {"per second", "share", "longest gap", "bit rate", "packets", "lost", "item"}
_WIDEST = {"name": 40}
_REST = {"last value", "declared"}  # columns that take the remaining width


def console_for(file: IO[str]) -> Console:
    """A console as wide as the terminal, or PIPE_WIDTH wide and without colour for a pipe."""
    console = Console(file=file, highlight=False, emoji=False)
    return console if console.is_terminal else Console(file=file, width=PIPE_WIDTH, no_color=True, highlight=False)


def write(report: Report, console: Console) -> None:
    """Print at most LIMIT bytes. On a terminal, a report longer than the screen repeats its verdict at the end."""
    text = shorten_to_fit(lambda limits: _render(report, limits, console), LIST_LIMITS, LIMIT)
    if console.is_terminal:
        console.file.write(text)
        if text.count("\n") > console.height:
            console.print(Group(Rule(style="dim"), _verdict(report)))
    else:
        console.file.write(text)
    console.file.flush()


def _render(report: Report, limits: ListLimits, console: Console) -> str:
    with console.capture() as captured:
        console.print(Group(*_parts(report, limits)))
    text = captured.get()
    return text if console.is_terminal else "".join(line.rstrip() + "\n" for line in text.splitlines())


def _parts(report: Report, limits: ListLimits) -> list[RenderableType]:
    parts: list[RenderableType] = [_verdict(report), Text(), _facts(text_rows.source_facts(report))]
    if report.transport is not None:
        parts += _programs(report, report.transport, limits)
        others, left = text_rows.other_rows(report, limits)
        if others:
            parts += [_head("Other PIDs"), _table(text_rows.OTHER_HEAD, others), *_more(left)]
    for stream in report.klv[: limits.klv]:
        parts += _stream(report, stream, limits)
    if beside := text_rows.klv_left_out(report, limits):
        parts.append(_head(beside))
    return [*parts, *_findings(report.findings, limits)]


def _programs(report: Report, transport: Transport, limits: ListLimits) -> list[RenderableType]:
    parts: list[RenderableType] = []
    programs, left = text_rows.select_programs(transport, limits)
    for program in programs:
        rows, beyond = text_rows.program_rows(report, program, limits)
        parts += [_head(text_rows.program_title(program)), _table(text_rows.PROGRAM_HEAD, rows), *_more(beyond)]
    return [*parts, _head(more(left, "programs"))] if left else parts


def _more(count: int) -> list[RenderableType]:
    return [Text(more(count), style="dim")] if count else []


def _verdict(report: Report) -> RenderableType:
    lines = [Text(printable(report.verdict.text), style=_LEVELS[report.verdict.level])]
    if report.verdict.advice:
        lines.append(Text.assemble(("Do this: ", "bold"), printable(report.verdict.advice)))
    return Group(*lines)


def _head(text: str) -> RenderableType:
    return Padding(Text(printable(text), style="bold"), (1, 0, 0, 0))


def _facts(rows: list[text_rows.Row]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for what, how in rows:
        table.add_row(Text(what), Text(printable(how)))
    return table


def _table(head: text_rows.Row, rows: list[text_rows.Row]) -> Table:
    wide = head[-1] in _REST
    table = Table(box=None, pad_edge=False, header_style="dim", expand=wide)
    for column in head:
        table.add_column(
            column, justify="right" if column in _RIGHT else "left", no_wrap=True, overflow="ellipsis",
            max_width=_WIDEST.get(column), ratio=1 if column in _REST else None,
        )  # fmt: skip
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _stream(report: Report, stream: KlvStream, limits: ListLimits) -> list[RenderableType]:
    facts = _facts(text_rows.stream_facts(stream, report.frames))
    parts: list[RenderableType] = [_head(text_rows.stream_title(stream)), facts]
    if stream.items:
        rows, left = text_rows.item_rows(stream, limits)
        parts += [Text(), _table(text_rows.ITEM_HEAD, rows), *_more(left)]
    return parts


def _findings(findings: tuple[Finding, ...], limits: ListLimits) -> list[RenderableType]:
    if not findings:
        return [_head("Findings: none")]
    counts = [(sum(f.severity == severity for f in findings), severity) for severity in _SEVERITIES]
    totals = ", ".join(plural(count, severity) for count, severity in counts if count)
    shown = [_finding(finding) for finding in findings[: limits.findings]]
    return [_head(f"Findings: {totals}"), *shown, *_more(len(findings) - len(shown))]


def _finding(finding: Finding) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=7, no_wrap=True)
    table.add_column(overflow="fold")
    style = _SEVERITIES[finding.severity]
    table.add_row(Text(finding.severity, style=style), Text(printable(finding.what), style="bold"))
    table.add_row("", Text(", ".join(filter(None, (printable(finding.where), finding.clause))), style="dim"))
    table.add_row("", Text(finding.hint))
    return Padding(table, (0, 0, 1, 0))
