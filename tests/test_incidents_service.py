"""The ledger beside a relay: what earlier runs left, requests, counts, members of health, the report of a day."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from brokers import until
from incident_clock import NOON, Machine
from test_incidents_ledger import incident

from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.health.board import Board
from klvrelay.incidents.alive import LastBeat, RunEnd, read_alive
from klvrelay.incidents.daily import DAY_US, FIGURES_MOST, DailyReport
from klvrelay.incidents.figures import FIGURES_MEMBERS, FigureReport, Figures, Period
from klvrelay.incidents.ledger_service import Incidents
from klvrelay.incidents.losses import BoardCosts, Cost
from klvrelay.incidents.requests import REQUEST_MOST, answer_request
from klvrelay.link_stats import LinkStats
from klvrelay.outcome import Sums
from klvrelay.relay.supervise import contain


@asynccontextmanager
async def serving(
    folder: Path | None, machine: Machine, *, last: LastBeat | None = None, boot: str = "run1",
    streams: tuple[str, ...] = ("uav1",), how: RunEnd = "stopped",
) -> AsyncIterator[tuple[Board, Incidents]]:  # fmt: skip
    board = Board(boot, contain)
    healths = [StreamHealth(name, "udp://", publish=board.changes.publish) for name in streams]
    board.streams = lambda: healths
    incidents = Incidents(board, folder, last=last, clock=machine.clock())
    await incidents.begin()
    try:
        yield board, incidents
    finally:
        await incidents.end(how)


async def test_what_was_open_at_a_kill_is_continued_or_ended(tmp_path: Path):
    """The stream that there still is was out until it is good again; the other one until the kill."""
    machine = Machine()
    async with serving(tmp_path, machine, streams=("uav1", "uav2"), how="failed") as (board, incidents):
        board.changes.publish(machine.change("uav1", "stale", ago=5))
        board.changes.publish(machine.change("uav2", "stale", ago=5))
        machine.seconds = 10
    machine.seconds = 60
    last = read_alive(tmp_path)
    assert last is not None
    async with serving(tmp_path, machine, last=last, boot="run2") as (board, incidents):
        machine.seconds = 61
        board.changes.publish(machine.change("relay", "running", subject="relay"))
        machine.seconds = 80
        board.changes.publish(machine.change("uav1", "live"))
        found = {(one.subject, one.name): one for one in await incidents.list()}
    assert (found["stream", "uav1"].duration, found["stream", "uav1"].end) == (85, "restored")
    assert (found["stream", "uav2"].duration, found["stream", "uav2"].end) == (15, "ended")
    relay = found["relay", "relay"]
    assert (relay.since_us - NOON, relay.duration, relay.detection) == (10_000_000, 51, 50)
    assert "ended with an error" in relay.message


async def test_a_relay_that_hung_has_an_incident_when_it_runs_again(tmp_path: Path):
    """Of 20 s. Delays of less than 2 s, and a slow start, are none."""
    machine = Machine()
    async with serving(tmp_path, machine) as (_, incidents):
        for seconds in (10, 0.05, 1.9, 0.05):
            machine.seconds += seconds
            incidents.beat()
        assert await incidents.list() == []
        machine.seconds += 20
        incidents.beat()
        (found,) = await incidents.list()
        assert (found.subject, found.cause, found.end, found.duration) == ("relay", "relay", "restored", 20)
        assert (found.since_us - NOON, found.lost) == (12_000_000, None)


@pytest.mark.parametrize("how", ["stopped", "ended"])
async def test_an_end_in_order_is_no_incident(tmp_path: Path, how: RunEnd):
    """The time until the next start is not observed."""
    machine = Machine()
    async with serving(tmp_path, machine, how=how):
        machine.seconds = 100
    machine.seconds = 500
    async with serving(tmp_path, machine, last=read_alive(tmp_path), boot="run2") as (board, incidents):
        board.changes.publish(machine.change("relay", "running", subject="relay"))
        machine.seconds = 600
        assert await incidents.list() == []
        report = await incidents.figures(Period(NOON, NOON + DAY_US))
    assert [(one.name, one.observed) for one in report.figures] == [("relay", 200), ("uav1", 200)]


async def test_a_stream_that_a_reload_removes_without_a_word_is_ended():
    """It does not stay open."""
    machine = Machine()
    async with serving(None, machine) as (board, incidents):
        board.changes.publish(machine.change("uav1", "down"))
        board.changes.publish(machine.change("uav1.513", "down"))
        incidents.beat()
        assert len(incidents.tracker.open()) == 2
        board.streams = tuple
        machine.seconds = 2
        incidents.beat()
        assert incidents.tracker.open() == []


async def test_the_documents_of_health_name_the_open_incident():
    """Id and first sign of that of a stream; the number of all."""
    machine = Machine()
    async with serving(None, machine) as (board, incidents):
        (health,) = board.streams()
        assert board.stream_document(health)["incident"] is None
        board.changes.publish(machine.change("uav1", "stale", ago=5))
        (one,) = incidents.tracker.open()
        assert board.stream_document(health)["incident"] == {"id": one.id, "since": "2026-12-01T11:59:55.000Z"}
        assert board.relay_document()["incidents"] == {"open": 1, "ledger": None}


async def test_the_counts_are_those_of_all_runs(tmp_path: Path):
    """Number, seconds and mean of the closed incidents; the open ones."""
    machine = Machine()
    for run in range(2):
        async with serving(tmp_path, machine, boot=f"run{run}") as (board, incidents):
            board.changes.publish(machine.change("uav1", "down"))
            machine.seconds += 10 + run
            board.changes.publish(machine.change("uav1", "live"))
            board.changes.publish(machine.change("mqtt", "down", subject="sink", cause="broker"))
            counts = incidents.counts()
            board.changes.publish(machine.change("mqtt", "up", subject="sink"))
    assert counts.closed == {("stream", "source"): 2, ("sink", "broker"): 1}
    assert counts.seconds["stream", "source"] == 21
    assert counts.mttr("stream") == 10.5
    assert counts.open == {("sink", "broker"): 1}
    assert counts.mttr("relay") is None


async def test_figures_of_the_future_end_now():
    """No time that has not passed is observed."""
    machine = Machine(seconds=10)
    async with serving(None, machine) as (_, incidents):
        machine.seconds = 30
        report = await incidents.figures(Period(NOON, NOON + DAY_US))
        assert report.period.end_us == NOON + 30_000_000
        assert report.figures[0].observed == 20


# ---- what an outage cost ----


def test_a_sink_has_lost_what_it_shed_and_delayed_what_waits():
    """Counted from the begin of its outage."""
    board, machine = Board("run1", contain), Machine()
    health = SinkHealth("mqtt://x", key="mqtt", sums=Sums(shed=5))
    board.sinks = lambda: [health]
    measure = BoardCosts(board).begin(machine.change("mqtt", "down", subject="sink"))
    health.sums = Sums(shed=12, waiting=30)
    assert measure(1.0) == Cost(7, estimated=False, delayed=30)


def test_a_stream_has_lost_missing_datagrams_by_their_share():
    """Two records per datagram before; 10 datagrams are missing."""
    board, machine = Board("run1", contain), Machine()
    health = StreamHealth("uav1", "rtp://", records=200, link=LinkStats(datagrams=100, rtp_lost=1))
    board.streams = lambda: [health]
    measure = BoardCosts(board).begin(machine.change("uav1", "stale"))
    health.link = LinkStats(datagrams=150, rtp_lost=11)
    assert measure(60.0) == Cost(20, estimated=True)


def test_a_stream_without_counts_has_lost_its_rate_times_the_time():
    """30 records a second before, for 10 seconds; nothing is known of one that never had a record."""
    board, machine = Board("run1", contain), Machine()
    known, unknown = StreamHealth("uav1", "udp://", records=300), StreamHealth("uav2", "udp://")
    for number in range(300):
        known.rhythm.add(number / 30)
    known.last_record = 299 / 30
    board.streams = lambda: [known, unknown]
    costs = BoardCosts(board)
    cost = costs.begin(machine.change("uav1", "stale"))(10.0)
    assert (cost.lost, cost.estimated) == (pytest.approx(300, rel=0.01), True)
    assert costs.begin(machine.change("uav2", "down"))(10.0) == Cost()


# ---- requests of subscribers ----


async def test_a_request_is_applied_and_answered():
    """With the id of the request."""
    machine = Machine()
    async with serving(None, machine) as (board, incidents):
        board.changes.publish(machine.change("uav1", "down"))
        (one,) = incidents.tracker.open()
        request = {"incident": one.id[:6], "by": "operator", "note": "on it", "id": "7"}
        answer = await incidents.answer_request(json.dumps(request).encode())
    assert (answer["id"], answer["ok"], answer["incident"]["note"]) == ("7", True, "on it")


HOSTILE = {
    b"": "JSON object", b"[1]": "JSON object", b"\xff\xfe": "JSON object",
    b'{"incident": 5, "by": "x"}': "incident: must",
    b'{"incident": "a"}': "by: must", b'{"incident": "a", "by": ""}': "by: must",
    b'{"incident": "a", "by": "x\\u0007"}': "by: must", b'{"incident": "a", "by": "x", "note": 5}': "note: must",
    b'{"incident": "a", "by": "x", "more": 5}': "more: unknown",
    b'{"incident": "a", "by": "x", "id": 5}': "id: must", b"x" * (REQUEST_MOST + 1): "at most",
    b'{"incident": "a", "by": "%b"}' % (b"x" * 101): "by: must",
    b'{"incident": "a", "by": "x", "note": "%b"}' % (b"x" * 2001): "note: must",
    b'{"incident": "zz", "by": "x"}': "no incident",
}  # fmt: skip


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
async def test_a_hostile_request_is_refused(payload: bytes):
    """The answer is short, and says what is wrong."""
    async with serving(None, Machine()) as (_, incidents):
        answer = await incidents.answer_request(payload)
    assert answer["ok"] is False
    assert HOSTILE[payload] in answer["error"]
    assert len(answer["error"]) <= 500


async def test_a_disk_that_does_not_answer_is_the_answer():
    """Nothing raises."""

    async def acknowledge(id: str, by: str, note: str | None) -> Any:
        raise KlvrelayError("the disk of the ledger does not answer")

    answer = await answer_request(b'{"incident": "a", "by": "x"}', acknowledge)
    assert answer == {"ok": False, "error": "the disk of the ledger does not answer"}


async def test_texts_of_an_acknowledgement_are_bounded():
    """The caller of the API gets an error with the limit."""
    async with serving(None, Machine()) as (_, incidents):
        for by, note in (("x" * 101, None), ("x", "y" * 2001), ("", None), ("a\nb", None)):
            with pytest.raises(ConfigError, match="at most"):
                await incidents.acknowledge("a", by, note)


# ---- the report of a day ----


def figures(observed: float, cause: Any = None) -> Figures:
    return Figures("stream", "uav1", cause, 0, 0, None, None, None, 1.0, None, 0.0, observed, 0, False, 0)


async def test_a_report_is_published_at_the_start_and_after_each_day():
    """Of the day before."""
    machine, published = Machine(), list[dict[str, Any]]()
    asked: list[Period] = []

    async def of(period: Period) -> FigureReport:
        asked.append(period)
        return FigureReport(period, (figures(86400),))

    daily = DailyReport("run1", machine.clock().wall_us, of, published.append)
    for hours in (0, 1, 12.01, 13, 36.01):
        machine.seconds = 3600 * hours
        if daily.is_due:
            await daily.make()
    assert [(one["from"], one["to"]) for one in published] == [
        ("2026-11-30T00:00:00.000Z", "2026-12-01T00:00:00.000Z"),
        ("2026-12-01T00:00:00.000Z", "2026-12-02T00:00:00.000Z"),
        ("2026-12-02T00:00:00.000Z", "2026-12-03T00:00:00.000Z"),
    ]
    assert tuple(published[0]["figures"][0]) == FIGURES_MEMBERS


async def test_a_day_without_this_relay_has_no_report():
    """That of an earlier run stays retained. A ledger that cannot be read is asked again."""
    machine, published, fails = Machine(), list[dict[str, Any]](), [True]

    async def of(period: Period) -> FigureReport:
        if fails.pop():
            raise KlvrelayError("cannot be read")
        return FigureReport(period, (figures(0),))

    daily = DailyReport("run1", machine.clock().wall_us, of, published.append)
    await daily.make()
    assert daily.is_due
    fails.append(False)
    await daily.make()
    assert (daily.is_due, published) == (False, [])


async def test_a_report_is_bounded():
    """The figures of all causes come first."""

    async def of(period: Period) -> FigureReport:
        return FigureReport(period, tuple(figures(1, cause) for cause in ("source", None) for _ in range(FIGURES_MOST)))

    published = list[dict[str, Any]]()
    await DailyReport("run1", Machine().clock().wall_us, of, published.append).make()
    assert [one["cause"] for one in published[0]["figures"]] == [None] * FIGURES_MOST


async def test_the_report_of_a_service_is_that_of_its_ledger(tmp_path: Path):
    """An outage of yesterday."""
    machine = Machine()
    async with serving(tmp_path, machine) as (_, incidents):
        incidents.ledger.save(replace(incident(100, 50)))
        machine.seconds = 1000
    machine.seconds = 86400
    board, published = Board("run2", contain), list[dict[str, Any]]()
    incidents = Incidents(board, tmp_path, clock=machine.clock())
    incidents.publish_report = published.append
    await incidents.begin()
    await until(lambda: published)
    await incidents.end("stopped")
    found = {(one["name"], one["cause"]): one for one in published[0]["figures"]}
    assert (found["uav1", None]["mttr_s"], found["uav1", None]["observed_s"]) == (50, 1000)
    await asyncio.sleep(0)
