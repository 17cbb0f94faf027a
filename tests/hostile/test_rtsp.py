"""Hostile RTSP servers: who gets the login, what they can make the client send or store; and strangers on this machine.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

import feed
import pytest
from impostors import IMPOSTORS, Papers, papers
from peak import run
from rtsp import KLV, answer, described, rtp, server
from servers import Hostile, Line, Request, flooding
from source_reading import records_of

from klvrelay.config.url import Url
from klvrelay.errors import NotMedia, SourceDown
from klvrelay.sources.libav.gateway import Gateway
from klvrelay.sources.libav.rtsp_messages import with_source
from klvrelay.sources.open import open_source
from klvrelay.transports.http import reach

CANARY = "c4n4ry"
BASIC = 'Basic realm="x"'
DIGEST = 'Digest realm="x", nonce="7f3a"'
UNITS = feed.recording(count=3).klv
ROOM, BASE = 64, 40
"""MiB that a server may cost, beyond those of a program that loads libav."""


def wants(scheme: str) -> str:
    return f"401 Unauthorized\r\nWWW-Authenticate: {scheme}"


async def play(line: Line, request: Request) -> None:
    await line.send(answer(request, more="Session: 1\r\n"))
    for number, unit in enumerate(UNITS):
        await line.send(rtp(unit, number))
    line.close()


async def read(url: str, **options: object) -> list[bytes]:
    records = await records_of(open_source(url, **{"timeout": 1, **options}))
    return [record.raw for record in records if record.good]


# ---- who gets the login ----


@pytest.mark.parametrize("scheme", [BASIC, DIGEST])
@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
@pytest.mark.parametrize("turn", [0, 1])
async def test_a_redirect_does_not_get_the_login(scheme: str, method: str, turn: int) -> None:
    """From any request, the first of its kind or a later one: the other server gets neither the password nor a hash of
    it.
    """
    seen = dict.fromkeys(("OPTIONS", "DESCRIBE", "SETUP", "PLAY"), 0)
    async with Hostile(server({"OPTIONS": wants(scheme), "DESCRIBE": wants(scheme)})) as thief:

        async def script(line: Line, request: Request) -> None:
            if not request.field("Authorization") and request.method != "OPTIONS":
                await line.send(answer(request, "401 Unauthorized", f"WWW-Authenticate: {scheme}\r\n"))
                return
            seen[request.method] = seen.get(request.method, 0) + 1
            if request.method == method and seen[method] > turn:
                await line.send(answer(request, "302 Found", f"Location: {thief.url(scheme='rtsp')}\r\n"))
                return
            await server({"PLAY": play})(line, request)

        async with Hostile(script) as camera:
            with suppress(SourceDown, NotMedia):
                await read(camera.url(scheme="rtsp", login=f"me:{CANARY}"))

    assert b"uthorization" not in thief.heard
    assert len(thief.requests) <= 4
    assert turn or thief.requests


async def test_an_unrequested_answer_is_ignored() -> None:
    """A redirect before the first request, and one after each answer."""
    async with Hostile(server({})) as thief:
        sent = f"RTSP/1.0 302 Found\r\nCSeq: 1\r\nLocation: {thief.url(scheme='rtsp')}\r\n\r\n".encode()

        async def twice(line: Line, request: Request) -> None:
            await server({"PLAY": play})(line, request)
            await line.send(sent)

        async with Hostile(twice, greeting=sent) as camera:
            with pytest.raises(SourceDown):
                await read(camera.url(scheme="rtsp", login=f"me:{CANARY}"))

    assert b"uthorization" not in thief.heard


async def test_a_redirect_in_circles_ends_soon() -> None:
    """A server redirects to itself again and again, under other names."""

    async def on(line: Line, request: Request) -> None:
        where = camera.url(f"/x{len(camera.requests)}", scheme="rtsp")
        await line.send(answer(request, "302 Found", f"Location: {where}\r\n"))

    async with Hostile(server({"DESCRIBE": on})) as camera:
        with pytest.raises(SourceDown, match="redirects in circles"):
            await read(camera.url(scheme="rtsp", login=f"me:{CANARY}"))

    assert camera.guests <= 6


LOCATIONS = [
    "rtsp://127.0.0.1:{port}/x\nX-Evil: yes", "rtsp://127.0.0.1:{port}/x\rX-Evil: yes",
    "rtsp://127.0.0.1:{port}/x RTSP/1.0\n\nSETUP", "rtsp://127.0.0.1:{port}/\x00", "http://127.0.0.1:{port}/x",
    "file:///etc/passwd", "udp://127.0.0.1:{port}", "tcp://127.0.0.1:{port}", "//127.0.0.1:{port}/x", "nonsense",
]  # fmt: skip


@pytest.mark.parametrize("location", LOCATIONS)
async def test_a_redirect_is_an_address_and_nothing_more(location: str) -> None:
    """No header line in it, and no other protocol."""
    async with Hostile(server({})) as thief:
        said = f"302 Found\r\nLocation: {location.format(port=thief.port)}"
        async with Hostile(server({"DESCRIBE": said})) as camera:
            with pytest.raises(SourceDown, match=r"no rtsp:// URL"):
                await read(camera.url(scheme="rtsp"))

    assert thief.guests == 0


async def test_a_redirect_leads_nowhere_nearer_than_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote camera must not reach a service of this machine."""
    async with Hostile(server({})) as service:
        there = service.url(scheme="rtsp").replace("127.0.0.1", "localhost")
        async with Hostile(server({"DESCRIBE": f"302 Found\r\nLocation: {there}"})) as camera:
            kinds = iter([reach.PUBLIC])
            monkeypatch.setattr(reach, "nearness", lambda _: next(kinds, reach.MACHINE))
            with pytest.raises(SourceDown, match="an address on this machine or its network"):
                await read(camera.url(scheme="rtsp"))

    assert service.guests == 0


