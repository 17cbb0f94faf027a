"""The web server of the relay. It runs on the loop of the relay, beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from aiohttp import web

from klvrelay import threads
from klvrelay.config.web import WebSettings
from klvrelay.config.web_certificate import load_certificate, server_context
from klvrelay.errors import ConfigError, KlvrelayError, describe_bug
from klvrelay.web.api.endpoint import PREFIX
from klvrelay.web.connections import BUFFER, Connections
from klvrelay.web.guard import HEADERS, OPEN, Guard
from klvrelay.web.observed import Observed
from klvrelay.web.problems import Problem, problem_response
from klvrelay.web.routes import routes

LOG = logging.getLogger("klvrelay.web")

BODY_MOST = 64 << 10
"""Maximum bytes of a request body."""
ANSWER = 10.0
"""Maximum seconds for an answer."""

HANDSHAKE = 5.0
"""Maximum seconds for a TLS handshake; until then a connection is not counted."""
TOGETHER = 2
"""Maximum number of requests of a kind that are answered at once, so that many clients do not delay live records."""
_ON_DISK = (f"{PREFIX}/incidents", f"{PREFIX}/config")
_QUIET = logging.getLogger("klvrelay.web.http")
"""Of the web library: requests that are no HTTP must not fill the log. Errors of handlers are logged here."""
_QUIET.disabled = True

_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RelayServer:
    """Serves metrics, health and the API. `open` first, then `serve` until cancelled.

    sock         listens at the address of the settings: see `listen`
    connections  of its clients

    Raises ConfigError for a certificate that cannot be used.
    """

    def __init__(self, settings: WebSettings, observed: Observed, sock: socket.socket) -> None:
        self._settings, self._sock = settings, sock
        self._context = server_context(settings)
        self._guard = Guard(settings)
        app = web.Application(middlewares=[self._answer], client_max_size=BODY_MOST)
        app.add_routes(routes(observed, lambda request: self._guard.is_trusted(request)))
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, keepalive_timeout=ANSWER,
                                     auto_decompress=False, logger=_QUIET)  # fmt: skip
        self._quick, self._waiting = asyncio.Semaphore(TOGETHER), asyncio.Semaphore(TOGETHER)
        self._server: asyncio.Server | None = None
        self.connections = Connections(lambda: None)

    async def open(self) -> None:
        """Accept connections."""
        await self._runner.setup()
        assert self._runner.server is not None
        self.connections = Connections(self._runner.server)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self.connections.protocol, sock=self._sock, ssl=self._context, backlog=128,
            ssl_handshake_timeout=None if self._context is None else HANDSHAKE,
        )  # fmt: skip
        LOG.info("web server listens: url=%s token=%s", self._url,
                 "required" if self._settings.token else "none")  # fmt: skip

    @property
    def _url(self) -> str:
        port = self._sock.getsockname()[1]
        return self._settings.url.removesuffix(f":{self._settings.port}") + f":{port}"

    async def apply(self, settings: WebSettings) -> None:
        """Use another token and other host names from the next request on, and read the certificate again. One that
        cannot be used is logged, and the earlier one stays.
        """
        self._guard = Guard(settings)
        if self._context is not None:
            try:
                await threads.run(partial(load_certificate, self._context, self._settings), "klvrelay-settings")
            except ConfigError as fault:
                LOG.error("certificate not reloaded, the earlier one stays in effect: %s", fault)

    async def serve(self) -> None:
        """Serve until cancelled."""
        try:
            await self.connections.keep_closing()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the server and all connections, without waiting for clients."""
        if self._server is not None:
            self._server.close()
        self.connections.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._runner.cleanup()

    @web.middleware
    async def _answer(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        """Check a request, and answer it; every error is a problem in JSON."""
        transport = request.transport
        self.connections.answer(transport)
        try:
            response = await self._result(request, handler)
        finally:
            self.connections.rest(transport)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _turn(self, path: str) -> AbstractAsyncContextManager[object]:
        """Wait until few other requests are answered. Those that wait for a disk hold up no others."""
        if path in OPEN:
            return contextlib.nullcontext()
        return self._waiting if path.startswith(_ON_DISK) else self._quick

    async def _result(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        try:
            self._guard.check(request)
            async with asyncio.timeout(ANSWER), self._turn(request.path):
                return await handler(request)
        except Problem as problem:
            return problem_response(problem)
        except web.RequestPayloadError:
            return problem_response(Problem(400, "the body cannot be read"))
        except TimeoutError:
            return problem_response(Problem(503, f"no answer within {ANSWER:g} s"))
        except web.HTTPException as fault:
            headers = {"Allow": fault.headers["Allow"]} if "Allow" in fault.headers else {}
            return problem_response(Problem(fault.status, fault.reason, headers))
        except KlvrelayError as fault:
            return problem_response(Problem(503, str(fault)))
        except Exception as fault:  # an internal error must end one request only
            LOG.exception("request failed: path=%s", request.path)
            return problem_response(Problem(500, describe_bug(fault)))


def listen(settings: WebSettings) -> socket.socket:
    """The socket on which the server listens. Raises ConfigError."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)  # connections inherit it
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError as fault:
        sock.close()
        reason = os.strerror(fault.errno).lower() if fault.errno else str(fault)
        raise ConfigError(f"http.listen: {settings.listen} cannot be used: {reason}") from fault
    return sock
