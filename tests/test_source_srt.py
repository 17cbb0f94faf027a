"""srt:// with real peers: both directions, all modes, and every way in which a peer disconnects."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import aclosing

import feed
import pytest
from cases import each_case
from descriptors import open_descriptors
from srt_peers import Heard, hear, transmitter

from klvrelay import sample
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, NotMedia, SourceDown
from klvrelay.sending.srt import SrtDestination
from klvrelay.sources.open import open_source
from klvrelay.sources.srt import source as srt
from klvrelay.text import Secret
from klvrelay.transports import libsrt

TAPE = feed.recording(count=63, filler=2)
PIECES = feed.datagrams(TAPE.ts)
PASSPHRASE = "c4n4ry-s3cret"
LATENCY = "latency=40"
live_transmit = pytest.mark.needs("libsrt", "srt-live-transmit")
loaded = pytest.mark.needs("libsrt")

# The URL of klvrelay, and that of srt-live-transmit.
MODES = {
    "listener": ("srt://:{port}?{x}", "srt://127.0.0.1:{port}?{x}"),
    "caller": ("srt://127.0.0.1:{port}?{x}", "srt://:{port}?mode=listener&{x}"),
    "rendezvous": (
        "srt://127.0.0.2:{port}?mode=rendezvous&localaddr=127.0.0.1&{x}",
        "srt://127.0.0.1:{port}?mode=rendezvous&adapter=127.0.0.2&{x}",
    ),
}


def local(port, **options):
    """The local address."""
    return f"srt://127.0.0.1:{port}?" + "&".join(f"{k}={v}" for k, v in {"mode": "listener", **options}.items())


async def ended(source, heard=None, within=10):
    """Read to the end, and return the error text."""
    with pytest.raises(SourceDown) as down:
        await hear(source, 1 << 30, heard, within)
    return str(down.value)


@live_transmit
@pytest.mark.parametrize("extra", [LATENCY, f"{LATENCY}&passphrase={PASSPHRASE}&pbkeylen=32"], ids=["open", "secret"])
@pytest.mark.parametrize("mode", MODES)
async def test_srt_live_transmit_is_received(mode, extra, free_port):
    """As listener, caller and in rendezvous, encrypted or not: every record, once, in order."""
    ours, theirs = (url.format(port=free_port, x=extra) for url in MODES[mode])
    source = open_source(ours)

    async with transmitter(theirs, PIECES):
        heard = await hear(source, len(TAPE.klv))

    assert heard.klv == TAPE.klv
    assert TAPE.ts.startswith(heard.data)
    assert source.link.size == len(heard.data) == 1316 * source.link.datagrams
    assert (source.link.srt_dropped, source.dropped) == (0, 0)
    assert 0 < source.link.srt_rtt_ms < 1000
    stamps = [packet.received_us for packet in heard.packets]
    assert stamps == sorted(stamps)
    assert 0 <= time.time_ns() // 1000 - stamps[0] < 10_000_000


@pytest.mark.needs("libsrt", "ffmpeg")
@pytest.mark.parametrize("listens", [True, False], ids=["listener", "caller"])
async def test_ffmpeg_is_received(listens, free_port, tmp_path):
    """Video and KLV in real time, in both call directions: the KLV in order, from the first packet on."""
    path = tmp_path / "orbit.ts"
    made = sample.write(path, seconds=2, size="160x96", fps=15)
    host = "" if listens else "127.0.0.1"
    source = open_source(f"srt://{host}:{free_port}?{LATENCY}&streamid=uav&passphrase={PASSPHRASE}")
    theirs = f"srt://127.0.0.1:{free_port}?passphrase={PASSPHRASE}&latency=40000"
    theirs += "&streamid=uav" if listens else "&mode=listener"

    heard = Heard()
    for _ in range(3):  # once ffmpeg has accepted a call it listens no more: a repeated handshake is then refused
        async with feed.ffmpeg(path, "-f", "mpegts", theirs):
            said = await ended(source, heard)
        if heard.klv or listens:
            break

    assert "the far end disconnected" in said
    first = await hear(open_source(str(path)), made.packets)
    # ffmpeg closes after the last byte: data held for the latency is then lost
    assert made.packets - 6 <= len(heard.klv)
    assert heard.klv == first.klv[: len(heard.klv)]


@loaded
async def test_two_klvrelay_sources_meet_in_a_rendezvous(free_port):
    """Neither listens; each calls from the port that the other calls."""
    source = open_source(f"srt://127.0.0.2:{free_port}?mode=rendezvous&localaddr=127.0.0.1")
    sender = SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}?mode=rendezvous&localaddr=127.0.0.2"), timeout=5)

    async with asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(hear(source, len(TAPE.klv)))
        async with sender:
            for piece in PIECES:
                await sender.send(piece)

    assert hearing.result().klv == TAPE.klv


@loaded
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("[::1]:{}?mode=listener", "[::1]:{}"), ("[::]:{}?mode=listener", "127.0.0.1:{}"), (":{}", "localhost:{}")],
    ids=["IPv6", "both", "a name"],
)
async def test_addresses_of_both_kinds_are_called(ours, theirs, free_port):
    """IPv6 as well as IPv4; a name with both is called by IPv4, on which SRT programs listen by default."""
    source = open_source("srt://" + ours.format(free_port))

    async with asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(hear(source, len(TAPE.klv)))
        async with SrtDestination(Url.parse("srt://" + theirs.format(free_port)), timeout=5) as sender:
            for piece in PIECES:
                await sender.send(piece)

    assert hearing.result().klv == TAPE.klv


@loaded
async def test_klv_without_a_container_is_recognised(free_port):
    """Bare KLV packets work over SRT too."""
    source = open_source(local(free_port))

    async with asyncio.TaskGroup() as tasks:
        hearing = tasks.create_task(hear(source, len(TAPE.klv)))
        async with SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}"), timeout=5) as sender:
            for piece in feed.datagrams(TAPE.bare, 1000):
                await sender.send(piece)

    assert hearing.result().klv == TAPE.klv
    assert {packet.carriage for packet in hearing.result().packets} == {"klv"}


@loaded
async def test_other_bytes_are_not_media(free_port):
    """Other data is reported as such."""
    source = open_source(local(free_port))
    task = asyncio.create_task(hear(source, 1))
    async with SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}"), timeout=5) as sender:
        for _ in range(300):
            await sender.send(b"hello, world" * 100)

    with pytest.raises(NotMedia, match="neither MPEG-TS nor KLV"):
        await task


@loaded
async def test_a_call_without_an_answer_ends(free_port):
    """It ends after the timeout, and the error says what to check."""
    begun = time.monotonic()

    said = await ended(open_source(f"srt://127.0.0.1:{free_port}", timeout=0.3))

    assert said == f"srt://127.0.0.1:{free_port}: no response within 0.3 s: check host and port, and that it listens"
    assert time.monotonic() - begun < 1


@loaded
async def test_an_unknown_host_is_reported():
    """An unresolvable name is a SourceDown, not a traceback."""
    assert "unknown host name no-such-host.invalid" in await ended(open_source("srt://no-such-host.invalid:5000"))


@loaded
async def test_a_port_in_use_is_reported(free_port):
    """The source cannot listen on another program's port."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", free_port)
    )
    try:
        assert "already in use" in await ended(open_source(local(free_port)))
    finally:
        transport.close()


