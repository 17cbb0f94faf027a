"""Incidents of a running relay, over its HTTP API."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.health.report import utc
from klvrelay.incidents.figures import Period
from klvrelay.incidents.query import Query
from klvrelay.text import printable

TOKEN = "KLVRELAY_HTTP_TOKEN"
TIMEOUT = 10.0
"""Seconds for an answer."""
ANSWER_MOST = 64 << 20
"""Maximum bytes of an answer."""
_PATH = "/api/v1/incidents"


class _NoRedirect(HTTPRedirectHandler):
    """Does not send the token to another server."""

    def redirect_request(self, *_: Any) -> None:
        return None


class RelayApi:
    """The incidents of the relay at a URL. Raises ConfigError for an invalid URL or a refusal, else KlvrelayError."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"--url {printable(url)}: give the address of the relay, such as http://127.0.0.1:8080")
        self._url, self._shown = url.rstrip("/"), printable(url)
        self._token = os.environ.get(TOKEN, "")

    def list(self, query: Query) -> Sequence[dict[str, Any]]:
        given = {
            "stream": query.stream, "subject": query.subject, "cause": query.cause, "limit": query.limit,
            "since": None if query.since_us is None else utc(query.since_us),
            "open": None if query.open is None else str(query.open).lower(),
        }  # fmt: skip
        answer = self._ask(_PATH, given)
        found = answer.get("incidents", []) if isinstance(answer, dict) else answer
        return list(found)

    def figures(self, period: Period) -> dict[str, Any]:
        return dict(self._ask(f"{_PATH}/figures", {"from": utc(period.start_us), "to": utc(period.end_us)}))

    def acknowledge(self, id: str, by: str, note: str | None) -> dict[str, Any]:
        return dict(self._ask(f"{_PATH}/{quote(id, safe='')}", {}, {"by": by, "note": note}))

    def _ask(self, path: str, query: dict[str, Any], body: dict[str, Any] | None = None) -> Any:
        given = urlencode({name: value for name, value in query.items() if value is not None})
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        data, method = (None, "GET") if body is None else (json.dumps(body).encode(), "PATCH")
        try:
            request = Request(f"{self._url}{path}{'?' if given else ''}{given}", data, headers, method=method)
            with build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
                return json.loads(answer.read(ANSWER_MOST))
        except HTTPError as fault:
            raise self._refused(fault) from fault
        except (URLError, OSError, HTTPException, ValueError) as fault:
            raise KlvrelayError(f"{self._shown}: no answer of a relay: {printable(str(fault))}") from fault

    def _refused(self, fault: HTTPError) -> KlvrelayError:
        hint = f"; give its token in {TOKEN}" if fault.code == 401 else ""
        try:
            with fault:  # it has the connection
                problem = json.loads(fault.read(10_000))
            text = str(problem.get("detail") or problem.get("title") or fault.reason)
        except (ValueError, OSError, AttributeError):
            text = str(fault.reason)
        return ConfigError(f"{self._shown}: {printable(text[:300])} (HTTP {fault.code}){hint}")
