"""The JSON API: its description is valid, and each answer is as described."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from served_relay import Served, alerting, board_of, connected, flown, ledger, serving

from klvrelay.health.board import Board
from klvrelay.incidents.ledger_service import Incidents
from klvrelay.web.api.endpoint import PREFIX, ApiEndpoint
from klvrelay.web.observed import Observed
from klvrelay.web.routes import endpoints_of

BODY = {"by": "operator", "note": "the mast was down"}


def full_board() -> Board:
    board = board_of([flown(), flown("b/ü")], [connected()])
    board.has_spool = True
    board.latest = lambda name: b'{"items":{"mission_id":"M"}}' if name == "uav1" else None
    return board


async def config() -> str:
    return "[relay]\n"


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    """A server with all endpoints, and an open incident."""
    board = full_board()
    async with ledger(board) as incidents:
        observed = Observed(board, config=config, incidents=incidents, alerting=alerting(board))
        async with serving(observed) as found:
            yield found


ENDPOINTS = endpoints_of(Observed(board := full_board(), incidents=Incidents(board), alerting=alerting(board)))


def filled(path: str, served: Served) -> str:
    incidents = served.observed.incidents
    assert incidents is not None
    (incident,) = incidents.tracker.open()
    known = {"{stream}": "uav1", "{sink}": "mqtt", "{id}": incident.id}
    for name, value in known.items():
        path = path.replace(name, value)
    return path


async def ask(endpoint: ApiEndpoint, served: Served, query: str = "") -> ClientResponse:
    more = {} if endpoint.body is None else {"json": BODY}
    return await served.ask(filled(f"{PREFIX}{endpoint.path}", served) + query, endpoint.method, **more)


def described(document: Any, path: str, method: str, status: int) -> Draft202012Validator:
    """What validates the answers of an operation."""
    content = document["paths"][path][method]["responses"][str(status)]["content"]
    ((_, media),) = content.items()
    return Draft202012Validator({**media["schema"], "components": document["components"]})


async def test_the_description_is_valid_openapi():
    """OpenAPI 3.1, with all paths."""
    async with served() as found:
        document = await found.json(f"{PREFIX}/openapi.json")
    validate(document)
    assert set(document["paths"]) == {f"{PREFIX}{endpoint.path}" for endpoint in ENDPOINTS}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
async def test_each_answer_is_as_described(endpoint: ApiEndpoint):
    """Its members, and no others."""
    async with served() as found:
        document = await found.json(f"{PREFIX}/openapi.json")
        path = f"{PREFIX}{endpoint.path}"
        response = await ask(endpoint, found)
        assert response.status == 200
        validator = described(document, path, endpoint.method.lower(), 200)
        assert [fault.message for fault in validator.iter_errors(await response.json())] == []


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
@pytest.mark.parametrize("query", ["?colour=1", "?limit=1&limit=2", "?%00"])
async def test_a_wrong_query_is_a_described_problem(endpoint: ApiEndpoint, query: str):
    """It says which parameters are valid."""
    async with served() as found:
        document = await found.json(f"{PREFIX}/openapi.json")
        response = await ask(endpoint, found, query)
        answer = await response.json()
        assert response.status == 400
        validator = described(document, f"{PREFIX}{endpoint.path}", endpoint.method.lower(), 400)
        assert [fault.message for fault in validator.iter_errors(answer)] == []


@pytest.mark.parametrize("path", ["/streams/uav2", "/streams/UAV1", "/sinks/redis", "/streams/..%2f", "/streams/%00"])
async def test_what_is_not_there_is_a_problem(path: str):
    """With the place of the list."""
    async with served() as found:
        response = await found.ask(f"{PREFIX}{path}")
        assert response.status == 404
        assert "see /api/v1/" in (await response.json())["detail"]


async def test_a_stream_has_its_health_and_its_latest_values():
    """A name that is no path is encoded."""
    async with served() as found:
        one = await found.json(f"{PREFIX}/streams/uav1")
        other = await found.json(f"{PREFIX}/streams/b%2F%C3%BC")
    assert (one["health"]["klv"]["records"], one["state"]["items"]) == (3, {"mission_id": "M"})
    assert (other["health"]["stream"], other["state"]) == ("b/ü", None)


async def test_the_list_of_streams_is_brief_and_complete():
    """One entry each."""
    async with served() as found:
        streams = await found.json(f"{PREFIX}/streams")
    found = [(each["stream"], each["state"], each["records"]) for each in streams]
    assert found == [("uav1", "live", 3), ("b/ü", "live", 3)]


async def test_head_answers_without_a_body():
    """For those that only look whether it is there."""
    async with served() as found:
        response = await found.ask(f"{PREFIX}/streams", "HEAD")
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 100


def test_schemas_have_no_references_to_other_documents():
    """Each schema of an answer stands alone in the document."""
    from klvrelay.web.api.openapi import openapi

    text = orjson.dumps(openapi(ENDPOINTS)).decode()
    assert "$defs" not in text
    assert {part.partition('"')[0] for part in text.split('"$ref":"')[1:]} == {"#/components/schemas/Problem"}
