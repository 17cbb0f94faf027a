"""The table of all metrics in docs/metrics.md; run as a program it writes it there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

from full_board import full_observed

from klvrelay.web.metrics.collect import families
from klvrelay.web.metrics.family import Family

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
BEGIN, END = "<!-- metrics -->\n", "<!-- end of metrics -->\n"


async def table() -> str:
    """One row for each metric of a relay that has everything."""
    async with full_observed() as observed:
        rows = [_row(family) for family in families(observed.board, [observed.more_families])]
    return "| metric | type | labels | |\n| --- | --- | --- | --- |\n" + "".join(rows)


def _row(family: Family) -> str:
    labels = _labels(sample.labels for sample in family.samples)
    return f"| `{family.name}` | {family.kind} | {labels} | {family.help} |\n"


def _labels(texts: Iterable[str]) -> str:
    names = dict.fromkeys(name for text in texts for name in re.findall(r'(\w+)="', text))
    return ", ".join(f"`{name}`" for name in names)


def with_table(page: str, rows: str) -> str:
    """The page with these rows between its marks."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n{rows}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(), asyncio.run(table())))
