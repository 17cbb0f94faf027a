"""A relay of scripted sources and sinks that is changed while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from brokers import until
from scripted_ends import TAPE, Ear, Tape, live

from klvrelay.relay.change import SettingsChange
from klvrelay.relay.relay import Relay
from klvrelay.relay.sink_input import SinkInput
from klvrelay.relay.stream_input import StreamInput
from klvrelay.spool.contract import Log


def input_of(name: str, tape: Any, **more: Any) -> StreamInput:
    return StreamInput(name, lambda: tape, str(tape.url), **more)


@dataclass
class Scene:
    """A relay with its sources and sinks by name. Each method returns once the relay has changed."""

    tapes: dict[str, Any]
    ears: dict[str, Ear]
    log: Log | None = None
    relay: Relay = field(init=False)
    task: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        inputs = [input_of(name, tape) for name, tape in self.tapes.items()]
        sinks = [SinkInput(name, ear) for name, ear in self.ears.items()]  # type: ignore[arg-type]
        self.relay = Relay(inputs, sinks, boot="5f2c9a", log=self.log)

    async def change(
        self, tapes: dict[str, Any] | None = None, ears: dict[str, Ear] | None = None,
        gone: Collection[str] = (), gone_ears: Collection[str] = (),
    ) -> None:  # fmt: skip
        """Add or replace sources and sinks, and remove those whose names are `gone`."""
        tapes, ears = tapes or {}, ears or {}
        self.tapes = {name: tape for name, tape in (self.tapes | tapes).items() if name not in gone}
        self.ears = {name: ear for name, ear in (self.ears | ears).items() if name not in gone_ears}
        await self.relay.apply(SettingsChange(
            [input_of(name, tape) for name, tape in tapes.items()],
            [SinkInput(name, ear) for name, ear in ears.items()],  # type: ignore[arg-type]
            gone, gone_ears, frozenset(self.tapes),
        ))  # fmt: skip

    async def delivered(self, *names: str) -> None:
        """Wait until these sinks have all records of the sources so far."""
        await until(lambda: all(not self.sink(name).cursor.waiting for name in names or self.ears))

    def sink(self, name: str) -> Any:
        return next(task for task in self.relay.sink_tasks if task.name == name)

    def stream(self, name: str = "uav1") -> Any:
        return next(stream for stream in self.relay.streams if stream.name == name)

    async def read(self, name: str = "uav1", count: int = len(TAPE.klv)) -> None:
        """Wait until so many records of the stream were read."""
        await until(lambda: self.stream(name).health.records >= count)


def tape(count: int = len(TAPE.klv), **more: Any) -> Tape:
    """A live source with so many records, one in each packet, that then stays silent."""
    return live(*TAPE.klv[:count], **{"hang": True, **more})


@asynccontextmanager
async def scene(tapes: dict[str, Any], ears: dict[str, Ear] | None = None) -> AsyncIterator[Scene]:
    """The running relay; it must not end by itself, and stops in time."""
    running = Scene(tapes, {"ear": Ear()} if ears is None else ears)
    running.task = asyncio.create_task(running.relay.run())
    await asyncio.sleep(0)  # it has begun
    try:
        yield running
    finally:
        ended = running.task.done()
        running.task.cancel()
        await asyncio.wait({running.task}, timeout=8)
        fault = None if running.task.cancelled() else running.task.exception()
    assert not ended, fault
