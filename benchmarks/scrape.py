"""Cost of a scrape and of calls of the API, and how long they block the event loop, beside the official library."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.show import Goal, goals, number, table
from klvrelay import decoder
from klvrelay.encode import encode
from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.health.board import Board
from klvrelay.json_output import dumps
from klvrelay.outcome import Outcome, Sums
from klvrelay.relay.supervise import contain
from klvrelay.web.api.endpoint import Call
from klvrelay.web.api.of_health import brief, relay
from klvrelay.web.metrics.collect import exposition
from klvrelay.web.observed import Observed

_STREAMS = (1, 16, 100)
_BLOCKED_MOST = 5.0
"""Milliseconds for which an answer may delay live records."""

_Answer = Callable[[], Awaitable[object]]


def run(*, quick: bool) -> None:
    rows, most = [], 0.0
    for count in _STREAMS:
        board = _board(count)
        lines = asyncio.run(exposition(board)).count(b"\n")
        library = CollectorRegistry()
        library.register(_Same(asyncio.run(exposition(board)).decode()))
        for name, answer in _answers(board, library).items():
            total, blocked = asyncio.run(_measured(answer, 10 if quick else 50))
            rows.append((f"{count} streams: {name}", number(total * 1e3), number(blocked * 1e3)))
            if name == "/metrics":
                most = max(most, blocked * 1e3)
        rows.append((f"{count} streams: lines of /metrics", f"{lines:,}", ""))
    table("Answers", ("", "ms, total", "ms, longest turn of the loop"), rows)
    goals([Goal("longest turn of /metrics", _BLOCKED_MOST, most, "ms", at_most=True)])


def _answers(board: Board, library: CollectorRegistry) -> dict[str, _Answer]:
    observed = Observed(board)

    async def official() -> object:
        return generate_latest(library)

    async def health() -> object:
        return dumps(await relay(Call(observed, {})))

    async def streams() -> object:
        return dumps([brief(one) for one in board.streams()])

    return {"/metrics": lambda: exposition(board), "the same by prometheus-client": official,
            "/api/v1/health": health, "/api/v1/streams": streams}  # fmt: skip


async def _measured(answer: _Answer, rounds: int) -> tuple[float, float]:
    """Median seconds of an answer, and the median of its longest turn of the event loop."""
    totals, turns = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        longest = await _longest_turn(answer)
        totals.append(time.perf_counter() - began)
        turns.append(longest)
    return statistics.median(totals), statistics.median(turns)


async def _longest_turn(answer: _Answer) -> float:
    """Another task looks at the clock at each turn of the loop."""
    task = asyncio.ensure_future(answer())
    longest, before = 0.0, time.perf_counter()
    while not task.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    await task
    return longest


class _Same:
    """A collector of the official library with the values of a text. Only writing is measured."""

    def __init__(self, text: str) -> None:
        self._families = list(text_string_to_metric_families(text))

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            yield _made(family)


def _made(family: Metric) -> Metric:
    kinds = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
    made: Metric = kinds[family.type](family.name, family.documentation)
    for sample in family.samples:
        made.add_sample(sample.name, sample.labels, sample.value)
    return made


def _board(count: int) -> Board:
    """Streams with a minute of records, and a sink that confirmed them."""
    board = Board("benchmark", contain)
    sink = SinkHealth("mqtt://broker", key="mqtt")
    sink.mark_connected()
    streams = [_stream(f"uav{n}", sink) for n in range(count)]
    sink.set_sums(Sums(numbered=60 * count, delivered=60 * count))
    board.streams, board.sinks = lambda: streams, lambda: [sink]
    return board


def _stream(name: str, sink: SinkHealth) -> StreamHealth:
    health = StreamHealth(name, "udp://:5000", publish=lambda change: None)
    now_us = time.time_ns() // 1000
    records = list(_records(name, now_us))
    for each in records:
        health.add_record(each)
    for offset in health.clocks.against.values():
        for second in range(60):  # enough for a drift
            offset.add(float(second), 0.1)
    sink.note_answer(records, Outcome(len(records)))
    return health


def _records(name: str, now_us: int) -> Iterable[decoder.Record]:
    for n in range(60):
        (one,) = decoder.decode(encode({"precision_time_stamp": now_us + n * 1_000_000, "mission_id": name}))
        yield one._replace(stream=name, seq=n, received_us=now_us - 1000 * n)
