"""The ledger of incidents over the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from served_relay import Served, board_of, flown, ledger, outage, serving

from klvrelay.cli.verbs.incident_api import RelayApi
from klvrelay.cli.verbs.relay_http import RelayHttp
from klvrelay.incidents.figures import Period
from klvrelay.incidents.ledger_service import Incidents
from klvrelay.incidents.query import LIMIT_MOST, Query
from klvrelay.web.observed import Observed

PATH = "/api/v1/incidents"
NAMES = ("uav1", "uav2", "b/ü")


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Three streams are out; the last one has been out for the longest time."""
    board = board_of([flown(name) for name in NAMES])
    async with ledger(board, *NAMES) as incidents, serving(Observed(board, incidents=incidents)) as found:
        yield found


def ledger_of(served: Served) -> Incidents:
    assert served.observed.incidents is not None
    return served.observed.incidents


async def listed(served: Served, query: str = "") -> list[str]:
    return [each["name"] for each in (await served.json(f"{PATH}{query}"))["incidents"]]


async def changed(served: Served, id: str, body: Any) -> tuple[int, Any]:
    response = await served.ask(f"{PATH}/{id}", "PATCH", json=body)
    return response.status, await response.json()


async def test_the_list_has_the_latest_first_and_can_be_filtered(served: Served):
    """By stream, cause, state, and time."""
    served.observed.board.changes.publish(outage("uav2", state="live"))
    assert await listed(served) == ["uav1", "uav2", "b/ü"]
    assert await listed(served, "?stream=b%2F%C3%BC") == ["b/ü"]
    assert await listed(served, "?open=true") == ["uav1", "b/ü"]
    assert await listed(served, "?open=false") == ["uav2"]
    assert await listed(served, "?cause=broker") == []
    assert await listed(served, "?subject=sink") == []
    assert await listed(served, "?since=1h&cause=source&subject=stream") == ["uav1", "uav2", "b/ü"]
    assert await listed(served, "?since=2090-01-01T00:00Z&open=false") == []


async def test_a_list_is_continued_without_gaps_and_repetitions(served: Served):
    """Also where incidents began at the same time, and while others begin."""
    incidents = ledger_of(served)
    for number in range(20):
        incidents.tracker.note(outage(f"x{number:02}", ago=100.0))
    found: list[str] = []
    following = ""
    while following is not None:
        page = await served.json(f"{PATH}?limit=4{following and '&after=' + following}")
        assert len(page["incidents"]) <= 4
        found += (each["id"] for each in page["incidents"])
        following = page["next"]
        incidents.tracker.note(outage(f"later{len(found)}", ago=0.0))
    assert len(found) == len(set(found)) == 23


async def test_an_incident_is_found_by_its_id_or_the_beginning_of_it(served: Served):
    """What is unknown or ambiguous is not found."""
    (one, *_) = ledger_of(served).tracker.open()
    for id in (one.id, one.id[:11]):
        assert (await served.json(f"{PATH}/{id}"))["id"] == one.id
    for id in ("0" * 12, "xyz", "%2e%2e%2f", "%2a", "%00", "0" * 13, one.id.upper() + "A"):
        assert (await served.ask(f"{PATH}/{id}")).status == 404


async def test_an_incident_is_acknowledged_with_a_note(served: Served):
    """It is in the answer, and in the ledger."""
    (one, *_) = ledger_of(served).tracker.open()
    status, document = await changed(served, one.id, {"by": "operator", "note": "mast down\nrepaired"})
    assert (status, document["acknowledged_by"], document["note"]) == (200, "operator", "mast down\nrepaired")
    assert (await served.json(f"{PATH}/{one.id}"))["acknowledged_by"] == "operator"
    assert (await changed(served, one.id, {"by": "other", "note": None}))[0] == 200


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "must have the member by"), ({"by": ""}, "by: must be a text of 1 to 100"), ({"by": 5}, "by: must be"),
        ({"by": None}, "by: must be"), ({"by": "x" * 101}, "by: must be"), ({"by": "a\nb"}, "by: must be a name"),
        ({"by": "x", "note": "y" * 2001}, "note: must be"), ({"by": "x", "note": "\x00"}, "note: must be"),
        ({"by": "x", "colour": "y"}, "unknown member; valid members: by, note"), ([], "must be an object"),
    ],
)  # fmt: skip
async def test_a_wrong_acknowledgement_is_refused(served: Served, body: Any, text: str):
    """It says which member is wrong."""
    (one, *_) = ledger_of(served).tracker.open()
    status, problem = await changed(served, one.id, body)
    assert status == 400
    assert text in problem["detail"]
    assert not (await served.json(f"{PATH}/{one.id}"))["acknowledged_by"]


