"""The verb `probe`: checks a source and writes the report as text, JSON, HTML, or for builds."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from klvrelay.cli.standard_streams import flush_output
from klvrelay.config.choice import EVERYTHING, Choice
from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.sources.contract import Source
from klvrelay.sources.open import open_source

if TYPE_CHECKING:
    from klvrelay.probe.report import Report, Severity

MODE = 0o640
"""Mode of the HTML page, which other users of the machine must not read."""
_STOPS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """Options of the report.

    seconds  duration of the check; None: 10 of a live source, all of any other
    format   "text", "json", "junit", "sarif" or "github"
    html     file for the HTML page
    quiet    no progress bar
    fail_on  severity of findings that are failures in JUnit XML
    """

    seconds: float | None = None
    format: str = "text"
    html: str | None = None
    quiet: bool = False
    fail_on: Severity = "error"


async def probe(text: str | Url, wanted: ProbeOptions, choice: Choice = EVERYTHING, **options: Any) -> int:
    """Check the source, print the report, and return the exit code.

    `options` are those of `sources.open.open_source`. Cancellation ends the check, and the report covers what was
    received until then. A second SIGINT or SIGTERM ends the process at once.
    Raises ConfigError, SourceDown or NotMedia if there is nothing to report.
    """
    with _second_signal_ends():
        return await _probe(text, wanted, choice, **options)


async def _probe(text: str | Url, wanted: ProbeOptions, choice: Choice, **options: Any) -> int:
    if wanted.seconds is not None and not 0 < wanted.seconds < 1e9:
        raise ConfigError(f"--seconds {wanted.seconds}: give a number above 0")
    page = _check_writable(wanted.html) if wanted.html is not None else None
    source = open_source(Url.parse(text), **options)

    from klvrelay.probe import analyse  # here, since it loads numpy: invalid options are reported first
    from klvrelay.probe.output.page import page as html

    with nullcontext() if wanted.quiet or not sys.stderr.isatty() else _progress(source, wanted.seconds) as progress:
        report = await analyse(source, seconds=wanted.seconds, progress=progress, choice=choice,
                               packet_limit=options.get("packet_limit", LIMIT))  # fmt: skip
    if page is not None:
        try:
            _replace_file(page, html(report).encode())
        except OSError as fault:
            raise KlvrelayError(f"--html {page}: can't be written: {fault.strerror or fault}") from fault
    with flush_output():
        _print(report, wanted)
    return report.verdict.exit_code


def _print(report: Report, wanted: ProbeOptions) -> None:
    if wanted.format == "text":
        from klvrelay.probe.output.text import console_for, write

        write(report, console_for(sys.stdout))
    else:
        sys.stdout.buffer.write(_written(report, wanted))


def _written(report: Report, wanted: ProbeOptions) -> bytes:
    from klvrelay.probe.output.document import document
    from klvrelay.probe.output.github import github
    from klvrelay.probe.output.junit import junit
    from klvrelay.probe.output.sarif import sarif

    if wanted.format == "junit":
        return junit(report, wanted.fail_on)
    return {"json": document, "sarif": sarif, "github": github}[wanted.format](report)


@contextmanager
def _second_signal_ends() -> Iterator[None]:
    """Let the next signal end the process: after a cancellation it may still compute, or wait for a reader."""

    before = {number: signal.getsignal(number) for number in _STOPS}

    def first(number: int, frame: FrameType | None) -> None:
        for each in _STOPS:
            signal.signal(each, signal.SIG_DFL)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    try:
        for number in _STOPS:
            signal.signal(number, first)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _replace_file(path: Path, data: bytes) -> None:
    """Write a temporary file and rename it, so that the page is complete or absent, and has mode MODE."""
    place = path.resolve()  # keep a symbolic link
    if place.exists() and not place.is_file():
        place.write_bytes(data)
        return
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        made = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except PermissionError:  # the folder is read-only, but the file may be writable
        with suppress(PermissionError):
            place.chmod(MODE)
        place.write_bytes(data)
        return
    try:
        with open(made, "wb") as file:
            file.write(data)
        temporary.replace(place)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _check_writable(name: str) -> Path:
    """Check that the page can be written, before the check of the source starts."""
    path = Path(name)
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(f"--html {path}: not a file in an existing folder")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"--html {path}: no permission to write there")
    return path


@contextmanager
def _progress(source: Source, seconds: float | None) -> Iterator[Any]:
    """A progress bar on standard error: bytes of a file, seconds of a live source."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    path = source.url.path
    of_file = source.url.scheme == "file" and os.path.isfile(path)
    total = os.path.getsize(path) if of_file and seconds is None else seconds or (10.0 if source.live else None)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[amount]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("checking", total=total, amount="" if of_file else "waiting for data")

        def show(size: int, elapsed: float, records: int) -> None:
            done = size if of_file and seconds is None else elapsed
            bars.update(task, completed=done, amount=f"{size / 1e6:.1f} MB, {records:,} KLV records")

        yield show
