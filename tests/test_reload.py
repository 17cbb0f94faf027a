"""Streams and sinks of a running relay are added, replaced and removed; all others notice nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, Callable

import pytest
from brokers import until
from records import record
from reloading import Scene, input_of, scene, tape
from scripted_ends import TAPE, Ear, Tape

from klvrelay.backoff import Backoff
from klvrelay.config.choice import Choice
from klvrelay.config.url import Url
from klvrelay.errors import SinkDown, SinkRefused
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Packet
from klvrelay.relay import opening as opening_module
from klvrelay.relay import relay as relay_module
from klvrelay.relay import sink_task as sink_task_module
from klvrelay.relay import stream as stream_module
from klvrelay.relay import tasks as tasks_module
from klvrelay.relay.change import SettingsChange, difference
from klvrelay.relay.relay import Relay
from klvrelay.relay.sink_input import SinkInput

MARGIN = 0.5
"""Seconds by which a busy machine may be late."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off, checks and stops in milliseconds."""
    monkeypatch.setattr("klvrelay.relay.tick.TICK", 0.01)
    for name, seconds in {"LAST_SOURCES": 0.2, "LAST_DELIVERY": 0.3, "LAST_SINKS": 0.2}.items():
        monkeypatch.setattr(relay_module, name, seconds)
    monkeypatch.setattr(tasks_module, "LAST_TASKS", 0.05)
    monkeypatch.setattr(opening_module, "LAST_CLOSING", 0.15)
    for module in (stream_module, sink_task_module):
        monkeypatch.setattr(module, "Backoff", lambda **_: Backoff(first=0.002, cap=0.01))


def test_entries_are_compared_by_name():
    """Their order does not matter."""
    old, new = {"a": 1, "b": 2, "c": 3}, {"d": 4, "c": 3, "b": 0}
    found = difference(old, new)
    assert (found.removed, found.added, found.changed) == (("a",), {"d": 4}, {"b": 0})
    assert difference(old, dict(reversed(old.items()))) == ((), {}, {})


async def test_what_is_not_changed_notices_nothing():
    """Another stream and another sink are added, replaced and removed: no reconnect, no lost record, no new opening."""
    steady, ear = tape(between=lambda: asyncio.sleep(0.001)), Ear()
    async with scene({"uav1": steady, "uav2": tape()}, {"ear": ear, "other": Ear()}) as it:
        await it.change({"uav3": tape()}, {"third": Ear()})
        await it.change({"uav2": tape()}, {"other": Ear()})
        await it.change(gone=["uav2", "uav3"], gone_ears=["other", "third"])
        await it.read()
        await it.delivered("ear")
        assert (steady.opened, steady.closed, ear.entered, ear.left) == (1, 0, 1, 0)
        assert [stream.name for stream in it.relay.streams] == ["uav1"]
    assert ear.seqs() == list(range(40))
    assert ear.availability() == [b"online", b"offline"]


async def test_a_stream_that_is_replaced_continues_its_numbers():
    """Same name, same run: the pair of boot and seq stays unique. The earlier source is closed first."""
    first, second = tape(), tape(30)
    async with scene({"uav1": first}) as it:
        await it.read()
        await it.change({"uav1": second})
        assert (first.opened, first.closed) == (1, 1)
        await it.read(count=30)
        await it.delivered()
        ear = it.ears["ear"]
    assert ear.seqs() == list(range(70))
    assert {record.boot for record in ear.records} == {"5f2c9a"}
    assert it.relay.summary().startswith("70 records, 0 bad or damaged")


async def test_a_stream_that_returns_continues_its_numbers_too():
    """It was removed by one reload, and added by a later one."""
    async with scene({"uav1": tape(), "uav2": tape()}) as it:
        await it.read()
        await it.change(gone=["uav1"])
        await it.change({"uav1": tape(5)})
        await it.read(count=5)
        await it.delivered()
        assert it.ears["ear"].seqs() == list(range(45))