async def test_an_unknown_incident_is_not_acknowledged(served: Served):
    """404, as for its GET."""
    assert (await changed(served, "0" * 12, {"by": "x"}))[0] == 404


async def test_the_figures_are_those_of_the_period(served: Served):
    """The last 30 days, or from and to."""
    report = await served.json(f"{PATH}/figures")
    of_streams = {each["name"]: each for each in report["figures"] if each["cause"] is None}
    assert (of_streams["uav1"]["open"], of_streams["uav1"]["mttr_s"]) == (1, None)
    past = await served.json(f"{PATH}/figures?from=2020-01-01&to=2020-02-01")
    assert past["to"] == "2020-02-01T00:00:00.000Z"
    assert all(each["count"] == each["observed_s"] == 0 for each in past["figures"])


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("?since=yesterday", "since: must be a time ago"), ("?since=", "since: must be"),
        ("?limit=0", "limit: must be"),
        ("?limit=10001", "from 1 to 10000"), ("?limit=-1", "limit: must be"),
        ("?open=1", "open: must be true or false"),
        ("?cause=ghosts", "cause: must be one of source"), ("?after=1", "after: must match"),
        ("?since=99999-01-01", "since: must be"), ("?limit=%D9%A1", "limit: must be"), ("?id=1", "unknown parameter"),
    ],
)  # fmt: skip
async def test_a_wrong_parameter_is_refused(served: Served, query: str, text: str):
    """It says what is valid."""
    response = await served.ask(f"{PATH}{query}")
    assert response.status == 400
    assert text in (await response.json())["detail"]


async def test_figures_of_a_period_that_ends_before_it_begins_are_refused(served: Served):
    """Instead of figures without a meaning."""
    assert (await served.ask(f"{PATH}/figures?from=1h&to=2h")).status == 400


async def test_the_metrics_count_open_and_closed_incidents(served: Served):
    """By subject and cause; those without incidents are 0, so that the first one is an increase."""
    served.observed.board.changes.publish(outage("uav2", state="live"))
    text = await (await served.ask("/metrics")).text()
    assert 'klvrelay_open_incidents{subject="stream",cause="source"} 2\n' in text
    assert 'klvrelay_closed_incidents_total{subject="stream",cause="source"} 1\n' in text
    assert 'klvrelay_closed_incidents_total{subject="sink",cause="broker"} 0\n' in text
    (line,) = [line for line in text.splitlines() if line.startswith('klvrelay_mttr_seconds{subject="stream"}')]
    assert 6 <= float(line.split()[-1]) < 60


async def test_the_command_reads_and_acknowledges_over_the_api(served: Served):
    """As `klvrelay incidents --url` does: list with all conditions, figures, acknowledgement."""
    api = RelayApi(RelayHttp(served.url))
    wanted = Query("uav1", "stream", "source", since_us=0, open=True, limit=LIMIT_MOST)
    (one,) = await asyncio.to_thread(api.list, wanted)
    acknowledged = await asyncio.to_thread(api.acknowledge, one["id"], "kim", None)
    assert (acknowledged["name"], acknowledged["acknowledged_by"]) == ("uav1", "kim")
    report = await asyncio.to_thread(api.figures, Period(0, 1_900_000_000_000_000))
    assert {"uav1", "uav2", "b/ü"} <= {each["name"] for each in report["figures"]}
