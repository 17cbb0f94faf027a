"""Reads telemetry from a table with a row of headings: CSV, or with semicolons, tabs or bars."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from klvrelay.errors import SourceError
from klvrelay.importing.csv_cells import is_empty, reader_of
from klvrelay.importing.item_names import unit_of
from klvrelay.importing.mapping import ColumnWish, TableLayout, TimeColumn, layout_of
from klvrelay.importing.telemetry import FlightTelemetry, RowFaults, TelemetryRow, check_room, in_order
from klvrelay.importing.text_lines import TextLine, text_lines
from klvrelay.importing.times import RowTime, read_time, recognise_unit
from klvrelay.text import printable

DELIMITERS = ",;\t|"
COLUMNS_MOST = 1000
HEAD_LINES = 20

_OWN = {"time_us", "set", "checksum", "transport"}
"""Headings that `klvrelay decode --format csv` writes for every record."""


class _TableRow(NamedTuple):
    """A row of the table."""

    line: int
    cells: list[str]


class _RowReader:
    """Reads rows by their layout.

    is_own           written by `klvrelay decode --format csv`
    unit             of the times; None before the first row, if it is not stated
    relative         times count from the first frame; None before the first row
    is_local         times have no zone
    value_faults     values that could not be read, and were omitted
    """

    def __init__(self, layout: TableLayout, headings: Sequence[str], delimiter: str) -> None:
        own = {heading: number for number, heading in enumerate(headings)}
        self.is_own = own.keys() >= _OWN
        self.unit = layout.time.unit
        self.relative: bool | None = None
        self.is_local = False
        self.value_faults = RowFaults("value")
        self._state = (own["set"], own["checksum"], own["transport"]) if self.is_own else None
        self._time = layout.time.number
        self._readers = [
            (each.number, each.path, reader_of(each, comma=delimiter != ",", escaped=self.is_own))
            for each in layout.columns
        ]
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, line: int, cells: list[str]) -> TelemetryRow:
        """The row. Raises ValueError, with the reason, if it can't be used."""
        self._check_record(cells)
        time = self._row_time(cells)
        if self.relative not in (None, time.relative):
            raise ValueError("its time is " + ("relative" if time.relative else "a date") + ", others are not")
        values = self._values(line, cells)
        if not values:
            raise ValueError("no value")
        self.relative, self.is_local = time.relative, time.is_local
        names = tuple(values)
        return TelemetryRow(time.us, line, self._keys.setdefault(names, names), tuple(values.values()))

    def _check_record(self, cells: list[str]) -> None:
        """Raises ValueError for a record of another set, or one that was damaged."""
        if self._state is None:
            return
        set_name, checksum, transport = (_cell(cells, number) for number in self._state)
        if set_name != "ST0601":
            raise ValueError(f"a record of {set_name[:20] or 'no set'}")
        if checksum == "bad" or transport not in ("", "ok"):
            raise ValueError("a damaged record")

    def _row_time(self, cells: list[str]) -> RowTime:
        text = _cell(cells, self._time).strip()
        if not text:
            raise ValueError("no time")
        self.unit = self.unit or recognise_unit(text)
        return read_time(text, self.unit)

    def _values(self, line: int, cells: list[str]) -> dict[str, Any]:
        """The values by path; those that cannot be read are counted and omitted."""
        values: dict[str, Any] = {}
        for number, path, read in self._readers:
            cell = _cell(cells, number)
            if not cell or (not self.is_own and is_empty(cell)):
                continue
            try:
                values[path] = read(cell)
            except ValueError as fault:
                self.value_faults.add(line, f"{path}: {printable(str(fault)[:80])}")
        return values


def _cell(cells: list[str], number: int) -> str:
    return cells[number] if number < len(cells) else ""


def read_csv(path: Path, wishes: Sequence[ColumnWish] = ()) -> FlightTelemetry:
    """The telemetry of a table. A bad row or value is skipped and counted.

    Raises ConfigError if a column or the time is missing, SourceError if there is no usable row.
    """
    lines = text_lines(path)
    heading = _heading(lines)
    delimiter = delimiter_of(heading)
    headings = [each.strip() for each in next(csv.reader([heading], delimiter=delimiter), [])]
    if not 1 < len(headings) <= COLUMNS_MOST:
        raise SourceError(
            f"{path}: the first line is no row of headings: {printable(heading[:60])}; give a table with a comma,"
            " semicolon, tab or bar between columns"
        )
    layout = layout_of(headings, wishes, path)
    reader, faults = _RowReader(layout, headings, delimiter), RowFaults("row")
    rows: list[TelemetryRow] = []
    for line, cells in _rows(lines, delimiter, faults):
        check_room(rows, path)
        try:
            rows.append(reader.read(line, cells))
        except ValueError as fault:
            faults.add(line, printable(str(fault)[:120]))
    if not rows:
        raise SourceError(f"{path}: no usable row: {'; '.join(faults.describe()) or 'only headings'}")
    notes = [*in_order(rows, "row"), *faults.describe(), *reader.value_faults.describe()]
    return _telemetry(layout, reader, rows, notes)


def _telemetry(
    layout: TableLayout, reader: _RowReader, rows: list[TelemetryRow], notes: list[str]
) -> FlightTelemetry:
    form = "CSV of klvrelay" if reader.is_own else "CSV"
    ignored = [] if reader.is_own else layout.ignored
    shown = [(_time_text(layout.time, reader.unit), "time"), *_shown(layout)]
    return FlightTelemetry(form, rows, bool(reader.relative), None, reader.is_local, shown, ignored, notes)


def _heading(lines: Iterator[TextLine]) -> str:
    """The row of headings: the first line that is not empty, a comment, or the `sep=,` of a spreadsheet."""
    for line in islice(lines, HEAD_LINES):
        text = line.text.strip()
        if text and not text.startswith("#") and not text.lower().startswith("sep="):
            return line.text
    return ""


def delimiter_of(heading: str) -> str:
    """The delimiter that makes the most columns of the row of headings."""
    return max(DELIMITERS, key=lambda each: len(next(csv.reader([heading], delimiter=each), [])))


def _rows(lines: Iterator[TextLine], delimiter: str, faults: RowFaults) -> Iterator[_TableRow]:
    """The rows; a quoted cell may hold line ends. A row with a line that is too long is a fault."""
    number, is_cut = 0, False

    def texts() -> Iterator[str]:
        nonlocal number, is_cut
        for line in lines:
            number = line.number
            is_cut |= line.is_cut
            yield line.text.replace("\0", "") + "\n"

    reader = csv.reader(texts(), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            faults.add(number, "not a row of a table; is a quotation mark missing?")
            continue
        if is_cut:
            faults.add(number, "the line is too long")
        elif any(cell.strip() for cell in cells):
            yield _TableRow(number, cells)
        is_cut = False


def _time_text(time: TimeColumn, unit: str | None) -> str:
    return f"{time.heading} ({unit})" if unit else time.heading


def _shown(layout: TableLayout) -> Iterator[tuple[str, str]]:
    for column in layout.columns:
        unit = column.unit
        yield column.heading + (f" ({unit})" if unit and unit != unit_of(column.path) else ""), column.path


