"""A web server as a far end: what waits is posted, and a 2xx status confirms it."""

from __future__ import annotations

import asyncio
import base64
import gzip
import http.client
import logging
import ssl
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import takewhile

from klvrelay.backoff import Repeats
from klvrelay.config.sinks.http import HttpSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.dialing.dial import dial
from klvrelay.sinks.http.answers import SETTINGS_WAIT, Meaning, PostAnswer
from klvrelay.sinks.http.connection import PostConnection
from klvrelay.sinks.http.posts import Post, posts_of
from klvrelay.sinks.publishing.far_end import Unconfirmed
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED
from klvrelay.threads import Worker
from klvrelay.transports.http.faults import WebFault, connection_fault
from klvrelay.transports.http.signature import HEADER, signature

LOG = logging.getLogger("klvrelay.sinks")

CHECK = 1.0
"""Seconds between two checks if an idle connection has been closed."""
REFUSED_MOST = 20
"""Consecutive records that may be refused before one is accepted: then it is not these records."""
GZIP_LEVEL = 6


class WebServer:
    """One server. Its contract is `FarEnd`. Proxies of the environment are not used."""

    detail = ""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self.url = settings.url
        self._worker: Worker | None = None
        self._connection: PostConnection | None = None
        self._turn = asyncio.Lock()
        self._refusals = Repeats()
        self._refused: int | None = 0  # None: a record was accepted on this connection
        self._is_suspected = False  # it has refused every record: what it refuses waits until one is accepted
        self._is_checked = (
            False  # the server was found after it had closed an idle connection, and nothing was sent since
        )

    async def open(self) -> None:
        """Connect. Raises SinkDown or SinkRefused."""
        self._worker = Worker("klvrelay-http")
        self._refused = 0
        await self._dial()

    async def _dial(self) -> PostConnection:
        settings = self._settings
        connection = PostConnection(await dial(settings), settings.host, settings.timeout)
        self._connection = connection
        return connection

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Post, and return once all is answered. Raises Unconfirmed."""
        results: list[int | None] = [None] * len(publications)
        was_suspected = self._is_suspected
        try:
            for post in posts_of(publications, self._settings.post_records, self._settings.post_size):
                await self._deliver(post, results)
        except SinkError as fault:
            if was_suspected and self._is_suspected:
                results.clear()
            leading = [one for one in takewhile(lambda one: one is not None, results) if one is not None]
            traced = isinstance(fault, SinkDown) and fault.traced
            raise Unconfirmed(str(fault), leading, traced=traced, wait=fault.wait) from fault
        return [DELIVERED if one is None else one for one in results]

    async def _deliver(self, post: Post, results: list[int | None]) -> None:
        """Post. If it is refused, post its halves, to find the records that are."""
        waiting = [post]
        while waiting:
            part = waiting.pop()
            answer = await self._answer(part)
            if answer.meaning is Meaning.REFUSED and len(part.places) > 1:
                waiting += reversed(part.halves)
            elif answer.meaning is Meaning.REFUSED:
                results[part.places[0]] = answer.result
                self._count_refused(part, answer, is_last=part.places[0] == len(results) - 1)
            else:
                self._refused = None
                self._is_suspected = False
                for place in part.places:
                    results[place] = DELIVERED

    def _count_refused(self, part: Post, answer: PostAnswer, *, is_last: bool) -> None:
        """Raise SinkDown if it is the server and not the record."""
        if not self._is_suspected:
            self._log_refused(part, answer)
        if self._refused is None:
            return
        self._refused += 1
        if self._refused >= REFUSED_MOST or (self._is_suspected and is_last):
            self._is_suspected = True
            fault = self._down(f"it refuses every record ({answer.status}): {answer.remedy}")
            fault.wait = SETTINGS_WAIT
            raise fault

    def _log_refused(self, part: Post, answer: PostAnswer) -> None:
        line = self._refusals.add(f"record refused ({answer.status})")
        if line is not None:
            item = part.publications[0].item
            LOG.warning("%s: %s: stream=%s seq=%d", self.url, line, part.fields["Klvrelay-Stream"], item.seq)

    async def _answer(self, post: Post) -> PostAnswer:
        """The answer to a POST, after a redirect to the same server. Raises SinkDown if no record can be delivered."""
        target = self._settings.target.reveal()
        for _ in range(2):
            answer = await self._exchange(post, target)
            if answer.meaning is not Meaning.REDIRECTED or (there := self._redirected(target, answer)) is None:
                break
            target = there
        if answer.meaning in (Meaning.DOWN, Meaning.REDIRECTED):
            fault = self._down(answer.reason)
            fault.wait = answer.wait
            raise fault
        return answer

    def _redirected(self, target: str, answer: PostAnswer) -> str | None:
        """The target of a redirect; None if it is on another server."""
        own = f"{'https' if self._settings.tls else 'http'}://{self._host}"
        with suppress(ValueError):
            found = urllib.parse.urlsplit(urllib.parse.urljoin(own + target, answer.fields.get("Location", "")))
            default = 443 if found.scheme == "https" else 80
            there = found.scheme, found.hostname, found.port or default
            if there == (own.partition(":")[0], self._settings.host.lower(), self._settings.port):
                return urllib.parse.urlunsplit(("", "", found.path or "/", found.query, ""))
        return None

    def _down(self, reason: str) -> SinkDown:
        """The server answers, but takes nothing: no record is the cause."""
        return SinkDown(f"{self.url}: {reason}", traced=True)

    # ---- one exchange ----

    async def _exchange(self, post: Post, target: str) -> PostAnswer:
        """The answer to a POST. Raises SinkDown if there is none."""
        async with self._turn:
            connection = self._connection or await self._dial_again()
            try:
                return await self._post_on(connection, post, target)
            except ConnectionError:  # the server has closed the connection that was idle
                return await self._post_on(await self._dial_again(), post, target)

    async def _dial_again(self) -> PostConnection:
        """A new connection. Raises SinkError; no record is the cause."""
        try:
            return await self._dial()
        except SinkDown as fault:
            fault.traced = True
            raise

    async def _post_on(self, connection: PostConnection, post: Post, target: str) -> PostAnswer:
        """Raises SinkDown, and ConnectionError if the server closed a connection that was used before."""
        if self._worker is None:
            raise SinkDown(f"{self.url}: not connected")
        was_used = connection.is_used
        try:
            async with asyncio.timeout(self._settings.timeout):
                answer = await self._worker.run(partial(self._post, connection, post, target))
        except WebFault as fault:
            raise self._lost(fault) from fault
        except (OSError, http.client.HTTPException) as fault:
            down = self._lost(connection_fault(fault, self._settings.timeout))
            if was_used and isinstance(fault, ConnectionError | ssl.SSLEOFError):
                raise ConnectionError from fault
            down.traced = _is_no_http(fault)
            raise down from fault
        self._is_checked = False
        if not connection.is_usable:
            self._drop()
        return answer

    def _lost(self, fault: WebFault) -> SinkDown:
        """The connection ended without an answer."""
        self._drop()
        return SinkDown(f"{self.url}: {fault}")

    def _post(self, connection: PostConnection, post: Post, target: str) -> PostAnswer:
        """On the thread."""
        body = post.body
        fields = {**self._fields(), **post.fields}
        if self._settings.gzip:
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
            fields["Content-Encoding"] = "gzip"
        if self._settings.sign_key is not None:
            fields[HEADER] = signature(self._settings.sign_key, body, int(time.time()))
        return connection.post(target, fields, body)

    def _fields(self) -> Mapping[str, str]:
        settings = self._settings
        fields = {"Host": self._host, "User-Agent": "klvrelay", "Accept": "*/*"}
        if settings.token is not None:
            fields["Authorization"] = f"Bearer {settings.token.reveal()}"
        elif settings.username is not None:
            password = "" if settings.password is None else settings.password.reveal()
            login = base64.b64encode(f"{settings.username}:{password}".encode()).decode()
            fields["Authorization"] = f"Basic {login}"
        return fields

    @property
    def _host(self) -> str:
        """The value of Host: without a port that is that of the scheme."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return host if self._settings.port == (443 if self._settings.tls else 80) else f"{host}:{self._settings.port}"

    # ---- the connection ----

    async def lost(self) -> SinkDown:
        """Wait until the server is gone. That it closes an idle connection is usual: then connect again, once."""
        while True:
            await asyncio.sleep(CHECK)
            if not self._turn.locked() and (fault := await self._check_idle()) is not None:
                return SinkDown(str(fault))

    async def _check_idle(self) -> SinkError | None:
        """Why the server cannot be reached, if it has closed the connection."""
        async with self._turn:
            if self._connection is None or not self._connection.is_closed_by_server():
                return None
            self._drop()
            if self._is_checked:
                return None
            self._is_checked = True
            try:
                await self._dial()
            except SinkError as fault:
                return fault
            return None

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
            if self._worker is not None:
                self._worker.run(connection.close)

    async def close(self) -> None:
        """Close the connection. A request that is being made ends."""
        self._drop()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()


def _is_no_http(fault: Exception) -> bool:
    """Is something else answering there? Then no record is the cause."""
    return isinstance(fault, http.client.HTTPException) and not isinstance(fault, http.client.RemoteDisconnected)
