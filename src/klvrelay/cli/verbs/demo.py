"""The verb `demo`: runs a sample recording, a broker, a relay and a subscriber in one process."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.text import Text

from klvrelay import threads
from klvrelay.cli.embedded_broker import EmbeddedBroker
from klvrelay.cli.verbs.sample import make_sample
from klvrelay.cli.verbs.stream_records import document_of
from klvrelay.cli.verbs.stream_table import sanitize
from klvrelay.cli.web_server import Beside, web_server
from klvrelay.config.mqtt import Client, MqttSettings, mqtt_settings
from klvrelay.config.settings import DEFAULT_SINK, RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.url import Url
from klvrelay.config.web import WebSettings
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.json_output import dumps
from klvrelay.multiplex.whole_file import part_of
from klvrelay.relay.build import build_relay, check_files, open_input
from klvrelay.relay.relay import Relay
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Received
from klvrelay.text import printable

PORT = 1883
WEB = ("127.0.0.1:8080", "127.0.0.1:0")
"""Where the web server listens: the second if the first is in use."""
SAMPLE = Path("samples/orbit.ts")
CLEANUP_TIMEOUT = 2.0
"""Seconds that sample creation gets to stop: it checks once per frame, and the first frame takes longest."""
LINES_A_SECOND = 4
OTHER_LINES = 20
"""Maximum lines per second of messages other than telemetry, of which few are expected."""
WHOLE_MOST, DEPTH_MOST = 64 << 10, 32
"""Maximum bytes of a record shown in full, and maximum nesting of any record."""
SHOWN = {
    "sensor_latitude": "{:.5f}°",
    "sensor_longitude": "{:.5f}°",
    "sensor_true_altitude": "{:.0f} m",
    "platform_heading_angle": "heading {:.1f}°",
}


async def sample_file() -> Path:
    """The sample recording: the one in the source tree, else one created once and cached."""
    path, exists = _sample_path()
    if not exists:
        print("creating a sample recording (once) ...", file=sys.stderr)
        try:
            await _run_stoppable(partial(make_sample, path, seconds=20))
        finally:
            part_of(path).unlink(missing_ok=True)  # left by a thread that did not stop in time
    return path


def _sample_path() -> tuple[Path, bool]:
    """The path of the recording, and whether it exists."""
    if SAMPLE.is_file():
        return SAMPLE, True
    cache, home = os.environ.get("XDG_CACHE_HOME"), os.environ.get("HOME")
    folder = Path(cache or (home and f"{home}/.cache") or tempfile.gettempdir()) / "klvrelay"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "orbit.ts", (folder / "orbit.ts").is_file()


async def _run_stoppable(make: Callable[..., object]) -> None:
    """Run in a thread. If cancelled, stop at the next step, and wait a limited time for the cleanup."""
    stopped = threading.Event()

    def step() -> None:
        if stopped.is_set():
            raise KlvrelayError("stopped")

    work = asyncio.ensure_future(threads.run(partial(make, step=step), "klvrelay-sample"))
    try:
        await asyncio.wait([work])  # not `shield`: Python 3.14 logs the fault that follows a cancellation
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.wait([work], timeout=CLEANUP_TIMEOUT)
        if work.done():
            work.exception()
        raise
    work.result()


async def demo(
    source: str | Url | None,
    mqtt: str | None,
    broker_options: Mapping[str, Any] | None = None,
    *,
    port: int | None = None,
    http: str | None = None,
    console: Console | None = None,
    **source_options: Any,
) -> None:
    """Relay and show messages until cancelled, or until the source ends.

    broker_options   in addition to the URL: see `mqtt_settings`
    port             port of the embedded broker; None: 1883
    http             address of the web server, on loopback; None: 127.0.0.1:8080, or a free port
    source_options   see `SourceSettings`
    """
    console = console or Console()
    own_broker = _own_broker(mqtt, broker_options or {}, port)
    listen = WEB if http is None else (_loopback(http),)
    entry = None if source is None else _entry(Url.parse(source), **source_options)
    if entry is not None:
        open_input(entry)  # opens nothing; reports wrong schemes and options before anything starts
    entry = entry or _entry(Url.parse(await sample_file()), **source_options)
    async with AsyncExitStack() as stack:
        client = (broker_options or {}).get("client", "native")
        settings = own_broker or await _broker(port, stack, console, client)
        relayed = RelaySettings((entry,), (SinkSettings(DEFAULT_SINK, settings),))
        await check_files(relayed)
        relay = build_relay(relayed)
        subscriber = await connect(settings, client_id=f"klvrelay-demo-{os.getpid()}", client="aiomqtt")
        stack.push_async_callback(subscriber.close)
        await subscriber.subscribe([f"{settings.prefix}/status", f"{settings.prefix}/+/+"])
        web = _web_server(listen, stack, console, is_asked=http is not None)
        _introduce(console, settings, entry.url)
        others = [] if web is None else [_beside(web, relay)]
        await _first_to_end(relay.run(), _show(subscriber, console), *others)
        if relay.fault is not None:
            raise relay.fault


async def _beside(web: Beside, relay: Relay) -> None:
    await web(relay)


async def _first_to_end(*works: Coroutine[Any, Any, None]) -> None:
    """Run tasks concurrently until one ends, and raise its error."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


def _entry(where: Url, **source_options: Any) -> SourceSettings:
    """The source settings: a file is replayed at its original pace, in a loop."""
    is_file = where.scheme == "file"
    return SourceSettings(where, speed=1.0 if is_file else None, loop=is_file, **source_options)


