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
from settings_file import written
from test_relay_process import klvrelay

pytestmark = pytest.mark.needs("faketime")

YEARS = 10 * 365
SHIFTS = ["+3600s", "-3600s", f"+{YEARS}d", f"-{YEARS}d"]
SHIFTED = 3600, -7200, YEARS * 86400 + 3600, -2 * YEARS * 86400
"""The steps in seconds from each shift to the next."""


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


def steps_logged(said: str) -> list[int]:
    """The steps of the system clock in the log, in seconds."""
    return [round(float(seconds)) for seconds in re.findall(r"system clock stepped: seconds=(\S+) count=1\n", said)]


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
    steps = re.findall(r"system clock stepped: seconds=(\S+) count=(\d)", command.said)  # several within a second
    assert round(sum(float(seconds) for seconds, _ in steps)) == sum(SHIFTED)
    assert sum(int(count) for _, count in steps) == len(SHIFTED)
    assert "KLV time stepped" not in command.said


async def test_a_step_of_the_clock_is_no_incident(oracle: OracleBroker, free_port: int, tmp_path: Path):
    """A live stream over TCP with a spool and an age limit: the log has each step, and no other line.

    No record is shed, and no state changes.
    """
    (clock := tmp_path / "clock").write_text("+0s")
    path = written(tmp_path, f'''
spool = {{ path = "{tmp_path}/spool", age = "1h" }}
[[sink]]
url = "{oracle.url}"
[[source]]
url = "tcp://127.0.0.1:{free_port}?listen=1"
stream = "uav1"
''')  # fmt: skip
    async with klvrelay("run", "-c", path, program=IMPATIENT, **faked(clock)) as command:
        await until(lambda: "waiting for a sender" in command.said)
        _, writer = await asyncio.open_connection("127.0.0.1", free_port)
        sender = asyncio.create_task(send_slowly(writer, feed.recording(400).ts))
        try:
            for steps, shift in enumerate(SHIFTS, 1):
                await until(lambda steps=steps: len(oracle.payloads("klvrelay/uav1/telemetry")) > steps * 14)
                before = command.said
                set_to(clock, shift)
                await until(lambda steps=steps: len(steps_logged(command.said)) == steps)
                count = len(oracle.payloads("klvrelay/uav1/telemetry"))
                await until(lambda count=count: len(oracle.payloads("klvrelay/uav1/telemetry")) > count + 14)
                lines = command.said.removeprefix(before).splitlines()
                others = [line for line in lines if "rule=wall_clock_step" not in line]  # the alert about it
                assert ["system clock stepped" in line for line in others] == [True], lines
            report = orjson.loads(oracle.payloads("klvrelay/uav1/link")[-1])
        finally:
            sender.cancel()
            await asyncio.wait({sender})
            writer.close()
        code, seconds = await command.stop()
    assert (code, seconds < 5) == (0, True)
    assert steps_logged(command.said) == list(SHIFTED)
    assert (report["outages"]["count"], report["states"]["live"]["entered"]) == (0, 1)
    seqs = [orjson.loads(payload)["seq"] for payload in oracle.payloads("klvrelay/uav1/telemetry")]
    assert seqs == list(range(len(seqs)))
    sums = orjson.loads(oracle.payloads("klvrelay/status")[-1])["records"]
    assert (sums["shed"], sums["delivered"]) == (0, len(seqs))


async def send_slowly(writer: asyncio.StreamWriter, data: bytes) -> None:
    """At the pace of a camera: a KLV packet every 33 ms."""
    piece = len(data) // 400
    for begin in range(0, len(data), piece):
        writer.write(data[begin : begin + piece])
        await writer.drain()
        await asyncio.sleep(1 / 30)
