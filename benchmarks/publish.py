"""Measures the CPU time of publishing a record through the MQTT sink to mosquitto, compared with its JSON only.

With `--other` also with another install, e.g. an older version. All take turns, so that other load affects all.
`publishing.py` runs in a separate process for each measurement.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from statistics import median

from benchmarks import process
from benchmarks.broker import mosquitto
from benchmarks.show import Goal, goals, table
from klvrelay.config.mqtt import MqttSettings

BATCHES = {1: 2_000, 3: 6_000, 20: 20_000}
"""Records per batch, and number of records."""
_PUBLISHING = str(Path(__file__).with_name("publishing.py"))
_JSON, _NATIVE, _AIOMQTT, _OTHER = "JSON only", "native", "aiomqtt", "the other install"

Found = dict[str, float]


def run(*, quick: bool, other: str | None = None) -> None:
    process.require_linux()
    ways = _ways(other)
    found: dict[str, dict[int, list[Found]]] = {way: {batch: [] for batch in BATCHES} for way in ways}
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as (port, _):
        for _ in range(3 if quick else 9):
            for batch, count in BATCHES.items():
                for way, (python, client) in ways.items():
                    found[way][batch].append(_measure(python, client, batch, count // (2 if quick else 1), port))
    note = "Microseconds of CPU time per record, medians; delay of a batch of one record in milliseconds."
    columns = ("", *(f"batch {batch}" for batch in BATCHES), "p50 ms", "p99 ms")
    table("Publishing at QoS 1, through `deliver()`", columns, [_row(way, found[way]) for way in ways], note)
    goals(_goals(found))


def _ways(other: str | None) -> dict[str, tuple[str, str]]:
    """What is measured: interpreter and client."""
    has_clients = any(field.name == "client" for field in fields(MqttSettings))
    ways = {_JSON: (sys.executable, "json"), _NATIVE: (sys.executable, "native" if has_clients else "default")}
    if has_clients:
        ways[_AIOMQTT] = (sys.executable, "aiomqtt")
    return ways if other is None else {**ways, _OTHER: (other, "default")}


def _measure(python: str, client: str, batch: int, count: int, port: int) -> Found:
    line = process.last_line([python, _PUBLISHING, client, str(batch), str(count), str(port)])
    found: Found = json.loads(line)
    return found


def _row(way: str, found: dict[int, list[Found]]) -> Sequence[str]:
    costs = [f"{1e6 * _median(found[batch], 'cpu'):.1f}" for batch in BATCHES]
    delays = [f"{1e3 * _median(found[1], name):.2f}" for name in ("p50", "p99")]
    return (way, *costs, *(delays if way != _JSON else ("", "")))


def _median(found: Sequence[Found], name: str) -> float:
    return median(one[name] for one in found)


def _goals(found: dict[str, dict[int, list[Found]]]) -> list[Goal]:
    """The costs compared with those of each other client, JSON included."""
    return [
        Goal(
            f"batch {batch}: {way} / {_NATIVE}", 3,
            _median(found[way][batch], "cpu") / _median(found[_NATIVE][batch], "cpu"), "x",
        )
        for way in found if way not in (_JSON, _NATIVE) for batch in BATCHES
    ]  # fmt: skip
