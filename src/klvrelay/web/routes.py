"""The paths of the web server, and what answers them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web

from klvrelay.json_output import dumps
from klvrelay.web.api import of_alerts, of_health, of_incidents
from klvrelay.web.api.endpoint import PREFIX, ApiEndpoint, Call
from klvrelay.web.api.openapi import openapi
from klvrelay.web.api.parameters import body_of, values_of
from klvrelay.web.metrics.collect import exposition
from klvrelay.web.metrics.exposition import CONTENT_TYPE
from klvrelay.web.observed import Observed
from klvrelay.web.orchestration import orchestration_routes
from klvrelay.web.problems import Problem

GUIDE = dumps({"service": "klvrelay", "api": f"{PREFIX}/", "description": f"{PREFIX}/openapi.json",
               "metrics": "/metrics", "health": ["/healthz", "/readyz"]})  # fmt: skip
"""Where to go from `/` and from the prefix of the API without a slash."""


def routes(observed: Observed, is_trusted: Callable[[web.Request], bool]) -> Sequence[web.RouteDef]:
    """All routes. `is_trusted`: does a request to a path that needs no token have one?"""

    async def metrics(request: web.Request) -> web.Response:
        body = await exposition(observed.board, [observed.more_families])
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def guide(request: web.Request) -> web.Response:
        return web.Response(body=GUIDE, content_type="application/json")

    plain = [web.get("/", guide), web.get(PREFIX, guide), web.get("/metrics", metrics)]
    return [*plain, *orchestration_routes(observed, is_trusted), *api_routes(observed)]


def api_routes(observed: Observed) -> list[web.RouteDef]:
    """The routes of the API and of its description."""
    endpoints = endpoints_of(observed)
    description = dumps(openapi(endpoints))

    async def describe(request: web.Request) -> web.Response:
        return web.Response(body=description, content_type="application/json")

    return [web.get(f"{PREFIX}/openapi.json", describe), *(_route(endpoint, observed) for endpoint in endpoints)]


def endpoints_of(observed: Observed) -> list[ApiEndpoint]:
    """The endpoints that this relay has."""
    incidents = () if observed.incidents is None else of_incidents.ENDPOINTS
    return [*of_health.ENDPOINTS, *incidents, *(() if observed.alerting is None else of_alerts.ENDPOINTS)]


def _route(endpoint: ApiEndpoint, observed: Observed) -> web.RouteDef:
    async def handle(request: web.Request) -> web.Response:
        values = values_of(endpoint, request.match_info, _query(request))
        body = {} if endpoint.body is None else body_of(endpoint.body, await request.read())
        document = await endpoint.answer(Call(observed, values, body))
        return web.Response(body=dumps(document), content_type="application/json")

    method = {"GET": web.get, "PATCH": web.patch}[endpoint.method]
    return method(f"{PREFIX}{endpoint.path}", handle)


def _query(request: web.Request) -> dict[str, str]:
    """The query. Raises Problem if a parameter occurs twice."""
    query = dict(request.query)
    if len(query) < len(request.query):
        raise Problem(400, "a parameter occurs twice")
    return query
