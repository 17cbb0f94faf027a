"""Faults of web servers, and what they must not get: each cause has its message, each secret its origin."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import socket
import ssl
import time
from contextlib import suppress
from functools import partial

import feed
import pytest
from certificates import certified, openssl
from scripted_ends import stream_of
from scripted_web import Answer, ScriptedWeb, cut, playlist_of
from source_reading import records_of

from klvrelay.errors import NotMedia, SourceDown
from klvrelay.relay import stream as stream_module
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.supervise import supervise
from klvrelay.sources.open import open_source
from klvrelay.sources.web import follow
from klvrelay.sources.web.playlist import parse
from klvrelay.text import Secret
from klvrelay.transports.http import header
from klvrelay.transports.http.faults import retry_after
from klvrelay.transports.http.login import Login, challenges

TAPE = feed.recording(count=30)
TS = Answer(TAPE.ts)
CANARY = "c4n4ry"
HTML = {"Content-Type": "text/html; charset=utf-8"}


def no(status, **head):
    return Answer(status=status, head={name.replace("_", "-"): value for name, value in head.items()})


STATUSES = {
    "401": (
        no("401 Unauthorized", WWW_Authenticate='Basic realm="x"'),
        "the server requires a user name and a password (401)",
    ),
    "403": (no("403 Forbidden"), "forbidden: check the user's rights, or whether a token in the URL"),
    "404": (no("404 Not Found"), "not found: check the path (404)"),
    "410": (no("410 Gone"), "gone: no longer available on the server (410)"),
    "418": (no("418 I'm a teapot"), "the server rejects the request (418)"),
    "429": (no("429 Too Many Requests", Retry_After="7"), "too many requests; retry after 7 s (429)"),
    "500": (no("500 Internal Server Error"), "internal server error: see the server's log (500)"),
    "503": (no("503 Service Unavailable"), "the server is overloaded or under maintenance (503)"),
    "204": (no("204 No Content"), "unexpected status 204"),
    "in circles": (no("302 Found", Location="/x"), "too many redirects (8): check the URL"),
    "ftp": (no("302 Found", Location="ftp://h/x"), "it leads to ftp://, which is not allowed here"),
    "file": (no("302 Found", Location="file:///etc/passwd"), "it leads to file://, which is not allowed here"),
    "no host": (no("302 Found", Location="https:///x"), "it leads to a URL without a host"),
    "no host name": (no("302 Found", Location="http://a..b/"), "it leads to an invalid URL"),
    "long label": (no("302 Found", Location=f"http://{'a' * 70}.x/"), "it leads to an invalid URL"),
    "no gzip": (
        Answer(b"x" * 500, head={"Content-Encoding": "gzip"}),
        "it announces gzip data, but sends something else",
    ),
    "no URL": (no("302 Found", Location="http://[x/"), "it leads to an invalid URL"),
    "short": (Answer(TAPE.ts, torn=188 * 40), "it ended before its announced length"),
    "silent": (Answer(hang=True), "no response within 0.4 s: check host, port and firewall"),
}


@pytest.mark.parametrize(("answer", "reason"), STATUSES.values(), ids=STATUSES)
async def test_each_refusal_has_its_message(answer, reason):
    """One line, with what to do; the relay opens it again."""
    async with ScriptedWeb({"/x": answer}) as server:
        with pytest.raises(SourceDown) as fault:
            await records_of(open_source(server.url(f"/x?token={CANARY}"), timeout=0.4))

    assert str(fault.value).partition("/x?token=***: ")[2].startswith(reason)
    assert CANARY not in repr(fault.value)


@pytest.mark.parametrize(
    "answer", [Answer(b"<html>hello" + b" " * 9000, head=HTML), Answer(b"<!DOCTYPE html><html>" + b"x" * 900)]
)
async def test_a_web_page_is_recognised(answer):
    """By its type or by its first bytes."""
    async with ScriptedWeb({"/x": answer}) as server:
        with pytest.raises(NotMedia, match=r"a web page \(HTML\), not a stream: does the server require a login"):
            await records_of(open_source(server.url("/x"), timeout=1))


async def raw_server(answer: bytes):
    async def serve(reader, writer):
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "the server closed the connection without a response: is it a web server?"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the response is not HTTP: check the port, and whether it requires https://"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "the response is not HTTP: check the port, and whether it requires https://"),
    ],
    ids=["nothing", "another protocol", "a TLS alert"],
)
async def test_another_kind_of_server_is_recognised(answer, reason):
    """The port may be wrong, or the scheme."""
    async with await raw_server(answer) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SourceDown, match=re.escape(reason)):
            await records_of(open_source(f"http://127.0.0.1:{port}/x", timeout=1))


async def test_a_closed_port_and_an_unknown_name_are_reported():
    """Refused, and unknown."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(SourceDown, match="connection refused: check that the server is running on that port"):
        await records_of(open_source(f"http://127.0.0.1:{port}/x", timeout=1))
    with pytest.raises(SourceDown, match="unknown host name"):
        await records_of(open_source("http://no-such-host.invalid/x", timeout=1))


