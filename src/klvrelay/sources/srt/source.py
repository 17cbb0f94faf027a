"""srt:// sources: MPEG-TS or KLV over a connection that retransmits lost packets.

libsrt receives on its own threads; the event loop fetches what is due, a few milliseconds' worth at a time. A thread
that waits in libsrt would cost as much and save 2 ms of a latency of 120 ms; but it could outlive the source, and
delay the end of the process.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing

from klvrelay.config.url import Url
from klvrelay.core.carriage import blank_before
from klvrelay.errors import NotMedia, SourceDown
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.recordings.sniff import sniff
from klvrelay.sources.progress import progress
from klvrelay.text import Secret
from klvrelay.transports.arrival_clock import now_us
from klvrelay.transports.libsrt import ConnectionLost, SrtCounts, SrtMessage, SrtSocket, library
from klvrelay.transports.srt import SrtSettings, open_socket

PAUSE = 0.005
"""Seconds between two fetches."""
MOST = 3072
"""Maximum messages that wait for the reader: 4 MB, 6 s of a stream of 5 Mbit/s."""
TOGETHER_US = 10_000
"""Messages due within this time form one packet."""
CLOCK_STEP_US = 2_000
"""Offset between the wall clock and libsrt's that counts as a step."""
_NUMBERS = (1 << 31) - 1


class SrtSource:
    """The bytes of one SRT connection, until the far end disconnects."""

    live = True
    fixed = False

    def __init__(self, url: Url, *, timeout: float, passphrase: Secret | None = None) -> None:
        self.url = url
        self.dropped = 0
        self._settings = SrtSettings.of(url, passphrase)
        library()  # report a missing libsrt before anything starts
        self._timeout = timeout
        self._link = LinkStats()
        self._sock: SrtSocket | None = None
        self._counted = SrtCounts(0, 0, 0, 0.0)

    @property
    def link(self) -> LinkStats:
        """Transport statistics of all its connections."""
        self._count()
        return self._link

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """One packet per fetch; raises SourceDown when the far end disconnects or is silent too long.

        A listener waits for its caller without limit. A packet's `received_us` is when its first byte was due.
        """
        progress().opened = self._settings.mode == "listener"
        try:
            sock = await open_socket(self._settings, self._timeout)
        except ConnectionLost as fault:
            raise SourceDown(f"{self.url}: {fault}") from None
        progress().opened = True
        self._sock, self._counted = sock, SrtCounts(0, 0, 0, 0.0)
        try:
            async with aclosing(self._sniffed(sock)) as packets:
                async for packet in packets:
                    yield packet
        except ConnectionLost as fault:
            raise SourceDown(f"{self.url}: {fault}") from None
        finally:
            self._count()
            self._sock = None
            sock.close()

    async def _sniffed(self, sock: SrtSocket) -> AsyncGenerator[Packet, None]:
        """The packets of a connection, once its content is known."""
        taken: list[Packet] = []
        async with aclosing(self._pieces(sock)) as pieces, aclosing(_heads(pieces, taken)) as heads:
            carriage, _ = await sniff(self.url, heads)
            if carriage is None:
                raise NotMedia(f"{self.url} sends neither MPEG-TS nor KLV")
            for piece in taken:
                yield piece._replace(carriage=carriage)
            async for piece in pieces:
                yield piece._replace(carriage=carriage)

    async def _pieces(self, sock: SrtSocket) -> AsyncGenerator[Packet, None]:
        """The received data in sending order; an empty damaged packet marks a gap."""
        received = _ReceivedMessages(sock)
        last_data = time.monotonic()
        while True:
            self._link.datagrams += received.fetch()
            self._count()
            self.dropped += received.dropped
            for piece in received.pieces():
                last_data = time.monotonic()
                self._link.size += len(piece.data)
                yield piece
            if received.fault is not None:
                raise received.fault
            if time.monotonic() - last_data > self._timeout:
                raise ConnectionLost(f"sent nothing for {self._timeout:g} s")
            await asyncio.sleep(PAUSE)

    def _count(self) -> None:
        """Add to `link` what libsrt has counted since."""
        now = self._sock.counts() if self._sock else None
        if now is None:
            return
        link, before, self._counted = self._link, self._counted, now
        link.srt_lost += now.lost - before.lost
        link.srt_retransmitted += now.retransmitted - before.retransmitted
        link.srt_dropped += now.dropped - before.dropped
        link.srt_rtt_ms = now.rtt_ms


async def _heads(pieces: AsyncIterator[Packet], taken: list[Packet]) -> AsyncGenerator[bytes, None]:
    """The bytes of the pieces without leading zeros; the pieces are appended to `taken`."""
    async for piece in pieces:
        if all(blank_before(kept.data) == len(kept.data) for kept in taken):
            taken.clear()
        taken.append(piece)
        if piece.data:
            yield bytes(piece.data)


class _ReceivedMessages:
    """Messages that were fetched but not yet yielded; the newest wins.

    dropped  messages dropped by the last fetch
    fault    why no more will arrive
    """

    def __init__(self, sock: SrtSocket) -> None:
        self.dropped = 0
        self.fault: ConnectionLost | None = None
        self._sock = sock
        self._messages: deque[SrtMessage] = deque()
        self._next: int | None = None
        self._epoch = 0

    def fetch(self) -> int:
        """Fetch all messages that are due, and return their number; never waits."""
        self.dropped = count = 0
        self._set_epoch()
        try:
            while (message := self._sock.receive()) is not None:
                count += 1
                self._messages.append(message)
                if len(self._messages) > MOST:
                    self._messages.popleft()
                    self.dropped += 1
        except ConnectionLost as fault:
            self.fault = fault
        return count

    def _set_epoch(self) -> None:
        """Set the wall-clock time of libsrt's epoch; a difference smaller than a step is our own delay."""
        epoch = now_us() - self._sock.now_us
        if abs(epoch - self._epoch) > CLOCK_STEP_US:
            self._epoch = epoch

    def pieces(self) -> Iterator[Packet]:
        """The fetched messages: one packet for those due together without a gap."""
        while self._messages:
            first = last = self._messages.popleft()
            due = self._epoch + first.due_us
            if self._next is not None and first.number != self._next:
                yield Packet(b"", due, damaged=True)
            found = [first.data]
            while self._messages and _goes_with(self._messages[0], first, last):
                last = self._messages.popleft()
                found.append(last.data)
            self._next = _after(last)
            yield Packet(b"".join(found), due)


def _after(message: SrtMessage) -> int:
    return message.number + 1 & _NUMBERS


def _goes_with(message: SrtMessage, first: SrtMessage, last: SrtMessage) -> bool:
    return message.number == _after(last) and message.due_us - first.due_us <= TOGETHER_US
