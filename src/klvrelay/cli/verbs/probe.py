"""The verb `probe`: a look at a source, and the report as text, JSON or HTML; the package `probe` does the looking."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from klvrelay.cli.standard_streams import written
from klvrelay.config.choice import EVERYTHING, Choice
from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.sources.contract import Source
from klvrelay.sources.open import open_source

MODE = 0o640
"""Of a page: what it shows is not for everybody on the machine."""
_STOPS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says of the report.

    seconds  to look; None: 10 of a live source, all of another
    json     the document on standard output, instead of the text
    html     file to write the page to
    quiet    no progress bar
    """

    seconds: float | None = None
    json: bool = False
    html: str | None = None
    quiet: bool = False


async def probe(text: str | Url, wishes: Wishes, choice: Choice = EVERYTHING, **options: Any) -> int:
    """The whole verb; gives the exit code. Raises ConfigError, SourceDown or NotMedia where there is nothing to tell.

    `options` are those of `sources.open_source`. A cancellation ends the look: the report is of what came until then.
    Of SIGINT and SIGTERM, the second ends the process at once.
    """
    with _second_signal_ends():
        return await _probe(text, wishes, choice, **options)


async def _probe(text: str | Url, wishes: Wishes, choice: Choice, **options: Any) -> int:
    if wishes.seconds is not None and not 0 < wishes.seconds < 1e9:
        raise ConfigError(f"--seconds {wishes.seconds}: give a number above 0")
    page = _writable(wishes.html) if wishes.html is not None else None
    source = open_source(Url.parse(text), **options)

    from klvrelay.probe import inquire  # here, since it loads numpy: an option that is wrong is said before
    from klvrelay.probe.output.document import document
    from klvrelay.probe.output.page import page as html
    from klvrelay.probe.output.text import console_for, write

    with nullcontext() if wishes.quiet or not sys.stderr.isatty() else _progress(source, wishes.seconds) as progress:
        report = await inquire(source, seconds=wishes.seconds, progress=progress, choice=choice,
                               packet_limit=options.get("packet_limit", LIMIT))  # fmt: skip
    if page is not None:
        try:
            _put(page, html(report).encode())
        except OSError as fault:
            raise KlvrelayError(f"--html {page}: can't be written: {fault.strerror or fault}") from fault
    with written():
        if wishes.json:
            sys.stdout.buffer.write(document(report))
        else:
            write(report, console_for(sys.stdout))
    return report.verdict.exit_code


@contextmanager
def _second_signal_ends() -> Iterator[None]:
    """The loop cancels its task on a signal; a process that computes, or waits for a reader, ends on the next one."""

    def first(*_: object) -> None:
        for number in _STOPS:
            signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, first) for number in _STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _put(path: Path, data: bytes) -> None:
    """Make the file: written beside it and renamed, so that it is there whole or not at all, and is of MODE."""
    place = path.resolve()  # a link stays
    if place.exists() and not place.is_file():
        place.write_bytes(data)
        return
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        made = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except PermissionError:  # the folder is read-only, the file in it is not
        with suppress(PermissionError):
            place.chmod(MODE)
        place.write_bytes(data)
        return
    try:
        with open(made, "wb") as file:
            file.write(data)
        beside.replace(place)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _writable(name: str) -> Path:
    """A file that the page can go to; better said before than after the look."""
    path = Path(name)
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(f"--html {path}: not a file in a folder that exists")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"--html {path}: no permission to write there")
    return path


@contextmanager
def _progress(source: Source, seconds: float | None) -> Iterator[Any]:
    """A bar on standard error: of a file its bytes, of a live source the seconds."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    path = source.url.path
    of_file = source.url.scheme == "file" and os.path.isfile(path)
    total = os.path.getsize(path) if of_file and seconds is None else seconds or (10.0 if source.live else None)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("looking", total=total, said="" if of_file else "waiting for it")

        def show(size: int, looked: float, records: int) -> None:
            done = size if of_file and seconds is None else looked
            bars.update(task, completed=done, said=f"{size / 1e6:.1f} MB, {records:,} KLV records")

        yield show
