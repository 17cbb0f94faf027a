"""The log that the options, the environment and the settings file choose."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from klvrelay.errors import ConfigError
from klvrelay.log import change_log
from klvrelay.text import printable

if TYPE_CHECKING:
    from klvrelay.config.log import LogSettings

Place = tuple[str, str]
"""A table and a key."""

OF_LOG: Mapping[str, Place] = {"log_format": ("log", "format"), "log_file": ("log", "file")}
"""Options that are settings of [log]."""


def given_settings(args: argparse.Namespace, options: Mapping[str, Place]) -> dict[Place, tuple[object, str]]:
    """The values of these options, by table and key, each with the name of its option."""
    given = ((name, place, getattr(args, name, None)) for name, place in options.items())
    return {place: (value, f"--{name.replace('_', '-')}") for name, place, value in given if value is not None}


def begin_log_of_options(args: argparse.Namespace) -> None:
    """Log as the options and the environment say. Raises ConfigError.

    With a settings file the log begins when that was read, which reports all faults, and has the last word.
    """
    if not hasattr(args, "log_format") or getattr(args, "print_config", False):
        return
    from klvrelay.config.settings_file import read_log

    with suppress(ConfigError) if hasattr(args, "config") else nullcontext():
        switch_log(read_log(given_settings(args, OF_LOG)))


def begin_log(settings: LogSettings, args: argparse.Namespace) -> None:
    """Log as the settings say, at the first call for these arguments. Raises ConfigError."""
    if not getattr(args, "has_log", False):
        args.has_log = True
        switch_log(settings)


def switch_log(settings: LogSettings) -> None:
    """Log as the settings say, from now on. Raises ConfigError if the file cannot be opened."""
    try:
        change_log(settings)
    except OSError as fault:
        from klvrelay.logs.log_file import reason_of

        text = f"log.file: can't open {printable(str(settings.file))}: {reason_of(fault)}"
        raise ConfigError(f"{text}; choose another file, or leave it out to log to standard error") from None
