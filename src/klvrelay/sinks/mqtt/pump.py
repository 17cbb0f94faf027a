"""Moves bytes between the socket and paho as either is ready, in the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from paho.mqtt.client import MQTT_ERR_PROTOCOL, MQTT_ERR_SUCCESS
from paho.mqtt.client import Client as Paho

from klvrelay.sinks.mqtt.incoming import Incoming

_LOG = logging.getLogger("klvrelay.sinks")

LOOK = 1.0
"""Seconds between two looks at whether a ping is due."""


class Pump:
    """For one connection: paho's reads, writes and pings."""

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

    def expect_leftovers(self) -> None:
        """The session of the broker may have subscriptions of an earlier connection: their messages are dropped."""
        if self._incoming is not None:
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
        self.resume()
        self._look()

    def _look(self) -> None:
        """Ping where it is time; paho closes the socket where an answer is overdue."""
        if self._paho.loop_misc() == MQTT_ERR_SUCCESS:
            self._next_look = self._loop.call_later(LOOK, self._look)

    def _on_close(self, paho: Paho, data: Any, sock: Any) -> None:
        self._stop_writing(sock)
        if sock.fileno() >= 0:
            self._loop.remove_reader(sock.fileno())
        if self._next_look is not None:
            self._next_look.cancel()

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
        """There is something to write: at the end of this turn, together with what comes until then."""
        self._loop.call_soon(self._write)

    def _write(self) -> None:
        """Write what the socket takes; the rest when it takes more."""
        with contextlib.suppress(OSError):  # paho reports it by on_disconnect
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
