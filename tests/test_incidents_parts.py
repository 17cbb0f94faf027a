"""The streams and sinks that the ledger knows: they have figures without incidents too."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from brokers import until
from incident_clock import NOON, Machine
from test_incidents_ledger import incident, opened, running
from test_incidents_service import serving

from klvrelay.errors import KlvrelayError
from klvrelay.incidents import parts
from klvrelay.incidents.figures import Period
from klvrelay.incidents.opening import NAME, connect, connect_to_read
from klvrelay.incidents.parts import select_parts, write_parts
from klvrelay.incidents.reading import StoredLedger


def names(folder: Path, first: float = 0, last: float = 1000) -> list[str]:
    """The names with figures in a period, seconds after noon."""
    period = Period(NOON + round(first * 1e6), NOON + round(last * 1e6))
    return [each["name"] for each in StoredLedger(folder).figures(period)["figures"]]


def names_if_readable(folder: Path) -> list[str]:
    """None while the file is being made."""
    try:
        return names(folder)
    except KlvrelayError:
        return []


async def test_the_streams_of_each_run_have_figures(tmp_path: Path):
    """In the periods in which their run was, without any incident."""
    machine = Machine()
    async with serving(tmp_path, machine, streams=("uav1", "uav2")) as (_, incidents):
        incidents.beat()
        machine.seconds = 100
    machine.seconds = 200
    async with serving(tmp_path, machine, streams=("uav2", "uav3"), boot="run2") as (_, incidents):
        incidents.beat()
        machine.seconds = 300
    assert names(tmp_path) == ["relay", "uav1", "uav2", "uav3"]
    assert names(tmp_path, 150, 250) == ["relay", "uav2", "uav3"]
    assert names(tmp_path, 400, 500) == []


async def test_a_ledger_that_was_deleted_gets_the_parts_again(tmp_path: Path):
    """With the next write."""
    async with running(opened(tmp_path / NAME)) as ledger:
        ledger.note_parts({("stream", "uav1")})
        await until(lambda: "uav1" in names_if_readable(tmp_path))
        for path in tmp_path.iterdir():
            os.unlink(path)
        ledger.save(incident(1, name="uav2"))
        await until(lambda: "uav1" in names_if_readable(tmp_path))


def test_a_ledger_without_parts_is_read_and_completed(tmp_path: Path):
    """One that was made before there were parts."""
    connect(tmp_path / NAME).close()
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        connection.execute("DROP TABLE parts")
    with closing(connect_to_read(tmp_path / NAME)) as connection:
        assert select_parts(connection, 0, 1, {}) == []
    with closing(connect(tmp_path / NAME)) as connection:
        connection.execute("INSERT INTO runs VALUES ('run1', 0, 5, NULL)")
        write_parts(connection, [("stream", "a\udcff")], "run1", 0)
        assert select_parts(connection, 0, 1, {"run1": 5}) == [("stream", "a?")]


def test_parts_are_bounded(monkeypatch: pytest.MonkeyPatch):
    """The latest are kept, and those of deleted runs are not."""
    monkeypatch.setattr(parts, "PARTS_MOST", 3)
    with closing(connect(None)) as connection:
        connection.execute("INSERT INTO runs VALUES ('run1', 0, 5, NULL)")
        for number in range(5):
            write_parts(connection, [("stream", f"uav{number}")], "run1", number)
        assert [name for _, name in select_parts(connection, 0, 9, {"run1": 5})] == ["uav2", "uav3", "uav4"]
        connection.execute("DELETE FROM runs")
        write_parts(connection, [("stream", "last")], "run2", 9)
        assert select_parts(connection, 0, 10, {"run1": 5, "run2": 9}) == []
