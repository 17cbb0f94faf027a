"""The verb `watch`: shows the streams of a broker in a live table, or as lines."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import time
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from klvrelay.backoff import STEADY, Backoff
from klvrelay.cli.verbs.stream_table import LEAVES, OUTPUTS, StreamTable, sanitize
from klvrelay.config.choice import EVERYTHING, Choice
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import safe_level
from klvrelay.errors import SinkDown
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Connection

REFRESH = 0.25
PLAIN_INTERVAL = 1.0
FIRST_PAUSE = 0.5
BACKOFF_CAP = 30.0
WIDE = 136

_TITLES = {"lat": "latitude", "lon": "longitude", "alt": "alt m", "rate": "rec/s", "age": "age s", "lead": "lead ms"}
_NARROW = ("stream", "state", "lat", "lon", "alt", "heading", "rate", "age", "bad")
_STYLES = {"online": "green", "live": "green", "waiting": "yellow", "stale": "red", "down": "red", "offline": "red"}
_LEFT = ("stream", "state", "set")


def table(rows: list[dict[str, str]], width: int) -> Table:
    """The rows as a table, with fewer columns on a narrow terminal."""
    columns = list(rows[0]) if rows and width >= WIDE else list(_NARROW)
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        justify = "left" if column in _LEFT else "right"
        shown.add_column(_TITLES.get(column, column), justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in rows:
        shown.add_row(*(Text(row[column], style=_STYLES.get(row[column], "")) for column in columns))
    return shown


def line(row: Mapping[str, str]) -> str:
    """One row as plain text: the stream, its state and key=value pairs."""
    rest = (f"{column}={text}" for column, text in row.items() if column not in ("stream", "state"))
    return " ".join((row["stream"], row["state"], *rest))


async def watch(
    settings: MqttSettings,
    stream: str | None = None,
    *,
    choice: Choice = EVERYTHING,
    outputs: Sequence[str] = OUTPUTS,
    console: Console | None = None,
) -> None:
    """Show the streams of a broker until cancelled: a live table, or without a terminal one line per stream and second.

    `outputs` are those whose records are shown. Raises SinkDown or SinkRefused if the first connection fails. A later
    loss is reported once and retried.
    """
    console = console or Console()
    stream_table = StreamTable(settings.prefix, choice, keep=stream is not None, outputs=outputs)
    topics = _topics(settings.prefix, stream, outputs)
    connection = await connect(settings, client_id=_client_id(), client="aiomqtt")
    paint = _paint_table if console.is_terminal else _print_lines
    tasks = {
        asyncio.create_task(_follow(settings, topics, stream_table, console, connection), name="watch follow"),
        asyncio.create_task(paint(stream_table, console, settings), name="watch paint"),
    }
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await connection.close()


async def _follow(
    settings: MqttSettings, topics: list[str], stream_table: StreamTable, console: Console, connection: Connection
) -> None:
    """Update the table from messages. After a loss, report it once and reconnect."""
    backoff = Backoff(first=FIRST_PAUSE, cap=BACKOFF_CAP)
    while True:
        began = time.monotonic()
        try:
            stream_table.begin_subscription(began)
            await connection.subscribe(topics)
            async for message in connection.received():
                stream_table.take(message, time.monotonic(), time.time())
        except SinkDown as fault:
            _print_note(console, f"{fault}: reconnecting")
        finally:
            await connection.close()
        if time.monotonic() - began >= STEADY:
            backoff.reset()
        connection = await _reconnect(settings, backoff)
        _print_note(console, f"{settings.url}: reconnected")


async def _reconnect(settings: MqttSettings, backoff: Backoff) -> Connection:
    """A new connection; retries without limit, with jittered back-off."""
    while True:
        await asyncio.sleep(backoff.next())
        with contextlib.suppress(SinkDown):
            return await connect(settings, client_id=_client_id(), client="aiomqtt")


async def _paint_table(stream_table: StreamTable, console: Console, settings: MqttSettings) -> None:
    with Live(Text(_waiting(settings)), console=console, auto_refresh=False) as live:
        while True:
            now = time.monotonic()
            rows, note = stream_table.rows(now), stream_table.note(now)
            waiting = Text(f"{_waiting(settings)}: {note}")
            below = [Text(note, "dim")] if note else []
            live.update(Group(table(rows, console.width), *below) if rows else waiting, refresh=True)
            await asyncio.sleep(REFRESH)


async def _print_lines(stream_table: StreamTable, console: Console, settings: MqttSettings) -> None:
    _print_note(console, _waiting(settings))
    last_note = ""
    while True:
        await asyncio.sleep(PLAIN_INTERVAL)
        now = time.monotonic()
        for row in stream_table.rows(now):
            _print(console, line(row))
        if (note := stream_table.note(now)) != last_note:
            last_note = note
            if note:
                _print_note(console, note)


def _waiting(settings: MqttSettings) -> str:
    return f"watching {settings.url}, topics {settings.prefix}/..."


def _print_note(console: Console, text: str) -> None:
    """Print above the table on a terminal, else to standard error, since standard output has the rows."""
    if console.is_terminal:
        _print(console, sanitize(text, 400))
    else:
        print(sanitize(text, 400), file=sys.stderr, flush=True)


def _print(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)
    console.file.flush()


def _topics(prefix: str, stream: str | None, outputs: Sequence[str]) -> list[str]:
    """The dictionary before the records that need it."""
    level = "+" if stream is None else safe_level(stream)
    leaves = dict.fromkeys((*reversed(LEAVES), *outputs))
    return [f"{prefix}/status", *(f"{prefix}/{level}/{leaf}" for leaf in leaves)]


def _client_id() -> str:
    return f"klvrelay-watch-{secrets.token_hex(3)}"
