"""A settings file is changed while the relay runs: what is applied, refused, logged and published."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import feed
import orjson
import ports
import pytest
from brokers import until
from oracle_broker import OracleBroker
from scripted_ends import TAPE

from klvrelay.backoff import Backoff
from klvrelay.cli.options import parser
from klvrelay.cli.run import _load
from klvrelay.relay import reload as reload_module
from klvrelay.relay.build import build_relay
from klvrelay.relay.relay import Relay
from klvrelay.relay.reload import Loaded, Reloader, Reloads
from klvrelay.spool.disk.opening import open_log

CANARY = "c4n4ry-s3cret"
Said = Callable[[], list[str]]


@dataclass
class Site:
    """A settings file with a broker and sources, and the relay that runs with it.

    loads   is incremented whenever the file is read
    """

    folder: Path
    oracle: OracleBroker
    head: str = ""
    relay: Relay = None  # type: ignore[assignment]
    reloader: Reloader = None  # type: ignore[assignment]
    reloads: Reloads = None  # type: ignore[assignment]
    loads: int = 0

    @property
    def path(self) -> Path:
        return self.folder / "relay.toml"

    def write(self, *sources: str, head: str | None = None, mqtt: str = "", text: str | None = None) -> None:
        """Sources are the names of followed recordings, with more settings after a comma: `a, stall = 9`."""
        self.head = self.head if head is None else head
        lines = [self.head, "[[sink]]", f'url = "{self.oracle.url}"', mqtt]
        for source in sources:
            name, _, more = source.partition(",")
            tape = self.folder / f"{name}.ts"
            if not tape.exists():
                tape.write_bytes(TAPE.bare)
            lines += ["[[source]]", f'url = "{tape}"', "follow = true", more.strip()]
        self.replace("\n".join(lines) if text is None else text)

    def replace(self, text: str) -> None:
        """Replace the file as an editor does."""
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, self.path)

    def load(self, args: Any) -> Loaded:
        self.loads += 1
        return _load(args)

    def seqs(self, stream: str) -> list[int]:
        return [orjson.loads(data)["seq"] for data in self.oracle.payloads(f"klvrelay/{stream}/telemetry")]

    async def published(self, result: str) -> dict[str, Any]:
        """The reload in the status, once it has this result."""

        def last() -> Any:
            return orjson.loads((self.oracle.payloads("klvrelay/status") or [b"{}"])[-1]).get("reload", {})

        await until(lambda: last().get("result") == result and last()["time"].endswith("Z"))
        return dict(last())

    async def read(self, *streams: str) -> None:
        """Wait until the broker has each record of these streams. A failure shows where they are."""
        try:
            await until(lambda: all(len(self.seqs(name)) >= len(TAPE.klv) for name in streams))
        except AssertionError as fault:
            arrived = ", ".join(f"{name}: {len(self.seqs(name))}" for name in streams)
            states = ", ".join(f"{stream.name}: {stream.health.state}" for stream in self.relay.streams)
            sinks = ", ".join(f"{task.health.name} up={task.health.up}" for task in self.relay.sink_tasks)
            fault.add_note(f"arrived: {arrived}; streams: {states}; sinks: {sinks}; {self.relay.summary()}")
            raise


@asynccontextmanager
async def running(site: Site, *, spool: bool = False) -> AsyncIterator[Site]:
    args = parser().parse_args(["run", "-c", str(site.path)])
    settings, files = _load(args)
    log = await open_log(site.folder / "spool", "klvrelay", 1 << 20) if spool else None
    site.relay = build_relay(settings, log)
    site.reloads = Reloads(partial(site.load, args), files)
    site.reloader = Reloader(site.relay, settings, site.reloads)
    tasks = [asyncio.create_task(site.relay.run()), asyncio.create_task(site.reloader.run())]
    await asyncio.sleep(0)  # it has begun
    try:
        yield site
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=8)
        if log is not None:
            await log.close()
    assert not ended


@pytest.fixture
def site(tmp_path: Path, oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(reload_module, "WATCH", 0.02)
    monkeypatch.setattr(reload_module, "Backoff", lambda: Backoff(first=0.002, cap=0.01))
    return Site(tmp_path, oracle)


async def test_only_what_changed_restarts(site: Site, said: Said):
    """Streams are added, changed and removed; the others and the sink are the same objects as before."""
    site.write("a", "b", "c")
    async with running(site):
        await site.read("a", "b", "c")
        before = {stream.name: stream for stream in site.relay.streams}
        (sink,) = site.relay.sink_tasks
        site.write("d", "b, stall = 9", "a")
        await site.reloader.reload()
        await site.read("d")
        after = {stream.name: stream for stream in site.relay.streams}
        assert after.keys() == {"a", "b", "d"}
        assert after["a"] is before["a"]
        assert after["b"] is not before["b"]
        assert (after["b"].health.stall, after["a"].health.openings) == (9.0, 1)
        assert site.relay.sink_tasks == [sink]
        await site.published("applied")
        await until(lambda: len(site.seqs("b")) == 80)
        assert site.oracle.payloads("klvrelay/c/availability")[-1] == b"offline"
    assert said().count("settings reloaded: added=d changed=b removed=c") == 1
    assert (site.seqs("a"), site.seqs("b")) == (list(range(40)), list(range(80)))
    assert len(site.oracle.guests) == 1


async def test_a_file_that_is_only_rearranged_changes_nothing(site: Site, said: Said):
    """Sources in another order, comments, a name that was derived before: each is the same stream."""
    for folder in "pq":
        (site.folder / folder).mkdir()
    site.write("p/x", "q/x", "a")
    async with running(site):
        before = {stream.name: stream for stream in site.relay.streams}
        assert before.keys() == {"x-p", "x-q", "a"}
        site.write('a, stream = "a" # comment', "q/x", "p/x", head="[relay]\nwaiting = 10_000")
        await site.reloader.reload()
        assert {stream.name: stream for stream in site.relay.streams} == before
        await site.published("unchanged")
    assert "settings reloaded: nothing changed" in said()


BAD = {
    "TOML": ("[mqtt", "invalid TOML"),
    "key": ('[[sink]]\nurl = "mqtt://h"\nkeepalvie = 3\n[[source]]\nurl = "a.ts"', "line 3: sink.keepalvie"),
    "value": ('[[sink]]\nurl = "mqtt://h"\n[[source]]\nurl = "a.ts"\nstall = "long"', "line 5: source.stall"),
    "no source": ('[[sink]]\nurl = "mqtt://h"', "no source"),
    "no broker": ('[[source]]\nurl = "a.ts"', "no sink"),
    "one name": ('[[sink]]\nurl = "mqtt://h"\n' + '[[source]]\nurl = "a.ts"\nstream = "x"\n' * 2, "two sources"),
    "one port": ('[[sink]]\nurl = "mqtt://h"\n' + '[[source]]\nurl = "udp://:5000"\n' * 2, "same port"),
    "scheme": ('[[sink]]\nurl = "mqtt://h"\n[[source]]\nurl = "gopher://h"', "gopher"),
    "certificate": ('[[sink]]\nurl = "mqtts://h"\nca_file = "none.pem"\n[[source]]\nurl = "a.ts"', "none.pem"),
    "secret": (f'[[sink]]\nurl = "mqtt://u:{CANARY}@192.0.2.1"\n[[source]]\nurl = "a.ts"', "unencrypted"),
}


@pytest.mark.parametrize("what", BAD)
async def test_invalid_settings_are_refused_as_a_whole(what: str, site: Site, said: Said):
    """The earlier ones stay, one line says what is wrong and where, and `status` has the result."""
    text, why = BAD[what]
    site.write("a")
    async with running(site):
        await site.read("a")
        before = site.relay.streams, site.relay.sink_tasks
        site.write(text=text)
        await site.reloader.reload()
        await site.published("refused")
        assert (site.relay.streams, site.relay.sink_tasks) == before
        lines = [line for line in said() if "not reloaded" in line]
        assert len(lines) == 1
        assert lines[0].startswith("settings not reloaded, the earlier ones stay in effect: ")
        assert why in lines[0]
        site.write("a", "b")
        await site.reloader.reload()  # the next valid file is applied
        await site.read("b")
        await site.published("applied")
    assert CANARY not in "".join(said())
    assert len(site.oracle.guests) == 1


async def test_a_missing_file_is_refused(site: Site, said: Said):
    """Somebody moved it: nothing stops."""
    site.write("a")
    async with running(site):
        site.path.unlink()
        await site.reloader.reload()
        assert len(site.relay.streams) == 1
    assert sum("not reloaded" in line and "can't be read" in line for line in said()) == 1


async def test_another_broker_gets_what_follows(site: Site, said: Said):
    """The earlier one is left in order: `offline`, `stopped`. No record is lost or repeated."""
    site.write("a")
    async with running(site), OracleBroker() as other:
        await site.read("a")
        await until(lambda: not site.relay.sink_tasks[0].cursor.waiting)
        first, site.oracle = site.oracle, other
        site.write("a", "b")
        await site.reloader.reload()
        await site.read("b")
        assert site.seqs("a") == []
        assert first.payloads("klvrelay/a/availability")[-1] == b"offline"
        assert orjson.loads(first.payloads("klvrelay/status")[-1])["reason"] == "stopped"
        await until(lambda: other.payloads("klvrelay/a/availability"))
        assert first.wills == []
    assert any(line.endswith("settings reloaded: added=b sinks=mqtt") for line in said())


async def test_brokers_are_added_and_removed_in_any_order(site: Site, said: Said):
    """Each has its position by its name; the order in the file is not a change, even with several prefixes."""

    def brokers(*names: str) -> str:
        return "".join(f'[[sink]]\nname = "{name}"\nurl = "{oracles[name].url}/{name}"\n' for name in names)

    def write(*names: str) -> None:
        site.write(text=brokers(*names) + f'[[source]]\nurl = "{site.folder}/a.ts"\nfollow = true\n')

    def count(name: str) -> int:
        return len(oracles[name].payloads(f"{name}/a/telemetry"))

    site.write("a")
    async with OracleBroker() as one, OracleBroker() as two, OracleBroker() as three:
        oracles = {"one": one, "two": two, "three": three}
        write("one", "two")
        async with running(site):
            await until(lambda: count("one") == count("two") == 40)
            for names in (("two", "one"), ("three", "two", "one"), ("one", "three")):
                write(*names)
                await site.reloader.reload()
            await until(lambda: three.payloads("three/status"))
            assert [task.name for task in site.relay.sink_tasks] == ["one", "three"]
            assert orjson.loads(two.payloads("two/status")[-1])["reason"] == "stopped"
        assert [len(oracle.guests) for oracle in oracles.values()] == [1, 1, 1]
    assert [line for line in said() if "settings reloaded" in line] == [
        "settings reloaded: nothing changed", "settings reloaded: sinks=three", "settings reloaded: removed_sinks=two"
    ]  # fmt: skip


async def test_two_streams_exchange_their_sources(site: Site, free_port: int):
    """Both ports are free before one of them is opened again, and each name continues its numbers."""
    with ports.reserved() as other:

        def write(first: str, second: str) -> None:
            entries = ((free_port, first), (other, second))
            text = "".join(f'[[source]]\nurl = "udp://127.0.0.1:{port}"\nstream = "{name}"\n' for port, name in entries)
            site.write(text=f'[[sink]]\nurl = "{site.oracle.url}"\n{text}')

        async def send() -> None:
            for port, count in ((free_port, 1), (other, 3)):
                await feed.listening(port)
                feed.send_udp(TAPE.klv[:count], port)

        write("a", "b")
        async with running(site):
            await send()
            await until(lambda: (len(site.seqs("a")), len(site.seqs("b"))) == (1, 3))
            write("b", "a")
            await site.reloader.reload()
            await send()
            await until(lambda: len(site.seqs("a")) == len(site.seqs("b")) == 4)
    assert site.seqs("a") == site.seqs("b") == [0, 1, 2, 3]


async def test_a_new_password_reconnects_the_broker_only(site: Site):
    """The text of the settings is the same: the file that they name changed."""
    password = site.folder / "password"
    password.touch(0o600)
    password.write_text("first")
    login = f'username = "relay"\npassword_file = "{password}"'
    site.write("a", mqtt=login)
    async with running(site):
        await site.read("a")
        (stream,) = site.relay.streams
        password.write_text(CANARY)
        await site.reloader.reload()
        await until(lambda: len(site.oracle.guests) == 2)
        assert site.relay.streams == [stream]


async def test_limits_change_at_run_time(site: Site, said: Said):
    """Of records and bytes that wait, and of the time between reads."""
    site.write("a")
    async with running(site):
        site.write("a", head='[relay]\nwaiting = 20\nwaiting_size = 100_000\ncoalesce = "2ms"')
        await site.reloader.reload()
        (sink,) = site.relay.sink_tasks
        assert (sink.cursor.limit, sink.cursor.size_limit) == (20, 100_000)
        assert site.relay._coalesce.seconds == 0.002
    assert "settings reloaded: settings=waiting,waiting_size,coalesce" in said()


async def test_what_needs_a_restart_is_named(site: Site, said: Said):
    """The rest of the file is applied; the warning is repeated until the file or the process is in line."""
    spool = f'[spool]\npath = "{site.folder}/spool"\n'
    site.write("a", head=spool)
    async with running(site, spool=True):
        for more in ('path = "elsewhere"\nsize = "2G"', 'path = "elsewhere"\nsize = "2G"\ncommit = "1s"'):
            site.write("a", f"b, stall = {len(more)}", head=f"[spool]\n{more}\n")
            await site.reloader.reload()
            await site.published("applied")
        site.write("a", head="")
        await site.reloader.reload()
    assert [line for line in said() if "need a restart" in line] == [
        "settings need a restart to take effect: keys=spool.path,spool.size",
        "settings need a restart to take effect: keys=spool.path,spool.size,spool.commit",
        "settings need a restart to take effect: keys=spool",
    ]


async def test_a_change_that_needs_a_restart_is_not_called_unchanged(site: Site, said: Said):
    """The log has the warning only, and the status names the setting."""
    spool = f'[spool]\npath = "{site.folder}/spool"\n'
    site.write("a", head=spool)
    async with running(site, spool=True):
        site.write("a", head=spool + 'commit = "1s"\n')
        await site.reloader.reload()
        reload = await site.published("unchanged")
    assert reload["restart"] == ["spool.commit"]
    assert [line for line in said() if "settings" in line] == [
        "settings need a restart to take effect: keys=spool.commit"
    ]


@pytest.mark.parametrize("spool", [False, True], ids=["memory", "spool"])
async def test_the_order_of_a_sink_changes_and_its_position_stays(spool: bool, site: Site, said: Said):
    """Records are delivered once, before and after; the new order holds from the next connection."""
    site.write("a", head=f'[spool]\npath = "{site.folder}/spool"\n' if spool else "")
    async with running(site, spool=spool):
        await site.read("a")
        for mqtt, rate in (
            ('order = "live-first"', 200.0), ('order = "live-first"\nreplay_rate = 9', 9.0), ('order = "strict"', None),
        ):  # fmt: skip
            site.write("a", mqtt=mqtt)
            await site.reloader.reload()
            (sink,) = site.relay.sink_tasks
            assert sink.cursor._rate == rate
            await until(lambda task=sink: task.health.up)
        site.write("a", "b")
        await site.reloader.reload()
        await site.read("b")
    assert said().count("settings reloaded: sinks=mqtt") == 3
    assert (site.seqs("a"), site.seqs("b")) == (list(range(40)), list(range(40)))


@pytest.mark.parametrize("spool", [False, True], ids=["memory", "spool"])
async def test_the_maximum_age_changes_at_once(spool: bool, site: Site, said: Said):
    """In `[spool]` or `[relay]`; and none again."""
    place = f'[spool]\npath = "{site.folder}/spool"\n' if spool else "[relay]\n"
    site.write("a", head=place)
    async with running(site, spool=spool):
        for age, limit in (('age = "90s"\n', 90.0), ("", None)):
            site.write("a", head=place + age)
            await site.reloader.reload()
            assert site.relay._log._age._seconds == limit
    name = "spool.age" if spool else "age"
    assert said().count(f"settings reloaded: settings={name}") == 2
    assert not [line for line in said() if "need a restart" in line]


async def test_the_prefix_of_a_relay_with_a_spool_is_not_changed(site: Site, said: Said):
    """The spool belongs to it: the next start would refuse."""
    site.write("a", head=f'[spool]\npath = "{site.folder}/spool"')
    async with running(site, spool=True):
        site.write("a", mqtt='prefix = "site"')
        await site.reloader.reload()
        await site.published("refused")
    assert sum("sink.prefix: the spool is that of 'klvrelay'" in line for line in said()) == 1


async def test_a_spool_accepts_the_prefixes_that_a_restart_accepts(site: Site, said: Said):
    """A further sink whose prefix comes first in the alphabet: the spool is still that of the other."""
    head = f'[spool]\npath = "{site.folder}/spool"'
    more = f'[[sink]]\nname = "more"\nurl = "{site.oracle.url}"\nprefix = "a-first"'
    site.write("a", head=head)
    async with running(site, spool=True):
        site.write("a", mqtt=more)
        await site.reloader.reload()
        await site.published("applied")
        site.write("a", mqtt='prefix = "a-first"')
        await site.reloader.reload()
        await site.published("refused")
    assert "settings reloaded: sinks=more" in said()


async def test_a_file_is_watched(site: Site):
    """Without a signal: the settings, and the password that they name."""
    password = site.folder / "password"
    password.touch(0o600)
    password.write_text("first")
    login = f'username = "relay"\npassword_file = "{password}"'
    site.write("a", head="[relay]\nwatch = true", mqtt=login)
    async with running(site):
        await site.read("a")
        site.write("a", "b", mqtt=login)
        await site.read("b")
        await site.published("applied")
        assert site.loads == 1
        password.write_text("another")
        await until(lambda: len(site.oracle.guests) == 2)
        assert site.loads == 2


async def test_a_file_that_stays_is_not_read(site: Site, monkeypatch: pytest.MonkeyPatch):
    """A check costs one `stat` for each file."""
    site.write("a", head="[relay]\nwatch = true")
    looks = []
    stamp_of = reload_module.stamp_of
    monkeypatch.setattr(reload_module, "stamp_of", lambda path: (looks.append(path), stamp_of(path))[1])
    async with running(site):
        await until(lambda: len(looks) > 10)
        assert set(looks) == {str(site.path)}
        assert site.loads == 0


async def test_an_invalid_file_is_read_once(site: Site, said: Said):
    """While it is watched: one line, until it changes again."""
    site.write("a", head="[relay]\nwatch = true")
    async with running(site):
        site.replace("[mqtt")
        await site.published("refused")
        checks = site.reloader._seen
        await until(lambda: site.reloader._seen is not checks)
        site.write("a", "b")
        await site.read("b")
        assert site.loads == 2
    assert sum("not reloaded" in line for line in said()) == 1


async def test_watching_begins_and_ends_by_a_reload(site: Site, said: Said):
    """`watch` itself may change."""
    site.write("a")
    async with running(site):
        site.write("a", head="[relay]\nwatch = true")
        await site.reloader.reload()
        site.reloads.requested.set()  # it now waits with the new setting
        await until(lambda: said().count("settings reloaded: nothing changed") == 1)
        site.write("a", "b", head="")
        await site.read("b")
        assert site.loads == 3
        assert not site.reloader.settings.watch


async def test_requests_at_once_are_one_reload(site: Site):
    """And a request while the file is read is not forgotten: it may have changed since."""
    site.write("a")
    async with running(site):
        begun, go_on = threading.Event(), threading.Event()
        load = site.load

        def slow(args: Any) -> Loaded:
            begun.set()
            assert go_on.wait(10)
            return load(args)

        site.load = slow  # type: ignore[method-assign]
        site.reloader._reloads = Reloads(partial(slow, site.reloads.load.args[0]), {}, site.reloads.requested)  # type: ignore[attr-defined]
        for _ in range(5):
            site.reloads.requested.set()
        await until(begun.is_set)
        assert site.loads == 0
        site.reloads.requested.set()
        site.reloads.requested.set()
        go_on.set()
        await until(lambda: site.loads == 2)
        await site.published("unchanged")
        assert site.loads == 2


async def test_after_a_failed_reload_the_next_one_works(site: Site, said: Said, monkeypatch: pytest.MonkeyPatch):
    """An internal error ends neither the relay nor its reloads."""
    site.write("a")
    async with running(site):
        apply = site.relay.apply
        monkeypatch.setattr(site.relay, "apply", lambda change: 1 / 0)
        site.write("a", "b")
        site.reloads.requested.set()
        await site.published("failed")
        monkeypatch.setattr(site.relay, "apply", apply)
        site.reloads.requested.set()
        await site.read("b")
    assert sum("settings not reloaded: internal error" in line for line in said()) == 1
