"""Handles standard streams that are closed, on a full disk, or abandoned by their reader."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from klvrelay.errors import OutputLost
from klvrelay.text import printable

_WAYS = (os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)
"""Modes of /dev/null in place of each stream: reading input and writing output fail, errors are discarded."""


def fill_closed() -> None:
    """Open /dev/null for each closed standard stream (`>&-`), so that no file or socket gets its descriptor."""
    for number, way in enumerate(_WAYS):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, way)
            if null != number:
                os.dup2(null, number)
                os.close(null)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


@contextlib.contextmanager
def flush_output() -> Iterator[None]:
    """On exit, flush everything printed inside to standard output; raise OutputLost if that fails.

    A closed pipe (`| head`) remains a BrokenPipeError, since it is not an error of the command.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as fault:
        reason = os.strerror(fault.errno) if fault.errno else type(fault).__name__
        raise OutputLost(f"can't write to standard output: {reason}") from fault


def print_error(text: str) -> None:
    """Print an error to standard error, one line per line of the text. Ignore write errors."""
    shown = "\n".join(map(printable, text.split("\n")))
    try:
        print(f"klvrelay: {shown}", file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def drop_output() -> None:
    """Discard standard output, so that Python reports no error for it at exit."""
    discard(sys.stdout)


def discard(stream: TextIO) -> None:
    """Discard what is written to a stream from now on."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
