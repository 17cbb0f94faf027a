"""Runs the web server beside a relay."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from klvrelay import threads
from klvrelay.config.web import WITHOUT_LIBRARY, WebSettings
from klvrelay.errors import ConfigError

if TYPE_CHECKING:
    from klvrelay.config.settings import RelaySettings
    from klvrelay.relay.relay import Relay
    from klvrelay.web.server import RelayServer

Beside = Callable[["Relay"], Awaitable[None]]


@contextlib.contextmanager
def web_server(settings: WebSettings | None, config: Callable[[], str]) -> Iterator[Beside | None]:
    """Listen inside, so that an address in use is refused before anything starts. What it yields runs beside the relay;
    None without a web server.

    config   the settings as TOML, without secrets; it may block
    """
    if settings is None:
        yield None
        return
    try:
        from klvrelay.web.server import RelayServer, listen
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] != "aiohttp":
            raise
        raise ConfigError(f"http: {WITHOUT_LIBRARY}") from None
    from klvrelay.relay.readiness import reasons_unready
    from klvrelay.web.observed import Observed

    with listen(settings) as sock:

        async def serve(relay: Relay) -> None:
            read = partial(threads.run, config, "klvrelay-settings")
            observed = Observed(relay.board, partial(reasons_unready, relay), read, relay.incidents, relay.alerting)
            server = RelayServer(settings, observed, sock)
            relay.on_reload.append(partial(_apply, server))
            await server.open()
            await server.serve()

        yield serve


async def _apply(server: RelayServer, settings: RelaySettings) -> None:
    if settings.http is not None:
        await server.apply(settings.http)
