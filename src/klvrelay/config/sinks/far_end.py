"""What the settings of all kinds of sinks have."""

from __future__ import annotations

from typing import Literal, Protocol

from klvrelay.json_output import Numbers

PublishBad = Literal["rejected", "telemetry", "drop"]


class FarEndSettings(Protocol):
    """Where a sink delivers to, and how it writes records. Frozen, and equal if all settings are equal.

    prefix       the first level or levels of topics, keys and subjects
    numbers      "safe": integers beyond 2^53 - 1 as strings in JSON
    publish_bad  what becomes of records with a bad checksum
    """

    @property
    def url(self) -> str:
        """The address for messages, without user, password and options."""

    @property
    def prefix(self) -> str: ...

    @property
    def numbers(self) -> Numbers: ...

    @property
    def publish_bad(self) -> PublishBad: ...
