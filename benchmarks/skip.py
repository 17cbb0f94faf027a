"""Why a benchmark, or a row of one, can't be had on this machine."""

from __future__ import annotations

import importlib
import os
import shutil
from types import ModuleType


class Skip(Exception):
    """Something is not installed, or not there; the message says what and how to get it."""


def module(name: str) -> ModuleType:
    """A peer's package, or Skip."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Skip(f"{name} is not installed: pip install 'klvrelay[test]'") from None


def program(name: str, package: str) -> str:
    """The path of a program, or Skip."""
    # Debian keeps servers where only root's PATH looks.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise Skip(f"{name} is not installed: apt install {package}")
    return found
