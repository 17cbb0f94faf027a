"""A machine whose clock is wrong, or is set while the relay runs: no stall, no age below zero, order by `seq`.

The real command under libfaketime, which shifts the system clock of a process and leaves the monotonic one alone.
`test_clocks.py` tests what is measured and flagged, `test_health.py` the states.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feed
import orjson
import pytest
from brokers import until
from oracle_broker import OracleBroker
from relayed import IMPATIENT
from test_relay_process import klvrelay

pytestmark = pytest.mark.needs("faketime")

YEARS = 10 * 365
SHIFTS = ["+3600s", "-3600s", f"+{YEARS}d", f"-{YEARS}d"]


def faked(clock: Path) -> dict[str, str]:
    """The environment of a process whose system clock is off by the offset in the file.

    Without FAKETIME_FORCE_MONOTONIC_FIX, libfaketime changes the waits of Python's threads for each other, which take a
    monotonic clock: two busy threads are up to a hundred times slower, so that a stop takes many seconds.
    """
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }  # fmt: skip


def set_to(clock: Path, shift: str) -> None:
    """Atomically: libfaketime ends a process that finds the file empty."""
    new = clock.with_suffix(".new")
    new.write_text(shift)
    new.replace(clock)


def received(oracle: OracleBroker) -> list[datetime]:
    documents = [orjson.loads(p) for p in oracle.payloads("klvrelay/uav1/telemetry")]
    assert [d["seq"] for d in documents] == list(range(len(documents)))
    return [datetime.fromisoformat(d["received"]) for d in documents]


@pytest.mark.parametrize("shift", SHIFTS)
async def test_a_clock_that_is_wrong_from_the_start(shift: str, oracle: OracleBroker, tmp_path: Path):
    """Everything arrives, in order, stamped by that clock; the relay ends normally."""
    (clock := tmp_path / "clock").write_text(shift)
    (tape := tmp_path / "uav1.ts").write_bytes(feed.recording(60).ts)
    async with klvrelay("replay", str(tape), "--speed", "4", "--mqtt", oracle.url, **faked(clock)) as command:
        assert await asyncio.wait_for(command.process.wait(), 20) == 0
    stamps = received(oracle)
    off = timedelta(seconds=int(re.sub(r"[sd]", "", shift)) * (86400 if shift.endswith("d") else 1))
    assert len(stamps) == 60
    assert abs(stamps[0] - (datetime.now(UTC) + off)) < timedelta(minutes=1)
    assert stamps == sorted(stamps)


async def test_a_clock_that_is_set_while_the_relay_runs(oracle: OracleBroker, tmp_path: Path):
    """An hour and ten years, forth and back, in the middle of a stream: no record is missing, none is late, no state
    changes; the clock report has each step.
    """
    (clock := tmp_path / "clock").write_text("+0s")
    (tape := tmp_path / "uav1.ts").write_bytes(feed.recording(75).ts)
    arguments = "replay", str(tape), "--stream", "uav1", "--mqtt", oracle.url
    async with klvrelay(*arguments, program=IMPATIENT, **faked(clock)) as command:
        for steps, shift in enumerate(SHIFTS, 1):
            await until(lambda steps=steps: len(oracle.payloads("klvrelay/uav1/telemetry")) > steps * 14)
            set_to(clock, shift)
        assert await asyncio.wait_for(command.process.wait(), 20) == 0
    stamps = received(oracle)
    assert len(stamps) == 75
    assert max(stamps) - min(stamps) > timedelta(days=2 * YEARS - 1)
    availability = oracle.payloads("klvrelay/uav1/availability")
    assert (availability[-2:], availability.count(b"online")) == ([b"online", b"offline"], 1)
    report = orjson.loads(oracle.payloads("klvrelay/uav1/link")[-1])
    assert (report["outages"]["count"], report["states"]["live"]["entered"]) == (0, 1)
    assert report["clock"]["wall"]["jumps"] == len(SHIFTS)
    assert report["clock"]["pts"]["jumps"] == report["clock"]["pcr"]["jumps"] == 0
    assert all(state["seconds"] >= 0 for state in report["states"].values())
    assert command.said.count("; normal when a recording repeats") == 1
