"""Reads telemetry from a table with a row of headings: CSV, or with semicolons, tabs or bars."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from klvrelay.errors import SourceError
from klvrelay.importing.csv_cells import Reader, is_empty, reader_of
from klvrelay.importing.item_names import unit_of
from klvrelay.importing.mapping import ColumnWish, TableLayout, TimeColumn, layout_of
from klvrelay.importing.telemetry import FlightTelemetry, RowFaults, TelemetryRow, check_room, in_order
from klvrelay.importing.text_lines import TextLine, text_lines
from klvrelay.importing.times import RowTime, read_time, recognise_unit
from klvrelay.text import printable

DELIMITERS = ",;\t|"
COLUMNS_MOST = 1000

_OWN = {"time_us", "set", "checksum", "transport"}
"""Headings that `klvrelay decode --format csv` writes for every record."""


class _TableRow(NamedTuple):
    """A row of the table."""

    line: int
    cells: list[str]


class _RowReader:
    """Reads rows by their layout."""

    def __init__(self, layout: TableLayout, headings: Sequence[str], delimiter: str) -> None:
        own = {heading: number for number, heading in enumerate(headings)}
        self.is_own = own.keys() >= _OWN
        self.number_faults = RowFaults("value")
        self._state = (own["set"], own["checksum"], own["transport"]) if self.is_own else None
        self._time = layout.time
        self._readers: list[tuple[int, str, Reader]] = [
            (
                column.number,
                column.path,
                reader_of(column, comma=delimiter != ",", escaped=self.is_own, wanted=unit_of(column.path)),
            )
            for column in layout.columns
        ]
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.unit = layout.time.unit

    def moment(self, cells: list[str]) -> RowTime:
        """The time of a row. Raises ValueError."""
        text = _cell(cells, self._time.number).strip()
        if not text:
            raise ValueError("no time")
        self.unit = self.unit or recognise_unit(text)
        return read_time(text, self.unit)

    def check_record(self, cells: list[str]) -> None:
        """Raises ValueError for a record of another set, or one that was damaged."""
        if self._state is None:
            return
        set_name, checksum, transport = (_cell(cells, number) for number in self._state)
        if set_name != "ST0601":
            raise ValueError(f"a record of {printable(set_name[:20]) or 'no set'}")
        if checksum == "bad" or transport not in ("", "ok"):
            raise ValueError("a damaged record")

    def row(self, at_us: int, line: int, cells: list[str]) -> TelemetryRow:
        """The values of a row; those that cannot be read are counted and omitted."""
        values: dict[str, Any] = {}
        for number, path, read in self._readers:
            cell = _cell(cells, number)
            if is_empty(cell):
                continue
            try:
                values[path] = read(cell)
            except ValueError as fault:
                self.number_faults.add(line, f"{path}: {printable(str(fault)[:80])}")
        names = tuple(values)
        return TelemetryRow(at_us, line, self._keys.setdefault(names, names), tuple(values.values()))


def _cell(cells: list[str], number: int) -> str:
    return cells[number] if number < len(cells) else ""


def read_csv(path: Path, wishes: Sequence[ColumnWish] = ()) -> FlightTelemetry:
    """The telemetry of a table. A bad row or value is skipped and counted.

    Raises ConfigError if a column or the time is missing, SourceError if there is no usable row.
    """
    lines = text_lines(path)
    head = next(lines)
    delimiter = delimiter_of(head.text)
    headings = next(csv.reader([head.text], delimiter=delimiter), [])
    if not 1 < len(headings) <= COLUMNS_MOST:
        raise SourceError(
            f"{path}: the first line is no row of headings: {printable(head.text[:60])}; give a table with a comma,"
            " semicolon, tab or bar between columns"
        )
    layout = layout_of([heading.strip() for heading in headings], wishes, path)
    reader = _RowReader(layout, headings, delimiter)
    faults = RowFaults("row")
    rows: list[TelemetryRow] = []
    relative = is_local = None
    for line, cells in _rows(lines, delimiter, faults):
        check_room(rows, path)
        try:
            reader.check_record(cells)
            moment = reader.moment(cells)
            if relative not in (None, moment.relative):
                raise ValueError("its time is " + ("relative" if moment.relative else "a date") + ", others are not")
        except ValueError as fault:
            faults.add(line, printable(str(fault)[:120]))
            continue
        row = reader.row(moment.us, line, cells)
        if not row.keys:
            faults.add(line, "no value")
            continue
        relative, is_local = moment.relative, moment.is_local
        rows.append(row)
    if not rows:
        raise SourceError(f"{path}: no usable row: {'; '.join(faults.describe()) or 'only headings'}")
    notes = [*in_order(rows, "row"), *faults.describe(), *reader.number_faults.describe()]
    form = "CSV of klvrelay" if reader.is_own else "CSV"
    ignored = [] if reader.is_own else layout.ignored
    shown = [(_time_text(layout.time, reader.unit), "time"), *_shown(layout)]
    return FlightTelemetry(form, rows, bool(relative), None, bool(is_local), shown, ignored, notes)


def delimiter_of(heading: str) -> str:
    """The delimiter that makes the most columns of the row of headings."""
    return max(DELIMITERS, key=lambda each: len(next(csv.reader([heading], delimiter=each), [])))


def _rows(lines: Iterator[TextLine], delimiter: str, faults: RowFaults) -> Iterator[_TableRow]:
    """The rows; a quoted cell may hold line ends. A row with a line that is too long is a fault."""
    number, is_cut = 1, False

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


