"""A service of the Apprise library (extra `alerts`), such as mail, Slack, Matrix or a pager."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from functools import partial
from typing import Any

from klvrelay import threads
from klvrelay.alerts.destinations.contract import Notification, NotifyFault
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

_TYPES = {"info": "info", "warning": "warning", "critical": "failure"}


def load() -> Any:
    """The library. Raises ConfigError without it. Its log lines may contain secrets, and those of
    the libraries that it uses, so they are switched off."""
    try:
        import apprise
    except ImportError:
        raise ConfigError("apprise: needs the Apprise library: pip install 'klvrelay[alerts]'") from None
    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # also of their modules
    return apprise


class AppriseService:
    """One service. The library blocks, so it runs in a thread; one that hangs stays the only one.

    Raises ConfigError, which does not contain the URL, for one that Apprise does not know.
    """

    def __init__(self, url: Secret, timeout: float) -> None:
        self._library, self._timeout = load(), timeout
        self._service = self._library.Apprise()
        self._running: Future[Any] | None = None
        if not self._service.add(url.reveal()):
            raise ConfigError("apprise: not a URL that Apprise knows, or its library for this service is missing; see"
                              " https://github.com/caronc/apprise")  # fmt: skip

    async def send(self, notification: Notification) -> str:
        """See `AlertDestination.send`."""
        if self._running is not None and not self._running.done():
            raise NotifyFault("an earlier attempt has not ended yet")
        running: Future[Any] = Future()
        self._running = running
        threads.start(partial(threads.settle, running, partial(self._notify, notification)), "klvrelay-apprise")
        try:
            async with asyncio.timeout(self._timeout):
                is_sent = await asyncio.shield(asyncio.wrap_future(running))
        except TimeoutError:
            raise NotifyFault(f"no answer within {self._timeout:g} s") from None
        except Exception as fault:  # noqa: BLE001 (whatever a plugin raises; its text may contain the URL)
            raise NotifyFault(f"the library failed: {type(fault).__name__}") from None
        if not is_sent:
            raise NotifyFault("the service did not take it: check its URL, login and network")
        return "sent"

    def _notify(self, notification: Notification) -> bool:
        kind = _TYPES[notification.alert.severity] if notification.alert.is_raised else "success"
        text = {"title": notification.title, "body": notification.text, "notify_type": kind}
        # `Apprise.notify` would use a pool of threads that the interpreter waits for at its exit.
        results = [plugin.notify(**text) for plugin in self._service]
        return all(results)