async def test_a_stream_that_is_removed_goes_offline():
    """Its availability and link say so; a sink that connects later learns it too, but gets no old state."""
    ear, late = Ear(), Ear()
    async with scene({"uav1": tape(), "uav2": tape()}, {"ear": ear}) as it:
        await it.read()
        await until(lambda: any(n.kind == "state" and n.stream == "uav1" for n in ear.published))
        await it.change(gone=["uav1"])
        await until(lambda: ear.availability()[-1:] == [b"offline"])
        assert ear.link()["state"] == "ended"
        await it.change(ears={"late": late})
        await until(lambda: late.availability() == [b"offline"] and late.availability("uav2") == [b"online"])
        assert not any(n.kind == "state" and n.stream == "uav1" for n in late.published)


async def test_a_sink_that_is_replaced_continues_where_the_earlier_one_was(monkeypatch: pytest.MonkeyPatch):
    """The earlier one confirmed half of the records, and failed; its successor gets the rest, in order."""
    monkeypatch.setattr(relay_module, "LAST_SINKS", 2.0)  # a busy machine takes longer
    old, new = Ear(), Ear()
    async with scene({"uav1": tape(20)}, {"ear": old}) as it:
        await it.read(count=20)
        await it.delivered()
        old.gate.clear()
        await it.change({"uav1": tape(20)})
        await it.read(count=20)
        await it.change(ears={"ear": new})
        assert (old.entered, old.left) == (1, 1)
        await it.delivered()
        assert it.sink("ear").sums() == Sums(40, 40)
    assert (old.seqs(), new.seqs()) == (list(range(20)), list(range(20, 40)))


async def test_a_sink_is_replaced_during_an_outage():
    """The broker's address was wrong: what waited is delivered to the right one, and nothing is shed."""
    down, new = Ear(door=[SinkDown("away")] * 10_000), Ear()
    async with scene({"uav1": tape()}, {"ear": down}) as it:
        await it.read()
        await until(lambda: down.entered > 2)
        await it.change(ears={"ear": new})
        await it.delivered()
    assert new.seqs() == list(range(40))


async def test_a_replaced_sink_that_is_refused_does_not_end_the_relay(said: Callable[[], list[str]]):
    """The relay was running before: a wrong password in a reload is logged and retried, and other sinks go on."""
    refused = Ear(door=[SinkRefused("ear: wrong user or password")] * 3)
    async with scene({"uav1": tape()}, {"ear": Ear(), "other": Ear()}) as it:
        await it.change(ears={"ear": refused})
        await it.change({"uav1": tape()})
        await it.read()
        await it.delivered()
    assert refused.entered == 4
    assert sum("wrong user" in line for line in said()) == 1


async def test_a_new_sink_that_is_refused_does_not_end_the_relay():
    """It is retried, as one that was connected before."""
    refused = Ear(door=[SinkRefused("new: wrong user or password")] * 3)
    async with scene({"uav1": tape()}) as it:
        await it.change(ears={"new": refused})
        await until(lambda: refused.entered == 4)


async def test_a_new_sink_gets_the_records_from_then_on():
    """Those of streams that the same reload adds are complete."""
    new = Ear()
    async with scene({"uav1": tape()}) as it:
        await it.read()
        await it.change({"uav2": tape()}, {"new": new})
        await it.read("uav2")
        await it.delivered()
    assert (new.seqs("uav1"), new.seqs("uav2")) == ([], list(range(40)))


@pytest.mark.parametrize("is_removed", [False, True], ids=["replaced", "removed"])
async def test_a_sink_that_leaves_gets_no_record_of_a_new_stream(is_removed: bool):
    """A source and a sink change in one reload: the new source may not be meant for the earlier sink."""
    new, leaving = tape(), Ear()
    async with scene({"uav1": tape()}, {"ear": leaving, "other": Ear()}) as it:
        leaving.gate.clear()
        await it.read()
        asyncio.get_running_loop().call_later(0.05, leaving.gate.set)
        if is_removed:
            await it.change({"uav2": new}, gone_ears=["ear"])
        else:
            await it.change({"uav2": new}, {"ear": Ear()})
        await it.read("uav2")
        await it.delivered()
    assert leaving.seqs("uav2") == []
    assert it.ears["other"].seqs("uav2") == list(range(40))


async def test_a_sink_that_is_removed_gets_what_waits():
    """It is connected: it has the time of a stop."""
    ear, gone = Ear(), Ear()
    async with scene({"uav1": tape()}, {"ear": ear, "gone": gone}) as it:
        gone.gate.clear()
        await it.read()
        asyncio.get_running_loop().call_later(0.05, gone.gate.set)
        await it.change(gone_ears=["gone"])
    assert gone.seqs() == list(range(40))
    assert gone.left == 1
    assert it.relay.lost == 0


