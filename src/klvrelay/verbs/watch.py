"""The live table of `klvrelay watch`: one row a stream, from what a broker hands to any subscriber.

`Board` is the pure part: messages in, rows out. Next door: `cli.py` calls it, `sinks/client.py` connects.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from klvrelay.backoff import STEADY, Backoff
from klvrelay.elementary import EVERYTHING, Choice
from klvrelay.errors import SinkDown
from klvrelay.names import LEVEL_LIMIT, safe_level
from klvrelay.sinks.client import Connection, Received
from klvrelay.sinks.connect import connect
from klvrelay.sinks.settings import MqttSettings

RATE_WINDOW = 5.0
ROW_LIMIT = 1000
CELL = 48
"""Characters of a cell."""
REFRESH = 0.25
PLAIN_INTERVAL = 1.0
FIRST_PAUSE = 0.5
BACKOFF_CAP = 30.0
WIDE = 120

_LEAVES = ("telemetry", "rejected", "availability", "link", "state")
_FORMATS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("lat", ".6f", ("sensor_latitude",)),
    ("lon", ".6f", ("sensor_longitude",)),
    ("alt", ".1f", ("sensor_true_altitude", "sensor_ellipsoid_height_extended", "sensor_ellipsoid_height")),
    ("heading", ".2f", ("platform_heading_angle",)),
    ("pitch", ".2f", ("platform_pitch_angle_full", "platform_pitch_angle")),
    ("roll", ".2f", ("platform_roll_angle_full", "platform_roll_angle")),
    ("azimuth", ".2f", ("sensor_relative_azimuth_angle",)),
    ("elevation", ".2f", ("sensor_relative_elevation_angle",)),
    ("fov", ".2f", ("sensor_horizontal_field_of_view",)),
)
_KEYS = tuple(key for _, _, keys in _FORMATS for key in keys)
_TITLES = {"lat": "latitude", "lon": "longitude", "alt": "alt m", "rate": "rec/s", "age": "age s"}
_NARROW = ("stream", "state", "lat", "lon", "alt", "heading", "rate", "age", "bad")
_STYLES = {"online": "green", "live": "green", "waiting": "yellow", "stale": "red", "down": "red", "offline": "red"}
_LEFT = ("stream", "state", "set")


@dataclass(slots=True)
class _Stream:
    """What is known of one stream; times are of the monotonic clock."""

    since: float
    availability: str = "-"
    state: str = ""
    set: str = "-"
    items: dict[str, float | None] = field(default_factory=dict)
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=8192))
    last: float | None = None
    bad: int = 0
    pid: int | None = None
    program: int | None = None

    def arrived(self, now: float) -> None:
        """A record came; those out of the window are forgotten, whether or not the row is shown."""
        self.arrivals.append(now)
        self.rate(now)

    def place(self, document: dict[str, Any]) -> None:
        """Where its KLV comes from, as a message says it."""
        pid, program = document.get("pid"), document.get("program")
        self.pid = pid if isinstance(pid, int) else self.pid
        self.program = program if isinstance(program, int) else self.program

    def rate(self, now: float) -> float:
        """Records a second over the last few."""
        while self.arrivals and self.arrivals[0] < now - RATE_WINDOW:
            self.arrivals.popleft()
        return len(self.arrivals) / min(RATE_WINDOW, max(1.0, now - self.since))


class Board:
    """Streams by name, fed with messages. `now` is monotonic, `wall` seconds since 1970."""

    def __init__(self, prefix: str, choice: Choice = EVERYTHING) -> None:
        self._prefix = prefix
        self._choice = choice
        self._streams: dict[str, _Stream] = {}
        self._relay_gone = False

    def take(self, message: Received, now: float, wall: float) -> None:
        """Take one message in; what can't be read counts as bad, what is of no concern is passed over."""
        prefix, _, rest = message.topic.partition(f"{self._prefix}/")
        path = [] if prefix else rest.split("/")
        if path == ["status"]:
            self._relay_gone = document_of(message.payload).get("state") == "offline"
        elif len(path) == 2 and path[1] in _LEAVES and self._room_for(path[0]):
            stream = self._streams.setdefault(path[0], _Stream(since=now))
            self._take(stream, path[1], message, now, wall)

    def rows(self, now: float) -> list[dict[str, str]]:
        """The cells of each stream, sorted by name; nothing in them can steer a terminal."""
        return [self._row(name, stream, now) for name, stream in sorted(self._streams.items()) if self._wants(stream)]

    def _wants(self, stream: _Stream) -> bool:
        return self._choice.everything or self._choice.wants(stream.pid, stream.program)

    def _room_for(self, name: str) -> bool:
        return name in self._streams or (len(self._streams) < ROW_LIMIT and len(name) <= LEVEL_LIMIT)

    def _take(self, stream: _Stream, leaf: str, message: Received, now: float, wall: float) -> None:
        if leaf == "availability":
            stream.availability = message.payload[:32].decode("utf-8", "replace")
        elif leaf == "link":
            document = document_of(message.payload)
            stream.state = _word(document, "state", "")
            stream.place(document)
        elif leaf == "rejected":
            stream.bad += 1
        elif items := items_of(document := document_of(message.payload)):
            stream.items |= {key: _value(items[key]) for key in _KEYS if key in items}
            stream.set = _word(document, "set", "-")
            stream.place(document)
            age = max(0.0, wall - _received(document, wall)) if leaf == "state" else 0.0
            if leaf == "telemetry":
                stream.arrived(now)
            stream.last = max(now - age, stream.last or 0.0)
        else:
            stream.bad += 1

    def _row(self, name: str, stream: _Stream, now: float) -> dict[str, str]:
        cells = {"stream": name, "state": "offline" if self._relay_gone else stream.state or stream.availability}
        cells |= {column: _number(stream.items, keys, form) for column, form, keys in _FORMATS}
        age = "-" if stream.last is None else f"{max(0.0, now - stream.last):.1f}"
        cells |= {"set": stream.set, "rate": f"{stream.rate(now):.1f}", "age": age, "bad": str(stream.bad)}
        return {column: tame(text) for column, text in cells.items()}


