"""Makes the TCP or TLS connection to a far end.

No library of its protocol is used for this: it would block in a thread, which cannot be cancelled, and would not report
the cause.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from klvrelay import threads
from klvrelay.config.small_file import PEM_MOST, check_regular
from klvrelay.errors import ConfigError
from klvrelay.sinks.dialing.faults import dial_fault, tls_fault
from klvrelay.sinks.dialing.reachable import Reachable, Secured
from klvrelay.text import printable
from klvrelay.transports import resolver

T = TypeVar("T")

VERDICT = 0.5
"""Seconds in which a TLS 1.3 server may refuse our certificate."""
KEY_MOST = 1 << 20
"""Bytes of a key file that are searched for an encrypted key."""


async def dial(settings: Secured) -> socket.socket:
    """A connected, non-blocking socket without Nagle's delay, with TLS if set. Raises SinkDown or SinkRefused."""
    context = await threads.run(partial(tls_context, settings), "klvrelay-tls") if settings.tls else None
    sock = await call(settings)
    return sock if context is None else await _secure(settings, context, sock)


async def call(settings: Reachable) -> socket.socket:
    """A connected, non-blocking socket without Nagle's delay. Raises SinkDown."""
    fault: OSError = OSError(errno.EADDRNOTAVAIL, "no address")
    try:
        async with asyncio.timeout(settings.timeout):
            found = await resolver.BROKERS.resolve(settings.host, settings.port, timeout=settings.timeout / 2)
            for family, kind, address in found:
                try:
                    async with asyncio.timeout(settings.timeout / len(found)):
                        return await _reach(socket.socket(family, kind), address)
                except OSError as exc:
                    fault = exc
    except OSError as exc:
        fault = exc
    raise dial_fault(settings, fault)


async def _reach(sock: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _secure(settings: Secured, context: ssl.SSLContext, sock: socket.socket) -> ssl.SSLSocket:
    context.sslsocket_class = TlsSocket
    secured = context.wrap_socket(sock, server_hostname=settings.host, do_handshake_on_connect=False)
    try:
        async with asyncio.timeout(settings.timeout):
            await _shake_hands(secured)
        if secured.version() == "TLSv1.3":
            await _verdict(secured)
    except OSError as fault:
        secured.close()
        raise tls_fault(settings, fault) from fault
    except BaseException:
        secured.close()
        raise
    return secured


class TlsSocket(ssl.SSLSocket):
    """Keeps the alert that ended the connection, for the error message."""

    alert: ssl.SSLError | None = None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as fault:
            self.alert = fault
            raise


async def _verdict(secured: ssl.SSLSocket) -> None:
    """Wait for the server's verdict on our certificate: in TLS 1.3 it follows our handshake (RFC 8446, 4.4.2.4).

    The server sends a session ticket or an alert. If we sent data first, the alert could be lost: a server that closes
    with unread data resets the connection.
    """
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(secured, _settle, ready)
    try:
        await asyncio.wait({ready}, timeout=VERDICT)
    finally:
        loop.remove_reader(secured)
    if ready.done():
        with contextlib.suppress(ssl.SSLWantReadError):
            if not secured.recv(1):
                raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "closed")
    ready.cancel()


def _settle(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


async def _shake_hands(secured: ssl.SSLSocket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        ready: asyncio.Future[None] = loop.create_future()
        try:
            return secured.do_handshake()
        except ssl.SSLWantReadError:
            loop.add_reader(secured, ready.set_result, None)
        except ssl.SSLWantWriteError:
            loop.add_writer(secured, ready.set_result, None)
        try:
            await ready
        finally:
            loop.remove_reader(secured)
            loop.remove_writer(secured)


def tls_context(settings: Secured) -> ssl.SSLContext:
    """A context that trusts the system's CAs or `ca_file`, checks the host name, and has the client certificate."""
    for key in ("ca_file", "cert_file", "key_file"):
        if (path := getattr(settings, key)) is not None:
            check_regular(path, key, PEM_MOST)
    ca_file = settings.ca_file
    context = _load(f"ca_file {ca_file or ''}".rstrip(), lambda: ssl.create_default_context(cafile=ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert_file is not None and settings.key_file is not None:
        cert, key = settings.cert_file, settings.key_file
        if _load(f"key_file {key}", lambda: _is_encrypted(key)):
            raise ConfigError(
                f"key_file {printable(key)}: the key is encrypted, and its passphrase cannot be entered: decrypt"
                " it with `openssl pkey -in KEY -out NEW`, and let only the relay read the new file"
            )
        _load(f"cert_file {cert}, key_file {key}", lambda: context.load_cert_chain(cert, key, lambda: b""))
    return context


def _is_encrypted(path: str) -> bool:
    """Is there an encrypted private key in the file, in either form of PEM (RFC 7468, RFC 1421)?"""
    with open(path, "rb") as file:
        text = file.read(KEY_MOST)
    return b"BEGIN ENCRYPTED PRIVATE KEY" in text or (b"Proc-Type:" in text and b"ENCRYPTED" in text)


def _load(key: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except ssl.SSLError as fault:
        if fault.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError("cert_file, key_file: the key does not belong to the certificate") from fault
        raise ConfigError(f"{printable(key)}: contains no valid PEM ({fault.reason or 'empty'})") from fault
    except OSError as fault:
        raise ConfigError(f"{printable(key)}: can't be read: {os.strerror(fault.errno or 0).lower()}") from fault