async def test_what_waits_for_a_removed_sink_that_is_away_is_discarded(said: Callable[[], list[str]]):
    """It is logged, and counted as excluded by the settings: it is no loss of the run."""
    async with scene({"uav1": tape()}, {"ear": Ear(), "gone": Ear(door=[SinkDown("away")] * 10_000)}) as it:
        await it.read()
        await it.change(gone_ears=["gone"])
        await it.delivered()
    assert "gone: sink removed, waiting records discarded: count=40" in said()
    assert it.relay.summary().endswith("40 delivered to ear, 0 shed, 0 waiting; 0 delivered to gone, 40 unwanted,"
                                       " 0 shed, 0 waiting")  # fmt: skip
    assert (it.relay.lost, it.relay.losses) == (0, "")


async def test_a_removed_sink_no_longer_holds_a_file():
    """A file waits for every sink; once the one that is away is removed, it is read on."""
    ear = Ear()
    away = Ear(door=[SinkDown("away")] * 10_000)
    relay = Relay([input_of("uav1", Tape(TAPE.klv))], [("ear", ear), ("away", away)], boot="b", waiting=3)  # type: ignore[list-item]
    task = asyncio.create_task(relay.run())
    await until(lambda: len(ear.records) == 3)
    await relay.apply(SettingsChange(gone_sinks=["away"]))
    await asyncio.wait_for(task, 5)
    assert ear.seqs() == list(range(40))


async def test_the_relay_ends_once_its_new_sources_have_ended():
    """All earlier sources are replaced; the end is that of the new ones."""
    ear = Ear()
    relay = Relay([input_of("uav1", tape())], [("ear", ear)], boot="b")  # type: ignore[list-item]
    task = asyncio.create_task(relay.run())
    await until(lambda: len(ear.records) == 40)
    await relay.apply(SettingsChange([input_of("uav1", Tape(TAPE.klv)), input_of("uav2", Tape(TAPE.klv))]))
    await asyncio.wait_for(task, 5)
    assert (ear.seqs("uav1"), ear.seqs("uav2")) == (list(range(80)), list(range(40)))


async def test_a_relay_whose_files_have_ended_delivers_to_a_new_broker():
    """It only waits for the broker, whose address was wrong."""
    away, ear = Ear(door=[SinkDown("away")] * 10_000), Ear()
    relay = Relay([input_of("uav1", Tape(TAPE.klv))], [("ear", away)], boot="b")  # type: ignore[list-item]
    task = asyncio.create_task(relay.run())
    await until(lambda: relay.streams[0].health.state == "ended")
    await relay.apply(SettingsChange(sinks=[SinkInput("ear", ear)]))  # type: ignore[arg-type]
    await asyncio.wait_for(task, 5)
    assert ear.seqs() == list(range(40))
    assert ear.availability()[-1] == b"offline"


async def test_a_file_that_has_ended_is_not_read_again():
    """It is not changed; another stream is."""
    ended = Tape(TAPE.klv)
    async with scene({"uav1": ended, "uav2": tape()}) as it:
        await until(lambda: it.stream("uav1").health.state == "ended")
        await it.change({"uav2": tape()})
        await it.read("uav2")
        assert ended.opened == 1


class Stuck(Tape):
    """A source that ignores its cancellation, hangs, and then sends on."""

    over: asyncio.Event

    async def packets(self) -> AsyncGenerator[Packet, None]:
        self.over = asyncio.Event()
        try:
            for data in TAPE.klv[:10]:
                yield Packet(data, 1, "klv")
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            await self.over.wait()
        for data in TAPE.klv[10:20]:
            yield Packet(data, 1, "klv")


async def test_an_abandoned_source_uses_no_number_of_its_successor(said: Callable[[], list[str]]):
    """It did not close in time. What it still sends has no stream any more."""
    stuck = Stuck(live=True, url=Url.parse("udp://127.0.0.1:5000"))
    async with scene({"uav1": stuck}) as it:
        await it.read(count=10)
        await it.change({"uav1": tape(5)})
        (reader,) = [task for task in asyncio.all_tasks() if task.get_name() == "source uav1" and task.cancelling()]
        stuck.over.set()
        await asyncio.wait({reader}, timeout=5)
        await it.read(count=5)
        await it.delivered()
    assert it.ears["ear"].seqs() == list(range(15))
    assert sum("does not close, abandoned" in line for line in said()) == 1