async def test_a_proxy_that_refuses_is_named(monkeypatch):
    """For https:// it is asked for a tunnel; its own password is not shown."""
    async with ScriptedWeb({"127.0.0.1:9": no("403 Forbidden")}) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url("", f"u:{CANARY}@"))
        with pytest.raises(SourceDown, match="the proxy refuses the connection") as fault:
            await records_of(open_source("https://127.0.0.1:9/x", timeout=1))

    assert CANARY not in str(fault.value)
    assert proxy.asked[0].fields["proxy-authorization"].startswith("Basic ")


async def test_a_proxy_is_used_and_gets_no_login_of_the_source(monkeypatch):
    """http_proxy as usual: it is asked for the whole URL."""
    async with ScriptedWeb({"http://h.invalid/x": TS}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url(""))
        records = await records_of(open_source("http://h.invalid/x", timeout=1))

    assert len(records) == 30


async def test_the_relay_waits_as_long_as_the_server_asks(monkeypatch):
    """429 with Retry-After: 7 delays the next attempt accordingly."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        await asyncio.Event().wait()

    async with ScriptedWeb({"/x": STATUSES["429"][0]}) as server:
        url = server.url("/x")
        stream = stream_of(StreamInput("cam", partial(open_source, url, timeout=1), url))
        with monkeypatch.context() as patch:
            patch.setattr(stream_module, "supervise", partial(supervise, sleep=sleep))
            keeping = asyncio.create_task(stream.keep())
            async with asyncio.timeout(5):
                while not slept:
                    await asyncio.wait({keeping}, timeout=0.02)
        keeping.cancel()
        await asyncio.wait({keeping})

    assert slept == [7]


@pytest.mark.parametrize(("text", "seconds"), [("7", 7), ("99999", 600), ("-1", 0), ("soon", 0), ("", 0)])
def test_retry_after_is_read(text, seconds):
    """Seconds, or a date, and never more than ten minutes."""
    assert retry_after(text) == seconds


def test_retry_after_may_be_a_date():
    """The remaining time is relative to the system clock."""
    from email.utils import formatdate

    assert 25 <= retry_after(formatdate(time.time() + 30, usegmt=True)) <= 30
    assert retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0


def digest_answer(algorithm):
    return no(
        "401 Unauthorized", WWW_Authenticate=f'Digest realm="web", nonce="7f3a", algorithm={algorithm}, qop="auth"'
    )


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess", "SHA-256-sess"])
async def test_digest_is_answered_in_its_algorithm(algorithm):
    """By RFC 7616, 3.4, with the server's nonce, after its challenge."""
    async with ScriptedWeb({"/x": [digest_answer(algorithm), TS]}) as server:
        records = await records_of(open_source(server.url("/x", f"me:{CANARY}@"), timeout=1))

    assert len(records) == 30
    field = server.asked[1].fields["authorization"]
    said = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', field)}

    def hashed(text):
        return hashlib.new("sha256" if "SHA" in algorithm else "md5", text.encode()).hexdigest()

    who = hashed(f"me:web:{CANARY}")
    who = hashed(f"{who}:7f3a:{said['cnonce']}") if algorithm.endswith("sess") else who
    assert said["response"] == hashed(f"{who}:7f3a:00000001:{said['cnonce']}:auth:{hashed('GET:/x')}")
    assert "authorization" not in server.asked[0].fields


async def test_an_unsupported_authentication_scheme_is_named():
    """Not reported as a wrong password."""
    async with ScriptedWeb({"/x": no("401 Unauthorized", WWW_Authenticate="Negotiate")}) as server:
        with pytest.raises(SourceDown, match="offers no supported login scheme"):
            await records_of(open_source(server.url("/x", "me:x@"), timeout=1))


