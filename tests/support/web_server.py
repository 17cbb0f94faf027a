"""A web server on Python's http.server, in a separate process: `python web_server.py SETTINGS`.

SETTINGS is JSON; `web_servers.py` writes it. The server prints its port, and a line for each request. Besides the files
of its folder it has:

    /moved/NAME    is at /NAME
    /live/NAME     a file's bytes as a live stream, chunked, repeated, each round in `seconds`
    /torn/NAME     half of a file whose full length was announced
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import sys
import time
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SETTINGS = json.loads(sys.argv[1]) if __name__ == "__main__" else {}
PIECES = 20


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, directory=SETTINGS["folder"])

    def do_GET(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
            if not self._may():
                return
            kind, _, name = self.path[1:].partition("/")
            match kind:
                case "moved":
                    self._head(302, Location=f"/{name}")
                case "live":
                    self._live(Path(self.translate_path(name)).read_bytes())
                case "torn":
                    data = Path(self.translate_path(name)).read_bytes()
                    self._head(200, length=len(data))
                    self.wfile.write(data[: len(data) // 2])
                    self.close_connection = True
                case _:
                    super().do_GET()

    def _head(self, status: int, *, length: int | None = 0, **fields: str) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _live(self, data: bytes) -> None:
        self._head(200, length=None, Transfer_Encoding="chunked")
        size = -(-len(data) // PIECES)
        while True:
            for at in range(0, len(data), size):
                piece = data[at : at + size]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                time.sleep(SETTINGS["seconds"] / PIECES)

    def _may(self) -> bool:
        """Is the user authorised? If not, send the challenge."""
        given, user, password = self.headers.get("Authorization", ""), SETTINGS["user"], SETTINGS["password"]
        match SETTINGS["auth"]:
            case "basic":
                right = given == "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
                wish = 'Basic realm="web"'
            case "digest":
                right = given.startswith("Digest ") and self._digests(given, user, password)
                wish = 'Digest realm="web", nonce="7f3a", algorithm=MD5, qop="auth"'
            case _:
                return True
        if not right:
            self._head(401, WWW_Authenticate=wish)
        return right

    def _digests(self, given: str, user: str, password: str) -> bool:
        """RFC 7616, 3.4.1, with qop=auth."""
        said = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', given)}
        who = md5(f"{user}:web:{password}")
        what = md5(f"{self.command}:{said['uri']}")
        return said["response"] == md5(f"{who}:7f3a:{said['nc']}:{said['cnonce']}:auth:{what}")

    def log_message(self, format: str, *args: Any) -> None:
        if args and str(args[0]).startswith("GET"):
            print(str(args[0]).split()[1], flush=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that closes is no error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def main() -> None:
    server = Server(("127.0.0.1", 0), Handler)
    if SETTINGS["certificate"]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(SETTINGS["certificate"])
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
