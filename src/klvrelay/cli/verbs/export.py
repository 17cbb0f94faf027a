"""The verb `export`: exports flights one after another, or several at once in processes, and prints summaries."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from klvrelay.cli import loading, standard_streams
from klvrelay.cli.stopping import on_loop
from klvrelay.cli.verbs.export_flight import FlightSummary, Progress, export_flight
from klvrelay.cli.verbs.export_jobs import ExportJob, FlightFailed, run_jobs
from klvrelay.cli.verbs.export_settings import ExportSettings, ExportTarget
from klvrelay.cli.verbs.progress import byte_progress
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.text import counted, printable

INTERRUPTED = 130


def export_flights(
    flights: Sequence[tuple[Url, str]], target: ExportTarget, settings: ExportSettings, *, jobs: int | None, quiet: bool
) -> int:
    """Export all flights. Returns the exit code: that of the first error, or 0. A signal raises KeyboardInterrupt."""
    loading.complete()
    if target.is_output and sys.stdout.isatty():
        raise ConfigError("OUT -: standard output is a terminal; redirect it to a file or a pipe")
    count = min(jobs or len(os.sched_getaffinity(0)), len(flights))
    with byte_progress("exporting", sum(_size(url) for url, _ in flights), quiet=quiet) as advance:
        if count == 1:
            return _one_by_one(flights, target, settings, advance, quiet)
        work = [ExportJob(url, name, settings, target) for url, name in flights]
        code = on_loop(lambda: run_jobs(work, count, advance, lambda job, done: _report(job.url, done, quiet)))
    if code is None:
        raise KeyboardInterrupt
    return code


def _one_by_one(
    flights: Sequence[tuple[Url, str]], target: ExportTarget, settings: ExportSettings, advance: Progress, quiet: bool
) -> int:
    code = 0
    for url, name in flights:
        try:
            done: FlightSummary | FlightFailed = export_flight(url, name, settings, target, advance)
        except KlvrelayError as fault:
            if len(flights) == 1:
                raise
            done = FlightFailed(str(fault), fault.exit_code)
            code = code or fault.exit_code
        _report(url, done, quiet)
    return code


def _report(url: Url, done: FlightSummary | FlightFailed, quiet: bool) -> None:
    """One line about a flight on standard error. Errors are printed even if `quiet`."""
    if isinstance(done, FlightFailed):
        text = done.text if str(url) in done.text else f"{url}: {done.text}"
        standard_streams.print_error(text)
    elif not quiet:
        print("\n".join(summary_lines(done)), file=sys.stderr)


def summary_lines(done: FlightSummary) -> list[str]:
    """A line for each file, and what was left out on the last."""
    lines = [f"wrote {_shown(path)}: {_counts(*counts)}" for path, *counts in done.files]
    parts = [
        f"{done.damaged} damaged" if done.damaged else "",
        f"{counted(done.bad_checksum, 'bad checksum')}" if done.bad_checksum else "",
        f"{done.skipped} without what the format needs" if done.skipped else "",
        f"{done.thinned} by --every" if done.thinned else "",
        f"{counted(done.pictures, 'picture')} damaged or without a time" if done.pictures else "",
    ]
    left_out = ", ".join(filter(None, parts))
    if left_out:
        lines[-1] += f"; left out: {left_out}"
    return lines


def _counts(records: int, pictures: int, jpegs: int) -> str:
    """ "277 records, 277 pictures, 30 as JPEG" """
    video = f", {counted(pictures, 'picture')}" if pictures else ""
    some = "" if jpegs == pictures else f", {jpegs}"
    return counted(records, "record") + video + (f"{some} as JPEG" if jpegs else "")


def _shown(path: str) -> str:
    return "standard output" if path == "-" else printable(path)


def _size(url: Url) -> int:
    """Bytes of a recording, as far as known."""
    try:
        if url.scheme != "file":
            return 0
        if not os.path.isdir(url.path):
            return os.path.getsize(url.path)
        return sum(entry.stat().st_size for entry in os.scandir(url.path) if entry.is_file())
    except OSError:
        return 0
