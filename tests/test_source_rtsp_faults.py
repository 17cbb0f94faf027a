"""RTSP servers that refuse, redirect, use other authentication or unusual announcements."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import ssl

import feed
import pytest
from certificates import certified
from rtsp_camera import KLV, MP2T, Camera, fragments, rtp
from source_reading import records_of

from klvrelay.errors import SourceDown
from klvrelay.sources.libav import sdp
from klvrelay.sources.open import open_source

TAPE = feed.recording()
H264 = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
ONVIF = "m=application 0 RTP/AVP 98\r\na=rtpmap:98 vnd.onvif.metadata/90000\r\n"
AUDIO = "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
CANARY = "c4n4ry"


def klv(track=0, kind=97):
    return rtp(fragments(TAPE.klv, 100), track=track, kind=kind)


async def raws(camera, query="", login=""):
    url = camera.url(query).replace("rtsp://", f"rtsp://{login}")
    records = await records_of(open_source(url, timeout=1))
    return [record.raw for record in records if record.good]


@pytest.fixture
def said(caplog, monkeypatch):
    """The log, line by line."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    caplog.set_level(logging.INFO, "klvrelay")
    return lambda: [record.getMessage() for record in caplog.records]


STATUSES = {
    "403": ("DESCRIBE", "403 Forbidden", "the server forbids this: check the user's rights (403)"),
    "404": ("DESCRIBE", "404 Not Found", "not found: check the path (404)"),
    "503": ("DESCRIBE", "503 Service Unavailable", "the server is overloaded or under maintenance (503)"),
    "551": ("DESCRIBE", "551 Option not supported", "the server does not support an option that was asked for (551)"),
    "599": ("DESCRIBE", "599 Odd", "the server refuses DESCRIBE (599)"),
    "453": ("SETUP 0", "453 Not Enough Bandwidth", "track 0 (application SMPTE336M): not enough bandwidth: the server"),
    "404 of the only track": ("SETUP 0", "404 Not Found", "track 0 (application SMPTE336M): not found"),
    "454": ("PLAY", "454 Session Not Found", "session not found: the server dropped the session (454)"),
    "455": ("PLAY", "455 Method Not Valid", "the server does not allow this in its present state (455)"),
    "500": ("PLAY", "500 Internal Server Error", "the server has an error of its own: see its log (500)"),
}


@pytest.mark.parametrize(("request_", "status", "reason"), STATUSES.values(), ids=STATUSES)
async def test_each_refusal_has_its_message(request_, status, reason):
    """What the server refused, and what to do; a "missing name" only where that is the cause."""
    async with Camera(klv(), refuses={request_: status}) as camera:
        with pytest.raises(SourceDown, match=re.escape(f": {reason}")):
            await raws(camera)


@pytest.mark.parametrize("transport", ["", "?transport=udp"])
@pytest.mark.parametrize(
    ("media", "bad", "good", "named"),
    [
        (H264 + KLV, [0], 1, "track 0 (video H264): not found"),
        (ONVIF + KLV, [0], 1, "track 0 (application vnd.onvif.metadata): not found"),
        (H264 + ONVIF + KLV, [0, 1], 2, "track 1 (application vnd.onvif.metadata): not found"),
        (KLV + H264, [1], 0, "track 1 (video H264): not found"),
    ],
    ids=["video", "other metadata", "both", "video behind"],
)
async def test_a_track_that_the_server_refuses_costs_only_itself(media, bad, good, named, transport, said):
    """The KLV is read without it, and the log says so."""
    refuses = {f"SETUP {track}": "404 Not Found" for track in bad}
    async with Camera(klv(good), media, refuses=refuses) as camera:
        assert await raws(camera, transport) == TAPE.klv

    lines = [line for line in said() if "read without it" in line]
    assert len(lines) == len(bad)
    assert named in lines[-1]


@pytest.mark.parametrize("kind", ["text", "message", "image", "audio", "data", "model", "control"])
@pytest.mark.parametrize("beside", ["", H264, H264 + ONVIF])
async def test_klv_is_read_under_whatever_medium(kind, beside):
    """libav reads data from `application` and `video` only; the encoding name, or the bytes, identify it."""
    media = beside + KLV.replace("application", kind)
    async with Camera(klv(beside.count("m=")), media) as camera:
        assert await raws(camera) == TAPE.klv


def test_sound_and_subtitles_are_not_requested():
    """A known other medium keeps its type, so libav ignores it."""
    subtitles = "m=text 0 RTP/AVP 99\r\na=rtpmap:99 t140/1000\r\n"
    media, text = sdp.rewritten("v=0\r\n" + H264 + AUDIO + subtitles + MP2T, frozenset())

    assert [medium.renamed for medium in media] == [False] * 4
    assert [medium.may_be_klv for medium in media] == [False, False, False, True]
    assert text == "v=0\r\n" + H264 + AUDIO + subtitles + MP2T


def asks(algorithm):
    return f'WWW-Authenticate: Digest realm="cam", nonce="7f3a", algorithm={algorithm}\r\n'


