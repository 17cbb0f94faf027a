"""Parse srt:// URLs and open SRT connections, to receive from or to send on.

    srt://HOST:PORT       connect                 mode=caller
    srt://:PORT           wait for a connection   mode=listener
    mode=rendezvous       both sides connect, each from the port that the other calls

Option names follow ffmpeg, OBS and srt-live-transmit. The latency is in milliseconds, as in libsrt; ffmpeg uses
microseconds.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import time
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self, cast, get_args

from klvrelay.config.credentials import SRT_PASSPHRASE, environment
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.text import Secret, printable
from klvrelay.transports import resolver
from klvrelay.transports.libsrt import ConnectionLost, SrtSocket, refusal_text
from klvrelay.transports.srt_header import Option, State

LOG = logging.getLogger("klvrelay.transports")

Mode = Literal["caller", "listener", "rendezvous"]

LATENCY = 120
"""Default latency in milliseconds, within which lost packets are retransmitted; the default of all SRT programs."""
LATENCY_LIMIT = 10_000
PASSPHRASE_SIZES = range(10, 80)
STREAM_ID_LIMIT = 512
POLL_EVERY = 0.02
"""Seconds between two polls of a connection that is being opened."""
RENDEZVOUS_FACTOR = 10
"""A rendezvous waits this many times longer than a caller, because the peer may not be running yet; libsrt's rule."""
LEAST_IDLE = 3.0
"""Minimum seconds without a datagram before a connection counts as lost; an idle peer sends one per second."""

_OPTIONS = {"mode", "latency", "passphrase", "pbkeylen", "streamid", "localaddr", "adapter"}
# Options that ffmpeg and srt-live-transmit put into such URLs; here they are fixed or have no effect.
_IGNORED = {"transtype", "pkt_size", "payload_size", "timeout", "connect_timeout", "conntimeo", "rw_timeout"}
_MODE_NAMES = {"client": "caller", "server": "listener"}
_KEY_SIZES = ("0", "16", "24", "32")


@dataclass(frozen=True, slots=True)
class SrtSettings:
    """The options of an srt:// URL.

    latency_ms  minimum on each side; the larger of both sides applies
    key_size    bytes of the AES key, 0 for the peer's choice
    stream_id   the stream that a caller requests, or that a listener accepts; "" for none or any
    local       local address to connect from
    """

    url: Url
    mode: Mode
    latency_ms: int
    passphrase: Secret | None
    key_size: int
    stream_id: Secret
    local: str

    @classmethod
    def of(cls, url: Url, passphrase: Secret | None = None) -> Self:
        """Parse a URL; raises ConfigError for invalid options.

        The passphrase is `passphrase`, else that of the URL, else the environment variable KLVRELAY_SRT_PASSPHRASE.
        """
        options = url.options
        if url.port is None:
            raise ConfigError(f"{url}: a port is missing, as in srt://{url.host or ''}:9000")
        url.check_options(_OPTIONS, _IGNORED)
        if options.get("transtype", "live") != "live":
            raise ConfigError(f"{url}: only transtype=live is supported: streams, not files")
        stream_id = options.get("streamid", "")
        if len(stream_id.encode()) > STREAM_ID_LIMIT:
            raise ConfigError(f"{url}: streamid has more than {STREAM_ID_LIMIT} bytes")
        return cls(
            url=url,
            mode=_mode(url),
            latency_ms=_latency(url),
            passphrase=_passphrase(url, passphrase),
            key_size=_key_size(url),
            stream_id=Secret(stream_id),
            local=options.get("localaddr") or options.get("adapter") or "",
        )


def _mode(url: Url) -> Mode:
    text = url.options.get("mode") or ("caller" if url.host else "listener")
    mode = _MODE_NAMES.get(text, text)
    if mode not in get_args(Mode):
        raise ConfigError(f"{url}: mode must be caller, listener or rendezvous")
    if mode != "listener" and not url.host:
        raise ConfigError(f"{url}: a host is missing for mode={mode}; to wait for a caller, use mode=listener")
    return cast(Mode, mode)


def _latency(url: Url) -> int:
    text = url.options.get("latency", str(LATENCY))
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f"{url}: latency must be a number of milliseconds, as in latency={LATENCY}")
    value = int(text[:12])
    if value >= LATENCY_LIMIT:
        raise ConfigError(
            f"{url}: latency is in milliseconds here, below {LATENCY_LIMIT}"
            f" (ffmpeg counts microseconds: its {value} is latency={value // 1000})"
        )
    return value


def _passphrase(url: Url, explicit: Secret | None) -> Secret | None:
    passphrase = explicit
    if passphrase is None:
        option = url.options.get("passphrase")
        passphrase = environment(SRT_PASSPHRASE) if option is None else Secret(option)
    if passphrase is None:
        return None
    if len(passphrase.reveal().encode()) not in PASSPHRASE_SIZES:
        raise ConfigError(f"{url}: the srt:// passphrase must have 10 to 79 characters")
    return passphrase


def _key_size(url: Url) -> int:
    text = url.options.get("pbkeylen", "0")
    if text not in _KEY_SIZES:
        raise ConfigError(f"{url}: pbkeylen must be 16, 24 or 32 (bytes of the AES key), or 0 for the peer's choice")
    return int(text)


