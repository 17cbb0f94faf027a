"""Incidents of a running relay, over its HTTP API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from klvrelay.cli.verbs.relay_http import RelayHttp
from klvrelay.health.report import utc
from klvrelay.incidents.figures import Period
from klvrelay.incidents.query import Query

_PATH = "/api/v1/incidents"


class RelayApi:
    """The incidents of a relay. Raises as `RelayHttp.ask`."""

    def __init__(self, relay: RelayHttp) -> None:
        self._relay = relay

    def list(self, query: Query) -> Sequence[dict[str, Any]]:
        given = {
            "stream": query.stream, "subject": query.subject, "cause": query.cause, "limit": query.limit,
            "since": None if query.since_us is None else utc(query.since_us),
            "open": None if query.open is None else str(query.open).lower(),
        }  # fmt: skip
        return list(self._relay.ask(_PATH, dict, given).get("incidents", []))

    def figures(self, period: Period) -> dict[str, Any]:
        return self._relay.ask(f"{_PATH}/figures", dict, {"from": utc(period.start_us), "to": utc(period.end_us)})

    def acknowledge(self, id: str, by: str, note: str | None) -> dict[str, Any]:
        return self._relay.ask(f"{_PATH}/{quote(id, safe='')}", dict, method="PATCH", body={"by": by, "note": note})
