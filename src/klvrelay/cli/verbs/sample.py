"""The verb `sample`: writes a synthetic recording and shows progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from klvrelay import sample
from klvrelay.cli.standard_streams import flush_output
from klvrelay.errors import ConfigError

Progress = Callable[[int, int], None]


@contextmanager
def _bar(text: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(text, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


class _Output:
    """Standard output, which may accept only part of the data if it is unbuffered."""

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[sys.stdout.buffer.write(left) :]


def make_sample(
    path: str | os.PathLike[str], *, quiet: bool = False, step: Callable[[], None] | None = None, **options: Any
) -> sample.Summary:
    """Write a sample recording to `path`, or to standard output if it is "-". Print a summary on standard error.

    Options are those of `sample.write`. `step` is called once per frame. An exception that it raises aborts the work
    and leaves no file.
    """
    to_output = path == "-"
    if to_output and sys.stdout.isatty():
        raise ConfigError("OUT.ts -: standard output is a terminal; redirect it to a file or a pipe")

    def each(done: int, total: int) -> None:
        if step is not None:
            step()
        if show is not None:
            show(done, total)

    with (
        nullcontext() if quiet or not sys.stderr.isatty() else _bar("writing") as show,
        flush_output() if to_output else nullcontext(),
    ):
        made = sample.write(_Output() if to_output else path, progress=each, **options)
    if not quiet:
        print(
            f"wrote {made.path or 'standard output'}: {made.seconds:g} s, {made.frames} frames of {made.codec}, "
            f"{made.packets} KLV packets ({made.carriage}), {made.size / 1e6:.1f} MB",
            file=sys.stderr,
        )
    return made
