"""Repeated messages are limited, wherever they come from, and what was left out is counted."""

from __future__ import annotations

import ast
import logging
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from cases import each_case
from logged import lines_of, logging_to

import klvrelay
from klvrelay.config.log import LogSettings
from klvrelay.health.sink import SinkHealth
from klvrelay.health.stream import StreamHealth
from klvrelay.logs.floods import ALL, PLACE, SAME, SUBJECT, FloodLimit
from klvrelay.sinks.mqtt.refused.suspended import Suspended

ROOT = Path(klvrelay.__file__).parent
FAULTS = 10_000
LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")


class Place(NamedTuple):
    """A call in the code that logs."""

    path: str
    line: int
    template: str

    def __str__(self) -> str:
        return f"{Path(self.path).relative_to(ROOT)}:{self.line}"

    def record(self, *arguments: object) -> logging.LogRecord:
        return logging.LogRecord("klvrelay", logging.WARNING, self.path, self.line, self.template, arguments, None)


def places() -> list[Place]:
    """Every call of a logger in the package."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                owner = ast.unparse(node.func.value)
                if re.fullmatch(r"LOG|logger\(\)|log|.*_log", owner) and node.args:
                    texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
                    text = next((one for one in texts if isinstance(one, str)), "%s")
                    found.append(Place(str(path), node.lineno, text))
    return found


PLACES = places()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def allowed(limit: FloodLimit, records: list[logging.LogRecord]) -> int:
    return sum(map(limit.allows, records))


def limit_of(clock: Clock) -> FloodLimit:
    limit = FloodLimit(lambda: None, clock)
    limit._start_timer = lambda: None  # type: ignore[method-assign]
    return limit


def arguments_of(template: str, number: int) -> tuple[object, ...]:
    """Arguments that fit, whose numbers vary."""
    kinds = re.findall(r"%(?:\.\d+)?(02x|[srdgf])", template)
    return tuple("uav1" if kind in "sr" else number for kind in kinds)


def test_the_places_were_found():
    """There are many, and in every package that logs."""
    assert len(PLACES) > 100
    assert {"sinks", "sources", "relay", "spool", "health", "recording", "transports"} <= {
        Path(place.path).relative_to(ROOT).parts[0] for place in PLACES
    }


@each_case("place", PLACES, ids=str)
def test_a_fault_that_repeats_at_any_place_is_limited(place: Place):
    """Many at once, with other numbers each time."""
    limit = limit_of(Clock())
    records = [place.record(*arguments_of(place.template, number)) for number in range(100)]
    assert allowed(limit, records) == SAME[0]
    assert limit.take_omitted().messages == 100 - SAME[0]


def test_a_fault_with_other_texts_each_time_is_limited():
    """Per subject; per place, if the subject changes too; and in all places together."""
    words = ["".join("abcdefghij"[int(digit)] for digit in str(number)) for number in range(FAULTS)]
    one = PLACES[0]._replace(template="%s: %s")
    assert allowed(limit_of(Clock()), [one.record("uav1", word) for word in words]) == SUBJECT[0]
    assert allowed(limit_of(Clock()), [one.record(word, word) for word in words]) == PLACE[0]
    several = [one._replace(line=number % 50) for number in range(FAULTS)]
    records = [place.record(word, word) for place, word in zip(several, words, strict=True)]
    assert allowed(limit_of(Clock()), records) == ALL[0]


def test_a_fault_that_lasts_is_logged_now_and_then():
    """One that repeats ten times a second, for an hour."""
    clock = Clock()
    limit, count = limit_of(clock), 0
    for number in range(36_000):
        clock.now = number / 10
        count += limit.allows(PLACES[0].record("uav1"))
    assert count == pytest.approx(SAME[0] + SAME[1] * 3600, abs=1)


def test_many_streams_may_each_log_the_same():
    """A thousand streams that begin at once."""
    limit = limit_of(Clock())
    place = PLACES[0]._replace(template="%s: live: %s")
    assert allowed(limit, [place.record(f"uav{number}", "udp://:1") for number in range(1000)]) == 1000


# ---- the places themselves ----


def flap_stream(clock: Clock) -> None:
    health = StreamHealth("uav1", "udp://:1", clock=clock)
    for _ in range(FAULTS):
        clock.now += 0.01
        health.mark_down("connection refused")


def flap_sink(clock: Clock) -> None:
    health = SinkHealth("mqtt", clock=clock)
    for _ in range(FAULTS):
        clock.now += 0.01
        health.mark_connected()
        health.mark_down("mqtt: connection refused")


def flap_spool(clock: Clock) -> None:
    log = logging.getLogger("klvrelay.health")
    for number in range(FAULTS):
        log.error("spool: cannot write, records wait in memory: error=%r waiting=%d", "no space", number)


def refuse_topics(clock: Clock) -> None:
    suspended = Suspended("mqtt://h", clock)
    for number in range(FAULTS):
        suspended.refuse(f"klvrelay/uav{number % 3}/telemetry", 0x87)
        suspended.accept(f"klvrelay/uav{number % 3}/telemetry")


def library(name: str) -> None:
    for number in range(FAULTS):
        logging.getLogger(name).error("connection error %d", number, exc_info=ValueError("x"))


FLOODS = {
    "stream": flap_stream, "sink": flap_sink, "spool": flap_spool, "refused topics": refuse_topics,
    **{
        name: lambda _, name=name: library(name)
        for name in ("asyncio", "aiohttp.server", "redis", "nats")
    },
}  # fmt: skip


@each_case("flood", FLOODS)
def test_ten_thousand_faults_are_a_few_lines(flood: str, tmp_path: Path):
    """A flapping stream and sink, refused topics, loggers of libraries; the last line has the number left out."""
    path = tmp_path / flood
    with logging_to(LogSettings(file=str(path))):
        FLOODS[flood](Clock())
    lines = lines_of(path)
    assert len(lines) <= 6 * SAME[0] + 1
    counted = [int(line.partition("count=")[2].split()[0]) for line in lines if "repeated messages left out" in line]
    assert len(counted) <= 1
    if flood in ("asyncio", "aiohttp.server", "redis"):
        assert counted == [FAULTS - SAME[0]]


def test_what_was_left_out_is_logged_at_the_end(tmp_path: Path):
    """With the logger of the first of the messages."""
    path = tmp_path / "log"
    with logging_to(LogSettings(file=str(path))):
        for _ in range(SAME[0] + 5):
            logging.getLogger("klvrelay.sinks").warning("again")
    assert lines_of(path)[-1].endswith("WARNING repeated messages left out: count=5 first_logger=klvrelay.sinks")