@live_transmit
@pytest.mark.parametrize(
    ("ours", "says"),
    [("another-passphrase", "the passphrase is wrong"), ("", "only one side has a passphrase")],
    ids=["wrong", "none"],
)
async def test_a_wrong_passphrase_is_reported(ours, says, free_port):
    """The far end refuses the call, and the reason shows no passphrase."""
    source = open_source(f"srt://127.0.0.1:{free_port}", passphrase=Secret(ours) if ours else None)
    async with transmitter(f"srt://:{free_port}?passphrase={PASSPHRASE}"):
        await feed.listening(free_port)

        said = await ended(source)

    assert said == f"srt://127.0.0.1:{free_port}: the far end rejected the connection: {says}"


@live_transmit
@pytest.mark.parametrize(
    ("wants", "other"),
    [
        (f"passphrase={PASSPHRASE}", "passphrase=another-passphrase"),
        ("streamid=#!::r=uav7,m=publish", "streamid=uav8"),
    ],
    ids=["another passphrase", "another stream"],
)
async def test_a_refused_caller_does_not_block_a_valid_one(wants, other, free_port):
    """A listener disconnects it, waits on, and accepts a caller with the passphrase and the stream id."""
    source = open_source(f"{local(free_port, latency=40)}&{wants}")
    hearing = asyncio.create_task(hear(source, len(TAPE.klv), within=30))
    await feed.listening(free_port)

    others = feed.datagrams(feed.recording(count=9).ts)
    async with transmitter(f"srt://127.0.0.1:{free_port}?{other}", others, pause=0.02) as refused:
        await asyncio.wait_for(refused.wait(), 15)
    assert not hearing.done()
    async with transmitter(f"srt://127.0.0.1:{free_port}?{LATENCY}&{wants}", PIECES):
        heard = await hearing

    assert heard.klv == TAPE.klv