async def test_a_stop_during_a_reload_takes_no_longer_than_another():
    """The source to be replaced hangs: its successor is not opened, and what it sent is delivered."""
    stuck, never = Stuck(live=True, url=Url.parse("udp://127.0.0.1:5000")), tape()
    ear = Ear()
    async with scene({"uav1": stuck, "uav2": tape()}, {"ear": ear}) as it:
        await it.read(count=10)
        await it.read("uav2")
        change = asyncio.create_task(it.change({"uav1": never, "uav3": never}))
        await asyncio.sleep(0.01)  # the reload has begun
        begun = asyncio.get_running_loop().time()
        it.task.cancel()
        await asyncio.wait({it.task}, timeout=5)
        assert asyncio.get_running_loop().time() - begun < 1
        stuck.over.set()
        await change
        assert it.task.cancelled()
        it.task = asyncio.ensure_future(asyncio.Event().wait())  # type: ignore[arg-type]
    assert never.opened == 0
    assert (ear.seqs("uav1"), ear.seqs("uav2")) == (list(range(10)), list(range(40)))
    assert ear.availability("uav1")[-1] == ear.availability("uav2")[-1] == b"offline"


async def test_a_stop_during_the_removal_of_a_sink_takes_no_longer_than_another():
    """The sink hangs at its exit, and so does a source: both are abandoned in the times of one stop."""
    over = asyncio.Event()

    class Clinging(Ear):
        async def __aexit__(self, *_: object) -> None:
            while not over.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await over.wait()

    stuck, ear = Stuck(live=True, url=Url.parse("udp://127.0.0.1:5000")), Ear()
    async with scene({"uav1": stuck}, {"ear": ear, "gone": Clinging()}) as it:
        await it.read(count=10)
        await it.delivered()
        change = asyncio.create_task(it.change({"uav1": tape()}, gone_ears=["gone"]))
        await asyncio.sleep(0.02)  # the reload has begun
        begun = asyncio.get_running_loop().time()
        it.task.cancel()
        await asyncio.wait({it.task}, timeout=5)
        assert asyncio.get_running_loop().time() - begun < 0.2 + 0.3 + 0.2 + 2 * 0.05 + 0.1 + MARGIN
        over.set()
        stuck.over.set()
        await change
        it.task = asyncio.ensure_future(asyncio.Event().wait())  # type: ignore[arg-type]
    assert ear.seqs() == list(range(10))
    assert ear.left == 1


async def test_a_reload_after_a_stop_has_no_effect():
    """It starts nothing."""
    late = tape()
    async with scene({"uav1": tape()}) as it:
        it.task.cancel()
        await asyncio.wait({it.task}, timeout=5)
        await it.change({"uav2": late}, {"new": Ear()}, gone=["uav1"])
        assert [stream.name for stream in it.relay.streams] == ["uav1"]
        it.task = asyncio.ensure_future(asyncio.Event().wait())  # type: ignore[arg-type]
    assert late.opened == 0


class Wide(Tape):
    """A live source with KLV on several PIDs."""

    async def packets(self) -> AsyncGenerator[Packet, None]:
        self.opened += 1
        try:
            for number, data in enumerate(TAPE.klv):
                yield Packet(data, 1, "klv", pid=257 + 256 * (number % 2), pts=3000 * number)
            await asyncio.get_running_loop().create_future()
        finally:
            self.closed += 1


async def test_a_stream_named_after_its_pid_continues_its_numbers():
    """Each stream of the source does."""
    wide = [Wide(live=True, url=Url.parse("udp://127.0.0.1:5000")) for _ in range(2)]
    async with scene({"cam": wide[0]}) as it:
        await until(lambda: len(it.ears["ear"].records) == 40)
        await it.change({"cam": wide[1]})
        await until(lambda: len(it.ears["ear"].records) == 80)
        ear = it.ears["ear"]
    assert (ear.seqs("cam"), ear.seqs("cam.513")) == (list(range(40)), list(range(40)))


