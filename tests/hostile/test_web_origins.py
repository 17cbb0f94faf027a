"""Hostile web servers and a man in the middle: nothing unverified is read, no login or cookie goes to another origin.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping, Sequence

import feed
import pytest
from cases import each_case
from impostors import IMPOSTORS, Papers, papers
from playlists import PLACES, leading, media, variants
from servers import Hostile, Line, Request, Script, http, moved, wants_login
from source_reading import records_of

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.url import Url
from klvrelay.errors import NotMedia, SourceDown
from klvrelay.sinks.dialing.dial import tls_context
from klvrelay.sources.libav.demuxer import libav_options
from klvrelay.sources.open import open_source
from klvrelay.sources.web import follow
from klvrelay.transports.http import reach
from klvrelay.transports.http.cookies import Cookies
from klvrelay.transports.tls import client_context

TAPE = feed.recording(count=30)
CANARY = "c4n4ry"
LOGIN = f"me:{CANARY}"
GREETINGS = {"Basic": 'Basic realm="x"', "Digest": 'Digest realm="x", nonce="7f3a", qop="auth"'}


def in_turn(answers: Mapping[str, Sequence[bytes]], *, login: str = "", cookie: bool = False) -> Script:
    """The answers for each path one after the other, the last repeated; `login`: after such a challenge."""
    left = {path: list(said) for path, said in answers.items()}

    async def script(line: Line, request: Request) -> None:
        if login and not request.field("Authorization"):
            more = f"Set-Cookie: pass={CANARY}\r\n".encode() if cookie else b""
            await line.send(wants_login(login, more=more))
            return
        said = left.get(request.target.partition("?")[0], [http(status="404 Not Found")])
        await line.send(said.pop(0) if len(said) > 1 else said[0])

    return script


async def all_of(url: str, **options: object) -> tuple[list[bytes], str]:
    """(records, the fault that ended it)."""
    records: list[object] = []
    fault = ""
    try:
        await records_of(open_source(url, **{"timeout": 1, **options}), into=records)
    except (SourceDown, NotMedia) as found:
        fault = str(found)
    assert CANARY not in fault
    return [record.raw for record in records], fault


@pytest.fixture(scope="module")
def all_papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "PAUSES", (0.01, 0.01, 0.01))


def behind(place: str, there: str, *, redirect: bool) -> dict[str, list[bytes]]:
    """Answers where `place` leads there, directly or by a redirect."""
    answers = leading(place, "/hop" if redirect else there, TAPE.ts)
    return {**answers, "/hop": [moved(there)]} if redirect else answers


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("redirect", [False, True], ids=["itself", "redirected"])
@pytest.mark.parametrize("place", PLACES)
async def test_a_man_in_the_middle_gets_no_request(place: str, redirect: bool, all_papers: Papers) -> None:
    """Whatever certificate he has, wherever he is; no record of his is output."""
    forged = feed.recording(count=3, first_pcr=0, padding=9).ts
    for who in IMPOSTORS:
        async with Hostile({"/x": http(forged)}, tls=all_papers.impostors[who]) as thief:
            script = in_turn(behind(place, thief.url("/x"), redirect=redirect), login=GREETINGS["Basic"], cookie=True)
            async with Hostile(script, tls=all_papers.server) as server:
                got, fault = await all_of(server.url("/a.m3u8", login=LOGIN), ca_file=all_papers.ca)
        assert thief.heard == b"", who
        assert set(got) <= set(TAPE.klv), who
        assert "certificate is not trusted" in fault or "TLS" in fault, who


def test_tls_is_1_2_and_verified_whatever_openssl_is_set_to() -> None:
    """The machine's OpenSSL settings may allow older versions."""
    for context in (client_context(), tls_context(MqttSettings(host="h", tls=True))):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("who", IMPOSTORS)