@live_transmit
async def test_a_listener_serves_one_caller_at_a_time(free_port):
    """Meanwhile another is refused, and does no harm."""
    heard = Heard()
    source = open_source(local(free_port, latency=40))
    hearing = asyncio.create_task(hear(source, len(TAPE.klv), heard))
    await feed.listening(free_port)
    async with transmitter(f"srt://127.0.0.1:{free_port}?{LATENCY}", PIECES, pause=0.01):
        while not heard.packets:
            await asyncio.sleep(0.005)
        async with transmitter(f"srt://127.0.0.1:{free_port}?{LATENCY}", feed.datagrams(feed.recording(count=9).ts)):
            await hearing

    assert heard.klv == TAPE.klv


@live_transmit
@pytest.mark.parametrize(
    ("number", "timeout", "says"),
    [
        (signal.SIGTERM, 60.0, "the far end disconnected"),
        (signal.SIGKILL, 1.0, "sent nothing for 1 s"),
        (signal.SIGSTOP, 1.0, "sent nothing for 1 s"),
    ],
    ids=["ended", "killed", "frozen"],
)
async def test_a_far_end_that_disconnects_is_noticed(number, timeout, says, free_port):
    """Without the timeout where it hangs up, by the timeout where it is killed or frozen."""
    heard, source = Heard(), open_source(local(free_port, latency=40), timeout=timeout)
    ending = asyncio.create_task(ended(source, heard))
    await feed.listening(free_port)

    async with transmitter(f"srt://127.0.0.1:{free_port}?{LATENCY}", PIECES) as peer:
        while len(heard.klv) < len(TAPE.klv) - 1:
            assert not ending.done(), ending.result()
            await asyncio.sleep(0.005)
        peer.send_signal(number)
        assert says in await ending


@live_transmit
async def test_a_silent_far_end_is_disconnected(free_port):
    """A connection that is up but silent for `timeout` seconds is replaced."""
    source = open_source(local(free_port, latency=40), timeout=0.4)
    ending = asyncio.create_task(ended(source))
    await feed.listening(free_port)

    async with transmitter(f"srt://127.0.0.1:{free_port}?{LATENCY}"):
        said = await ending

    assert "sent nothing for 0.4 s" in said


@live_transmit
async def test_the_same_port_is_open_for_the_next_caller(free_port):
    """A relay that asks for the packets again gets them, any number of times; the link counts on."""
    source = open_source(local(free_port, latency=40))
    for turn in range(1, 4):
        hearing = asyncio.create_task(hear(source, len(TAPE.klv)))
        await feed.listening(free_port)
        async with transmitter(f"srt://127.0.0.1:{free_port}?{LATENCY}", PIECES):
            assert (await hearing).klv == TAPE.klv
        assert source.link.datagrams == turn * len(hearing.result().data) // 1316


