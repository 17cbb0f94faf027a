"""The identity of a spool, in `spool.json`: its version, its random id, and the relay that owns it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.json_output import dumps
from klvrelay.spool.disk.files import Folder
from klvrelay.spool.disk.format import HEADER_SIZE, ID_SIZE, VERSION, new_id, read_header
from klvrelay.spool.disk.segment_files import NAME

FILE = "spool.json"


class Identity(NamedTuple):
    """The identity of a spool that exists.

    version   of its format
    relay     name of the relay that owns it; None if `spool.json` is damaged or absent
    """

    id: bytes
    version: int
    relay: str | None


def identify(folder: Folder, relay: str, others: Sequence[str] = ()) -> Identity:
    """The identity of the spool in this folder. An empty folder gets a new id; a lost one is read from the segments.

    relay    its owner, if it is new
    others   further owners that are accepted

    Raises ConfigError for a spool of another version or relay, and OSError.
    """
    names = folder.names()
    known = _read(folder) if FILE in names else None
    if known is None:
        spool = _id_of_segments(folder, names) or new_id()
        _write(folder, {"version": VERSION, "id": spool.hex(), "relay": relay})
        return Identity(spool, VERSION, relay)
    if known["version"] != VERSION:
        raise ConfigError(
            f"spool of version {known['version']}, this klvrelay uses {VERSION}: choose another folder, or deliver its"
            " records with the klvrelay that wrote it"
        )
    if known["relay"] not in (relay, *others):
        raise ConfigError(
            f"spool of a relay with topic prefix {known['relay']!r}, this one has {relay!r}: choose another folder,"
            " or use that prefix"
        )
    return Identity(bytes.fromhex(known["id"]), VERSION, known["relay"])


def find_identity(folder: Folder) -> Identity | None:
    """The identity, read only: from `spool.json`, or else from the segments; None if there is neither."""
    names = folder.names()
    known = _read(folder) if FILE in names else None
    if known is not None:
        return Identity(bytes.fromhex(known["id"]), known["version"], str(known["relay"]))
    spool = _id_of_segments(folder, names)
    return None if spool is None else Identity(spool, VERSION, None)


def _read(folder: Folder) -> dict[str, Any] | None:
    """None if the file is damaged."""
    file = folder.open(FILE)
    try:
        known = json.loads(file.read(file.size(), 0))
        if len(bytes.fromhex(known["id"])) == ID_SIZE and {"version", "relay"} <= known.keys():
            return dict(known)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    finally:
        file.close()
    return None


def _write(folder: Folder, known: dict[str, Any]) -> None:
    new = FILE + ".new"
    file = folder.open(new, create=True)
    try:
        file.write(dumps(known) + b"\n", 0)
        file.sync()
    finally:
        file.close()
    folder.rename(new, FILE)
    folder.sync()


def _id_of_segments(folder: Folder, names: Sequence[str]) -> bytes | None:
    """The id in the first valid header of a segment."""
    for name in filter(NAME.fullmatch, sorted(names)):
        file = folder.open(name)
        try:
            header = read_header(file.read(HEADER_SIZE, 0))
        finally:
            file.close()
        if header is not None:
            return header.spool
    return None
