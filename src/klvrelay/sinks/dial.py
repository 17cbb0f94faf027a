"""The TCP or TLS connection under MQTT, made from the settings.

We connect ourselves, since a library that blocks in a thread can neither be cancelled nor say what failed.
Next door: `link.py` hands the socket to the MQTT library, `faults.py` words what went wrong.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from klvrelay.errors import ConfigError
from klvrelay.sinks.faults import dial_fault, tls_fault
from klvrelay.sinks.settings import MqttSettings

T = TypeVar("T")


async def dial(settings: MqttSettings) -> socket.socket:
    """A connected, non-blocking socket without Nagle's delay, TLS on it if set; the fault says what to try."""
    context = await asyncio.to_thread(tls_context, settings) if settings.tls else None
    sock = await _call(settings)
    return sock if context is None else await _secure(settings, context, sock)


async def _call(settings: MqttSettings) -> socket.socket:
    loop = asyncio.get_running_loop()
    fault: OSError = OSError(errno.EADDRNOTAVAIL, "no address")
    try:
        async with asyncio.timeout(settings.timeout):
            found = await loop.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
            for family, kind, proto, _, address in found:
                try:
                    async with asyncio.timeout(settings.timeout / len(found)):
                        return await _reach(socket.socket(family, kind, proto), address)
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


async def _secure(settings: MqttSettings, context: ssl.SSLContext, sock: socket.socket) -> ssl.SSLSocket:
    secured = context.wrap_socket(sock, server_hostname=settings.host, do_handshake_on_connect=False)
    try:
        async with asyncio.timeout(settings.timeout):
            await _shake_hands(secured)
    except OSError as fault:
        secured.close()
        raise tls_fault(settings, fault) from fault
    except BaseException:
        secured.close()
        raise
    return secured


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


def tls_context(settings: MqttSettings) -> ssl.SSLContext:
    """Trusts the system's authorities or `ca_file`, checks the host name, shows a client certificate."""
    context = _load("ca_file", lambda: ssl.create_default_context(cafile=settings.ca_file))
    if settings.cert_file is not None:
        cert, key = settings.cert_file, settings.key_file
        # An encrypted key would otherwise make OpenSSL ask on the terminal.
        _load("cert_file, key_file", lambda: context.load_cert_chain(cert, key, lambda: b""))
    return context


def _load(key: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except ssl.SSLError as fault:
        raise ConfigError(f"mqtt {key}: no usable PEM there ({fault.reason or 'empty'})") from fault
    except OSError as fault:
        raise ConfigError(f"mqtt {key}: can't be read: {os.strerror(fault.errno or 0).lower()}") from fault