@loaded
async def test_a_slow_reader_gets_the_newest_packets(free_port, monkeypatch):
    """The queue is bounded: the oldest is dropped, counted, and leaves a mark at its place."""
    monkeypatch.setattr(srt, "MOST", 20)
    source, got, sent, over = open_source(local(free_port, latency=40)), [], asyncio.Event(), asyncio.Event()

    async def send():
        async with SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}?{LATENCY}"), timeout=5) as sender:
            for piece in PIECES:
                await sender.send(piece)
                await asyncio.sleep(0.001)
            sent.set()
            await over.wait()

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks, aclosing(source.packets()) as packets:
        sending = tasks.create_task(send())
        got.append(await anext(packets))
        await sent.wait()  # the reader is busy with something else
        await asyncio.sleep(1)  # and all that was sent has arrived and is due
        async for packet in packets:
            got.append(packet)
            if packet.data and TAPE.ts.endswith(packet.data[-1316:]):
                break
        over.set()
        await sending  # it waits until all has arrived, which needs the reader

    read = b"".join(packet.data for packet in got[1:])
    assert len(read) == 20 * 1316
    assert TAPE.ts.endswith(read)
    assert source.dropped == len(PIECES) - 20 - len(got[0].data) // 1316
    assert [place for place, packet in enumerate(got) if packet.damaged] == [1]


@loaded
async def test_a_stamp_is_the_due_time_however_late_it_is_read(free_port):
    """A busy reader gets the arrival time of each packet, not the reading time."""
    source, got, over = open_source(local(free_port, latency=40)), [], asyncio.Event()
    sent = []

    async def send():
        async with SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}?{LATENCY}"), timeout=5) as sender:
            for piece in PIECES[:12]:
                sent.append(time.time_ns() // 1000)
                await sender.send(piece)
                await asyncio.sleep(0.03)
            await over.wait()

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks, aclosing(source.packets()) as packets:
        sending = tasks.create_task(send())
        got.append(await anext(packets))
        await asyncio.sleep(0.5)
        async for packet in packets:
            got.append(packet)
            if len(got) == 12:
                break
        over.set()
        await sending  # it waits until all has arrived, which needs the reader

    ages = [(packet.received_us - begun) / 1000 for packet, begun in zip(got, sent, strict=True)]
    assert all(40 <= age < 80 for age in ages), ages


@loaded
@pytest.mark.parametrize("query", ["mode=listener", "mode=caller", "mode=rendezvous&localaddr=127.0.0.1"])
async def test_a_source_that_waits_can_be_cancelled_at_once(query, free_port):
    """Whatever it waits for; and the port can be used again."""
    host = "127.0.0.2" if "rendezvous" in query else "127.0.0.1"
    task = asyncio.create_task(hear(open_source(f"srt://{host}:{free_port}?{query}"), 1))
    await asyncio.sleep(0.05)

    begun = time.monotonic()
    task.cancel()
    await asyncio.wait([task])

    assert time.monotonic() - begun < 0.1
    assert task.cancelled()
    hearing = asyncio.create_task(hear(open_source(local(free_port)), 1))
    async with SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}"), timeout=5) as sender:
        await sender.send(PIECES[0])
    await hearing


def _udp_sockets():
    """The inodes of this process's UDP sockets."""
    with open("/proc/net/udp", encoding="ascii") as table:
        inodes = {line.split()[9] for line in table.readlines()[1:]}
    return {target[8:-1] for target in open_descriptors().values()} & inodes


