"""The supervisor: the errors that it contains, its retries, and its pauses."""

from __future__ import annotations

import ast
import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cases import each_case
from manual_clock import Enough, Time, unjittered

import klvrelay
from klvrelay.errors import (
    ConfigError,
    InternalError,
    KlvrelayError,
    NotMedia,
    Shortage,
    SinkDown,
    SinkRefused,
    SourceDown,
)
from klvrelay.relay.supervise import Standing, as_fault, contain, is_retryable, standing_of, supervise

LASTING, NEW, REMOTE, UNREAD, READ = Standing


def caused(fault: Exception, cause: Exception) -> Exception:
    fault.__cause__ = cause
    return fault


EMFILE = OSError(errno.EMFILE, "x")
TABLE = [
    (ConfigError("no such file"), {LASTING}),
    (SinkRefused("wrong password"), {LASTING}),
    (NotMedia("text"), {LASTING, NEW}),
    (SourceDown("gone"), {LASTING, NEW, REMOTE}),
    (SinkDown("gone"), {LASTING, NEW}),
    (InternalError("x"), {LASTING, NEW}),
    (KeyError("x"), {LASTING, NEW}),
    (OSError(errno.EIO, "x"), {LASTING, NEW}),
    *((OSError(number, "x"), {LASTING, NEW, REMOTE, UNREAD})
      for number in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)),
    (Shortage("x"), {LASTING, NEW, REMOTE, UNREAD}),
    (caused(ConfigError("ca_file can't be read"), EMFILE), {LASTING, NEW, REMOTE, UNREAD}),
    (caused(SourceDown("can't be read"), caused(ValueError("x"), EMFILE)), {LASTING, NEW, REMOTE, UNREAD}),
]  # fmt: skip


@each_case(("fault", "again"), TABLE, ids=[f"{number} {row[0]!r}" for number, row in enumerate(TABLE)])
def test_whether_an_error_is_retried_depends_on_the_far_end(
    fault: Exception, again: set[Standing]
):
    """A refusal is final before the first success only; a file is read once; a shortage of resources is temporary."""
    assert {standing for standing in Standing if is_retryable(fault, standing)} == again


@pytest.mark.parametrize(
    ("scheme", "live", "read", "standing"),
    [("udp", True, False, LASTING), ("file", True, True, LASTING), ("file", False, False, UNREAD),
     ("stdin", False, False, UNREAD), ("file", False, True, READ), ("stdin", False, True, READ),
     ("http", False, False, REMOTE), ("https", False, True, REMOTE)],
)  # fmt: skip
def test_the_standing_of_a_source_follows_from_its_kind(
    scheme: str, live: bool, read: bool, standing: Standing
):
    """A live one lasts; a file exists or not; a server may be down."""
    assert standing_of(scheme, live=live, read=read) is standing


class Attempts:
    """The attempts in turn: seconds that each lasts, and its exception (None: it returns)."""

    def __init__(self, time: Time, *script: tuple[float | None, BaseException | None]) -> None:
        self.time = time
        self.script = list(script)
        self.made = 0
        self.reported: list[KlvrelayError] = []
        self.standing = LASTING

    async def __call__(self, up: Callable[[], None]) -> None:
        stands, fault = self.script[min(self.made, len(self.script) - 1)]
        self.made += 1
        self.time.now += 7  # the time to connect does not count
        if stands is not None:
            up()
            self.time.now += stands
        if fault is not None:
            raise fault

    async def run(self, **more: Any) -> None:
        await supervise(
            self, name="test", backoff=unjittered(more.pop("cap", 30.0)), standing=lambda: self.standing,
            down=self.reported.append, clock=self.time.clock, sleep=self.time.sleep, **more,
        )  # fmt: skip


async def test_pauses_double_to_the_cap_where_no_attempt_lasts():
    """A far end that is down for long is tried ever more rarely."""
    time = Time(9)
    with pytest.raises(Enough):
        await Attempts(time, (None, SinkDown("gone"))).run()
    assert time.pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize(("stands", "pauses"), [(9.99, [0.5, 1, 2, 4]), (10.0, [0.5] * 4)])
async def test_only_an_attempt_that_lasted_for_the_steady_period_makes_the_next_pause_short(
    stands: float, pauses: list[float]
):
    """A flapping far end is not tried ever faster: from both sides of the limit."""
    time = Time(4)
    with pytest.raises(Enough):
        await Attempts(time, (stands, SourceDown("gone"))).run(steady=10.0)
    assert time.pauses == pauses


async def test_a_steady_period_counts_for_one_attempt_only():
    """One good hour, then only refusals: the pauses grow from the first on."""
    time = Time(4)
    with pytest.raises(Enough):
        await Attempts(time, (3600.0, SinkDown("gone")), (None, SinkDown("refused"))).run()
    assert time.pauses == [0.5, 1, 2, 4]


