"""Knows every record that was sent and received, and judges what a fault did to them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, pairwise
from typing import Any, NamedTuple, Self

import aiomqtt
import feed
import orjson
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

HZ = 30


class Feeder:
    """Sends one transport stream to each port, 30 KLV packets a second, each with the time it was due."""

    def __init__(self, ports: Sequence[int], hz: float = HZ) -> None:
        self._ports, self._hz = ports, hz
        self._pieces = feed.endless(hz)
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._task: asyncio.Task[None] | None = None
        self.sent = 0
        """Packets sent to each port."""

    @property
    def total(self) -> int:
        return self.sent * len(self._ports)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._send(), name="feeder")
        return self

    async def __aexit__(self, *fault: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})
        self._sock.close()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in count(1):
            await asyncio.sleep(start + number / self._hz - loop.time())
            _, piece = next(self._pieces)
            for port in self._ports:
                self._sock.sendto(piece, ("127.0.0.1", port))
            self.sent += 1


@dataclass(slots=True)
class Verdict:
    """What arrived, of what was sent. `fresh`: the highest number of each stream."""

    arrived: int = 0
    missing: int = 0
    duplicates: int = 0
    gaps: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.missing:,} of {self.arrived:,} records missing, {self.duplicates:,} duplicates"


class Delay(NamedTuple):
    """When a datagram arrived at the relay, in seconds since 1970, and the milliseconds from then to the subscriber."""

    received: float
    ms: float


class Witness:
    """Collects telemetry, rejected records and gaps as (topic, payload), and judges them."""

    def __init__(self, prefix: str = "klvrelay") -> None:
        self._prefix = prefix
        self._first: dict[tuple[str, str], list[int]] = {}
        self._numbers: dict[tuple[str, str], dict[int, int]] = {}
        self._newest: dict[str, int] = {}
        self._gaps: dict[tuple[str, str], set[int]] = {}
        self._seen: Counter[tuple[str, str, int]] = Counter()
        self.status: dict[str, object] = {}
        self.link: dict[str, Any] = {}
        """The last report of any stream."""
        self.invented: list[str] = []
        self.timed = False
        """Are delays measured now?"""
        self.delays: list[Delay] = []
        """Of each record that arrives for the first time."""

    def hear(self, topic: str, payload: bytes) -> None:
        if not topic.startswith(f"{self._prefix}/") or not payload:
            return
        kind = topic.rpartition("/")[2]
        if kind == "status":
            self.status = orjson.loads(payload)
        elif kind == "link":
            self.link = orjson.loads(payload)
        elif kind == "telemetry":
            self._record(orjson.loads(payload))
        elif kind == "gap":
            document = orjson.loads(payload)
            key = document["stream"], document["boot"]
            self._gaps.setdefault(key, set()).update(range(document["from"], document["to"] + 1))
        elif kind == "rejected":
            self.invented.append(f"rejected: {payload[:200]!r}")

    def _record(self, document: dict[str, object]) -> None:
        key, seq = (str(document["stream"]), str(document["boot"])), int(str(document["seq"]))
        number = int(document["items"]["mission_id"])  # type: ignore[index]
        self._newest[key[0]] = max(number, self.newest(key[0]))
        self._seen[*key, seq] += 1
        if self._seen[*key, seq] == 1:
            self._first.setdefault(key, []).append(seq)
            self._time(str(document["received"]))
        if self._numbers.setdefault(key, {}).setdefault(seq, number) != number:
            self.invented.append(f"{key} seq {seq} changed its content")

    def _time(self, received: str) -> None:
        if self.timed:
            then = datetime.fromisoformat(received).timestamp()
            self.delays.append(Delay(then, 1e3 * (time.time() - then)))

    @property
    def arrived(self) -> int:
        """Different records so far."""
        return len(self._seen)

    @property
    def runs(self) -> list[tuple[str, str]]:
        """Stream and boot of all records, in the order of their first one."""
        return list(self._first)

    def numbers(self, run: tuple[str, str]) -> list[int]:
        """The numbers of the packets of one stream and boot."""
        return list(self._numbers[run].values())

    @property
    def sums(self) -> dict[str, int]:
        """The record counts of the last `status`."""
        return dict(self.status["records"])  # type: ignore[call-overload,no-any-return]

    def newest(self, stream: str) -> int:
        """The highest number of a packet of a stream; -1 for none."""
        return self._newest.get(stream, -1)

    def verdict(self, streams: Iterable[str], *, ordered: bool = True) -> Verdict:
        """Judge all records so far. A record is missing if a later one of its stream and run arrived without it."""
        verdict = Verdict(self.arrived, faults=list(self.invented))
        verdict.duplicates = self._seen.total() - self.arrived
        for key, seqs in self._first.items():
            gaps = self._gaps.get(key, set())
            verdict.missing += len(set(range(max(seqs) + 1)) - set(seqs) - gaps)
            verdict.gaps += len(gaps)
            if gaps & set(seqs):
                verdict.faults.append(f"{key}: delivered and reported as a gap")
            if ordered and any(later < earlier for earlier, later in pairwise(seqs)):
                verdict.faults.append(f"{key}: out of order")
            numbers = self._numbers[key]
            if any(numbers[later] <= numbers[earlier] for earlier, later in pairwise(sorted(numbers))):
                verdict.faults.append(f"{key}: numbers do not rise with seq")
        verdict.faults += [f"{stream}: nothing arrived" for stream in streams if self.newest(stream) < 0]
        return verdict


async def drained(witness: Witness, feeder: Feeder, streams: Sequence[str], within: float) -> None:
    """Return once a packet of each stream that was sent after this call has arrived."""
    wanted = feeder.sent
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not all(witness.newest(stream) >= wanted for stream in streams):
        assert loop.time() < end, f"not within {within} s: {[witness.newest(s) for s in streams]} of {wanted}"
        await asyncio.sleep(0.05)


async def caught_up(witness: Witness, feeder: Feeder, streams: Sequence[str], within: float) -> None:
    """Return once no stream is more than half a second behind: what arrived during a backlog has waited too."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not all(witness.newest(stream) >= feeder.sent - HZ // 2 for stream in streams):
        assert loop.time() < end, f"not within {within} s: {[witness.newest(s) for s in streams]} of {feeder.sent}"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def heard_by_oracle(broker: object, witness: Witness) -> AsyncIterator[None]:
    """Pass on what an `OracleBroker` logs, and forget it there: the log of an hour would be large."""

    def take() -> None:
        published = broker.published  # type: ignore[attr-defined]
        for message in published:
            witness.hear(message.topic, message.payload)
        published.clear()

    async def poll() -> None:
        while True:
            await asyncio.sleep(0.02)
            take()

    task = asyncio.create_task(poll(), name="witness")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        take()


@asynccontextmanager
async def heard_durably(port: int, witness: Witness) -> AsyncIterator[None]:
    """A subscriber with a session that a broker keeps, which connects again after each outage."""

    async def hear() -> None:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 3600
        while True:
            client = aiomqtt.Client(
                "127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, identifier="witness", clean_start=False,
                properties=properties,
            )  # fmt: skip
            with suppress(aiomqtt.MqttError):
                async with client:
                    await client.subscribe("klvrelay/#", qos=1)
                    async for message in client.messages:
                        witness.hear(str(message.topic), bytes(message.payload))
            await asyncio.sleep(0.1)

    task = asyncio.create_task(hear(), name="witness")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