@loaded
async def test_calls_leak_no_socket_and_no_thread(free_port):
    """A source that repeatedly disconnects costs nothing once libsrt has cleaned up, which it does within 2 s."""
    before = len(os.listdir("/proc/self/task"))
    for _ in range(8):
        await ended(open_source(f"srt://127.0.0.1:{free_port}", timeout=0.02))

    async with asyncio.timeout(8):
        while _udp_sockets() or len(os.listdir("/proc/self/task")) > before + 1:
            await asyncio.sleep(0.02)


def test_a_missing_libsrt_is_reported_with_its_package(monkeypatch):
    """One package to install, or a program that works without it."""
    monkeypatch.setattr(libsrt, "_SONAMES", ("libsrt-nowhere.so.9",))
    libsrt.library.cache_clear()
    try:
        with pytest.raises(ConfigError, match=r"apt-get install libsrt1\.5-gnutls.*srt-live-transmit.*udp://"):
            open_source("srt://:9000")
    finally:
        libsrt.library.cache_clear()


@each_case(
    ("url", "says"),
    [
        ("srt://127.0.0.1", "a port is missing"),
        ("srt://:9000?mode=caller", "a host is missing"),
        ("srt://:9000?mode=rendezvous", "a host is missing"),
        ("srt://h:9000?mode=push", "mode must be caller, listener or rendezvous"),
        ("srt://h:9000?latency=120000", "ffmpeg counts microseconds: its 120000 is latency=120"),
        ("srt://h:9000?latency=-1", "latency must be a number of milliseconds"),
        ("srt://h:9000?pbkeylen=17", "pbkeylen must be 16, 24 or 32"),
        ("srt://h:9000?passphrase=c4n4ry", "10 to 79 characters"),
        (f"srt://h:9000?passphrase={'c4n4ry' * 14}", "10 to 79 characters"),
        (f"srt://h:9000?streamid={'c4n4ry' * 99}", "streamid has more than 512 bytes"),
        ("srt://h:9000?transtype=file", "transtype=live"),
        ("srt://h:9000?passphrsae=c4n4ry-s3cret", "unknown option passphrsae; did you mean passphrase"),
    ],
)
def test_invalid_settings_are_refused(url, says):
    """Before anything is opened, in one line that shows no secret."""
    with pytest.raises(ConfigError, match=says) as raised:
        open_source(url)

    assert "c4n4ry" not in str(raised.value)


@loaded
def test_secrets_are_not_printed():
    """Passphrase and stream id are hidden; the useful parts of a URL are shown."""
    url = f"srt://h:9000?mode=caller&latency=250&passphrase={PASSPHRASE}&streamid=#!::u=c4n4ry,r=uav&pbkeylen=24"

    source = open_source(url)

    assert str(source.url) == "srt://h:9000?mode=caller&latency=250&passphrase=***&streamid=***&pbkeylen=24"
    shown = f"{source.url!r} {source._settings!r} {vars(source)!r}"
    assert "c4n4ry" not in shown


@loaded
def test_the_passphrase_of_the_environment_is_a_default(monkeypatch):
    """The most specific setting wins; an empty one is an error, not a connection without encryption."""
    monkeypatch.setenv("KLVRELAY_SRT_PASSPHRASE", PASSPHRASE)
    assert open_source("srt://h:9000")._settings.passphrase == Secret(PASSPHRASE)
    assert open_source("srt://h:9000?passphrase=of-the-url-1")._settings.passphrase == Secret("of-the-url-1")
    assert open_source("srt://h:9000", passphrase="as a plain text")._settings.passphrase == Secret("as a plain text")
    with pytest.raises(ConfigError, match="10 to 79 characters"):
        open_source("srt://h:9000", passphrase=Secret(""))


def test_an_explicit_passphrase_overrides_the_url():
    """It may come from a file or the environment; a wrong length is refused wherever it came from."""
    source = open_source("srt://h:9000?passphrase=of-the-url-1", passphrase=Secret(PASSPHRASE))

    assert source._settings.passphrase == Secret(PASSPHRASE)
    with pytest.raises(ConfigError, match="10 to 79"):
        open_source("srt://h:9000", passphrase=Secret("c4n4ry"))
