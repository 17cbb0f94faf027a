"""An HTTP server to which each alert is posted.

    POST /hook HTTP/1.1
    Content-Type: application/json
    Idempotency-Key: "3fa9c1-7-raised"
    Klvrelay-Signature: t=1796130000,v1=...

A status 2xx takes it. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import time
from functools import partial

from klvrelay import threads
from klvrelay.alerts.destinations.contract import Notification, NotifyFault
from klvrelay.config.sinks.http import HttpSettings
from klvrelay.errors import SinkError
from klvrelay.sinks.dialing.dial import dial
from klvrelay.sinks.http.answers import Meaning, PostAnswer
from klvrelay.sinks.http.connection import PostConnection
from klvrelay.transports.http.faults import WebFault, connection_fault
from klvrelay.transports.http.signature import HEADER, signature

LATER = frozenset({408, 409, 425, 429})
"""Statuses below 500 after which another attempt makes sense."""


class Webhook:
    """One server. Each notification has its own connection, so that none waits for an idle one that is closed."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings

    async def send(self, notification: Notification) -> str:
        """See `AlertDestination.send`."""
        timeout = self._settings.timeout
        try:
            async with asyncio.timeout(timeout):
                answer = await self._post(notification)
        except TimeoutError:
            raise NotifyFault(f"no answer within {timeout:g} s") from None
        if answer.meaning is Meaning.DELIVERED:
            return f"status {answer.status}"
        raise self._refusal(answer)

    def _refusal(self, answer: PostAnswer) -> NotifyFault:
        is_final = answer.status < 500 and answer.status not in LATER
        if answer.meaning is Meaning.REFUSED:
            return NotifyFault(f"the server refuses the alert ({answer.status}): check the path", is_final=True)
        return NotifyFault(answer.reason, is_final=is_final, wait=answer.wait)

    async def _post(self, notification: Notification) -> PostAnswer:
        settings = self._settings
        try:
            connection = PostConnection(await dial(settings), settings.host, settings.timeout)
        except SinkError as fault:  # its text begins with the URL, whose path may be secret
            raise NotifyFault(str(fault).removeprefix(settings.url).lstrip(": ")) from fault
        body = notification.body
        post = partial(connection.post, settings.target.reveal(), self._fields(notification, body), body)
        try:
            return await threads.run(post, "klvrelay-webhook")
        except WebFault as fault:
            raise NotifyFault(str(fault)) from None
        except (OSError, http.client.HTTPException) as fault:
            raise NotifyFault(str(connection_fault(fault, settings.timeout))) from None
        finally:
            connection.abort()
            connection.close()

    def _fields(self, notification: Notification, body: bytes) -> dict[str, str]:
        settings = self._settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        fields = {
            "Host": host if settings.port == (443 if settings.tls else 80) else f"{host}:{settings.port}",
            "Content-Type": "application/json",
            "User-Agent": "klvrelay",
            "Idempotency-Key": f'"{notification.id}"',
        }
        if settings.sign_key is not None:
            fields[HEADER] = signature(settings.sign_key, body, int(time.time()))
        if settings.username is not None:
            login = f"{settings.username}:{settings.password.reveal() if settings.password else ''}"
            fields["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        return fields
