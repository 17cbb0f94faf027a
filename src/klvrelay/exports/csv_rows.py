"""Writes records as CSV rows (RFC 4180)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import IO, Any

import orjson

from klvrelay.exports.csv_cells import cell

HEAD = (
    "stream", "seq", "time", "time_us", "pts", "pid", "program", "set", "version", "checksum", "transport", "special",
    "warnings",
)  # fmt: skip
"""Columns of every record, before those of its items."""
CSV_PIECE = 1 << 16


def write_csv(lines: IO[bytes], out: Callable[[bytes], object]) -> None:
    """Convert JSON Lines to CSV (RFC 4180, UTF-8): one row per record, one column per item, lists as JSON.

    `lines` is read twice, since the columns are known at its end only.
    """
    columns: dict[str, None] = {}
    lines.seek(0)
    for line in lines:
        columns |= dict.fromkeys(_flat(orjson.loads(line)["items"]))
    names = [*HEAD, *columns]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="")
    writer.writerow({name: cell(name) for name in names})
    lines.seek(0)
    for line in lines:
        record = orjson.loads(line)
        head = {key: cell(value) for key, value in (record | record["quality"]).items() if key in HEAD}
        writer.writerow(head | _flat(record["items"]))
        if text.tell() > CSV_PIECE:
            out(text.getvalue().encode())
            text.seek(0)
            text.truncate()
    out(text.getvalue().encode())


def _flat(items: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in items.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = cell(value)
    return flat
