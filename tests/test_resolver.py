"""Name look-ups: an address needs none, and a name server that hangs delays no other host."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SourceDown
from klvrelay.sinks.dialing.dial import dial
from klvrelay.sources.open import open_source
from klvrelay.transports import resolver
from klvrelay.transports.http.reach import Reach
from klvrelay.transports.resolver import Resolver

ANSWER = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]


class NameServer:
    """Replaces `getaddrinfo`: names under `.hangs` hang until the end of the test, others are 127.0.0.1."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.at_once = self.most = 0
        self._over = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        with self._lock:
            self.asked.append(host)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            if host.endswith(".hangs"):
                self._over.wait(30)
            if host.endswith((".hangs", ".unknown")):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return list(ANSWER)
        finally:
            with self._lock:
                self.at_once -= 1

    def go_on(self) -> None:
        self._over.set()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server)
    yield server
    server.go_on()


@pytest.fixture
async def broker() -> Iterator[int]:
    """A port that accepts connections."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), ["127.0.0.1"], 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def until(true, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def dialled(host: str, port: int) -> None:
    settings = MqttSettings.from_url(f"mqtt://{host}:{port}", timeout=4.0)
    (await dial(settings)).close()


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("127.0.0.1", socket.AF_INET, ("127.0.0.1", 5000)),
        ("239.1.2.3", socket.AF_INET, ("239.1.2.3", 5000)),
        ("::1", socket.AF_INET6, ("::1", 5000, 0, 0)),
        ("fe80::1%lo", socket.AF_INET6, ("fe80::1", 5000, 0, socket.if_nametoindex("lo"))),
        ("fe80::1%7", socket.AF_INET6, ("fe80::1", 5000, 0, 7)),
    ],
)
async def test_an_address_is_not_looked_up(host, family, address, names: NameServer):
    """Neither a name server nor a thread is used."""
    before = threading.active_count()

    (found,) = await Resolver().resolve(host, 5000, timeout=1, kind=socket.SOCK_DGRAM)
    (again,) = Resolver().lookup(host, 5000, timeout=1, kind=socket.SOCK_DGRAM)

    assert found == again == (family, socket.SOCK_DGRAM, address)
    assert names.asked == []
    assert threading.active_count() == before


async def test_a_name_has_the_addresses_of_getaddrinfo(names: NameServer):
    """With the requested port and kind of socket."""
    assert await Resolver().resolve("far.example", 1883, timeout=2) == [
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 1883))
    ]


async def test_a_broker_at_an_address_is_reached_while_every_source_waits_for_its_name(names: NameServer, broker: int):
    """Sources on more hosts than there are threads, and the broker is connected at once, without a look-up."""
    count = resolver.THREADS + 8
    urls = [f"{('tcp', 'udp', 'srt', 'http')[n % 4]}://cam{n}.hangs:9000" for n in range(count)]
    sources = [open_source(url, timeout=20) for url in urls]
    waiting = [asyncio.create_task(anext(source.packets()), name=str(source.url)) for source in sources]
    try:
        await until(lambda: names.at_once == resolver.THREADS)
        begun = time.monotonic()
        await dialled("127.0.0.1", broker)
        await dialled("broker.example", broker)
        took = time.monotonic() - begun
        assert names.most == resolver.THREADS + 1  # the broker's name did not wait for a source's thread
    finally:
        names.go_on()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    assert took < 2


async def test_a_source_at_an_address_is_read_while_others_wait_for_their_names(names: NameServer, broker: int):
    """Its connection is made at once."""
    waiting = [
        asyncio.create_task(resolver.SOURCES.resolve(f"cam{n}.hangs", 1, timeout=20)) for n in range(resolver.THREADS)
    ]
    await until(lambda: names.at_once == resolver.THREADS)
    try:
        async with asyncio.timeout(2):
            with pytest.raises(Exception, match="empty"):  # the far end closes: the connection was made
                await anext(open_source(f"tcp://127.0.0.1:{broker}", timeout=20).packets())
            Reach().connect(("127.0.0.1", broker), 1).close()
    finally:
        names.go_on()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_one_look_up_of_a_host_serves_all_callers(names: NameServer):
    """Ten callers, on the loop and in threads: the library is called once, and all get its result."""
    found = Resolver(4)
    tasks = [asyncio.create_task(found.resolve("cam.hangs", n, timeout=5)) for n in range(8)]
    tasks += [asyncio.create_task(asyncio.to_thread(found.lookup, "cam.hangs", n, timeout=5)) for n in range(2)]
    await until(lambda: found._known and found._known["cam.hangs"].waiting == 10)
    names.go_on()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert names.asked == ["cam.hangs"]
    assert all(isinstance(result, socket.gaierror) for result in results)


async def test_a_cancelled_caller_leaves_the_look_up_to_the_others(names: NameServer):
    """One is cancelled, one times out: the third still gets the result, and none waited for another."""
    found = Resolver()
    cancelled = asyncio.create_task(found.resolve("cam.hangs", 1, timeout=20))
    patient = asyncio.create_task(found.resolve("cam.hangs", 2, timeout=20))
    await until(lambda: names.at_once == 1)
    begun = time.monotonic()
    with pytest.raises(socket.gaierror, match="no answer"):
        await found.resolve("cam.hangs", 3, timeout=0.05)
    with pytest.raises(socket.gaierror, match="no answer"):
        await asyncio.to_thread(found.lookup, "cam.hangs", 3, timeout=0.05)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert time.monotonic() - begun < 2
    assert not patient.done()
    names.go_on()

    with pytest.raises(socket.gaierror, match="not known"):
        await patient
    assert names.asked == ["cam.hangs"]


async def test_the_threads_are_bounded_and_abandoned_look_ups_are_skipped(names: NameServer):
    """Two threads, six hosts that hang: two are looked up; those whose callers gave up meanwhile never are."""
    found = Resolver(2)
    waiting = [asyncio.create_task(found.resolve(f"cam{n}.hangs", 1, timeout=20)) for n in range(6)]
    await until(lambda: len(found._known) == 6 and names.at_once == 2)
    for task in waiting[2:5]:
        task.cancel()
    await asyncio.wait(waiting[2:5])
    names.go_on()
    await asyncio.gather(*waiting, return_exceptions=True)
    await until(lambda: not found._running)

    assert names.most == 2
    assert sorted(names.asked) == ["cam0.hangs", "cam1.hangs", "cam5.hangs"]
    assert not found._known


async def test_a_host_is_looked_up_again_after_its_result(names: NameServer):
    """Nothing is cached: a host that moves is found."""
    found = Resolver()
    for _ in range(2):
        await found.resolve("far.example", 1, timeout=2)

    assert names.asked == ["far.example"] * 2


async def test_an_unexpected_fault_of_a_look_up_ends_no_other(monkeypatch):
    """It reaches the caller; the thread is free for the next host."""

    def fail(*_, **__):
        raise MemoryError

    found = Resolver(1)
    for _ in range(3):
        monkeypatch.setattr(socket, "getaddrinfo", fail)
        with pytest.raises(MemoryError):
            await found.resolve("a.example", 1, timeout=2)
    monkeypatch.setattr(socket, "getaddrinfo", NameServer())

    assert (await found.resolve("b.example", 1, timeout=2))[0].host == "127.0.0.1"


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..b"])
async def test_an_invalid_name_is_unknown(host):
    """An empty label or one of more than 63 octets gives the same error as an unknown name."""
    with pytest.raises(socket.gaierror):
        await Resolver().resolve(host, 1, timeout=5)


@pytest.mark.parametrize("url", ["tcp://cam.unknown:1", "udp://cam.unknown:1", "srt://cam.unknown:1"])
async def test_an_unknown_name_is_reported_as_such(url, names: NameServer):
    """With the name, so that its spelling can be checked."""
    with pytest.raises(SourceDown, match=r"unknown host name cam\.unknown"):
        await anext(open_source(url, timeout=2).packets())


@pytest.mark.parametrize("proxy", ["", "http://proxy.hangs:3128"])
async def test_a_web_server_whose_name_server_hangs_is_down_after_the_timeout(proxy, names: NameServer, monkeypatch):
    """For its own name or that of its proxy: the thread of the source does not wait longer."""
    if proxy:
        monkeypatch.setenv("http_proxy", proxy)
    begun = time.monotonic()
    with pytest.raises(SourceDown, match="name"):
        await anext(open_source("http://web.hangs/live.ts", timeout=0.2).packets())

    assert time.monotonic() - begun < 3
    assert names.asked == ["proxy.hangs" if proxy else "web.hangs"]
