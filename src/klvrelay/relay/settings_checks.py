"""Checks of settings that read files and load libraries, but make nothing and connect to nothing."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from klvrelay.alerts.destinations.open import open_destination
from klvrelay.alerts.fence_checks import read_fence_rule
from klvrelay.config.alerts import GeofenceSettings, NotifySettings
from klvrelay.config.writable_folder import check_writable
from klvrelay.errors import ConfigError
from klvrelay.incidents.state_folder import LOCK
from klvrelay.text import printable


def check_geofence(settings: GeofenceSettings) -> None:
    """Raise ConfigError, which begins with the key, for a file or values that cannot be used."""
    read_fence_rule(settings)


def check_destination(settings: NotifySettings) -> None:
    """Raise ConfigError, which begins with the key, for a destination that cannot be opened, or a missing program."""
    open_destination(settings)
    if settings.command and shutil.which(settings.command[0]) is None:
        program = printable(settings.command[0])
        raise ConfigError(f"command: {program} is not a program that can be run: give its path, and make it executable")


def check_state(path: Path) -> None:
    """Raise ConfigError for a state directory that cannot be used. One that another relay uses is found later."""
    try:
        if (lock := path / LOCK).exists():  # then the directory itself need not be writable
            os.close(os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW))
        else:
            check_writable(path)
    except OSError as fault:
        raise ConfigError(
            f"state: {printable(str(path))} cannot be used: {_reason(fault)}: give a directory in which the relay may"
            " write"
        ) from fault


def check_spool(path: Path) -> None:
    """Raise ConfigError for a spool whose folder cannot be made. One that is there is checked when it is opened."""
    try:
        if not path.is_dir():
            check_writable(path)
    except OSError as fault:
        from klvrelay.spool.disk.files import why_refused  # loaded here: few configurations need it

        raise ConfigError(f"path: {printable(str(path))}: {why_refused(fault)}") from fault


def check_log_file(path: str) -> None:
    """Raise ConfigError for a log file that cannot be opened or made."""
    try:
        if os.path.lexists(path):
            _open(path)
        else:
            _check_parent(path)
    except (OSError, ValueError) as fault:
        raise ConfigError(
            f"file: can't open {printable(path)}: {_reason(fault)}; choose another file, or leave it out to log to"
            " standard error"
        ) from None


def _check_parent(path: str) -> None:
    """Raise OSError if a file of this name cannot be made; its folder is not made for it."""
    os.stat(folder := os.path.dirname(path) or ".")
    check_writable(Path(folder))


def _open(path: str) -> None:
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError("not a regular file")
    finally:
        os.close(number)


def _reason(fault: Exception) -> str:
    return os.strerror(fault.errno) if isinstance(fault, OSError) and fault.errno else str(fault)
