"""Moves bytes between the socket and paho in the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from paho.mqtt.client import MQTT_ERR_PROTOCOL, MQTT_ERR_SUCCESS
from paho.mqtt.client import Client as Paho

from klvrelay.sinks.mqtt.incoming import Incoming

LOG = logging.getLogger("klvrelay.sinks")

LOOK = 1.0
"""Seconds between two checks if a ping is due."""


class Pump:
    """The reads, writes and pings of paho for one connection."""

    def __init__(self, paho: Paho) -> None:
        self._loop = asyncio.get_running_loop()
        self._paho = paho
        self._incoming: Incoming | None = None
        self._reading = self._watching = False
        self._next_look: asyncio.TimerHandle | None = None
        paho.on_socket_open = self._on_open
        paho.on_socket_close = self._on_close
        paho.on_socket_register_write = self._on_register_write
        paho.on_socket_unregister_write = self._on_unregister_write

    def attach(self, incoming: Incoming) -> None:
        """Set the socket that paho uses."""
        self._incoming = incoming
        self._paho._create_socket_connection = lambda: incoming  # type: ignore[method-assign, assignment, return-value]

    @property
    def greeted(self) -> bool:
        """Was the first packet a CONNACK?"""
        return self._incoming is not None and self._incoming.greeted

    @property
    def violation(self) -> str | None:
        """How the broker violated the protocol, if the connection was closed for that."""
        if self._incoming is None:
            return None
        # paho 2.1 does not report why it disconnected: while reading, and before the end of the socket.
        malformed = self._reading and not self._incoming.over
        return self._incoming.violation or ("a malformed packet" if malformed else None)

    def expect_messages(self, topic: str) -> None:
        """A SUBSCRIBE is about to be sent."""
        if self._incoming is not None:
            self._incoming.expect_messages(topic)

    def expect_unsuback(self, topic: str) -> None:
        """An UNSUBSCRIBE is about to be sent. Messages of the topic may still arrive, and are discarded."""
        if self._incoming is not None:
            self._incoming.expect_unsuback(topic)

    def expect_leftovers(self) -> None:
        """The session may have subscriptions of an earlier connection: their messages are discarded."""
        if self._incoming is not None:
            self._incoming.unsubscribed = True

    def violate(self, what: str) -> None:
        """End the connection because of `what` the broker sent; paho finds the end at its next read."""
        if self._incoming is not None:
            self._incoming.violate(what)

    def pause(self) -> None:
        """Stop reading."""
        if self._incoming is not None and (fd := self._incoming.fileno()) >= 0:
            self._loop.remove_reader(fd)

    def resume(self) -> None:
        """Continue reading."""
        if self._incoming is not None and (fd := self._incoming.fileno()) >= 0:
            self._loop.add_reader(fd, self._read, self._incoming)

    def _on_open(self, paho: Paho, data: Any, sock: Any) -> None:
        self.resume()
        self._look()

    def _look(self) -> None:
        """Send a ping if one is due. paho closes the socket if an answer is overdue."""
        if self._paho.loop_misc() == MQTT_ERR_SUCCESS:
            self._next_look = self._loop.call_later(LOOK, self._look)

    def _on_close(self, paho: Paho, data: Any, sock: Any) -> None:
        self._stop_writing(sock)
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock.fileno())
        if self._next_look is not None:
            self._next_look.cancel()

    def _read(self, incoming: Incoming) -> None:
        """Read once, and have paho process its packets at once."""
        incoming.take()
        self._reading = True
        try:
            while incoming.waiting and self._paho.loop_read() == MQTT_ERR_SUCCESS:
                pass
        except Exception as fault:  # noqa: BLE001 (paho raises errors of many kinds for a malformed packet)
            LOG.debug("mqtt malformed packet fault=%s", type(fault).__name__)
            incoming.violate("a malformed packet")
            self._paho._loop_rc_handle(MQTT_ERR_PROTOCOL)
        finally:
            self._reading = False

    def _on_register_write(self, paho: Paho, data: Any, sock: Any) -> None:
        """paho has something to write: write it at the end of this turn of the loop, together with what follows."""
        self._loop.call_soon(self._write)

    def _write(self) -> None:
        """Write what the socket accepts, and the rest when it is writable again."""
        with contextlib.suppress(OSError):  # reported by on_disconnect
            self._paho.loop_write()
        sock: Any = self._paho.socket()
        if sock is not None and sock.fileno() >= 0 and self._paho.want_write() and not self._watching:
            self._watching = True
            self._loop.add_writer(sock.fileno(), self._write)

    def _on_unregister_write(self, paho: Paho, data: Any, sock: Any) -> None:
        self._stop_writing(sock)

    def _stop_writing(self, sock: Any) -> None:
        if self._watching and sock.fileno() >= 0:
            self._loop.remove_writer(sock.fileno())
        self._watching = False
