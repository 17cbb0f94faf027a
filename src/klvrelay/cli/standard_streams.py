"""Standard input, output and error as a command finds them: closed, on a full disk, left by their reader."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from klvrelay.errors import OutputLost
from klvrelay.text import printable

_WAYS = (os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)
"""How /dev/null is opened in the place of each: reading the input and writing the output fail, errors go nowhere."""


def fill_closed() -> None:
    """Occupy what the caller has closed (`>&-`), so that no file or socket gets its number."""
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
def written() -> Iterator[None]:
    """What is printed inside has reached standard output behind it, or OutputLost is raised.

    A reader that went away (`| head`) stays a BrokenPipeError: nothing is wrong with that.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as fault:
        reason = os.strerror(fault.errno) if fault.errno else type(fault).__name__
        raise OutputLost(f"standard output can't be written: {reason}") from fault


def complain(text: str) -> None:
    """A line on standard error, where that can be written; more of them where the text has line ends."""
    shown = "\n".join(map(printable, text.split("\n")))
    try:
        print(f"klvrelay: {shown}", file=sys.stderr, flush=True)
    except OSError:
        _drop(sys.stderr)


def drop_output() -> None:
    """Standard output is gone, and Python must not complain of it at its exit."""
    _drop(sys.stdout)


def _drop(stream: TextIO) -> None:
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