def test_the_strongest_challenge_is_used():
    """Of Basic, MD5 and SHA-256 the last; of an unknown algorithm none."""
    login = Login("u", Secret("p"))
    offered = challenges(
        ['Basic realm="a, b"', 'Digest realm="r", nonce="n", Digest realm="r", algorithm=SHA-256, nonce="m"']
    )

    assert [(one.scheme, one.parameters.get("realm")) for one in offered] == [
        ("basic", "a, b"),
        ("digest", "r"),
        ("digest", "r"),
    ]
    assert login.take(offered)
    assert 'nonce="m"' in login.header("GET", "/")
    assert not login.take(challenges(["Digest algorithm=SHA3-999, nonce=x"]))


# ---- what other servers must not get ----


async def test_the_login_stays_with_its_origin(monkeypatch):
    """Not to another host or port: neither by a redirect, nor for a segment, nor for a key."""
    parts = cut(TAPE.ts, 3)
    basic = no("401 Unauthorized", WWW_Authenticate='Basic realm="x"')
    async with ScriptedWeb({"/0.ts": Answer(parts[0]), "/1.ts": [Answer(parts[1])]}) as other:
        lines = [other.url("/0.ts"), other.url("/1.ts"), "2.ts"]
        async with ScriptedWeb({"/a.m3u8": [basic, playlist_of(lines)], "/2.ts": Answer(parts[2])}) as server:
            records = await records_of(open_source(server.url("/a.m3u8", f"me:{CANARY}@"), timeout=1))

    assert [record.raw for record in records] == TAPE.klv
    assert not any("authorization" in asked.fields for asked in other.asked)
    assert all("authorization" in asked.fields for asked in server.asked[1:])


async def test_cookies_go_back_to_their_origin():
    """Some servers authorise segments by a cookie."""
    answers = {
        "/a.m3u8": Answer(playlist_of(["0.ts"]).body, head={"Set-Cookie": "pass=yes; Path=/; HttpOnly"}),
        "/0.ts": TS,
    }
    async with ScriptedWeb(answers) as server:
        await records_of(open_source(server.url("/a.m3u8"), timeout=1))

    assert server.asked[1].fields["cookie"] == "pass=yes"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """(certificates to trust, a server's TLS settings)."""
    ca, certificate = certified(tmp_path_factory.mktemp("tls"))
    return ca, serving(certificate)


