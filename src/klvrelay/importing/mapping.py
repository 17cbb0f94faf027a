"""Which column of a table is which item: `--map ITEM=COLUMN[:UNIT],...`, a TOML file, or the headings themselves.

    time = { column = "t", unit = "ms" }

    [items]
    sensor_latitude = "lat"
    sensor_true_altitude = { column = "height", unit = "ft" }
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from klvrelay.config.small_file import read_small
from klvrelay.config.toml_reader import tables_of
from klvrelay.errors import ConfigError
from klvrelay.importing.item_names import TIME, checked_path, path_named, plain, unit_of
from klvrelay.importing.units import checked_unit, split_header, unit_name
from klvrelay.text import printable

TOML_MOST = 1 << 20
TIME_UNITS = ("s", "ms", "us", "ns", "iso")

_TIMES = {
    "timeus": "us", "precisiontimestamp": "us", "unixtimestamp": "us", "timestampus": "us", "timestampms": "ms",
    "timestamp": None, "timems": "ms", "epochms": "ms", "epoch": None, "unixtime": None, "utc": None, "time": None,
    "datetime": None, "datetimeutc": None, "timemillisecond": "ms",
}  # fmt: skip
"""Headings of time columns in the order of preference, and the unit that they state."""


class ColumnWish(NamedTuple):
    """A user's choice: the path of an item (or TIME), the heading of its column, the unit or None."""

    path: str
    column: str
    unit: str | None


class MappedColumn(NamedTuple):
    """A column that is read: its number from 0, its heading, the path, and the unit of its values ("" for none)."""

    number: int
    heading: str
    path: str
    unit: str


class TimeColumn(NamedTuple):
    """The column of times; `unit` is one of TIME_UNITS, or None to recognise it by the first value."""

    number: int
    heading: str
    unit: str | None


class TableLayout(NamedTuple):
    """How the columns of a table are read, and the headings that are not."""

    time: TimeColumn
    columns: Sequence[MappedColumn]
    ignored: Sequence[str]


def wishes_of(options: Iterable[str]) -> list[ColumnWish]:
    """The choices of all `--map` options. Raises ConfigError for an unknown item or unit."""
    wishes = [wish for option in options for wish in (_inline(option) if "=" in option else _from_toml(option))]
    seen: set[str] = set()
    for wish in wishes:
        if wish.path in seen:
            raise ConfigError(f"--map: {wish.path} is mapped twice")
        seen.add(wish.path)
    return wishes


def _inline(option: str) -> list[ColumnWish]:
    wishes = []
    for part in option.split(","):
        name, equals, column = part.partition("=")
        if not equals or not name.strip() or not column.strip():
            raise ConfigError(f"--map {printable(part)}: write ITEM=COLUMN or ITEM=COLUMN:UNIT, or name a .toml file")
        heading, colon, unit = column.rpartition(":")
        if not colon or (unit_name(unit) is None and unit != "iso"):
            heading, unit = column, ""
        wishes.append(_wish(name, heading.strip(), unit or None, "--map"))
    return wishes


def _wish(name: str, column: str, unit: str | None, place: str) -> ColumnWish:
    if name.strip() == TIME:
        if unit is not None and unit not in TIME_UNITS:
            raise ConfigError(f"{place}: unit {printable(unit)} of the time: give one of {', '.join(TIME_UNITS)}")
        return ColumnWish(TIME, column, unit)
    path = checked_path(name, place)
    if unit is not None:
        unit = checked_unit(unit, unit_of(path), f"{place}: {name.strip()}")
    return ColumnWish(path, column, unit)


def _from_toml(name: str) -> list[ColumnWish]:
    table, _ = tables_of(read_small(name, "--map", TOML_MOST).data, name)
    items = table.pop("items", {})
    named = {TIME: table.pop(TIME)} if TIME in table else {}
    if table or not isinstance(items, dict):
        wrong = printable(next(iter(table), "items"))
        raise ConfigError(f"{name}: {wrong}: valid are {TIME}, and items under [items]")
    return [_toml_wish(key, value, name) for key, value in {**named, **items}.items()]


def _toml_wish(key: str, value: Any, place: str) -> ColumnWish:
    if isinstance(value, str):
        return _wish(key, value, None, place)
    if isinstance(value, dict) and isinstance(value.get("column"), str) and value.keys() <= {"column", "unit"}:
        unit = value.get("unit")
        if unit is None or isinstance(unit, str):
            return _wish(key, value["column"], unit, place)
    raise ConfigError(f'{place}: {printable(key)}: write "COLUMN" or {{ column = "COLUMN", unit = "UNIT" }}')


def layout_of(headings: Sequence[str], wishes: Sequence[ColumnWish], name: object) -> TableLayout:
    """How to read a table with these headings. Raises ConfigError if a chosen column or the time is missing."""
    taken: dict[int, str] = {}
    columns: list[MappedColumn] = []
    time = None
    for wish in wishes:
        number = _find(headings, wish.column, name)
        taken[number] = wish.path
        if wish.path == TIME:
            time = TimeColumn(number, headings[number], wish.unit)
        else:
            columns.append(_column(number, headings[number], wish.path, wish.unit))
    time = time or _time_column(headings, taken, name)
    chosen = {column.path for column in columns}
    for number, heading in enumerate(headings):
        path = path_named(split_header(heading)[0])
        if number in taken or number == time.number or path is None or path in chosen:
            continue
        chosen.add(path)
        columns.append(_column(number, heading, path, None))
    used = {time.number, *(column.number for column in columns)}
    ignored = [heading for number, heading in enumerate(headings) if number not in used and heading.strip()]
    return TableLayout(time, columns, ignored)


def _find(headings: Sequence[str], column: str, name: object) -> int:
    """The number of a column by its heading, with or without unit, or by its number from 1."""
    same = [number for number, heading in enumerate(headings) if heading.strip().lower() == column.lower()]
    alike = [number for number, heading in enumerate(headings) if plain(split_header(heading)[0]) == plain(column)]
    if same or alike:
        return (same or alike)[0]
    if column.isdecimal() and 0 < int(column) <= len(headings):
        return int(column) - 1
    shown = ", ".join(heading.strip() for heading in headings[:40])
    raise ConfigError(f"--map: {name} has no column {printable(column)}; it has {printable(shown)}")


def _column(number: int, heading: str, path: str, unit: str | None) -> MappedColumn:
    """The unit is that of the user, that of the heading, or that of the item."""
    wanted = unit_of(path)
    if unit is None and (stated := split_header(heading)[1]) is not None and wanted:
        unit = checked_unit(stated, wanted, f"column {heading.strip()}")
    return MappedColumn(number, heading.strip(), path, unit or wanted)


def _time_column(headings: Sequence[str], taken: dict[int, str], name: object) -> TimeColumn:
    known = {plain(heading): number for number, heading in reversed(list(enumerate(headings))) if number not in taken}
    for plain_name, unit in _TIMES.items():
        if (number := known.get(plain_name)) is not None:
            return TimeColumn(number, headings[number], unit)
    bare = {plain(split_header(headings[number])[0]): number for number in known.values()}
    for plain_name in _TIMES:
        if (number := bare.get(plain_name)) is not None:
            stated = split_header(headings[number])[1]
            return TimeColumn(number, headings[number], stated if stated in TIME_UNITS else None)
    shown = printable(", ".join(heading.strip() for heading in headings[:40]))
    raise ConfigError(f"{name}: which column is the time? Give --map {TIME}=COLUMN; its columns are {shown}")
