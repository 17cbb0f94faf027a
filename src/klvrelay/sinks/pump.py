"""Moves bytes between the socket and paho as either is ready, in the event loop; `link.py` owns it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import aiomqtt
from paho.mqtt.client import MQTT_ERR_PROTOCOL, MQTT_ERR_SUCCESS
from paho.mqtt.client import Client as Paho

from klvrelay.sinks.incoming import Incoming

_LOG = logging.getLogger(__name__)


class Pump:
    """For one connection: paho's reads and writes, instead of aiomqtt's."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._paho = paho = client._client
        self._incoming: Incoming | None = None
        self._reading = False
        paho.on_socket_open = self._on_open
        paho.on_socket_register_write = self._on_register_write

    def attach(self, incoming: Incoming) -> None:
        """The socket that paho is to have when it asks for one."""
        self._incoming = incoming
        self._paho._create_socket_connection = lambda: incoming  # type: ignore[method-assign, assignment, return-value]

    @property
    def greeted(self) -> bool:
        """Whether the first that came began as a CONNACK does."""
        return self._incoming is not None and self._incoming.greeted

    @property
    def violation(self) -> str | None:
        """What the broker did against the protocol, for which the connection was closed."""
        if self._incoming is None:
            return None
        # paho 2.1 does not say why it hung up: it did so at what it read, though the socket had not ended.
        choked = self._reading and not self._incoming.over
        return self._incoming.violation or ("a malformed packet" if choked else None)

    def expect_messages(self, topic: str) -> None:
        """A subscription is about to be asked for."""
        if self._incoming is not None:
            self._incoming.filters.append(topic.split("/"))
            self._incoming.requests += 1

    def expect_unsuback(self, topic: str) -> None:
        """The end of a subscription is about to be asked for; some of its messages may still be on their way."""
        if self._incoming is not None:
            self._incoming.requests += 1
            self._incoming.filters = [wanted for wanted in self._incoming.filters if wanted != topic.split("/")]
            self._incoming.unsubscribed = True

    def violate(self, what: str) -> None:
        """Let paho find the end of the connection next, because of `what` the broker sent."""
        if self._incoming is not None:
            self._incoming.violate(what)

    def pause(self) -> None:
        """Read no more for now."""
        if self._incoming is not None and (fd := self._incoming.fileno()) >= 0:
            self._loop.remove_reader(fd)

    def resume(self) -> None:
        """Read what comes."""
        if self._incoming is not None and (fd := self._incoming.fileno()) >= 0:
            self._loop.add_reader(fd, self._read, self._incoming)

    def _on_open(self, paho: Paho, data: Any, sock: Any) -> None:
        """aiomqtt would watch the descriptor a turn of the loop later, when it may be closed, or another's."""
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        """Read; aiomqtt sees to the pings."""
        self.resume()
        self._client._misc_task = self._loop.create_task(self._client._misc_loop())

    def _read(self, incoming: Incoming) -> None:
        """Read once; what concerns paho it takes at once."""
        incoming.take()
        self._reading = True
        try:
            while incoming.waiting and self._paho.loop_read() == MQTT_ERR_SUCCESS:
                pass
        except Exception as fault:  # noqa: BLE001 (paho meets a malformed packet with errors of many kinds)
            _LOG.debug("mqtt malformed packet fault=%s", type(fault).__name__)
            incoming.violate("a malformed packet")
            self._paho._loop_rc_handle(MQTT_ERR_PROTOCOL)
        finally:
            self._reading = False

    def _on_register_write(self, paho: Paho, data: Any, sock: Any) -> None:
        """For the same reason."""
        self._loop.call_soon_threadsafe(self._watch_writes, sock)

    def _watch_writes(self, sock: Any) -> None:
        if sock.fileno() >= 0 and self._paho.want_write():
            self._loop.add_writer(sock.fileno(), self._write)

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # paho tells of it by on_disconnect
            self._paho.loop_write()
