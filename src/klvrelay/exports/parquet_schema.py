"""The columns of Parquet files: the same for every file with the same items, whatever the records contain.

    | column                                   | type                     |
    | stream, set, checksum, transport         | string                   |
    | seq, pts, pid, program                   | int64                    |
    | time, received                           | timestamp[us, UTC]       |
    | items with a unit                        | double                   |
    | counts, codes, bit fields, time stamps   | int64                    |
    | texts                                    | string                   |
    | sets and lists, if selected              | string: JSON             |

The metadata of a field has the unit, the name in the standard, the tag, and the labels of the codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from klvrelay.core.columns import is_numeric
from klvrelay.errors import ConfigError
from klvrelay.json_output import dumps
from klvrelay.standards.spec import SETS, Item

HEAD = pa.schema([
    ("stream", pa.string()), ("seq", pa.int64()), ("time", pa.timestamp("us", "UTC")),
    ("received", pa.timestamp("us", "UTC")), ("pts", pa.int64()), ("pid", pa.int64()), ("program", pa.int64()),
    ("set", pa.string()), ("checksum", pa.string()), ("transport", pa.string()),
])  # fmt: skip
CODE_KINDS = ("enum", "bitfield", "timestamp")
CODE_UNITS = ("", "count", "pixels")
LEFT_OUT = ("checksum",)
"""Items that say nothing about the flight, and would have the name of another column."""


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The items of a file. `numbers` are read in one call into C for all records, `others` record by record."""

    numbers: tuple[Item, ...]
    others: tuple[Item, ...]

    @property
    def fields(self) -> list[pa.Field]:
        return [_field(item) for item in (*self.numbers, *self.others)]


def chosen_columns(keys: Sequence[str]) -> TableColumns:
    """The columns of these items of ST 0601; without keys, all numbers and texts. Raises ConfigError."""
    table = {item.key: item for item in SETS["ST0601"].values() if item.key not in LEFT_OUT}
    if unknown := [key for key in keys if key not in table]:
        raise ConfigError(f"{unknown[0]} is not an item of ST 0601; `klvrelay items` lists them")
    items = [table[key] for key in keys] if keys else [i for i in table.values() if is_numeric(i.tag) or is_text(i)]
    return TableColumns(
        tuple(item for item in items if is_numeric(item.tag)),
        tuple(item for item in items if not is_numeric(item.tag)),
    )


def is_text(item: Item) -> bool:
    return item.kind == "utf8"


def is_whole(item: Item) -> bool:
    """Is it a whole number: a count, a code, a bit field, a time stamp?"""
    return item.kind in CODE_KINDS or (item.mapping == "raw" and item.units in CODE_UNITS)


def _field(item: Item) -> pa.Field:
    kind = pa.string() if not is_numeric(item.tag) else pa.int64() if is_whole(item) else pa.float64()
    known = {"name": item.name, "unit": item.units, "tag": str(item.tag), "standard": "ST 0601"}
    if item.codes:
        known["codes"] = dumps({str(code): label for code, label in item.codes.items()}).decode()
    return pa.field(item.key, kind, metadata={key: value for key, value in known.items() if value})