def serving(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("nested", ["segment", "key", "variant", "redirect", "reload"])
async def test_nothing_under_https_is_fetched_without_being_verified(nested, authority, tmp_path, monkeypatch):
    """A man in the middle of any later connection gets no request, and none of his records is output."""
    monkeypatch.setattr(follow, "PAUSES", (0.01, 0.01, 0.01))
    ca, tls = authority
    (tmp_path / "other").mkdir()
    _, forged = certified(tmp_path / "other")
    async with ScriptedWeb({"/x": TS, "/k": Answer(bytes(16))}, tls=serving(forged)) as thief:
        at, key = thief.url("/x"), f'#EXT-X-KEY:METHOD=AES-128,URI="{thief.url("/k")}"'
        answers = {
            "segment": {"/a.m3u8": playlist_of([at])},
            "key": {"/a.m3u8": playlist_of([key, "0.ts"]), "/0.ts": TS},
            "variant": {"/a.m3u8": Answer(f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{at}\n".encode())},
            "redirect": {"/a.m3u8": no("302 Found", Location=at)},
            "reload": {"/a.m3u8": [playlist_of(["0.ts"], ended=False), no("302 Found", Location=at)], "/0.ts": TS},
        }[nested]
        async with ScriptedWeb(answers, tls=tls) as server:
            records = []
            with pytest.raises(SourceDown, match="certificate is not trusted: it is signed by an unknown authority"):
                await records_of(
                    open_source(server.url("/a.m3u8", f"me:{CANARY}@"), timeout=1, ca_file=ca), into=records
                )

    assert thief.asked == []
    assert len(records) <= (30 if nested == "reload" else 0)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("nested", ["segment", "redirect"])
async def test_https_is_never_followed_by_http(nested, authority):
    """https:// to http:// is refused, wherever it occurs."""
    ca, tls = authority
    async with ScriptedWeb({"/x": TS}) as plain:
        answer = playlist_of([plain.url("/x")]) if nested == "segment" else no("302 Found", Location=plain.url("/x"))
        async with ScriptedWeb({"/a.m3u8": answer}, tls=tls) as server:
            with pytest.raises(SourceDown, match="it leads from https:// to http://, which cannot be verified"):
                await records_of(open_source(server.url("/a.m3u8"), timeout=1, ca_file=ca))

    assert plain.asked == []


def dated(folder, begin, end):
    """A server's certificate from a separate authority, valid only between two times."""
    ca, _ = certified(folder)
    (folder / "index.txt").write_text("")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\ncertificate={folder}/ca.pem\n"
        f"private_key={folder}/ca.key\ndefault_md=sha256\npolicy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n"
    )
    openssl("ca", "-batch", "-config", folder / "ca.cnf", "-in", folder / "server.csr", "-out", folder / "dated.crt",
            "-startdate", begin, "-enddate", end, "-extfile", folder / "names.txt", "-notext")  # fmt: skip
    (folder / "dated.pem").write_text((folder / "server.key").read_text() + (folder / "dated.crt").read_text())
    return ca, folder / "dated.pem"


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("begin", "end", "reason"),
    [
        (
            "20200101000000Z",
            "20200201000000Z",
            "it has expired: renew it at the far end, or check this machine's clock",
        ),
        ("20980101000000Z", "20980201000000Z", "it is not valid yet: check the clocks of both machines"),
    ],
    ids=["expired", "not yet"],
)
async def test_a_certificate_outside_its_validity_is_named(begin, end, reason, tmp_path):
    """The reason, not only the failure."""
    ca, certificate = dated(tmp_path, begin, end)
    async with ScriptedWeb({"/x": TS}, tls=serving(certificate)) as server:
        with pytest.raises(SourceDown, match=f"certificate is not trusted: {re.escape(reason)}"):
            await records_of(open_source(server.url("/x"), timeout=1, ca_file=ca))


@pytest.mark.needs("openssl")
async def test_a_certificate_of_another_host_or_self_signed_is_named(tmp_path):
    """The two most common errors."""
    ca, certificate = certified(tmp_path, "127.0.0.2")
    async with ScriptedWeb({"/x": TS}, tls=serving(certificate)) as server:
        with pytest.raises(SourceDown, match="it is for another host name: use the name that is in the certificate"):
            await records_of(open_source(server.url("/x"), timeout=1, ca_file=ca))
    alone = tmp_path / "alone.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", alone,
            "-out", tmp_path / "alone.crt", "-subj", "/CN=x", "-days", "2")  # fmt: skip
    alone.write_text(alone.read_text() + (tmp_path / "alone.crt").read_text())
    async with ScriptedWeb({"/x": TS}, tls=serving(alone)) as server:
        with pytest.raises(SourceDown, match="it is self-signed: if you trust it, set ca_file"):
            await records_of(open_source(server.url("/x"), timeout=1, ca_file=ca))


