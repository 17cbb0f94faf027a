"""The paths of the web server, and what answers them."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from klvrelay.json_output import dumps
from klvrelay.web.metrics.collect import exposition
from klvrelay.web.metrics.exposition import CONTENT_TYPE
from klvrelay.web.observed import Observed


def routes(observed: Observed) -> Sequence[web.RouteDef]:
    """All routes."""

    async def healthz(request: web.Request) -> web.Response:
        return web.Response(body=dumps({"status": "ok"}), content_type="application/json")

    async def readyz(request: web.Request) -> web.Response:
        reasons = list(observed.unready())
        document = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return web.Response(body=dumps(document), status=503 if reasons else 200, content_type="application/json")

    async def metrics(request: web.Request) -> web.Response:
        body = await exposition(observed.board, observed.families)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]
