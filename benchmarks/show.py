"""Prints result tables, and goals with yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

CONSOLE = Console()
if not CONSOLE.is_terminal:
    CONSOLE = Console(width=120)


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal: required and measured value, and whether the requirement is a maximum."""

    what: str
    wanted: float
    found: float
    unit: str
    at_most: bool = False

    @property
    def reached(self) -> bool:
        return self.found <= self.wanted if self.at_most else self.found >= self.wanted


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> None:
    """Print a table: first column left-aligned, numbers right-aligned."""
    made = Table(title=title, title_justify="left", caption=note or None, caption_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left", no_wrap=number > 0)
    for row in rows:
        made.add_row(*row)
    CONSOLE.print(made)


def goals(found: Sequence[Goal]) -> None:
    """Print the goals."""
    rows = [
        (
            goal.what,
            f"{'<=' if goal.at_most else '>='} {number(goal.wanted)} {goal.unit}",
            f"{number(goal.found)} {goal.unit}",
            "[green]yes[/]" if goal.reached else "[red]no[/]",
        )
        for goal in found
    ]
    table("Goals", ("measurement", "required", "measured", "reached"), rows)


def number(value: float) -> str:
    """A number with three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"