@pytest.mark.needs("openssl")
async def test_tls_below_1_2_is_refused_and_named(tmp_path, recwarn):
    """A server that supports 1.1 at most."""
    ca, certificate = certified(tmp_path)
    tls = serving(certificate)
    tls.maximum_version = ssl.TLSVersion.TLSv1_1
    tls.minimum_version = ssl.TLSVersion.TLSv1
    tls.set_ciphers("ALL:@SECLEVEL=0")

    def greet(listening):
        guest, _ = listening.accept()
        with guest, suppress(ssl.SSLError):  # asyncio would not send the alert
            tls.wrap_socket(guest, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        greeting = asyncio.create_task(asyncio.to_thread(greet, listening))
        with pytest.raises(SourceDown, match=r"it supports only TLS versions before 1\.2: update it"):
            await records_of(open_source(f"https://127.0.0.1:{listening.getsockname()[1]}/x", timeout=1, ca_file=ca))
        await greeting


async def test_tls_on_a_plain_port_is_named():
    """https:// where http:// would be right."""
    async with ScriptedWeb({"/x": TS}) as server:
        with pytest.raises(SourceDown, match="no TLS response within 1 s: is it a TLS port"):
            await records_of(open_source(server.url("/x").replace("http:", "https:"), timeout=1))


async def test_an_endless_playlist_is_bounded(monkeypatch):
    """8 MiB are enough for any; more is refused, and not stored."""
    from klvrelay.sources.web import source

    monkeypatch.setattr(source, "PLAYLIST_MOST", 100_000)
    async with ScriptedWeb({"/a.m3u8": Answer(b"#EXTM3U\n" + b"#" * 200_000)}) as server:
        with pytest.raises(SourceDown, match="larger than the 97 KiB limit"):
            await records_of(open_source(server.url("/a.m3u8"), timeout=1))


async def test_an_mp4_is_read_by_ranges_and_one_without_an_index_is_named(tmp_path, mp4):
    """The index at the end is read by a range request; a truncated recording has none."""
    whole = mp4.read_bytes()
    async with ScriptedWeb({"/x": Answer(whole, head={"Accept-Ranges": "bytes"})}) as server:
        source = open_source(server.url("/x"), timeout=2)
        await records_of(source)
    torn = whole[: whole.index(b"moov") - 4]
    async with ScriptedWeb({"/x": Answer(torn, head={"Accept-Ranges": "bytes"})}) as server:
        with pytest.raises(NotMedia, match=r"without its index \(moov\)"):
            await records_of(open_source(server.url("/x"), timeout=2))
    path = tmp_path / "torn.mp4"
    path.write_bytes(torn)
    with pytest.raises(NotMedia, match=r"without its index \(moov\)"):
        await records_of(open_source(str(path)))


async def test_a_playlist_in_a_file_is_not_followed(tmp_path):
    """It could name any path of this machine; the message says what to do."""
    (tmp_path / "0.ts").write_bytes(TAPE.ts)
    (tmp_path / "a.m3u8").write_bytes(playlist_of(["0.ts"]).body)
    with pytest.raises(NotMedia, match=r"contains a playlist \(HLS\).* give its http:// or https:// address"):
        await records_of(open_source(str(tmp_path / "a.m3u8")))


@pytest.fixture
def mp4(tmp_path, shared):
    """A recording as mp4, its index at the end."""
    import av

    path = tmp_path / "x.mp4"
    with av.open(str(shared / "data" / "osh_sample_stream.ts")) as tape, av.open(str(path), "w") as out:
        (video,) = tape.streams.video
        copy = out.add_stream_from_template(video)
        for packet in tape.demux(video):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    return path


async def slowly(answer: bytes, every: float = 0.0, again: bytes = b"") -> asyncio.Server:
    """A server whose answer arrives byte by byte, then `again` without an end."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            for byte in answer:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(every)
            while again and not writer.is_closing():
                writer.write(again)
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("answer", "again"), [(b"HTTP/1.1 200 OK\r\nX: ", b"a"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n")],
    ids=["a byte now and then", "interim answers"],
)  # fmt: skip
async def test_a_header_without_an_end_is_ended_by_the_timeout(
    answer: bytes, again: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte arrives in time, the header never ends."""
    monkeypatch.setattr(header, "SECONDS", 0.3)
    async with await slowly(answer, again=again) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SourceDown, match="no complete response within 0"):
            await asyncio.wait_for(records_of(open_source(f"http://127.0.0.1:{port}/x", timeout=5)), 10)


async def test_a_playlist_whose_first_bytes_arrive_one_by_one_is_recognised() -> None:
    """Once enough of it has arrived, as in one piece."""
    async with ScriptedWeb({"/a.ts": TS}) as web:
        body = playlist_of([web.url("/a.ts")])
        body = body if isinstance(body, bytes) else body.body
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        async with await slowly(answer, every=0.002) as server:
            port = server.sockets[0].getsockname()[1]
            records = await records_of(open_source(f"http://127.0.0.1:{port}/x", timeout=5))
    assert len(records) == 30


async def test_a_compressed_playlist_is_read_completely() -> None:
    """The rest of the decompressed data is kept for the next read."""
    web = ScriptedWeb({"/a.ts": TS})
    async with web:
        body = playlist_of([web.url("/a.ts")])
        body = body if isinstance(body, bytes) else body.body
        body = body.replace(b"#EXTM3U\n", b"#EXTM3U\n# " + b"x" * 7_000_000 + b"\n", 1)
        web.answers["/x"] = [Answer(gzip.compress(body), head={"Content-Encoding": "gzip"})]
        assert len(await records_of(open_source(web.url("/x"), timeout=5))) == 30


def test_text_from_a_server_is_parsed_in_linear_time() -> None:
    """A megabyte of a name without a value: once in a playlist, in many fields of a challenge."""
    begin = time.process_time()
    parse(b"#EXTM3U\n#EXT-X-KEY:" + b"A" * 1_000_000, str)
    assert challenges(["Digest " + "a" * 60_000] * 100)[0].parameters == {}
    assert challenges(["Digest " + 'a="\\"' * 10_000] * 100)
    assert time.process_time() - begin < 10