async def test_a_name_of_a_pid_gives_way_to_a_new_stream():
    """Two streams never share a name: the source is reopened, and its stream gets another one."""
    wide, ear = Wide(live=True, url=Url.parse("udp://127.0.0.1:5000")), Ear()
    async with scene({"cam": wide, "uav1": tape()}, {"ear": ear}) as it:
        await until(lambda: len(ear.seqs("cam.513")) == 20)
        await it.change({"cam.513": tape(10)})
        await until(lambda: len(ear.seqs("cam.513")) == 30 and len(ear.seqs("cam.513-2")) == 20)
        assert (wide.opened, wide.closed) == (2, 1)
    assert ear.seqs("cam.513") == list(range(30))


async def test_a_choice_of_an_unchanged_stream_avoids_new_names():
    """The PID appears after the reload."""
    gate = asyncio.Event()

    class Later(Tape):
        async def packets(self) -> AsyncGenerator[Packet, None]:
            for number, data in enumerate(TAPE.klv[:10]):
                yield Packet(data, 1, "klv", pid=257, pts=3000 * number)
            await gate.wait()
            for number, data in enumerate(TAPE.klv, 10):
                yield Packet(data, 1, "klv", pid=257 + 256 * (number % 2), pts=3000 * number)
            await asyncio.get_running_loop().create_future()

    ear = Ear()
    later = Later(live=True, url=Url.parse("udp://127.0.0.1:5000"))
    relay = Relay([input_of("cam", later, choice=Choice())], [("ear", ear)], boot="b")  # type: ignore[list-item]
    task = asyncio.create_task(relay.run())
    await until(lambda: len(ear.seqs("cam")) == 10)
    await relay.apply(SettingsChange([input_of("cam.513", tape(10))], taken=frozenset({"cam", "cam.513"})))
    gate.set()
    await until(lambda: len(ear.seqs("cam.513-2")) == 20 and len(ear.seqs("cam.513")) == 10)
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert ear.seqs("cam.513") == list(range(10))


async def test_new_limits_apply_at_once():
    """Fewer records may wait: the oldest are shed. More may wait: none is."""
    ear = Ear()
    async with scene({"uav1": tape()}, {"ear": ear}) as it:
        ear.gate.clear()
        await it.read()
        in_flight = it.sink("ear").cursor.offered
        it.relay.set_limits(10, 1 << 20, None, 0.008)
        assert it.sink("ear").sums().shed == 40 - max(10, in_flight)
        shed = it.sink("ear").sums().shed
        it.relay.set_limits(100, 1 << 20, None, 0.008)
        await it.change({"uav1": tape()})
        await it.read()
        assert it.sink("ear").sums().shed == shed
        ear.gate.set()
        await it.delivered()
        assert it.sink("ear").sums() == Sums(80, 80 - shed, shed=shed)


async def test_five_hundred_reloads_leave_no_task_and_no_descriptor():
    """Each frees what it stops."""
    def held() -> tuple[int, int]:
        return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))

    async def turn(it: Scene, number: int) -> None:
        await it.change({"uav1": tape(1), f"uav{2 + number % 3}": tape(1)}, {"ear": Ear(), f"ear{number % 3}": Ear()})
        await it.change(gone=[f"uav{2 + number % 3}"], gone_ears=[f"ear{number % 3}"])

    async with scene({"uav1": tape(1)}) as it:
        for number in range(10):
            await turn(it, number)
        before = held()
        for number in range(240):
            await turn(it, number)
        await until(lambda: held() <= before)
        assert len(it.relay._notices._cursors) == len(it.relay._log._cursors) == 1  # type: ignore[attr-defined]


async def test_lead_times_last_until_their_stream_is_removed():
    """Over a new source, and over a new sink."""
    async with scene({"uav1": tape(), "uav2": tape()}) as it:
        await it.read()
        await it.delivered()
        now_us = time.time_ns() // 1000
        batch = [record(0, stream)._replace(received_us=now_us) for stream in ("uav1", "uav2")]
        it.sink("ear").health.note_answer(batch, Outcome(2))
        known = it.sink("ear").health.lead_times
        await it.change({"uav1": tape(5)}, {"ear": Ear()})
        assert it.sink("ear").health.lead_times is known
        assert sorted(known.streams) == ["uav1", "uav2"]
        await it.change(gone=["uav1"])
        assert list(known.streams) == ["uav2"]
