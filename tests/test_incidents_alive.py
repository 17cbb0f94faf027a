"""The file by which the next start knows when and how a run ended."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest
from cases import each_case
from incident_clock import NOON, Machine

from klvrelay.errors import ConfigError
from klvrelay.incidents.alive import HUNG, NAME, SIZE, Alive, read_alive
from klvrelay.incidents.moment import MachineClock
from klvrelay.incidents.state_folder import StateFolder, state_path


def ended(folder: Path, machine: Machine, how: str = "stopped") -> None:
    """A run that has ended."""
    alive = Alive(folder, "5f2c9a", machine.clock())
    alive.rate = 30.0
    alive.close(how)  # type: ignore[arg-type]
    assert alive.is_written.wait(5)


@each_case("how", ["stopped", "ended", "failed"])
def test_the_end_of_a_run_is_known(tmp_path: Path, how: str):
    """When, how, and what it received per second."""
    machine = Machine(seconds=42)
    ended(tmp_path, machine, how)
    last = read_alive(tmp_path)
    assert last is not None
    assert (last.run, last.how, last.rate) == ("5f2c9a", how, 30.0)
    assert last.at == machine.clock().now()


def test_a_run_without_an_end_was_killed(tmp_path: Path):
    """Its last beat is the time of its death."""
    machine, written = Machine(seconds=7), threading.Event()
    real = machine.clock()

    def wall_us() -> int:
        written.set()
        return real.wall_us()

    clock = MachineClock(real.monotonic, real.boottime, wall_us, real.boot_id)
    alive = Alive(tmp_path, "5f2c9a", clock)
    alive.beat()
    assert written.wait(5)
    while (last := read_alive(tmp_path)) is None:
        pass
    assert (last.how, last.at.us) == (None, NOON + 7_000_000)
    alive.close("stopped")
    assert alive.is_written.wait(5)


def test_a_loop_that_hangs_is_dead_since_its_last_beat(tmp_path: Path):
    """The thread that writes the file still runs, but the relay does not."""
    machine = Machine()
    alive = Alive(tmp_path, "5f2c9a", machine.clock())
    alive.beat()
    while read_alive(tmp_path) is None:
        pass
    machine.seconds = HUNG + 1
    for _ in range(20):
        alive.is_written.wait(0.01)
    last = read_alive(tmp_path)
    assert last is not None
    assert last.at.us == NOON
    alive.close("stopped")
    assert alive.is_written.wait(5)


def test_any_damage_of_the_file_is_survived(tmp_path: Path):
    """Flipped bits and cuts: it is another valid beat of this run, or nothing is known."""
    machine, chance = Machine(), random.Random(3)
    ended(tmp_path, machine)
    whole = (tmp_path / NAME).read_bytes()
    assert len(whole) == SIZE
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 30))):
            data[chance.randrange(SIZE)] ^= 1 << chance.randrange(8)
        (tmp_path / NAME).write_bytes(data[: chance.choice((SIZE, chance.randrange(SIZE)))])
        last = read_alive(tmp_path)
        assert last is None or (last.run, last.at.us) == ("5f2c9a", NOON)


def test_the_next_run_continues_the_file_of_the_last(tmp_path: Path):
    """Whatever it contains."""
    machine = Machine()
    (tmp_path / NAME).write_bytes(b"\xff" * 999)
    ended(tmp_path, machine)
    machine.seconds = 5
    ended(tmp_path, machine, "failed")
    last = read_alive(tmp_path)
    assert last is not None
    assert (last.how, last.at.us) == ("failed", NOON + 5_000_000)


def test_a_directory_in_its_place_hurts_nothing(tmp_path: Path):
    """Nothing is known then."""
    (tmp_path / NAME).mkdir()
    ended(tmp_path, Machine())
    assert read_alive(tmp_path) is None


def test_one_relay_uses_a_state_directory_at_a_time(tmp_path: Path):
    """The other one is named; a directory that is released can be used again."""
    folder = StateFolder(tmp_path / "a" / "b")
    with pytest.raises(ConfigError, match=rf"used by another relay \(process {os.getpid()}\): give each relay"):
        StateFolder(tmp_path / "a" / "b")
    folder.close()
    StateFolder(tmp_path / "a" / "b").close()


def test_a_state_directory_that_cannot_be_made_is_an_error_with_advice(tmp_path: Path):
    """A file is in its place."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="Not a directory: give a directory in which the relay may write"):
        StateFolder(tmp_path / "file" / "state")


def test_the_state_directory_is_the_setting_or_that_of_systemd():
    """systemd may give several: the first is used."""
    assert state_path(Path("/a"), {"STATE_DIRECTORY": "/b"}) == Path("/a")
    assert state_path(None, {"STATE_DIRECTORY": "/b:/c"}) == Path("/b")
    assert state_path(None, {}) is None
    assert state_path(None, {"STATE_DIRECTORY": ""}) is None