def _own_broker(mqtt: str | None, broker_options: Mapping[str, Any], port: int | None) -> MqttSettings | None:
    """Settings of the user's broker; None for the embedded one, which takes no settings."""
    if mqtt is None:
        if "password" in broker_options:
            raise ConfigError("--mqtt-password-file: the embedded broker needs no password; name your broker by --mqtt")
        return None
    if port is not None:
        raise ConfigError("--port is for the embedded broker; write the port of your own broker in --mqtt")
    return mqtt_settings(mqtt, dict(broker_options))


async def _broker(port: int | None, stack: AsyncExitStack, console: Console, client: Client) -> MqttSettings:
    """Start the embedded broker."""
    broker = await stack.enter_async_context(EmbeddedBroker(PORT if port is None else port))
    if broker.moved:
        text = f"port {port or PORT} is in use: the broker listens on {broker.port}"
        console.print(text, highlight=False)
    return MqttSettings(host="127.0.0.1", port=broker.port, protocol=4, client=client)


def _loopback(listen: str) -> str:
    """The address of the web server, which has no token here. Raises ConfigError."""
    try:
        is_local = WebSettings(listen).is_local
    except ConfigError as fault:
        raise ConfigError(f"--http: {fault}") from None
    if not is_local:
        raise ConfigError(f"--http {printable(listen)}: the demo serves this machine only; give a loopback address")
    return listen


def _web_server(
    addresses: Sequence[str], stack: AsyncExitStack, console: Console, *, is_asked: bool
) -> Beside | None:  # fmt: skip
    """The web server, at the first address that is free. None without its library, unless the user asked for it."""
    fault: ConfigError | None = None
    for listen in addresses:
        try:
            return stack.enter_context(web_server(WebSettings(listen), str))
        except ConfigError as found:
            fault = found
    if is_asked and fault is not None:
        raise fault
    console.print(Text(str(fault)), soft_wrap=True)
    return None


def _introduce(console: Console, settings: MqttSettings, source: Url) -> None:
    command = sys.argv[0] if sys.argv and os.path.basename(sys.argv[0]).startswith("klvrelay") else "klvrelay"
    port = f" -p {settings.port}" if settings.port != 1883 else ""
    for line in (
        f"relaying {source} to {settings.url}; Ctrl-C ends it. From another terminal:",
        f"  mosquitto_sub -h {settings.host}{port} -t '{settings.prefix}/#' -v",
        f"  {command} watch --mqtt {settings.url}",
        "",
    ):
        console.print(Text(line, style="bold" if line.startswith("  ") else ""), soft_wrap=True)


async def _show(subscriber: Any, console: Console) -> None:
    """Show what a subscriber receives: the first record in full, then a few lines per second."""
    allowance, others, whole, skipped = _Allowance(LINES_A_SECOND), _Allowance(OTHER_LINES, burst=40), True, 0
    async for message in subscriber.received():
        leaf = message.topic.rpartition("/")[2]
        if leaf == "telemetry" and whole and len(message.payload) <= WHOLE_MOST and _record(message):
            whole = False
            console.print(_topic(message))
            console.print(in_full(message.payload), soft_wrap=True)
        elif (allowance if leaf == "telemetry" else others).take(time.monotonic()):
            console.print(line_of(message, leaf, skipped), no_wrap=True, overflow="ellipsis")
            skipped = 0
        else:
            skipped += 1


class _Allowance:
    """A token bucket: messages per second, and in a burst."""

    def __init__(self, rate: int, burst: int = 1) -> None:
        self._gap = 1.0 / rate
        self._burst = (burst - 1) * self._gap
        self._next = 0.0

    def take(self, now: float) -> bool:
        if now < self._next - self._burst:
            return False
        self._next = max(self._next, now) + self._gap
        return True


def _record(message: Received) -> dict[str, Any]:
    """A record; empty if the message, e.g. of another publisher, is not one."""
    document = document_of(message.payload)
    return document if isinstance(document.get("items"), dict) and not _is_deep(document) else {}


def _is_deep(document: Any) -> bool:
    """Nested deeper than any record, and possibly too deep to print."""
    level = [document]
    for _ in range(DEPTH_MOST):
        level = [v for d in level if isinstance(d, dict | list) for v in (d.values() if isinstance(d, dict) else d)]
    return bool(level)


def _topic(message: Received) -> Text:
    return Text(sanitize(message.topic, 200), style="cyan")


def in_full(payload: bytes) -> Text:
    """A record as coloured lines."""
    return JSONHighlighter()(Text(dumps(document_of(payload), indented=True).decode().rstrip()))


def line_of(message: Received, leaf: str, skipped: int) -> Text:
    """A message as one line, with the number of messages `skipped` before it."""
    text = _topic(message)
    record = _record(message) if leaf in ("telemetry", "state", "rejected") else {}
    if record:
        items = record["items"]
        text.append(sanitize(f"  seq {record.get('seq')}  {record.get('time')}", 80), style="default")
        for key, form in SHOWN.items():
            if isinstance(items.get(key), int | float):
                text.append("  " + sanitize(form.format(items[key])), style="default")
        more = f", {skipped} more not shown" if skipped else ""
        text.append(f"  ({len(items)} items, {len(message.payload)} bytes{more})", style="dim")
    else:
        text.append("  " + sanitize(message.payload[:800].decode("utf-8", "replace"), 200), style="default")
    return text