async def test_a_man_in_the_middle_gets_no_request_at_the_first_address_or_through_a_proxy(
    who: str, all_papers: Papers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy sees the host name; whoever answers through it is verified as without a proxy."""

    async def connect(line: Line, request: Request) -> None:
        await line.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await line.start_tls(all_papers.impostors[who])

    async with Hostile({"/x": http(TAPE.ts)}, tls=all_papers.impostors[who]) as thief, Hostile(connect) as proxy:
        url = thief.url(login=LOGIN)
        assert (await all_of(url, ca_file=all_papers.ca))[0] == []
        monkeypatch.setenv("https_proxy", proxy.url("", scheme="http"))
        got, fault = await all_of(url, ca_file=all_papers.ca)

    assert got == []
    assert "certificate is not trusted" in fault or "TLS" in fault
    assert thief.heard == b""
    assert proxy.requests[0].method == "CONNECT"
    assert len(proxy.requests) == 1
    assert b"uthorization" not in proxy.heard


@pytest.mark.parametrize("kind", ["https", "socks5", "socks5h"])
async def test_a_proxy_of_another_kind_gets_no_password(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password would be sent in the clear to a port with another protocol."""
    async with Hostile({}) as proxy:
        for scheme in ("http", "https"):
            monkeypatch.setenv(f"{scheme}_proxy", proxy.url("", login=LOGIN, scheme=kind))
            _, fault = await all_of(f"{scheme}://host.invalid/x")
            assert f"{scheme}_proxy in the environment must have the form http://HOST:PORT" in fault

    assert proxy.guests == 0


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("redirect", [False, True], ids=["itself", "redirected"])
@pytest.mark.parametrize("place", PLACES)
async def test_https_never_continues_without_tls(place: str, redirect: bool, all_papers: Papers) -> None:
    """For playlists, segments, keys and all redirects."""
    async with Hostile({"/x": http(TAPE.ts)}) as plain:
        script = in_turn(behind(place, plain.url("/x"), redirect=redirect))
        async with Hostile(script, tls=all_papers.server) as server:
            _, fault = await all_of(server.url("/a.m3u8", login=LOGIN), ca_file=all_papers.ca)

    assert plain.guests == 0
    assert "it leads from https:// to http://, which cannot be verified" in fault


@pytest.mark.parametrize("kind", GREETINGS)
@pytest.mark.parametrize("redirect", [False, True], ids=["itself", "redirected"])
@pytest.mark.parametrize("place", PLACES)
async def test_login_and_cookies_stay_with_their_origin(place: str, redirect: bool, kind: str) -> None:
    """Another port is another origin: it gets neither, though it asks with the same challenge."""
    async with Hostile(in_turn({"/x": [http(TAPE.ts)]}, login=GREETINGS[kind])) as other:
        script = in_turn(behind(place, other.url("/x"), redirect=redirect), login=GREETINGS[kind], cookie=True)
        async with Hostile(script) as server:
            await all_of(server.url("/a.m3u8", login=LOGIN))

    assert other.requests
    assert b"uthorization" not in other.heard
    assert b"ookie" not in other.heard
    assert CANARY.encode() not in other.heard
    assert CANARY.encode() in server.heard


@pytest.mark.parametrize("place", PLACES)
async def test_a_login_in_a_playlist_is_ignored(place: str) -> None:
    """Neither instead of the configured login nor in addition; no server gets it."""
    async with Hostile(in_turn({"/x": [http(TAPE.ts)]}, login=GREETINGS["Basic"])) as other:
        script = in_turn(leading(place, other.url("/x", login="evil:word"), TAPE.ts))
        async with Hostile(script) as server:
            await all_of(server.url("/a.m3u8", login=LOGIN))

    assert other.requests
    assert b"uthorization" not in other.heard
    assert b"evil" not in other.heard


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_libav_opens_nothing_that_a_server_names(scheme: str) -> None:
    """It gets bytes from klvrelay, has no other protocol, and none of the formats that name files."""
    options = libav_options(Url.parse(f"{scheme}://h/x"))
    assert options["protocol_whitelist"] == "none"
    assert not {"hls", "dash", "concat", "image2", "sdp", "rtsp"} & set(options["format_whitelist"].split(","))


async def test_a_proxy_does_not_see_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy gets the whole URL, but no login."""
    body = http(media(["http://evil:word@other.invalid/x"]))
    async with Hostile(lambda line, _: line.send(body)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url(""))
        await all_of("http://host.invalid/a.m3u8")

    assert b"http://other.invalid/x" in proxy.heard
    assert b"evil" not in proxy.heard


@pytest.mark.parametrize(
    "there",
    ["file:///etc/passwd", "data:text/plain,x", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "concat:a|b", "crypto:x",
     "udp://127.0.0.1:9", "javascript:1", "pipe:0", "https:///x", "http://[::1", "http://a b/",
     "http://127.0.0.1:99999/", "http://127.0.0.1:port/"],
)  # fmt: skip
@pytest.mark.parametrize("place", ["first", "variant", "segment", "key", "map"])
async def test_only_web_addresses_are_followed(place: str, there: str) -> None:
    """A sentence for each, and never an internal error."""
    async with Hostile(in_turn(leading(place, there, TAPE.ts))) as server:
        got, fault = await all_of(server.url("/a.m3u8"))

    assert got == []
    assert fault
    assert "unexpectedly" not in fault
    assert {request.target for request in server.requests} <= {"/a.m3u8", "/0.ts"}


async def test_a_reference_without_a_scheme_keeps_that_of_its_playlist() -> None:
    """

    host/path is another host with the same scheme.
    """
    async with Hostile({"/x": http(TAPE.ts)}) as other:
        script = in_turn(leading("segment", f"//127.0.0.1:{other.port}/x", TAPE.ts))
        async with Hostile(script) as server:
            got, _ = await all_of(server.url("/a.m3u8", login=LOGIN))

    assert got == TAPE.klv
    assert b"uthorization" not in other.heard


# ---- request splitting ----

EVIL = "X-Evil: yes"
SPLITTERS = ["\t", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\x7f", " HTTP/1.1 ", "%0d%0a", "\\r\\n"]


def whole(server: Hostile) -> bool:
    """Is every request one line and klvrelay's header fields?"""
    ours = {"host", "user-agent", "accept", "accept-encoding", "range", "authorization", "cookie"}
    lines = [request.head.decode("latin-1").split("\r\n") for request in server.requests]
    first = all(len(head[0].split(" ")) == 3 and head[0].isprintable() for head in lines)
    return first and all(line.partition(":")[0].lower() in ours and line.isprintable() for h in lines for line in h[1:])


@pytest.mark.parametrize("between", SPLITTERS)
async def test_a_playlist_does_not_split_a_request(between: str) -> None:
    """In the name of a segment, of a variant, of a key."""
    name = f"0.ts{between}{EVIL}{between}"
    for body in (media([name]), variants([name]), media([f'#EXT-X-KEY:METHOD=AES-128,URI="{name}"', "0.ts"])):
        async with Hostile(in_turn({"/a.m3u8": [http(body)]})) as server:
            await all_of(server.url("/a.m3u8"))
        assert len(server.requests) > 1
        assert whole(server)


@pytest.mark.parametrize("between", ["\r", "\n ", "\r\n\t", "\t", "\x00", "\x0b", "\x85", " "])
@pytest.mark.parametrize("field", ["Location", "Set-Cookie", "WWW-Authenticate", "Refresh"])
async def test_a_header_field_does_not_split_a_request(field: str, between: str) -> None:
    """What a server sends comes back to it only in its proper place."""
    said = {
        "Location": f"/y{between}{EVIL}",
        "Set-Cookie": f"a=b{between}{EVIL}",
        "WWW-Authenticate": f'Digest realm="x", nonce="7{between}{EVIL}", opaque="{between}{EVIL}"',
        "Refresh": f"0; url=/y{between}{EVIL}",
    }[field]
    status = {"Location": "302 Found", "WWW-Authenticate": "401 Unauthorized"}.get(field, "200 OK")
    answer = http(media(["0.ts"]), status=status, more=f"{field}: {said}\r\n".encode("latin-1"))
    async with Hostile(in_turn({"/x": [answer], "/0.ts": [http(TAPE.ts)]})) as server:
        await all_of(server.url(login=LOGIN))

    assert whole(server)
    assert field == "Refresh" or len(server.requests) > 1


@pytest.mark.parametrize("kind", GREETINGS)
@pytest.mark.parametrize("user", ["me%0d%0aX-Evil:%20yes", "m%C3%A9", "%E2%82%AC%22%5C", "%00", "me%0a%20x"])
async def test_a_login_with_unusual_characters_is_one_field(user: str, kind: str) -> None:
    """Line ends, quotes and letters beyond Latin-1."""
    async with Hostile(in_turn({"/x": [http(TAPE.ts)]}, login=GREETINGS[kind])) as server:
        got, _ = await all_of(server.url(login=f"{user}:{CANARY}"))

    assert got == TAPE.klv
    assert b"\nX-Evil" not in server.heard
    if kind == "Basic":
        sent = base64.b64decode(server.requests[-1].field("Authorization").removeprefix("Basic "))
        assert sent.endswith(f":{CANARY}".encode())


def test_cookies_of_many_origins_are_bounded() -> None:
    """Each redirect may lead to another origin that sets some."""
    from email.message import Message

    fields = Message()
    for number in range(100):
        fields["Set-Cookie"] = f"name{number}={'x' * 4000}"
    cookies = Cookies()
    for origin in range(1000):
        cookies.take(origin, fields)  # type: ignore[arg-type]

    kept = [cookies.header(origin).get("Cookie", "") for origin in range(1000)]
    assert sum(map(len, kept)) < 2 << 20
    assert kept[-1]


# ---- addresses that only this machine can reach ----


@each_case(
    ("address", "near"),
    [
        ("8.8.8.8", reach.PUBLIC), ("2600::1", reach.PUBLIC), ("10.1.2.3", reach.PRIVATE),
        ("192.168.0.9", reach.PRIVATE),
        ("172.20.0.1", reach.PRIVATE), ("100.64.0.1", reach.PRIVATE), ("fd00::1", reach.PRIVATE),
        ("169.254.169.254", reach.LINK), ("fe80::1%1", reach.LINK), ("127.0.0.1", reach.MACHINE),
        ("127.9.9.9", reach.MACHINE), ("::1", reach.MACHINE), ("0.0.0.0", reach.MACHINE), ("::", reach.MACHINE),
        ("::ffff:127.0.0.1", reach.MACHINE), ("::ffff:169.254.169.254", reach.LINK),
    ],
)  # fmt: skip
def test_how_near_an_address_is(address: str, near: int) -> None:
    """The nearer it is, the fewer servers may name it."""
    assert reach.nearness(address) == near


@pytest.mark.parametrize("redirect", [False, True], ids=["itself", "redirected"])
@pytest.mark.parametrize("place", PLACES)
async def test_a_remote_server_cannot_name_local_services(
    place: str, redirect: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a connection is made to a local service that a public server's playlist names."""
    monkeypatch.setattr(reach, "nearness", {"127.0.0.1": reach.PUBLIC, "127.0.0.2": reach.MACHINE}.__getitem__)
    async with Hostile({"/x": http(TAPE.ts)}, host="127.0.0.2") as service:
        script = in_turn(behind(place, service.url("/x"), redirect=redirect))
        async with Hostile(script) as server:
            _, fault = await all_of(server.url("/a.m3u8"))

    assert service.guests == 0
    assert "an address on this machine or its network" in fault


async def test_a_server_behind_a_proxy_cannot_name_local_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its location is unknown; what needs no proxy is near."""
    async with Hostile({"/x": http(TAPE.ts)}) as service:
        body = http(media([service.url("/x")]))
        async with Hostile(lambda line, _: line.send(body)) as proxy:
            monkeypatch.setenv("http_proxy", proxy.url(""))
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            _, fault = await all_of("http://host.invalid/a.m3u8")

    assert proxy.requests
    assert service.guests == 0
    assert "an address on this machine or its network" in fault


async def test_a_server_on_this_machine_may_name_any_other() -> None:
    """The other direction is not restricted."""
    async with Hostile({"/x": http(TAPE.ts)}, host="127.0.0.2") as other:
        script = in_turn(leading("segment", other.url("/x"), TAPE.ts))
        async with Hostile(script) as server:
            got, _ = await all_of(server.url("/a.m3u8"))

    assert got == TAPE.klv