def tame(text: str, limit: int = CELL) -> str:
    """Text that can't steer a terminal: short, with a question mark for what isn't printable."""
    return "".join(c if c.isprintable() else "?" for c in text[:limit])


def table(rows: list[dict[str, str]], width: int) -> Table:
    """The rows as a table; a narrow terminal gets fewer columns."""
    columns = list(rows[0]) if rows and width >= WIDE else list(_NARROW)
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        justify = "left" if column in _LEFT else "right"
        shown.add_column(_TITLES.get(column, column), justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in rows:
        shown.add_row(*(Text(row[column], style=_STYLES.get(row[column], "")) for column in columns))
    return shown


def line(row: Mapping[str, str]) -> str:
    """One row as plain text: the stream, its state, and key=value."""
    rest = (f"{column}={text}" for column, text in row.items() if column not in ("stream", "state"))
    return " ".join((row["stream"], row["state"], *rest))


async def watch(
    settings: MqttSettings, stream: str | None = None, *, choice: Choice = EVERYTHING, console: Console | None = None
) -> None:
    """Show a broker's streams until cancelled: a live table, or where there is no terminal a line a second.

    Raises SinkDown or SinkRefused where the first connection fails; a later loss is said once and retried.
    """
    console = console or Console()
    board, topics = Board(settings.prefix, choice), _topics(settings.prefix, stream)
    connection = await connect(settings, client_id=_client_id())
    paint = _paint_table if console.is_terminal else _print_lines
    tasks = {
        asyncio.create_task(_follow(settings, topics, board, console, connection), name="watch follow"),
        asyncio.create_task(paint(board, console, settings), name="watch paint"),
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
    settings: MqttSettings, topics: list[str], board: Board, console: Console, connection: Connection
) -> None:
    """Feed the board; after a loss, say so once and connect anew."""
    backoff = Backoff(first=FIRST_PAUSE, cap=BACKOFF_CAP)
    while True:
        began = time.monotonic()
        try:
            await connection.subscribe(topics)
            async for message in connection.received():
                board.take(message, time.monotonic(), time.time())
        except SinkDown as fault:
            _say(console, f"{fault}: trying again")
        finally:
            await connection.close()
        if time.monotonic() - began >= STEADY:
            backoff.reset()
        connection = await _again(settings, backoff)
        _say(console, f"{settings.url}: connected again")


async def _again(settings: MqttSettings, backoff: Backoff) -> Connection:
    """A new connection, however long that takes, with jittered pauses."""
    while True:
        await asyncio.sleep(backoff.next())
        with contextlib.suppress(SinkDown):
            return await connect(settings, client_id=_client_id())


async def _paint_table(board: Board, console: Console, settings: MqttSettings) -> None:
    waiting = Text(_waiting(settings))
    with Live(waiting, console=console, auto_refresh=False) as live:
        while True:
            rows = board.rows(time.monotonic())
            live.update(table(rows, console.width) if rows else waiting, refresh=True)
            await asyncio.sleep(REFRESH)


async def _print_lines(board: Board, console: Console, settings: MqttSettings) -> None:
    _say(console, _waiting(settings))
    while True:
        await asyncio.sleep(PLAIN_INTERVAL)
        for row in board.rows(time.monotonic()):
            _print(console, line(row))


def _waiting(settings: MqttSettings) -> str:
    return f"watching {settings.url}, topics {settings.prefix}/..."


def _say(console: Console, text: str) -> None:
    """To the terminal above the table, or to stderr where stdout is for the lines."""
    if console.is_terminal:
        _print(console, tame(text, 400))
    else:
        print(tame(text, 400), file=sys.stderr, flush=True)


def _print(console: Console, text: str) -> None:
    console.print(Text(text), soft_wrap=True)
    console.file.flush()


def _topics(prefix: str, stream: str | None) -> list[str]:
    level = "+" if stream is None else safe_level(stream)
    return [f"{prefix}/status", *(f"{prefix}/{level}/{leaf}" for leaf in reversed(_LEAVES))]


def _client_id() -> str:
    return f"klvrelay-watch-{secrets.token_hex(3)}"


def document_of(payload: bytes) -> dict[str, Any]:
    """A payload that is a JSON object; empty for any other."""
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def items_of(document: dict[str, Any]) -> dict[str, Any]:
    """The items of a record; none where it is no record."""
    items = document.get("items")
    return items if isinstance(items, dict) else {}


def _received(document: dict[str, Any], otherwise: float) -> float:
    try:
        return datetime.fromisoformat(_word(document, "received", "")).timestamp()
    except (ValueError, OverflowError):
        return otherwise


def _word(document: dict[str, Any], key: str, otherwise: str) -> str:
    """The text at `key`, as much of it as a cell shows; no other value is kept."""
    text = document.get(key)
    return text[:CELL] if isinstance(text, str) else otherwise


def _value(item: Any) -> float | None:
    return item if isinstance(item, (int, float)) and not isinstance(item, bool) else None


def _number(items: dict[str, float | None], keys: tuple[str, ...], form: str) -> str:
    for key in keys:
        if (value := items.get(key)) is not None:
            return format(value, form)
    return "-"
