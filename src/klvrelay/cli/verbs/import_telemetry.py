"""The verb `import`: writes a transport stream of a video and its telemetry, shows progress and a summary."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

import klvrelay
from klvrelay.cli.standard_streams import flush_output
from klvrelay.importing.prepared import Prepared, prepare
from klvrelay.importing.recording import ImportCounts, instants, write_recording
from klvrelay.importing.request import ImportRequest
from klvrelay.importing.times import date_text
from klvrelay.json_output import dumps
from klvrelay.text import counted, printable

SHOWN = 3
"""Records that --dry-run shows."""
PLANNED = 300
"""Records that it encodes."""
LISTED = 12
NOTHING = "warning: no telemetry for any frame; see --start, --utc-offset and --shift"


def import_telemetry(request: ImportRequest, *, quiet: bool) -> ImportCounts:
    """Write the recording, with a progress bar on a terminal; then print what was written and what to know."""
    prepared = prepare(request)
    with _bar(quiet) as progress:
        counts = write_recording(prepared, progress)
    for text in prepared.start.warnings:
        print(f"warning: {printable(text)}", file=sys.stderr)
    if not quiet:
        for line in _summary(prepared, counts):
            print(printable(line), file=sys.stderr)
    return counts


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("importing", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total or None)


def _summary(prepared: Prepared, counts: ImportCounts) -> Iterator[str]:
    video = prepared.video
    frames = f"{counted(counts.frames, 'frame')} of {video.codec}, " if video is not None else ""
    target = prepared.request.target
    yield f"wrote {target}: {frames}{counted(counts.packets, 'KLV packet')}, {_size(counts.size)}"
    if counts.bare:
        yield f"note: {counted(counts.bare, 'frame')} without telemetry, and so without a packet"
    yield from (f"note: {note}" for note in _notes(prepared))
    yield from _gaps(prepared)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"


def _notes(prepared: Prepared) -> Iterator[str]:
    """What was read, assumed and left out."""
    yield from prepared.start.notes
    yield from prepared.telemetry.notes
    if prepared.telemetry.ignored:
        yield f"columns that were not recognised: {_some(prepared.telemetry.ignored)}; map them with --map"
    if prepared.video is not None:
        yield from prepared.video.notes
    yield from prepared.derivation.assumptions
    for count, reason in prepared.writer.omitted.values():
        yield f"left out of {counted(count, 'packet')}: {reason}"


def _gaps(prepared: Prepared) -> Iterator[str]:
    if missing := prepared.writer.missing():
        yield f"missing of the minimum set (ST 0902): {_some(missing)}; see --set, --sensor, --classification, --ground"


def _some(names: Iterable[str]) -> str:
    names = list(names)
    more = f", and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def show_plan(request: ImportRequest) -> None:
    """Print what would be imported: where values come from, the first records, assumptions, and what is missing."""
    prepared = prepare(request)
    found = ((instant, prepared.items_at(instant)) for instant in instants(prepared))
    records = list(islice(((instant, items) for instant, items in found if items), PLANNED))
    lines = [
        f"telemetry  {request.telemetry}: {prepared.telemetry.form}, {counted(len(prepared.telemetry.rows), 'row')}",
        *_video_line(prepared),
        f"start      {date_text(prepared.start.us)}",
        *(f"column     {source} -> {path}" for source, path in prepared.telemetry.columns if source != path),
    ]
    for instant, items in records[:SHOWN]:
        (record,) = klvrelay.decode(prepared.writer.packet(items, instant.time_us))
        lines.append(f"record     {date_text(instant.time_us)} {dumps(record.items).decode()}")
    for instant, items in records[SHOWN:]:
        prepared.writer.packet(items, instant.time_us)
    lines += [f"warning: {text}" for text in prepared.start.warnings]
    lines += [f"note: {note}" for note in _notes(prepared)]
    lines += _gaps(prepared) if records else [NOTHING]
    with flush_output():
        sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))


def _video_line(prepared: Prepared) -> Iterator[str]:
    video = prepared.video
    if video is not None:
        length = f", {video.seconds:.1f} s" if video.seconds else ""
        yield f"video      {video.path}: {video.codec}, {video.width}x{video.height}, {video.rate:.2f} frames/s{length}"

