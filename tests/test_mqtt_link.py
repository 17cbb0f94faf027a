"""The socket of an MQTT connection: partial writes, bounded memory, and its end; mostly in virtual time."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import Callable
from typing import Any

import pytest
import virtual_time
from cases import each_case
from certificates import certified

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.dialing.dial import dial
from klvrelay.sinks.mqtt.native.link import HIGH, LOW, Link

PIECE = bytes(1000)


class Stingy(socket.socket):
    """A socket whose kernel accepts few bytes at a time, often none; and which counts the writes."""

    accepts: Callable[[], int] = staticmethod(lambda: 1 << 20)
    writes = 0

    def send(self, data: Any, flags: int = 0) -> int:
        self.writes += 1
        count = self.accepts()
        if not count:
            raise BlockingIOError
        return super().send(data[:count], flags)


class Ends:
    """A link, its peer, and what was reported."""

    def __init__(self) -> None:
        ours, self.peer = socket.socketpair()
        self.peer.setblocking(False)
        self.sock = Stingy(ours.family, ours.type, ours.proto, ours.detach())
        self.sock.setblocking(False)
        self.data, self.ends, self.sent = b"", 0, 0
        self.link = Link(self.sock, self._on_data, self._on_sent, self._on_end)

    def _on_data(self, data: bytes) -> None:
        self.data += data

    def _on_sent(self) -> None:
        self.sent += 1

    def _on_end(self) -> None:
        self.ends += 1

    def read(self) -> bytes:
        """All that has arrived at the peer."""
        found = b""
        try:
            while part := self.peer.recv(1 << 16):
                found += part
        except BlockingIOError:
            pass
        return found

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    def __enter__(self) -> Ends:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.abort()
        self.peer.close()


@each_case("seed", range(20))
def test_all_bytes_arrive_in_order_however_few_the_kernel_accepts(seed):
    """Writes of any size are accepted in parts, or not now; `sent` says how many were."""

    async def main() -> None:
        chance = random.Random(seed)
        with Ends() as ends:
            ends.sock.accepts = lambda: chance.choice((0, 1, 3, 1000, 100_000))
            wanted = found = b""
            for _ in range(200):
                data = chance.randbytes(chance.choice((1, 4, 300, 5000)))
                wanted += data
                assert ends.link.write(data) == len(wanted)
                if chance.random() < 0.3:
                    ends.link.flush()
                if chance.random() < 0.5:
                    await asyncio.sleep(0)
                found += ends.read()
                assert ends.link.sent == len(found)
            assert await ends.link.finish(60)
            assert found + ends.read() == wanted
            assert ends.link.unsent == 0

    virtual_time.run(main())


def test_what_is_written_in_one_turn_is_one_call():
    """One call to the kernel for a batch, at the end of the turn or at `flush`."""

    async def main() -> list[int]:
        with Ends() as ends:
            for _ in range(20):
                ends.link.write(PIECE)
            assert ends.sock.writes == 0
            await ends.settle()
            first = ends.sock.writes
            for _ in range(20):
                ends.link.add(PIECE)
            ends.link.flush()
            assert ends.read() == PIECE * 40
            await ends.settle()
            return [first, ends.sock.writes, ends.sent]

    assert virtual_time.run(main()) == [1, 2, 2]


def test_publishing_waits_while_too_much_is_unsent():
    """From HIGH on there is no room, until less than LOW is unsent; all who wait continue."""

    async def main() -> None:
        with Ends() as ends:
            ends.sock.accepts = lambda: 0
            while not ends.link.full:
                ends.link.write(PIECE)
            assert HIGH < ends.link.unsent <= HIGH + len(PIECE)
            waiting = [asyncio.create_task(ends.link.room()) for _ in range(3)]
            await ends.settle()
            ends.sock.accepts = lambda: (ends.link.unsent - LOW) // 2
            await ends.settle()
            assert not any(task.done() for task in waiting)
            ends.sock.accepts = lambda: 1 << 20
            while not all(task.done() for task in waiting):
                ends.read()
                await asyncio.sleep(0)
            assert ends.link.unsent < LOW

    virtual_time.run(main())


def test_an_end_wakes_those_who_wait_for_room():
    """Nothing more will be sent."""

    async def main() -> None:
        with Ends() as ends:
            ends.sock.accepts = lambda: 0
            ends.link.write(bytes(HIGH + 1))
            waiting = asyncio.create_task(ends.link.room())
            await ends.settle()
            ends.peer.close()
            await asyncio.wait({waiting}, timeout=5)
            assert waiting.done()
            assert ends.ends == 1

    virtual_time.run(main())


@pytest.mark.parametrize("last", [b"", b"reason"])
def test_what_a_peer_sent_before_the_connection_broke_is_read(last):
    """A write fails, since the peer has closed; its last bytes may have the reason. The end is reported once."""

    async def main() -> tuple[bytes, int]:
        with Ends() as ends:
            ends.link.pause()  # the write is first
            ends.peer.send(last)
            ends.peer.close()
            ends.link.write(PIECE)
            await ends.settle()
            ends.link.resume()
            await ends.settle()
            return ends.data, ends.ends

    assert virtual_time.run(main()) == (last, 1)


def test_a_paused_link_does_not_read():
    """The bytes wait in the kernel until it continues."""

    async def main() -> list[bytes]:
        with Ends() as ends:
            ends.link.pause()
            ends.peer.send(b"abc")
            await ends.settle()
            seen = [ends.data]
            ends.link.resume()
            await ends.settle()
            return [*seen, ends.data]

    assert virtual_time.run(main()) == [b"", b"abc"]


def test_an_aborted_link_reports_nothing_and_writes_nothing():
    """Its socket is closed; later calls are harmless."""

    async def main() -> tuple[bytes, int]:
        with Ends() as ends:
            ends.link.write(PIECE)
            ends.link.abort()
            ends.link.write(PIECE)
            ends.link.flush()
            ends.link.resume()
            ends.link.abort()
            await ends.settle()
            assert ends.sock.fileno() < 0
            return ends.read(), ends.ends

    assert virtual_time.run(main()) == (b"", 0)


def test_finish_ends_in_time():
    """At the timeout if the peer does not read, and at once if it closes."""

    async def main() -> list[tuple[bool, float]]:
        found = []
        for closes in (False, True):
            with Ends() as ends:
                ends.link.write(bytes(4 << 20))  # more than the kernel holds
                if closes:
                    asyncio.get_running_loop().call_later(1.0, ends.peer.close)
                start = virtual_time.now()
                found.append((await ends.link.finish(3.0), virtual_time.now() - start))
        return found

    (slow, after), (closed, at) = virtual_time.run(main())
    assert (slow, closed) == (False, False)
    assert after == pytest.approx(3.0, abs=0.1)
    assert at == pytest.approx(1.0, abs=0.1)


@pytest.mark.needs("openssl")
async def test_with_tls_all_bytes_arrive_in_order_though_the_peer_reads_slowly(tmp_path):
    """A write that TLS could not do is repeated with the same bytes, though more were added meanwhile."""
    ca, server = certified(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server)
    received = asyncio.get_running_loop().create_future()

    async def read_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = b""
        while part := await reader.read(3000):
            data += part
            await asyncio.sleep(0)
        received.set_result(data)
        writer.close()

    listener = await asyncio.start_server(read_slowly, "127.0.0.1", 0, ssl=context, limit=4096)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        settings = MqttSettings(host="127.0.0.1", port=port, tls=True, ca_file=ca, timeout=5.0)
        sock = await dial(settings)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 15)
        link = Link(sock, lambda data: None, lambda: None, lambda: None)
        chance, wanted, blocked = random.Random(1), b"", False
        for _ in range(300):
            data = chance.randbytes(chance.choice((4, 700, 20_000)))
            wanted += data
            link.write(data)
            link.flush()
            blocked = blocked or link.unsent > 0
            await asyncio.sleep(0)
        assert await link.finish(20)
        await link.read_to_end(1.0)
        assert await asyncio.wait_for(received, 5) == wanted
        link.abort()

    assert blocked