async def test_an_error_with_a_longer_pause_gets_it():
    """A server's Retry-After is obeyed."""
    time = Time(2)
    with pytest.raises(Enough):
        await Attempts(time, (0.0, SourceDown("busy", wait=120.0)), (0.0, SourceDown("gone"))).run()
    assert time.pauses == [120.0, 1]


async def test_an_attempt_that_returns_is_the_last():
    """There is nothing left to do: no pause, no other attempt."""
    attempts = Attempts(Time(5), (0.0, SourceDown("gone")), (0.0, None), (0.0, SourceDown("never")))
    await attempts.run()
    assert (attempts.made, len(attempts.reported), len(attempts.time.pauses)) == (2, 1, 1)


async def test_a_fatal_error_is_raised_unchanged():
    """The operator gets the sink's message and its exit code."""
    refused = SinkRefused("wrong password")
    attempts = Attempts(Time(5), (None, SinkDown("away")), (None, refused))
    attempts.standing = NEW
    with pytest.raises(SinkRefused) as fault:
        await attempts.run()
    assert fault.value is refused
    assert [str(fault) for fault in attempts.reported] == ["away"]


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (KeyError("x"), InternalError, "internal error: KeyError in test_supervise.py:"),
        (OSError(errno.EMFILE, "x"), Shortage, "too many open files: raise the limit of open files"),
        (ExceptionGroup("g", [ExceptionGroup("g", [SinkDown("gone")]), KeyError("x")]), SinkDown, "gone"),
        (asyncio.CancelledError(), InternalError, "a wait was cancelled"),
    ],
    ids=["KeyError", "EMFILE", "group", "cancelled"],
)
async def test_whatever_an_attempt_raises_is_contained(error: BaseException, kind: type, text: str):
    """Unexpected errors, groups of them, and a cancellation without a request: the next attempt follows."""
    attempts = Attempts(Time(5), (0.0, error), (0.0, None))
    await attempts.run()
    assert [type(fault) for fault in attempts.reported] == [kind]
    assert text in str(attempts.reported[0])
    assert attempts.made == 2


async def test_an_error_while_an_error_is_reported_ends_nothing():
    """The counters of a stream fail while it handles the fault of its source."""
    time, attempts = Time(5), None

    def down(fault: KlvrelayError) -> None:
        raise OSError(errno.EIO, "counters")

    attempts = Attempts(time, (0.0, SourceDown("gone")), (0.0, None))
    await supervise(
        attempts, name="x", backoff=unjittered(), standing=lambda: LASTING, down=down, clock=time.clock,
        sleep=time.sleep,
    )  # fmt: skip
    assert attempts.made == 2


async def test_a_cancellation_ends_it_at_once_and_after_the_clean_up_of_the_attempt():
    """Even where a task group fails at that very moment, which hides the cancellation."""
    for way in ("waits", "fails"):
        cleaned, standing = [], asyncio.Event()

        async def fall(way: str = way, cleaned: list[str] = cleaned, standing: asyncio.Event = standing) -> None:
            try:
                standing.set()
                await asyncio.get_running_loop().create_future()
            finally:
                await asyncio.sleep(0)  # here: since Python 3.13 a group that fails cancels the next wait after it too
                cleaned.append("done")
                if way == "fails":
                    raise SinkDown("gone")

        async def attempt(up: Callable[[], None], fall: Any = fall) -> None:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fall())

        task = asyncio.create_task(
            supervise(attempt, name="x", backoff=unjittered(), standing=lambda: LASTING, down=lambda fault: None)
        )
        await asyncio.wait_for(standing.wait(), 5)
        task.cancel()
        await asyncio.wait({task}, timeout=5)
        assert task.cancelled(), way
        assert cleaned == ["done"]


def test_a_step_that_fails_is_contained_and_its_error_is_returned():
    """As an error that an operator can read; None where nothing was raised."""
    fault = contain(lambda: {}["x"], "uav1")
    assert isinstance(fault, InternalError)
    assert isinstance(fault.__cause__, KeyError)
    assert contain(lambda: None, "uav1") is None


def test_an_error_that_was_never_raised_has_no_location():
    """A library may pass one without a traceback."""
    assert "KeyError in unknown code" in str(as_fault(KeyError("x"), "x"))


def test_only_the_supervisor_contains_all_errors():
    """Elsewhere a broad `except` raises again, except where a library, a request or a message may fail."""
    found = set()
    for path in Path(klvrelay.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ExceptHandler) or any(isinstance(part, ast.Raise) for part in ast.walk(node)):
                continue
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or getattr(kind, "id", "") in ("Exception", "BaseException") for kind in kinds):
                found.add(path.name)
    assert found <= {
        "supervise.py", "embedded_broker.py", "client.py", "server.py", "handler.py", "log_event.py", "ledger.py",
        "outbox.py",
    }  # fmt: skip
    assert "supervise.py" in found
