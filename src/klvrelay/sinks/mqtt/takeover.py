"""Two clients with one client id throw each other out again and again: found by how connections end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

BRIEF = 10.0
"""Seconds: a connection that the broker ended sooner was brief."""
SUSPICIOUS = 3
"""Brief connections in a row after which another client with the same id is the likely cause."""

LOG = logging.getLogger("klvrelay.sinks")


class TakeOver:
    """Watches the connections of one client id; logs one error until a connection has lasted.

    A broker of MQTT 5 may say why it ends a connection (DISCONNECT with 0x8E). mosquitto 2.0.11 just closes it, as a
    broker of 3.1.1 must: only that it happens again and again soon after connecting gives the cause away.
    """

    def __init__(self, url: str, client_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._client_id = client_id
        self._clock = clock
        self._since = 0.0
        self._brief = 0
        self._logged = False

    def begin(self) -> None:
        """A connection stands."""
        self._since = self._clock()

    def end(self, *, taken_over: bool, hung_up: bool) -> None:
        """It was ended: by a take-over, as the broker said, or without a word."""
        if self._clock() - self._since >= BRIEF:
            self._brief, self._logged = 0, False
        else:
            self._brief = self._brief + 1 if hung_up else 0
        if taken_over:
            self._log("mqtt client id taken over", "give each client its own client_id")
        elif self._brief >= SUSPICIOUS:
            self._log(
                "mqtt connection ends soon after each connect",
                "another client may use the same client id: give each its own client_id",
            )

    def _log(self, what: str, advice: str) -> None:
        if not self._logged:
            self._logged = True
            LOG.error("%s url=%s client_id=%s advice=%r", what, self._url, self._client_id, advice)
