"""Secrets to search for in all output, the URLs that carry them, and peers that repeat them.

`test_canaries.py` passes them to every verb.
"""

from __future__ import annotations

import base64
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

CORE = "c4n4ry-7h3"
"""The part of every secret that is searched for."""
USER, PASSWORD, TOKEN, STREAM_ID = (f"{CORE}-{what}" for what in ("u53r", "p455", "70k3n", "57r34m"))
LOGIN = f"{USER}:{PASSWORD}"


def forms() -> list[str]:
    """The core of a secret in every encoding: plain, percent-coded, hex, base64 at each of its three positions."""
    found = [CORE, "".join(f"%{ord(c):02x}" for c in CORE), CORE.encode().hex()]
    for before in range(3):
        code = base64.b64encode(b"\0" * before + CORE.encode()).decode()
        first, whole = -(-8 * before // 6), 8 * (before + len(CORE)) // 6
        found.append(code[first:whole])
    return found


FORMS = forms()


def hits(text: str | bytes) -> list[str]:
    """The forms found in the output; case is ignored, except in base64."""
    words = text.decode("latin-1") if isinstance(text, bytes) else text
    small = words.lower()
    return [form for form in FORMS if form in words or (form in FORMS[:3] and form in small)]


def in_folder(folder: Path) -> list[str]:
    """Names and contents of all files in the folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in folder.rglob("*") if hits(str(path.relative_to(folder)))] + [
        f"in {path}" for path in paths if hits(path.read_bytes())
    ]


def well_formed(scheme: str, port: int) -> dict[str, str]:
    """Valid URLs, each with secrets in it."""
    coded = "".join(f"%{ord(c):02X}" for c in PASSWORD)
    return {
        "plain": f"{scheme}://{LOGIN}@127.0.0.1:{port}/live?token={TOKEN}",
        "percent-coded": f"{scheme}://{USER}:{coded}%40%2F@127.0.0.1:{port}/live",
        "IPv6": f"{scheme}://{LOGIN}@[::1]:{port}/live",
        "fragment": f"{scheme}://{LOGIN}@127.0.0.1:{port}/live#{TOKEN}",
        "user only": f"{scheme}://{USER}@127.0.0.1:{port}/live",
        "bare query": f"{scheme}://127.0.0.1:{port}/live?{TOKEN}",
        "parameters in the path": f"{scheme}://127.0.0.1:{port}/user={USER}&password={PASSWORD}/+&channel=1.sdp",
        "in it, coded": f"{scheme}://127.0.0.1:{port}/user%3D{USER}%26passw%6Frd%3D{coded}%2Flive",
        "in it, with other signs": f"{scheme}://127.0.0.1:{port}/user={USER}_password={PASSWORD};api_key:{TOKEN}",
        "in the query": f"{scheme}://127.0.0.1:{port}/live?user={USER};Password={PASSWORD}&X-Amz-Signature={TOKEN}/x",
        "capitals": f"{scheme.upper()}://{LOGIN}@LOCALHOST:{port}/live",
    }


def malformed(scheme: str) -> dict[str, str]:
    """Mistyped variants of a URL; an @ or :// is left in each."""
    return {
        "blank before": f" {scheme}://{LOGIN}@host.invalid:x/live",
        "mark before": f"\ufeff{scheme}://{LOGIN}@host.invalid:x/live",
        "line end behind": f"{scheme}://{LOGIN}@host.invalid:x/live\n",
        "one slash": f"{scheme}:/{LOGIN}@host.invalid/live",
        "no slash": f"{scheme}:{LOGIN}@host.invalid/live",
        "no colon": f"{scheme}//{LOGIN}@host.invalid/live",
        "semicolon": f"{scheme};//{LOGIN}@host.invalid/live",
        "backslashes": rf"{scheme}:\\{LOGIN}@host.invalid\live",
        "three slashes": f"{scheme}:///{LOGIN}@host.invalid/live",
        "no scheme": f"{LOGIN}@host.invalid/live",
        "bare": f"{LOGIN}@host.invalid",
        "slashes only": f"//{LOGIN}@host.invalid/live",
        "colon only": f"://{LOGIN}@host.invalid/live",
        "fullwidth colon": f"{scheme}\uff1a//{LOGIN}@host.invalid/live",
        "fullwidth at": f"{scheme}:/{LOGIN}\uff20host.invalid/live",
        "coded colon": f"{scheme}%3A//{LOGIN}@host.invalid/live",
        "other scheme": f"x{scheme}://{LOGIN}@host.invalid/live",
        "bad port": f"{scheme}://{LOGIN}@host.invalid:{TOKEN}/live",
        "port too large": f"{scheme}://{LOGIN}@host.invalid:99999/live?token={TOKEN}",
        "bad host": f"{scheme}://{LOGIN}@ho st/live?token={TOKEN}",
        "slash in the password": f"{scheme}://{USER}:/{PASSWORD}@host.invalid/live",
        "question in the password": f"{scheme}://{USER}:?{PASSWORD}@host.invalid/live",
        "hash in the password": f"{scheme}://{USER}:#{PASSWORD}@host.invalid/live",
        "login in the path": f"{scheme}://host.invalid/{LOGIN}@live",
        "open bracket": f"{scheme}://{LOGIN}@[::1/live",
        "control character": f"{scheme}://{USER}:\x1b{PASSWORD}@host.invalid:x/live",
    }


class Parrot:
    """A server of HTTP and RTSP that asks for a login and repeats it wherever an answer can hold text."""

    def __init__(self, port: int, logins: list[str]) -> None:
        self.port = port
        self.logins = logins


Answer = Callable[[str, str, str], bytes]
"""Protocol, login as it was sent, target: the answer to a request with a login."""


def _answer(protocol: str, status: str, *fields: str, body: str = "") -> bytes:
    head = (f"{protocol} {status}", *fields, f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def _words(login: str) -> str:
    return f"{login} {base64.b64decode(login.split()[-1] + '==').decode('latin-1')} {LOGIN}"


def refused(protocol: str, login: str, target: str) -> bytes:
    said = f"{_words(login)} {target}"
    return _answer(protocol, f"401 no, {said}", f'WWW-Authenticate: Basic realm="{said}"', f"Server: {said}", body=said)


def broken(protocol: str, login: str, target: str) -> bytes:
    return _answer(protocol, f"500 {_words(login)} {target}", body=f"{_words(login)} {target}")


def moved(protocol: str, login: str, target: str) -> bytes:
    scheme = "http" if protocol.startswith("HTTP") else "rtsp"
    return _answer(protocol, f"302 {_words(login)}", f"Location: {scheme}://{LOGIN}@127.0.0.1:1{target}?{quote(login)}")


def moved_nowhere(protocol: str, login: str, target: str) -> bytes:
    return _answer(protocol, "302 Found", f"Location: x{LOGIN}@://{LOGIN}@{target}")


def playlist(protocol: str, login: str, target: str) -> bytes:
    if "segment" in target:
        return refused(protocol, login, target)
    lines = ("#EXTM3U", "#EXT-X-TARGETDURATION:1", f"#EXTINF:1,{_words(login)}", f"segment-{LOGIN}.ts?token={TOKEN}")
    return _answer(
        protocol, "200 OK", "Content-Type: application/vnd.apple.mpegurl", body="\n".join((*lines, "#EXT-X-ENDLIST"))
    )


def words_for_video(protocol: str, login: str, target: str) -> bytes:
    return _answer(protocol, "200 OK", "Content-Type: video/mp2t", body=f"{_words(login)} {target}\n" * 200)


def description(protocol: str, login: str, target: str) -> bytes:
    lines = ("v=0", f"o={LOGIN} 1 1 IN IP4 127.0.0.1", f"s={_words(login)}", "t=0 0", "m=video 0 RTP/AVP 33")
    more = (f"i={_words(login)}", f"a=control:rtsp://{LOGIN}@127.0.0.1:1/{LOGIN}")
    return _answer(protocol, "200 OK", "Content-Type: application/sdp", body="\r\n".join((*lines, *more, "")))


ANSWERS: dict[str, dict[str, Answer]] = {
    "http": {f.__name__: f for f in (refused, broken, moved, moved_nowhere, playlist, words_for_video)},
    "rtsp": {f.__name__: f for f in (refused, broken, moved, moved_nowhere, description)},
}


@contextmanager
def parrot(answer: Answer) -> Iterator[Parrot]:
    """A parrot server in threads, for a command that runs in this process."""
    logins: list[str] = []
    guests: set[socket.socket] = set()

    class Handler(socketserver.StreamRequestHandler):
        timeout = 10

        def handle(self) -> None:
            with suppress(OSError, ValueError):
                while request := self.rfile.readline(65536).decode("latin-1"):
                    self.reply(request)

        def reply(self, request: str) -> None:
            _, target, protocol = request.split()
            fields = {}
            while (line := self.rfile.readline(65536).decode("latin-1").strip()) != "":
                key, _, value = line.partition(":")
                fields[key.lower()] = value.strip()
            number = f"CSeq: {fields['cseq']}\r\n" if "cseq" in fields else ""
            if login := fields.get("authorization"):
                logins.append(login)
                data = answer(protocol, login, target)
            else:
                data = _answer(protocol, "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"')
            first, _, rest = data.partition(b"\r\n")
            self.wfile.write(first + b"\r\n" + number.encode() + rest)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, allow_reuse_address, block_on_close = True, True, True

        def process_request(self, request, client_address):  # type: ignore[no-untyped-def]
            guests.add(request)
            super().process_request(request, client_address)

    with Server(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.02,), name="parrot")
        serving.start()
        try:
            yield Parrot(server.server_address[1], logins)
        finally:
            server.shutdown()
            serving.join()
            for guest in guests:
                with suppress(OSError):
                    guest.shutdown(socket.SHUT_RDWR)
