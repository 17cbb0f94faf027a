"""A progress bar on standard error: bytes done of bytes in all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def byte_progress(text: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that adds bytes. Without a terminal, or if `quiet`, it does nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(text, total=total)
        yield lambda size: bars.advance(task, size)
