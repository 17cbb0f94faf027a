"""Client ids. Detects two clients with the same one, which displace each other repeatedly, by how connections end."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from klvrelay.config.mqtt import MqttSettings

BRIEF = 10.0
"""Seconds: a connection that the broker closes sooner is brief."""
SUSPICIOUS = 3
"""Consecutive brief connections after which another client with the same id is the likely cause."""

LOG = logging.getLogger("klvrelay.sinks")


def client_id_of(settings: MqttSettings, boot: str) -> str:
    """The client id of the settings, or a random one: two sinks of one run with the same id would displace each other.
    """
    return settings.client_id or f"klvrelay-{boot[:8]}-{secrets.token_hex(2)}"


class TakeOver:
    """Observes the connections of one client id. Logs one error until a connection has lasted.

    An MQTT 5 broker may report a take-over (DISCONNECT with 0x8E). mosquitto 2.0.11 only closes the connection, as each
    broker of MQTT 3.1.1 does: then repeated closures soon after connecting are the only sign.
    """

    def __init__(self, url: str, client_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._client_id = client_id
        self._clock = clock
        self._since = 0.0
        self._brief = 0
        self._logged = False

    def begin(self) -> None:
        """A connection is established."""
        self._since = self._clock()

    def end(self, *, taken_over: bool, hung_up: bool) -> None:
        """The connection has ended. `taken_over`: so the broker reported. `hung_up`: the broker gave no reason."""
        if self._clock() - self._since >= BRIEF:
            self._brief, self._logged = 0, False
        else:
            self._brief = self._brief + 1 if hung_up else 0
        if taken_over:
            self._log("client id taken over", "give each client a different client_id")
        elif self._brief >= SUSPICIOUS:
            self._log(
                "connection ends soon after each connect",
                "another client may use the same client id: give each a different client_id",
            )

    def _log(self, what: str, advice: str) -> None:
        if not self._logged:
            self._logged = True
            LOG.error("%s: %s: client_id=%s advice=%r", self._url, what, self._client_id, advice)
