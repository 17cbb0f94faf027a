"""Ledgers that are damaged, or that belong to another: the relay goes on, and nothing is lost that could be kept."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from brokers import until
from incident_clock import NOON, Machine
from test_incidents_ledger import SIZE, YEAR, incident, opened, running

from klvrelay.errors import KlvrelayError
from klvrelay.incidents import database
from klvrelay.incidents.figures import Period
from klvrelay.incidents.ledger_file import ASIDE_MOST, LedgerFile
from klvrelay.incidents.opening import NAME, VERSION, connect
from klvrelay.incidents.query import Query
from klvrelay.incidents.reading import StoredLedger
from klvrelay.incidents.rows import RelayRun


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")


def newer(path: Path) -> None:
    connect(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {VERSION + 1}")


@pytest.mark.parametrize(("make", "text"), [(foreign, "another program"), (newer, "newer version")])
async def test_the_file_of_another_is_left_as_it_is(tmp_path: Path, make: Callable[[Path], None], text: str):
    """Incidents stay in memory; the command says why."""
    folder = tmp_path / make.__name__
    folder.mkdir()
    make(path := folder / NAME)
    before = path.read_bytes()
    async with running(opened(path)) as ledger:
        ledger.save(one := incident())
        await until(lambda: ledger.fault is not None)
        assert text in str(ledger.fault)
        assert await ledger.select(Query()) == [one]
    assert path.read_bytes() == before
    with pytest.raises(KlvrelayError, match=text):
        StoredLedger(folder).list(Query())


def filled(path: Path, count: int = 60) -> bytes:
    """A ledger of some pages."""
    with closing(connect(path)) as connection:
        database.write(connection, [incident(at) for at in range(count)], [RelayRun("run0", NOON, NOON)])
    return path.read_bytes()


@pytest.mark.parametrize("name", ["text", "zeros", "header", "truncated"])
async def test_a_damaged_file_is_moved_aside(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture):
    """The relay uses a new one, and says where the old one is."""
    folder = tmp_path / name
    folder.mkdir()
    path = folder / NAME
    whole = filled(path)
    contents = {
        "text": b"not a database\n" * 400, "zeros": bytes(8192), "header": whole[:90], "truncated": whole[:9000],
    }  # fmt: skip
    path.write_bytes(contents[name])
    async with running(opened(path)) as ledger:
        ledger.save(one := incident())
        await until(lambda: not ledger.waiting)
        assert await ledger.select(Query()) == [one]
    moved = list(folder.glob(f"{NAME}.damaged-*"))
    assert [each.read_bytes() for each in moved] == [contents[name]]
    assert str(moved[0]) in caplog.text


async def test_an_empty_file_is_a_new_ledger(tmp_path: Path):
    """A full disk leaves such a file."""
    (tmp_path / NAME).touch()
    async with running(opened(tmp_path / NAME)) as ledger:
        ledger.save(one := incident())
        await until(lambda: not ledger.waiting)
        assert await ledger.select(Query()) == [one]


async def test_open_incidents_are_written_to_a_new_file(tmp_path: Path):
    """The file was deleted, or damaged, while the relay ran."""
    path, one = tmp_path / NAME, incident(1, None)
    async with running(opened(path)) as ledger:
        ledger.on_new = lambda: ledger.save(one)
        ledger.save(one)
        await until(lambda: not ledger.waiting)
        path.unlink()
        ledger.save(second := incident(2))
        await until(lambda: not ledger.waiting)
        assert await ledger.select(Query()) == [second, one]


def test_only_some_damaged_files_are_kept(tmp_path: Path):
    """A disk that damages everything does not fill itself."""
    path = tmp_path / NAME
    for _ in range(ASIDE_MOST + 3):
        path.write_bytes(b"damaged" * 1000)
        file = LedgerFile(path, YEAR, SIZE, Machine().clock())
        file.write([incident()], [])
        file.close()
    assert len(list(tmp_path.glob(f"{NAME}.damaged-*"))) == ASIDE_MOST


def test_no_damage_raises_anything_but_an_error_of_the_ledger(tmp_path: Path):
    """Bits are flipped and the file is cut, at random places: it is read, or reported, or moved aside."""
    chance, path = random.Random(7), tmp_path / NAME
    whole = filled(path)
    for _ in range(120):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 8, 200))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data[: chance.randrange(len(data))] if chance.random() < 0.2 else data)
        with suppress(KlvrelayError):
            StoredLedger(tmp_path).list(Query(limit=1000))
            StoredLedger(tmp_path).figures(Period(NOON - 1, NOON + 10**9))
        file = LedgerFile(path, YEAR, SIZE, Machine().clock())
        try:
            with suppress(KlvrelayError, sqlite3.Error):  # the ledger keeps the incident in memory
                file.write([incident()], [])
        finally:
            file.close()
        for name in tmp_path.glob(f"{NAME}*"):
            name.unlink()
