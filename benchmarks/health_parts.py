"""CPU time of each part of health, incidents and alerts: `python -m benchmarks.health_parts` prints a line of JSON.

Microseconds by the name of the part, for a relay of 100 streams that are live, with one sink.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from klvrelay import sample
from klvrelay.alerts.engine import Alerts
from klvrelay.config.alerts import AlertsSettings
from klvrelay.decoder import decode
from klvrelay.health import LoopHealth, SinkHealth, StreamHealth
from klvrelay.health.board import Board
from klvrelay.health.lead_time import LeadTimes
from klvrelay.health.report import link_document
from klvrelay.incidents.ledger_service import Incidents
from klvrelay.json_output import dumps
from klvrelay.outcome import Outcome
from klvrelay.plausibility import Plausibility
from klvrelay.record import Record
from klvrelay.relay.supervise import contain
from klvrelay.shape.state import StreamState
from klvrelay.web.metrics.collect import exposition

STREAMS, FRAMES = 100, 30
SECONDS = 30
"""Seconds of records of each stream."""
BATCH = 6
"""Records that a sink confirms together at this load."""
_TURN = 0.2
"""CPU seconds for which each part is repeated."""


class Clock:
    """A clock that the parts read, which runs with the records."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def __call__(self) -> float:
        return self.now


def main() -> None:
    print(json.dumps(measure()))


def measure() -> dict[str, float]:
    """Microseconds of each part."""
    clock = Clock()
    board, streams = _board(clock)
    records = _records()
    _fill(board, streams, records, clock)
    alerts = Alerts(board, AlertsSettings(), clock=clock)
    for _ in range(5):
        clock.now += 1.0
        alerts.check()
    some, numbers = records[: FRAMES * 10], count()

    def evaluate() -> None:
        clock.now += 1.0
        for number, health in enumerate(streams):
            health.add_record(some[(next(numbers) + number) % len(some)])
        alerts.check()

    def add() -> None:
        clock.now += 1.0
        for number, health in enumerate(streams):
            health.add_record(some[(next(numbers) + number) % len(some)])

    found = {
        "link document of a stream": _least(lambda: link_document(streams[next(numbers) % STREAMS], "boot")),
        "health document of a stream": _least(lambda: dumps(board.stream_document(streams[next(numbers) % STREAMS]))),
        "health document of the relay": _least(lambda: dumps(board.relay_document())),
        "all rules of a stream, once": (_least(evaluate) - _least(add)) / STREAMS,
        "metadata checks of a record": _metadata(some),
        "a record in the health of its stream": _least(lambda: _count(streams[0], some, clock)) / len(some),
        "a record in the state of its stream": _state(some),
        "lead time of a record": _lead_time(records),
        "a heartbeat": _beat(board),
        "metrics of all streams": _metrics(board),
    }
    return {name: 1e6 * seconds for name, seconds in found.items()}


def _board(clock: Clock) -> tuple[Board, list[StreamHealth]]:
    board = Board("boot", contain)
    streams = [StreamHealth(f"s{n}", f"udp://127.0.0.1:{23000 + n}", clock=clock) for n in range(STREAMS)]
    sink = SinkHealth("mqtt://127.0.0.1", key="mqtt")
    sink.mark_connected()
    board.streams, board.sinks = lambda: streams, lambda: [sink]
    for health in streams:
        health.set_size(1000)
    return board, streams


def _records() -> list[Record]:
    """Live records of one stream."""
    now_us = time.time_ns() // 1000
    packets = sample.packets(seconds=SECONDS)
    records = [record for packet in packets for record in decode(packet, stream="s0", boot="boot")]
    return [record._replace(received_us=now_us - 500) for record in records]


def _fill(board: Board, streams: Sequence[StreamHealth], records: Sequence[Record], clock: Clock) -> None:
    """Have the streams live for a while, with lead times of each."""
    (sink,) = board.sinks()
    for record in records[: 5 * FRAMES]:
        clock.now += 1 / FRAMES
        for health in streams:
            health.add_record(record)
        batch = [record._replace(stream=health.name) for health in streams]
        sink.note_answer(batch, Outcome(len(batch)))


def _count(health: StreamHealth, records: Sequence[Record], clock: Clock) -> None:
    for record in records:
        clock.now += 1 / FRAMES
        health.add_record(record)


def _metadata(records: Sequence[Record]) -> float:
    checks, numbers = Plausibility(), count()

    def check() -> None:
        number = next(numbers)
        checks.check(records[number * 31 % len(records)], float(number))

    return _least(check)


def _state(records: Sequence[Record]) -> float:
    """Of a record, its share of the document once a second included."""
    state = StreamState()

    def second() -> None:
        for record in records[:FRAMES]:
            state.add(record)
        state.document()

    return _least(second) / FRAMES


def _lead_time(records: Sequence[Record]) -> float:
    times = LeadTimes()
    batches = [[record._replace(stream=f"s{(n + i) % STREAMS}") for i, record in enumerate(records[n : n + BATCH])]
               for n in range(0, 300, BATCH)]  # fmt: skip

    def confirm() -> None:
        for batch in batches:
            times.add(batch)

    return _least(confirm) / (len(batches) * BATCH)


def _beat(board: Board) -> float:
    """With the ledger of incidents; without the thread that writes the file."""

    async def beats() -> float:
        with tempfile.TemporaryDirectory() as folder:
            incidents = Incidents(board, Path(folder))
            heartbeat = LoopHealth(contain)
            await incidents.begin()
            heartbeat.on_beat.append(incidents.beat)
            heartbeat.start()
            cost = _least(heartbeat._beat, clock=time.thread_time)
            heartbeat.stop()
            await incidents.end("ended")
        return cost

    return asyncio.run(beats())


def _metrics(board: Board) -> float:
    def collect() -> None:
        asyncio.run(exposition(board))

    return _least(collect) - _least(lambda: asyncio.run(asyncio.sleep(0)))


def _least(call: Callable[[], object], *, clock: Callable[[], float] = time.process_time) -> float:
    """Mean CPU seconds of a call in the fastest of several turns; the first call is a warm-up."""
    call()
    begin = clock()
    call()
    number = max(1, int(_TURN / 5 / max(clock() - begin, 1e-7)))
    found = []
    for _ in range(5):
        begin = clock()
        for _ in range(number):
            call()
        found.append((clock() - begin) / number)
    return min(found)


if __name__ == "__main__":
    main()
