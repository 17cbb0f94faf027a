"""UDP: a datagram for each event, to a group such as 239.2.3.1:6969 or to a client. There is no acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from klvrelay.config.sinks.cot import CotSettings
from klvrelay.errors import SinkDown
from klvrelay.sinks.cot.conversion import EventConversion
from klvrelay.sinks.cot.event_protobuf import event_datagram
from klvrelay.sinks.cot.event_xml import event_xml
from klvrelay.sinks.dialing.datagram_socket import DatagramSocket
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, UNWANTED


class TakDatagrams:
    """One address. Its contract is `FarEnd`. A record counts as delivered when the kernel has taken all its events."""

    detail = ""

    def __init__(self, settings: CotSettings) -> None:
        self.url = settings.url
        self._conversion = EventConversion(settings)
        self._written = event_xml if settings.tak_protocol == "xml" else event_datagram
        self._socket = DatagramSocket(settings)

    async def open(self) -> None:
        """Open a socket. Raises SinkDown for an unknown host or interface."""
        await self._socket.open()

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Send the events. A record without any is UNWANTED. Raises SinkDown."""
        return [await self._send(one) for one in publications]

    async def _send(self, publication: Publication) -> int:
        sent = [await self._socket.send(self._written(event)) for event in self._conversion.of(publication)]
        return UNWANTED if not sent else DELIVERED if all(sent) else LEFT_OUT

    async def lost(self) -> SinkDown:
        """A datagram socket has no connection that can be lost."""
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close the socket."""
        self._socket.close()
