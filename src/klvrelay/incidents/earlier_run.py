"""What an earlier run left: when and how it ended, and its open incidents."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from klvrelay.incidents import database
from klvrelay.incidents.alive import LastBeat
from klvrelay.incidents.incident import Incident

MESSAGES = {
    None: "the relay did not run: its process was killed, or the machine stopped",
    "failed": "the relay did not run: it had ended with an error",
}
"""Of the incidents of a relay that did not run. What was stopped, or had reached the end of its files, is none."""


class Earlier(NamedTuple):
    """The open incidents of earlier runs: those of the relay, and all others."""

    of_relay: list[Incident]
    others: list[Incident]


def message_of(last: LastBeat | None) -> str | None:
    """Why the relay did not run before this start; None if that was no incident."""
    return None if last is None else MESSAGES.get(last.how)


def read_earlier(connection: sqlite3.Connection, run: str, last: LastBeat | None) -> Earlier:
    """Set the end of the earlier runs, and read their open incidents. Raises sqlite3.Error."""
    if last is not None and last.run != run:
        database.close_runs(connection, last.run, last.at.us, last.how, run)
    else:
        database.close_runs(connection, "", None, None, run)
    found = [each for each in database.select_open(connection) if each.run != run]
    return Earlier([each for each in found if each.subject == "relay"], [e for e in found if e.subject != "relay"])