async def test_a_session_that_began_with_digest_never_gets_the_password_itself() -> None:
    """A man in the middle asks for Basic later."""
    async with Hostile(server({"OPTIONS": wants(DIGEST), "DESCRIBE": wants(BASIC)})) as camera:
        with pytest.raises(SourceDown, match=r"401"):
            await read(camera.url(scheme="rtsp", login=f"me:{CANARY}"))

    assert b"Digest username" in camera.heard
    assert b"Basic" not in camera.heard


@pytest.mark.parametrize("more", ["", ", stale=true"])
async def test_a_login_is_not_tried_without_end(more: str) -> None:
    """401 without end, each time with another nonce."""

    async def again(line: Line, request: Request) -> None:
        nonce = f'Digest realm="x", nonce="{len(camera.requests)}"{more}'
        await line.send(answer(request, "401 Unauthorized", f"WWW-Authenticate: {nonce}\r\n"))

    async with Hostile(server({"DESCRIBE": again})) as camera:
        with pytest.raises(SourceDown, match=r"\(401\)") as refused:
            await read(camera.url(scheme="rtsp", login=f"me:{CANARY}"))

    assert 2 <= sum(request.method == "DESCRIBE" for request in camera.requests) <= 3
    assert refused.value.wait >= 30


@pytest.fixture(scope="module")
def all_papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers(tmp_path_factory.mktemp("tls"))


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("who", IMPOSTORS)
async def test_rtsps_sends_nothing_to_an_impostor(who: str, all_papers: Papers) -> None:
    """The impostor gets no request, at the first address and after a redirect."""
    async with Hostile(server({}), tls=all_papers.impostors[who]) as thief:
        url = thief.url(scheme="rtsps", login=f"me:{CANARY}")
        with pytest.raises(SourceDown):
            await read(url, ca_file=all_papers.ca)
        moved = server({"DESCRIBE": f"302 Found\r\nLocation: {thief.url(scheme='rtsps')}"})
        async with Hostile(moved, tls=all_papers.server) as camera:
            with pytest.raises(SourceDown):
                await read(camera.url(scheme="rtsps", login=f"me:{CANARY}"), ca_file=all_papers.ca)
            assert camera.requests

    assert thief.heard == b""


@pytest.mark.needs("openssl")
async def test_rtsps_is_not_left_for_rtsp(all_papers: Papers) -> None:
    """Whichever request the redirect answers."""
    async with Hostile(server({})) as plain:
        for method in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY"):
            moved = server({method: f"301 Moved\r\nLocation: {plain.url(scheme='rtsp')}"})
            async with Hostile(moved, tls=all_papers.server) as camera:
                with pytest.raises(SourceDown, match="from rtsps:// to rtsp://, which can not be verified"):
                    await read(camera.url(scheme="rtsps"), ca_file=all_papers.ca)

    assert plain.guests == 0


# ---- what a server can make the client store or send ----

