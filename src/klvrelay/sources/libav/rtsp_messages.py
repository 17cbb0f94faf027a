"""Parse RTSP messages from a connection, and rewrite them (RFC 2326)."""

from __future__ import annotations

import re
import socket
import ssl

MESSAGE_MOST = 1 << 20
"""Maximum bytes of a request or a response."""
PIECE = 65536


class MalformedRtsp(Exception):
    """The received data is not RTSP."""


def receive_available(server: socket.socket) -> bytes | None:
    """The data received; None if it was only a TLS record without data."""
    timeout = server.gettimeout()
    server.settimeout(0)
    try:
        return server.recv(PIECE)
    except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None
    finally:
        server.settimeout(timeout)


def messages(held: bytearray) -> list[bytes]:
    """The complete messages at the start of `held`, which keeps the rest (RFC 2326, 10.12 and 15.1)."""
    found = []
    while held:
        if held[0] == 0x24:
            end = 4 + int.from_bytes(held[2:4]) if len(held) >= 4 else MESSAGE_MOST
        else:
            head = held.find(b"\r\n\r\n")
            if head < 0:
                if len(held) > PIECE:
                    raise MalformedRtsp("the response is not RTSP: check the port")
                break
            size = re.search(rb"(?im)^content-length:\s*(\d{1,18})\s*$", held[:head])
            end = head + 4 + (int(size[1]) if size else 0)
            if end > MESSAGE_MOST:
                raise MalformedRtsp(f"the server announces a response of {end} bytes, too large for an SDP")
        if len(held) < end:
            break
        found.append(bytes(held[:end]))
        del held[:end]
    return found


def is_request(message: bytes) -> bool:
    """Is it a request of the server? Raises MalformedRtsp for anything that is not RTSP."""
    if message.startswith((b"$", b"RTSP/")):
        return False
    if b" RTSP/" not in message.partition(b"\r\n")[0]:
        raise MalformedRtsp("the response is not RTSP: check the port")
    return True


def status_of(line: str) -> int:
    code = line.split(" ")[1:2]
    if not code or not re.fullmatch(r"\d{3}", code[0]):
        raise MalformedRtsp("the response is not RTSP: check the port")
    return int(code[0])


def field_of(lines: list[str], name: str) -> str:
    return next((line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name.lower()}:")), "")


def client_ports(text: str) -> list[int]:
    """The client's UDP ports in a request; empty if it asks for interleaved data."""
    return [int(port) for ports in re.findall(r"client_port=(\d{1,5})(?:-(\d{1,5}))?", text) for port in ports if port]


def with_body(lines: list[str], body: bytes) -> bytes:
    kept = [line for line in lines if not line.lower().startswith("content-length:")]
    return "\r\n".join([*kept, f"Content-Length: {len(body)}", "", ""]).encode() + body


def with_source(message: bytes, address: str) -> bytes:
    """Add the server's address to a response: over UDP, libav otherwise sends to its peer, the gateway.

    An address named by the server is never used: the host there did not ask for datagrams.
    """

    def named(found: re.Match[bytes]) -> bytes:
        line = re.sub(rb"(?i);\s*(?:source|destination)=[^;\r\n]*", b"", found[0]).rstrip()
        if b"multicast" in line.lower():
            raise MalformedRtsp("the server answers with multicast, which was not requested")
        return line if b"interleaved" in line or b"/TCP" in line else line + f";source={address}".encode()

    return re.sub(rb"(?im)^transport:[^\r\n]*", named, message)