async def open_socket(settings: SrtSettings, timeout: float) -> SrtSocket:
    """Open a connection: a caller within `timeout` seconds, a listener whenever a caller connects.

    Raises ConnectionLost with the reason if that fails.
    """
    await asyncio.sleep(0)  # if cancelled at once, no call starts: libsrt keeps the socket of a call until it times out
    if settings.mode == "listener":
        return await _accept(settings, timeout)
    family, there = await _address(settings.url.host, settings.url, timeout)
    limit = timeout * (RENDEZVOUS_FACTOR if settings.mode == "rendezvous" else 1)
    sock = _configured_socket(settings, timeout)
    try:
        if settings.mode == "rendezvous":
            sock.set(Option.RENDEZVOUS, 1)
            sock.bind(await _own_address(settings, family, timeout, settings.url.port or 0))
        elif settings.local:
            sock.bind(await _own_address(settings, family, timeout, 0))
        sock.connect(there)
        await _wait_connected(sock, settings, limit)
    except BaseException:
        sock.close()
        raise
    return sock


async def _wait_connected(sock: SrtSocket, settings: SrtSettings, limit: float) -> None:
    begun = time.monotonic()
    while (state := sock.state) == State.CONNECTING:
        if time.monotonic() - begun > limit:
            raise ConnectionLost(_no_answer(settings, limit))
        await asyncio.sleep(POLL_EVERY)
    if state != State.CONNECTED:
        raise ConnectionLost(_refusal(sock.refusal, settings, limit))


async def _accept(settings: SrtSettings, timeout: float) -> SrtSocket:
    """The first caller that requests the right stream; then the port is closed."""
    family, here = await _address(settings.url.host or "0.0.0.0", settings.url, timeout)
    listener = _configured_socket(settings, timeout)
    try:
        if family == socket.AF_INET6:
            listener.set(Option.IPV6ONLY, 0)
        listener.bind(here)
        listener.listen()
        if settings.passphrase is not None:
            _log_passphrase(str(settings.url))
        while True:
            sock = listener.accept()
            if sock is None:
                await asyncio.sleep(POLL_EVERY)
            elif _is_wanted(sock, settings):
                return sock
    finally:
        listener.close()


@cache
def _log_passphrase(url: str) -> None:
    """Log once: libsrt reports a rejected passphrase to the caller only."""
    LOG.info("%s: waiting for a caller with the same passphrase; libsrt does not report any other", url)


def _is_wanted(sock: SrtSocket, settings: SrtSettings) -> bool:
    """Did the caller request our stream? If not, it is disconnected."""
    wanted = settings.stream_id.reveal()
    try:
        if not wanted or sock.text(Option.STREAMID) == wanted:
            return True
    except ConnectionLost:  # disconnected in the meantime
        pass
    sock.close()
    return False


def _configured_socket(settings: SrtSettings, timeout: float) -> SrtSocket:
    sock = SrtSocket()
    try:
        sock.set(Option.RCVLATENCY, settings.latency_ms)
        sock.set(Option.PEERLATENCY, settings.latency_ms)
        sock.set(Option.CONNTIMEO, round(timeout * 1000))
        sock.set(Option.PEERIDLETIMEO, round(max(timeout, LEAST_IDLE) * 1000))
        if settings.passphrase:
            sock.set(Option.PBKEYLEN, settings.key_size)
            sock.set(Option.PASSPHRASE, settings.passphrase.reveal().encode())
        if settings.stream_id and settings.mode == "caller":
            sock.set(Option.STREAMID, settings.stream_id.reveal().encode())
    except BaseException:
        sock.close()
        raise
    return sock


async def _own_address(settings: SrtSettings, family: int, timeout: float, port: int) -> bytes:
    wildcard = "0.0.0.0" if family == socket.AF_INET else "::"
    _, address = await _address(settings.local or wildcard, settings.url, timeout, port)
    return address


async def _address(host: str, url: Url, timeout: float, port: int | None = None) -> tuple[int, bytes]:
    """(family, `struct sockaddr`) of a name or an address.

    IPv4 is preferred, because SRT programs listen on IPv4 by default.
    """
    port = (url.port or 0) if port is None else port
    try:
        found = await resolver.SOURCES.resolve(host, port, timeout=timeout, kind=socket.SOCK_DGRAM)
    except OSError:
        raise ConnectionLost(f"unknown host name {printable(host)}") from None
    best = min(found, key=lambda place: place.family != socket.AF_INET)
    return best.family, _sockaddr(best.family, best.address)


def _sockaddr(family: int, place: tuple[Any, ...]) -> bytes:
    """The `struct sockaddr` of an address tuple as taken by `socket.connect`."""
    host, port = place[:2]
    if family == socket.AF_INET:
        return struct.pack("=H", family) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)
    flow, scope = place[2:]
    bare = socket.inet_pton(family, host.partition("%")[0])
    return struct.pack("=H", family) + struct.pack(">HI", port, flow) + bare + struct.pack("=I", scope)


def _no_answer(settings: SrtSettings, limit: float) -> str:
    other = "also calls us, with mode=rendezvous" if settings.mode == "rendezvous" else "listens"
    return f"no response within {limit:g} s: check host and port, and that it {other}"


def _refusal(reason: int, settings: SrtSettings, limit: float) -> str:
    if reason == _TIMEOUT:
        return _no_answer(settings, limit)
    text = _REFUSALS.get(reason) or (f"code {reason}" if reason >= 1000 else refusal_text(reason))
    return f"the far end rejected the connection: {text}"


_TIMEOUT = 16
_REFUSALS = {
    2: "connection rejected: check passphrase and streamid",
    5: "it already has a caller",
    10: "the passphrase is wrong",
    11: "only one side has a passphrase",
    1401: "the streamid is not authorized (401)",
    1403: "access with this streamid is forbidden (403)",
    1404: "no stream with this streamid (404)",
    1409: "this streamid is already in use (409)",
}
"""By SRT_REJECT_REASON, including the codes that servers add (access_control.h)."""
