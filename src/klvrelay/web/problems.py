"""Errors of the API as JSON: problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from klvrelay.json_output import dumps

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """Answers a request with an error. `detail`: what to do."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def problem_response(problem: Problem) -> web.Response:
    """The answer to a request that failed."""
    document = {"type": "about:blank", "title": HTTPStatus(problem.status).phrase, "status": problem.status,
                "detail": problem.detail}  # fmt: skip
    return web.Response(body=dumps(document), status=problem.status, content_type=CONTENT_TYPE,
                        headers=problem.headers)  # fmt: skip
