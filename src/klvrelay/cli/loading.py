"""The garbage collector while a command loads and ends.

Modules stay as long as the process does. Looking through them again and again for what could be freed takes a tenth of
the time in which a small file is decoded.
"""

from __future__ import annotations

import gc


def begun() -> None:
    """Modules are loaded from here on: nothing is collected."""
    gc.disable()


def done() -> None:
    """The work begins: what is there stays, what comes now is collected as ever."""
    gc.freeze()
    gc.enable()


def ended() -> None:
    """The process ends, which frees all of it: the interpreter need not look through it before."""
    gc.freeze()
