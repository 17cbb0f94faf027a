"""Checks of typed settings that need files or libraries. Who reads the settings chooses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from klvrelay.config.alerts import GeofenceSettings, NotifySettings
from klvrelay.config.entries import TableEntry
from klvrelay.config.faults import Faults
from klvrelay.config.settings import SourceSettings
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.web import WebSettings
from klvrelay.errors import ConfigError

T = TypeVar("T")


class Checks(NamedTuple):
    """They raise ConfigError; those from `geofence` on begin it with the key.

    source       can a source be opened, as far as that is known before it is?
    far_end      can the certificates of a sink be used, and are its libraries installed?
    web          can the certificate of the web server be used, and is its library installed?
    geofence     can its file be used?
    destination  can alerts be sent, as far as that is known before?
    log_file     can the file be opened?
    state        can the directory be used?
    spool        can the folder be made?
    """

    source: Callable[[SourceSettings], object] = lambda _: None
    far_end: Callable[[FarEndSettings], object] = lambda _: None
    web: Callable[[WebSettings], object] = lambda _: None
    geofence: Callable[[GeofenceSettings], object] = lambda _: None
    destination: Callable[[NotifySettings], object] = lambda _: None
    log_file: Callable[[str], object] = lambda _: None
    state: Callable[[Path], object] = lambda _: None
    spool: Callable[[Path], object] = lambda _: None


NO_CHECKS = Checks()


def note_fault(check: Callable[[T], Any], value: T, entry: TableEntry, faults: Faults) -> None:
    """Check a value of an entry. What is wrong is a fault of the key that it begins with."""
    try:
        check(value)
    except ConfigError as fault:
        named, _, text = str(fault).partition(": ")
        keys = next((one.keys for one in entry.table.settings if one.name == named), (named,))
        entry.add_fault(faults, entry.first_of(keys) or named, text)
