"""Switches the garbage collector off while a command loads and exits.

Modules are never freed before the process exits. Scanning them for garbage takes a tenth of the time needed to decode a
small file.
"""

from __future__ import annotations

import gc


def begin() -> None:
    """Loading starts: disable collection."""
    gc.disable()


def complete() -> None:
    """Loading is complete: exempt the loaded objects from collection, and enable it for new ones."""
    gc.freeze()
    gc.enable()


def finish() -> None:
    """The process exits, which frees all memory: skip the final collection."""
    gc.freeze()