_LONG = "a=fmtp:97 " + "x" * 900 + "\r\n"
FLOODS = {
    "header": flooding(b"RTSP/1.0 200 OK\r\n", b"X: y\r\n"),
    "header line": flooding(b"RTSP/1.0 200 OK\r\nX: ", b"y"),
    "body": flooding(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 2000000000\r\n\r\n", b"v=0\r\n"),
    "body of a megabyte": flooding(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 1000000\r\n\r\n", b"a=x\r\n"),
    "answers": flooding(b"", b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
    "requests": flooding(b"", b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
    "RTP": flooding(b"", rtp(bytes(1400), 1)),
    "bytes": flooding(b"", b"\x00"),
}


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP"])
@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_for_an_answer_costs_little_and_ends(flood: str, method: str) -> None:
    """With a message, in bounded memory."""
    async with Hostile(server({method: FLOODS[flood]})) as camera:
        outcome = await run("decode", camera.url(scheme="rtsp"))

    assert outcome.code == 3
    assert outcome.err.count("\n") == 1
    assert outcome.peak < BASE + ROOM


async def test_ten_thousand_media_are_not_all_set_up() -> None:
    """The first 64 are looked at."""
    media = "".join(f"m=application 0 RTP/AVP 97\r\n{_LONG}a=control:t{number}\r\n" for number in range(1000))

    async def describe(line: Line, request: Request) -> None:
        await line.send(described(request, media))

    async with Hostile(server({"DESCRIBE": describe, "PLAY": play})) as camera:
        outcome = await run("decode", camera.url(scheme="rtsp"))

    assert sum(request.method == "SETUP" for request in camera.requests) <= 64
    assert outcome.peak < BASE + ROOM


async def test_after_several_refused_tracks_the_source_fails() -> None:
    """Each refused track costs a session."""
    media = "".join(KLV.replace("track0", f"t{number:03}") for number in range(64))

    async def describe(line: Line, request: Request) -> None:
        await line.send(described(request, media))

    async with Hostile(server({"DESCRIBE": describe, "SETUP": "404 Not Found"})) as camera:
        with pytest.raises(SourceDown, match="rejects all tracks"):
            await read(camera.url(scheme="rtsp"))

    assert camera.guests <= 24


async def test_rtp_without_an_end_is_read_in_bounded_memory_and_can_be_interrupted() -> None:
    """The same holds at a gigabyte a second."""

    async def flood(line: Line, request: Request) -> None:
        await line.send(answer(request, more="Session: 1\r\n"))
        await line.flood(rtp(bytes(1400), 1), most=8 << 30)

    async with Hostile(server({"PLAY": flood})) as camera:
        outcome = await run("decode", camera.url(scheme="rtsp"), interrupt=camera.served(2.0))

    assert outcome.peak < BASE + ROOM
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    "said",
    [
        b"RTP/AVP;unicast;client_port=5000-5001;server_port=53-54;source=192.0.2.7",
        b"RTP/AVP;unicast;destination=192.0.2.7;source=192.0.2.7 ;client_port=5000-5001;server_port=53-54",
        b"RTP/AVP/UDP;unicast; SOURCE=192.0.2.7;server_port=53-54",
    ],
)
def test_sent_datagrams_go_to_the_server_only(said: bytes) -> None:
    """An answer to SETUP cannot name another host for libav to send datagrams to."""
    line = with_source(b"RTSP/1.0 200 OK\r\nTransport: " + said + b"\r\n\r\n", "127.0.0.1")

    assert b"192.0.2.7" not in line
    assert line.count(b";source=127.0.0.1\r\n") == 1


async def test_unrequested_multicast_is_refused() -> None:
    """No server can make this machine join a group."""
    said = "200 OK\r\nSession: 1\r\nTransport: RTP/AVP;multicast;destination=239.1.1.1;port=5000-5001;ttl=1"
    async with Hostile(server({"SETUP": said})) as camera:
        with pytest.raises(SourceDown, match="answers with multicast"):
            await read(camera.url("/x?transport=udp", scheme="rtsp"))


# ---- strangers on this machine ----


def opened(camera: Hostile) -> Gateway:
    url = Url.parse(camera.url(scheme="rtsp", login=f"me:{CANARY}"))
    return Gateway(url, timeout=1, reach=reach.Reach())


@pytest.mark.parametrize("said", [b"OPTIONS rtsp://127.0.0.1/x RTSP/1.0\r\nCSeq: 1\r\n\r\n", b"x" * 20_000, b""])
async def test_a_stranger_on_this_machine_gets_nothing_and_is_no_hindrance(said: bytes) -> None:
    """A client that connects to libav's port before libav does gets no answer and no session, and does not take libav's
    place.
    """
    async with Hostile(server({})) as camera:
        with opened(camera) as gateway:
            port = int(re.findall(r":(\d+)/", gateway.local)[0])
            strangers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
            for _, writer in strangers:
                writer.write(said)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"OPTIONS {gateway.local} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
            async with asyncio.timeout(5):
                got = await reader.readuntil(b"\r\n\r\n")
                answers = await asyncio.gather(*(one.read() for one, _ in strangers), return_exceptions=True)
            for _, one in [*strangers, (reader, writer)]:
                one.close()

    assert got.startswith(b"RTSP/1.0 200")
    assert all(isinstance(said_, ConnectionError) or said_ == b"" for said_ in answers)
    assert camera.guests == 1
