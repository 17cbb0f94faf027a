"""The part of the page of items about the names that select several items together."""

from __future__ import annotations

from native.generate import schema
from native.spec import facts


def section() -> str:
    """A table of the groups."""
    rows = [f"| `{group}` | {_tags(items)} | {_sets(items)} |" for group, items in facts.groups().items()]
    return "\n".join([
        "## Groups\n",
        "A group selects all of its items: those of ST 0601 with these tags, and all items of the other sets named.\n",
        "| group | items of ST 0601 | all items of |", "| --- | --- | --- |", *rows,
    ]) + "\n"  # fmt: skip


def _tags(items: list[facts.Item]) -> str:
    """`5-7, 50`."""
    runs: list[list[int]] = []
    for tag in (item.tag for item in items if item.set == "ST0601"):
        if runs and runs[-1][-1] == tag - 1:
            runs[-1].append(tag)
        else:
            runs.append([tag])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _sets(items: list[facts.Item]) -> str:
    return ", ".join(schema.clause(name) for name in dict.fromkeys(item.set for item in items) if name != "ST0601")


def dead_band(item: facts.Item) -> str:
    """The change, in the item's units, that an output with dead bands leaves out."""
    return "" if item.dead_band is None else f"{float(item.dead_band):f}".rstrip("0").rstrip(".")
