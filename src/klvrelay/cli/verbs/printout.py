"""Prints facts and tables: by rich on a terminal, else as aligned plain text.

rich is loaded for a terminal only, so that output to a pipe starts quickly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

GAP = "  "
MARGIN = 1
"""Spaces before each line on a terminal."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows under headings. The last `spare` columns are omitted on a terminal that is too narrow."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    title: str = ""
    spare: int = 0


@dataclass(frozen=True, slots=True)
class Printout:
    """A heading, labelled lines, tables and hints."""

    title: str
    lines: list[tuple[str, str]] = field(default_factory=list)
    tables: list[Listing] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)


def show(printout: Printout, out: TextIO) -> None:
    """Print by rich on a terminal, else as plain text."""
    if not out.isatty():
        out.write("".join(f"{line}\n" for line in plain(printout)))
        return
    from rich.console import Console

    console = Console(file=out, highlight=False)
    for part in rich_parts(printout, console):
        console.print(part)


def plain(printout: Printout) -> Iterator[str]:
    """The lines as plain text: columns two spaces apart, nothing truncated."""
    yield printout.title
    if printout.lines:
        yield ""
        yield from _align(printout.lines)
    for table in printout.tables:
        yield ""
        if table.title:
            yield table.title
        yield from _align([table.columns, *table.rows])
    if printout.hints:
        yield ""
        yield from printout.hints


def _align(rows: list[tuple[str, ...]] | list[tuple[str, str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def rich_parts(printout: Printout, console: Console) -> Iterator[RenderableType]:
    """The same as rich renderables."""
    from rich.text import Text

    yield Text(f"\n {printout.title}", "bold")
    if printout.lines:
        yield _lines(printout.lines)
    for table in printout.tables:
        if table.title:
            yield Text(f" {table.title}", "bold")
        yield _table(table, console.width)
    if printout.hints:
        yield Text("\n".join(f" {hint}" for hint in printout.hints), "dim")


def _lines(lines: list[tuple[str, str]]) -> RenderableType:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in lines:
        grid.add_row(label, Text(text))
    return Padding(grid, (1, 1, 0, 1))


def _table(table: Listing, width: int) -> RenderableType:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    kept = _columns_that_fit(table, width - 2 * MARGIN)
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for column in table.columns[:kept]:
        made.add_column(column, overflow="fold")
    for row in table.rows:
        made.add_row(Text(row[0], "cyan"), *(Text(cell) for cell in row[1:kept]))
    return Padding(made, (0, MARGIN, 1, MARGIN))


def _columns_that_fit(table: Listing, width: int) -> int:
    """The number of columns that fit, omitting spare ones only."""
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
    kept = len(widths)
    while kept > len(widths) - table.spare and sum(widths[:kept]) + len(GAP) * kept > width:
        kept -= 1
    return kept
