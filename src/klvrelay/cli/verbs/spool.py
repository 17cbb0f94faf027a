"""The verb `spool`: lists, verifies and exports a spool. It changes nothing in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from klvrelay.cli.standard_streams import flush_output
from klvrelay.cli.verbs import spool_text
from klvrelay.cli.verbs.printout import show
from klvrelay.cli.verbs.progress import byte_progress
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.json_output import Numbers, dumps
from klvrelay.spool.disk.format import ENTRY_SIZE, unpack_record
from klvrelay.spool.disk.reader import SegmentContent, SpoolReader
from klvrelay.spool.disk.readonly import ReadOnlyFolder
from klvrelay.spool.disk.survey import SpoolSurvey, Surveyor, slices
from klvrelay.text import counted, printable

if TYPE_CHECKING:
    from klvrelay.spool.disk.cursor_file import Ranges

DAMAGED = 1
"""Exit code: the spool is damaged."""
LINES = 500
"""Records that are written at a time."""


class Wanted(NamedTuple):
    """What to export: target file or "-", one stream or all, what one sink has yet to deliver or all, and integers."""

    target: str
    stream: str | None
    sink: str | None
    numbers: Numbers


def show_spool(path: str, *, verify: bool, as_json: bool, quiet: bool) -> int:
    """Print the listing. Returns the exit code: with `verify`, DAMAGED if the spool is. Raises ConfigError."""
    with opened(path) as reader:
        survey = survey_of(path, reader, "verifying" if verify else "reading", quiet=quiet)
        with flush_output():
            if as_json:
                sys.stdout.write(dumps(spool_text.document(path, reader, survey), indented=True).decode())
            else:
                show(spool_text.printout(path, reader, survey, verify=verify), sys.stdout)
    return DAMAGED if verify and survey.damage else 0


@contextmanager
def opened(path: str) -> Iterator[SpoolReader]:
    """The spool in a folder. Raises ConfigError if there is none, and KlvrelayError if it cannot be read."""
    with ExitStack() as stack:
        with _reading(path):
            folder = ReadOnlyFolder(Path(path))
            stack.callback(folder.close)
            reader = SpoolReader(folder)
        yield reader


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """Name the folder in errors, and what to do."""
    shown = printable(path)
    try:
        yield
    except FileNotFoundError:
        raise ConfigError(f"{shown}: no such folder; give the folder of `run --spool`, or of [spool] path") from None
    except NotADirectoryError:
        raise ConfigError(f"{shown}: not a folder; give the folder of `run --spool`, or of [spool] path") from None
    except PermissionError:
        raise ConfigError(f"{shown}: no permission to read it; run this as the user of the relay, or as root") from None
    except OSError as fault:
        raise KlvrelayError(f"{shown}: cannot be read: {fault.strerror or fault}") from fault
    except ConfigError as fault:
        raise ConfigError(f"{shown}: {fault}") from None


def contents(path: str, reader: SpoolReader, text: str, *, quiet: bool) -> Iterator[SegmentContent | None]:
    """The segments, with a progress bar."""
    with byte_progress(text, sum(size for _, size in reader.segments), quiet=quiet) as advance:
        for name, size in reader.segments:
            with _reading(path):
                content = reader.read(name)
            yield content
            advance(size)


def survey_of(path: str, reader: SpoolReader, text: str, *, quiet: bool) -> SpoolSurvey:
    surveyor = Surveyor(reader)
    for content in contents(path, reader, text, quiet=quiet):
        surveyor.add(content)
    return surveyor.survey


def export(path: str, wanted: Wanted, *, quiet: bool) -> int:
    """Write the records as JSON Lines. Returns the exit code: DAMAGED if records may be missing. Raises ConfigError."""
    with opened(path) as reader:
        if wanted.sink is not None and wanted.sink not in reader.cursors:
            known = ", ".join(map(printable, reader.cursors)) or "none"
            raise ConfigError(f"--sink {printable(wanted.sink)}: unknown sink; valid sinks: {known}")
        ranges = None if wanted.sink is None else reader.cursors[wanted.sink]
        count, damage = 0, list(reader.damage)
        with _target(wanted.target, Path(path)) as out:
            for content in contents(path, reader, "exporting", quiet=quiet):
                if content is not None:
                    damage += content.damage
                    count += _write_records(content, ranges, wanted, out)
    if not quiet:
        print(f"exported {counted(count, 'record')}", file=sys.stderr)
    if damage:
        print(f"klvrelay: {printable(path)}: {counted(len(damage), 'damaged place')}, records may be missing;"
              f" --verify shows where", file=sys.stderr)  # fmt: skip
    return DAMAGED if damage else 0


def _write_records(content: SegmentContent, ranges: Ranges | None, wanted: Wanted, out: Callable[[bytes], None]) -> int:
    """Write the wanted records of a segment; returns their number."""
    lines: list[bytes] = []
    count = 0
    entries = content.entries
    for first, end in [(0, len(entries))] if ranges is None else slices(entries, ranges):
        for entry in entries[first:end]:
            record = unpack_record(content.data[entry.start + ENTRY_SIZE : entry.end])
            if wanted.stream is not None and record.stream != wanted.stream:
                continue
            lines += record.json(numbers=wanted.numbers), b"\n"
            count += 1
            if len(lines) >= 2 * LINES:
                out(b"".join(lines))
                lines.clear()
    out(b"".join(lines))
    return count


@contextmanager
def _target(name: str, folder: Path) -> Iterator[Callable[[bytes], None]]:
    """A function that writes to the file, which is complete or absent in the end, or to standard output ("-")."""
    if name == "-":
        with flush_output():
            yield _write_output
        return
    target = Path(name)
    if target.is_dir() or not target.parent.is_dir():
        raise ConfigError(f"--export {printable(name)}: not a file in an existing folder")
    if target.resolve().parent == folder.resolve():
        raise ConfigError(f"--export {printable(name)}: not into the folder of the spool; choose another one")
    with _replaced(target, name) as file:
        yield partial(_write_file, file, name)


def _write_output(data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[sys.stdout.buffer.write(left) :]


def _write_file(file: BinaryIO, name: str, data: bytes) -> None:
    left = memoryview(data)
    with _writing(name):
        while left:
            left = left[file.write(left) :]


@contextmanager
def _writing(name: str) -> Iterator[None]:
    """Name the target in errors."""
    try:
        yield
    except OSError as fault:
        raise KlvrelayError(f"--export {printable(name)}: can't be written: {fault.strerror or fault}") from fault


@contextmanager
def _replaced(target: Path, name: str) -> Iterator[BinaryIO]:
    """A new file that takes the place of `target` at the end; a device or pipe is written as it is."""
    place = target.resolve()  # keep a symbolic link
    in_place = place.exists() and not place.is_file()
    made = place if in_place else place.with_name(f".{place.name}.{os.getpid()}")
    with _writing(name):
        file = made.open("wb" if in_place else "xb", buffering=0)
    try:
        with file:
            yield cast("BinaryIO", file)
        if not in_place:
            with _writing(name):
                made.replace(place)
    except BaseException:
        if not in_place:
            made.unlink(missing_ok=True)
        raise
