"""The verb `check`: validates settings, and tries their sources and brokers."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import Awaitable, Coroutine, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, NamedTuple

from klvrelay import threads
from klvrelay.alerts.running import prepare
from klvrelay.cli.standard_streams import flush_output
from klvrelay.config.choice import Choice
from klvrelay.config.explain import explained, origins_of
from klvrelay.config.faults import InvalidSettings
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import RelaySettings, SourceSettings
from klvrelay.config.settings_file import Reading, read_settings
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError, KlvrelayError, NoKlv, Shortage, SourceDown
from klvrelay.health.diagnosis import no_klv
from klvrelay.json_output import dumps
from klvrelay.log import logger
from klvrelay.relay.build import CHECKS, open_input
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.open import far_end
from klvrelay.text import counted, printable

CLOSING = 3.0
"""Maximum seconds in which a source closes."""


class Trial(NamedTuple):
    """What came of trying a source or a sink.

    kind  "source" or "sink"
    text  what was found, or what is wrong and what to do
    code  exit code; 0: it works
    """

    kind: str
    name: str
    url: str
    text: str
    code: int = 0

    @property
    def line(self) -> str:
        return printable(f"{self.kind} {self.name}: {'ok' if self.code == 0 else 'fault'}: {self.text}")


async def check(path: str | None, *, connects: bool, seconds: float, as_json: bool) -> int:
    """Validate settings; with `connects`, try sources and brokers. Print the result, and return the exit code.

    Raises ConfigError for invalid settings, unless the result is printed as JSON.
    """
    if not 0 < seconds < 1e6:
        raise ConfigError(f"--seconds {seconds:g}: give a number above 0")
    place = "environment" if path is None else printable(path)
    try:
        reading = read_settings(path, checks=CHECKS)
        await threads.run(partial(prepare, reading.settings.alerts), "klvrelay-files")
    except ConfigError as fault:
        if not as_json:
            raise
        _print(dumps(_refused(place, fault)).decode())
        return fault.exit_code
    trials = await try_all(reading.settings, seconds) if connects else []
    if as_json:
        _print(dumps(_document(place, reading, trials)).decode())
    else:
        _warn(reading)
        _print("\n".join((_heading(place, reading.settings), *(trial.line for trial in trials))))
    return next((trial.code for trial in trials if trial.code), 0)


def _heading(place: str, settings: RelaySettings) -> str:
    """What the settings contain, and what `run` needs beside them."""
    sources, sinks = len(settings.sources), len(settings.sinks)
    missing = [name for name, number in (("SOURCE", sources), ("--mqtt URL or --sink URL", sinks)) if not number]
    advice = f"; `run` also needs {' and '.join(missing)}" if missing else ""
    return f"{place}: valid: {counted(sources, 'source')}, {counted(sinks, 'sink')}{advice}"


def print_config(path: str | None) -> int:
    """Print every setting and its origin."""
    reading = read_settings(path, checks=CHECKS)
    _warn(reading)
    _print(explained(reading.settings, origins_of(reading.entries)).rstrip("\n"))
    return 0


def _print(text: str) -> None:
    with flush_output():
        sys.stdout.write(f"{text}\n")


def _warn(reading: Reading) -> None:
    for warning in reading.warnings:
        logger().warning("%s", warning)


def _refused(place: str, fault: ConfigError) -> dict[str, Any]:
    if not isinstance(fault, InvalidSettings):
        return {"settings": place, "valid": False, "faults": [{"text": str(fault)}], "more": 0}
    faults = [
        {"place": one.origin.place, "line": one.origin.line, "key": one.key or one.origin.place, "text": one.text}
        for one in fault.faults
    ]
    return {"settings": place, "valid": False, "faults": faults, "more": fault.more}


def _document(place: str, reading: Reading, trials: Sequence[Trial]) -> dict[str, Any]:
    tried = [
        {"kind": one.kind, "name": one.name, "url": one.url, "ok": one.code == 0, "text": one.text} for one in trials
    ]
    return {"settings": place, "valid": True, "faults": [], "warnings": list(reading.warnings), "tried": tried}


async def try_all(settings: RelaySettings, seconds: float) -> list[Trial]:
    """Try all sources and sinks concurrently. The result has their order."""
    named, choices = settings.named(), settings.choices()
    trials: list[Coroutine[Any, Any, Trial]] = [
        _try_source(name, source, choice, seconds) for (name, source), choice in zip(named, choices, strict=True)
    ]
    trials += [_try_broker(sink.name, broker) for sink in settings.sinks for broker in sink.brokers]
    trials += [_try_far_end(sink.name, sink.far_end) for sink in settings.sinks if sink.mqtt is None]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(trial, name="check") for trial in trials]
    return [task.result() for task in tasks]


async def _try_source(name: str, settings: SourceSettings, choice: Choice, seconds: float) -> Trial:
    url = str(settings.url)
    began = time.monotonic()
    try:
        await _first_record(name, settings, choice, seconds)
    except KlvrelayError as fault:
        return Trial("source", name, url, str(fault), fault.exit_code)
    except OSError as fault:
        return Trial("source", name, url, f"{url}: {Shortage.of(fault)}", Shortage.exit_code)
    return Trial("source", name, url, f"{url}: KLV after {time.monotonic() - began:.1f} s")


async def _first_record(name: str, settings: SourceSettings, choice: Choice, seconds: float) -> None:
    """Return once a record has arrived. Raises KlvrelayError if none does."""
    source = open_input(settings)
    decoder = Decoder(name, "check", packet_limit=settings.packet_limit, choice=choice)

    async def read() -> bool:
        async with aclosing(source.packets()) as packets:
            async for packet in packets:
                if decoder.feed(packet):
                    return True
        return bool(decoder.flush())

    # In a task: before Python 3.11.3, a timeout in a cancelled task raises CancelledError.
    reading = asyncio.create_task(read(), name=f"read {name}")
    try:
        await asyncio.wait({reading}, timeout=seconds)
    finally:
        reading.cancel()
        await asyncio.wait({reading}, timeout=CLOSING)
    has_ended = reading.done() and not reading.cancelled()
    # One that was stopped may have a record that waits for the name of its stream.
    if reading.result() if has_ended else decoder.flush():
        return
    if not has_ended and not source.link.size:
        raise SourceDown(
            f"{source.url}: no data in {seconds:g} s: see that the sender is running, and check its address, the port"
            " and firewalls"
        )
    lane = source.link.lane + decoder.counters
    within = "" if has_ended else f" in {seconds:g} s"
    raise NoKlv(f"{source.url}: no KLV{within}: {decoder.streams.missed or no_klv(lane).sentence}")


async def _try_broker(name: str, mqtt: MqttSettings) -> Trial:
    """Connect with another client id, so that a running relay stays connected."""

    async def connect_once() -> None:
        connection = await connect(mqtt, client_id=f"klvrelay-check-{secrets.token_hex(3)}")
        await connection.close()

    return await _try_sink(name, mqtt.url, connect_once())


async def _try_far_end(name: str, settings: FarEndSettings) -> Trial:
    """Connect, and deliver nothing."""

    async def connect_once() -> None:
        opened = far_end(settings)
        try:
            await opened.open()
        finally:
            await opened.close()

    return await _try_sink(name, settings.url, connect_once())


async def _try_sink(name: str, url: str, attempt: Awaitable[None]) -> Trial:
    try:
        await attempt
    except KlvrelayError as fault:
        return Trial("sink", name, url, str(fault), fault.exit_code)
    except OSError as fault:
        return Trial("sink", name, url, f"{url}: {Shortage.of(fault)}", Shortage.exit_code)
    return Trial("sink", name, url, f"{url}: connected")
