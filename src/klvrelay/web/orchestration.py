"""Answers an orchestrator: does the process answer, is it ready, and what is down meanwhile?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web

from klvrelay.health.board import Board
from klvrelay.json_output import dumps
from klvrelay.web.observed import Observed

_GOOD = ("connecting", "up", "ended")
"""States of a sink that is not in an outage."""


def orchestration_routes(observed: Observed, is_trusted: Callable[[web.Request], bool]) -> Sequence[web.RouteDef]:
    """The routes that need no token. Requests that are not trusted are answered with the status alone."""

    async def healthz(request: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        reasons = list(observed.unready())
        document: dict[str, object] = {"status": "not ready" if reasons else "ready"}
        if is_trusted(request):
            document |= {"reasons": reasons, "degraded": degraded_parts(observed.board)}
        return _json(document, 503 if reasons else 200)

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


def degraded_parts(board: Board) -> list[str]:
    """The sinks and the spool that are in an outage, or were never up, in a few words each."""
    found = [
        f"sink {health.key or health.name}: {health.state}"
        for health in board.sinks()
        if health.state not in _GOOD or not health.ever_up
    ]
    return found + (["spool: failing"] if board.has_spool and board.spool.state == "failing" else [])


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(body=dumps(document), status=status, content_type="application/json")
