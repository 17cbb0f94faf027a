"""Requests of commands to the HTTP server of a running relay."""

from __future__ import annotations

import http.client
import os
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson

from klvrelay.config.credentials import secret_file
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, SourceDown
from klvrelay.json_output import dumps
from klvrelay.text import Secret, printable
from klvrelay.transports.http.faults import WebFault, connection_fault
from klvrelay.transports.http.header import Response
from klvrelay.transports.tls import client_context

TOKEN = "KLVRELAY_HTTP_TOKEN"
TIMEOUT = 10.0
"""Seconds for an answer."""
ANSWER_MOST = 64 << 20
"""Maximum bytes of an answer."""
T = TypeVar("T", dict[str, Any], list[Any])


class RelayHttp:
    """The server at a URL.

    token_file   a file with its token, instead of KLVRELAY_HTTP_TOKEN
    ca_file      certificates to trust, instead of those of the system

    Raises ConfigError for a URL or a file that cannot be used.
    """

    def __init__(self, url: str, token_file: str | None = None, ca_file: str | None = None) -> None:
        self._url = Url.parse(url)
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise ConfigError("--url: must be http://host:port or https://host:port of a running relay")
        given = os.environ.get(TOKEN, "")
        self._token = secret_file(token_file, "--token-file") if token_file is not None else Secret(given)
        self._tls = client_context(ca_file) if self._url.scheme == "https" else None

    def ask(
        self, path: str, expected: type[T], query: Mapping[str, Any] | None = None, method: str = "GET",
        body: Any = None,
    ) -> T:  # fmt: skip
        """The document at a path, an object or an array (`expected`). Members of `query` that are None are left out.

        Raises SourceDown if there is no answer of a relay, ConfigError if it refuses the request.
        """
        given = urlencode({name: value for name, value in (query or {}).items() if value is not None})
        target = f"{self._url.path.rstrip('/')}{path}{'?' if given else ''}{given}"
        try:
            status, answer = self._answer(target, method, None if body is None else dumps(body))
        except WebFault as fault:
            raise SourceDown(f"{self._url}: {fault}") from None
        except (OSError, http.client.HTTPException) as fault:
            text = str(connection_fault(fault, TIMEOUT)).replace("ca_file", "--ca-file")
            raise SourceDown(f"{self._url}: {text}") from None
        document = _document(answer)
        if status >= 300:
            raise self._refused(status, document)
        if not isinstance(document, expected):
            raise SourceDown(f"{self._url}: the answer is not that of a relay: check the address")
        return document

    def _answer(self, target: str, method: str, body: bytes | None) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            connection.request(method, target, body, self._fields(body))
            response = connection.getresponse()
            assert isinstance(response, Response)
            response.expect(TIMEOUT)
            answer = response.read(ANSWER_MOST + 1)
        finally:
            connection.close()
        if len(answer) > ANSWER_MOST:
            raise WebFault("the answer is too large")
        return response.status, answer

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.host, self._url.port
        connection = (
            http.client.HTTPConnection(host, port or 80, timeout=TIMEOUT) if self._tls is None
            else http.client.HTTPSConnection(host, port or 443, timeout=TIMEOUT, context=self._tls)
        )  # fmt: skip
        connection.response_class = Response
        return connection

    def _fields(self, body: bytes | None) -> dict[str, str]:
        fields = {"Accept": "application/json"}
        if self._token:
            fields["Authorization"] = f"Bearer {self._token.reveal()}"
        return fields if body is None else fields | {"Content-Type": "application/json"}

    def _refused(self, status: int, problem: Any) -> ConfigError:
        hint = f"; give its token: --token-file, or {TOKEN} in the environment" if status == 401 else ""
        members = problem if isinstance(problem, dict) else {}
        text = members.get("detail") or members.get("title") or "is it the HTTP server of a relay?"
        return ConfigError(f"{self._url}: {printable(str(text)[:300])} (HTTP {status}){hint}")


def _document(answer: bytes) -> Any:
    """None if it is not JSON."""
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError:
        return None