class Locked(Camera):
    """A server that requires a user and a password by Digest of one algorithm, for every request."""

    def __init__(self, algorithm, password=CANARY):
        super().__init__(klv())
        self._algorithm, self._password = algorithm, password

    def _answer(self, writer, request):
        method, url = request.split()[:2]
        field = request.partition("Authorization: ")[2].partition("\r\n")[0]
        said = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', field)}
        name = "sha256" if "256" in self._algorithm else "md5"

        def hashed(text):
            return hashlib.new(name, text.encode()).hexdigest()

        right = hashed(f"{hashed(f'me:cam:{self._password}')}:7f3a:{hashed(f'{method}:{url}')}")
        if method != "OPTIONS" and said.get("response") != right:
            self.logins.append(field)
            self._refuses, self._more = {self._named(method, url): "401 Unauthorized"}, asks(self._algorithm)
        else:
            self._refuses = {}
        return super()._answer(writer, request)

    @staticmethod
    def _named(method, url):
        return f"{method} {url[-1]}" if method == "SETUP" else method


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_digest_works_with_either_algorithm(algorithm):
    """libav supports MD5 only; a server that offers only SHA-256 is read too."""
    async with Locked(algorithm) as camera:
        assert await raws(camera, login=f"me:{CANARY}@") == TAPE.klv


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_a_wrong_password_is_tried_once_per_opening(algorithm):
    """Cameras lock an account after a few failures: so the next attempt waits, too."""
    async with Locked(algorithm) as camera:
        with pytest.raises(SourceDown, match=r"the server refuses the user or the password \(401") as refused:
            await raws(camera, login="me:wrong@")
        with pytest.raises(SourceDown, match=r"the server wants a user and a password \(401"):
            await raws(camera)
        with pytest.raises(SourceDown, match=r"the server wants the user's password, .* \(401"):
            await raws(camera, login="you@")

    assert sum('username="me"' in field for field in set(camera.logins)) == 1
    assert refused.value.wait == 30


@pytest.mark.parametrize(
    ("more", "named"), [(asks("SHA3-512"), "Digest SHA3-512"), ("WWW-Authenticate: Negotiate\r\n", "Negotiate")]
)
async def test_an_unsupported_login_is_named(more, named):
    """It is not reported as a wrong password."""
    async with Camera(klv(), refuses={"DESCRIBE": "401 Unauthorized"}, more=more) as camera:
        with pytest.raises(SourceDown, match=f"the server offers only {named} to log in, which klvrelay does not know"):
            await raws(camera, login="me:x@")


async def test_a_redirect_is_followed_without_the_login():
    """To another port: its password is not that server's."""
    async with Camera(klv()) as there:
        more = f"Location: {there.url()}\r\n"
        async with Camera([], refuses={"DESCRIBE": "302 Moved Temporarily"}, more=more) as here:
            assert await raws(here, login=f"me:{CANARY}@") == TAPE.klv

    assert not any(there.logins)


@pytest.mark.parametrize(
    ("location", "reason"),
    [("", "redirects in circles"), ("http://h/x", "no rtsp:// URL"), ("rtsp://u:p@h@/", "no rtsp:// URL")],
)
async def test_a_useless_redirect_is_reported(location, reason):
    """In circles, or to something else."""
    camera = Camera([], refuses={"DESCRIBE": "302 Moved Temporarily"})
    async with camera:
        camera._more = f"Location: {location or camera.url()}\r\n"
        with pytest.raises(SourceDown, match=reason):
            await raws(camera)

    assert camera.requests.count("DESCRIBE") <= 6


async def test_another_kind_of_server_is_reported():
    """A web server, or an announcement of two gigabytes."""
    async with feed.http_server(b"hello") as port:
        with pytest.raises(SourceDown, match=r"the answer is not RTSP|without an answer: is it an RTSP"):
            await records_of(open_source(f"rtsp://127.0.0.1:{port}/x", timeout=1))

    class Vast(Camera):
        def _answer(self, writer, request):
            writer.write(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 2000000000\r\n\r\n")
            return True

    async with Vast([]) as camera:
        with pytest.raises(SourceDown, match="announces an answer of"):
            await raws(camera)


@pytest.mark.needs("openssl")
async def test_rtsps_below_tls_1_2_or_with_a_wrong_certificate_is_refused_and_named(tmp_path):
    """Before any byte of a login; and with a valid one, all is read."""
    ca, certificate = certified(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    async with Camera(klv(), tls=tls) as camera:
        url = camera.url().replace("rtsp://", f"rtsps://me:{CANARY}@")
        with pytest.raises(SourceDown, match="certificate is not trusted: an unknown authority signed it"):
            await records_of(open_source(url, timeout=1))
        assert camera.requests == []
        records = await records_of(open_source(url, timeout=1, ca_file=ca))

    assert [record.raw for record in records] == TAPE.klv


async def test_a_session_through_the_gateway_ends_with_the_server(tmp_path):
    """The track was refused, so the gateway is used; a server that closes ends the source at once."""
    async with Camera(klv(1), H264 + KLV, refuses={"SETUP 0": "404 Not Found"}) as camera:
        async with asyncio.timeout(3):
            assert await raws(camera) == TAPE.klv
