"""Skips benchmarks, or rows of them, that need something this machine lacks."""

from __future__ import annotations

import importlib
import os
import shutil
from types import ModuleType


class Skip(Exception):
    """Something is missing; the message names it and how to install it."""


def module(name: str) -> ModuleType:
    """Import a library. Raises Skip if it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Skip(f"{name} is not installed: pip install 'klvrelay[test]'") from None


def program(name: str, package: str) -> str:
    """The path of a program. Raises Skip if it is missing."""
    # Debian installs servers in folders that are only in root's PATH.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise Skip(f"{name} is not installed: apt install {package}")
    return found
