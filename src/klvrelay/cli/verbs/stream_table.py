"""The rows of `klvrelay watch`: turns messages of a broker into one row per stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from klvrelay.cli.verbs.stream_records import StreamRecords, document_of, lines_of
from klvrelay.config.choice import EVERYTHING, Choice
from klvrelay.config.names import LEVEL_LIMIT
from klvrelay.sinks.mqtt.protocol.connection import Received
from klvrelay.text import counted

RATE_WINDOW = 5.0
ROW_LIMIT = 1000
CELL_MOST = 48
"""Maximum characters of a cell."""
NOTE_MOST = 200
SETTLED = 5.0
"""Seconds after a subscription by which a broker has sent all retained messages."""
LONG_OFFLINE = 3600.0
"""Seconds offline after which a stream is hidden."""

OUTPUTS = ("telemetry",)
"""The outputs that are shown by default: the last levels of their topics."""
LEAVES = ("rejected", "availability", "link", "health", "state", "dictionary")
"""The other topics of a stream."""
_RETAINED = ("availability", "link", "health", "state", "dictionary")
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


@dataclass(slots=True)
class _Stream:
    """One stream. Times are seconds of the monotonic clock.

    since          first message
    last_message   last message
    last           reception of the last record by the relay
    changed        last change of state
    retained       retained topics that exist
    """

    since: float
    last_message: float = 0.0
    changed: float | None = None
    retained: set[str] = field(default_factory=set)
    availability: str = "-"
    state: str = ""
    set: str = "-"
    items: dict[str, float | None] = field(default_factory=dict)
    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=8192))
    last: float | None = None
    bad: int = 0
    lead: str = "-"
    pid: int | None = None
    program: int | None = None

    def count_arrival(self, now: float) -> None:
        """Count a record, and drop those outside the rate window even if the row is hidden."""
        self.arrivals.append(now)
        self.rate(now)

    def discard_topic(self, leaf: str) -> None:
        """A retained topic was deleted: discard its values."""
        self.retained.discard(leaf)
        if leaf == "availability":
            self.availability = "-"
        elif leaf == "link":
            self.state = ""
        elif leaf == "health":
            self.lead = "-"
        else:
            self.items.clear()

    def idle_seconds(self, now: float) -> float:
        """Seconds since the last activity."""
        return now - max((t for t in (self.last, self.changed) if t is not None), default=self.since)

    def set_place(self, document: dict[str, Any]) -> None:
        """Take the PID and program from a message."""
        pid, program = document.get("pid"), document.get("program")
        self.pid = pid if isinstance(pid, int) else self.pid
        self.program = program if isinstance(program, int) else self.program

    def rate(self, now: float) -> float:
        """Records per second over the last RATE_WINDOW seconds."""
        while self.arrivals and self.arrivals[0] < now - RATE_WINDOW:
            self.arrivals.popleft()
        return len(self.arrivals) / min(RATE_WINDOW, max(1.0, now - self.since))


class StreamTable:
    """Streams by name, updated by messages. `now` is monotonic time, `wall` seconds since 1970.

    A stream is removed when its last retained topic is deleted, even if that happened while disconnected. A stream that
    has been offline for LONG_OFFLINE is hidden unless `keep` is set. `outputs` are those whose records are counted.
    """

    def __init__(
        self, prefix: str, choice: Choice = EVERYTHING, *, keep: bool = False, outputs: Sequence[str] = OUTPUTS
    ) -> None:
        self._prefix = prefix
        self._leaves = (*outputs, *LEAVES)
        self._records = StreamRecords((*outputs, "state"))
        self._choice = choice
        self._keep = keep
        self._streams: dict[str, _Stream] = {}
        self._relay = self._spool = ""
        self._subscribed = 0.0

    def begin_subscription(self, now: float) -> None:
        """A subscription begins: the broker resends all retained messages. Topics that it does not send are deleted."""
        self._subscribed = now
        self._relay = self._spool = ""

    def take(self, message: Received, now: float, wall: float) -> None:
        """Process one message. Count unreadable ones as bad, and ignore other topics."""
        prefix, _, rest = message.topic.partition(f"{self._prefix}/")
        path = [] if prefix else rest.split("/")
        if path == ["status"]:
            self._take_status(document_of(message.payload))
        elif len(path) == 2 and path[1] in _RETAINED and not message.payload:
            self._delete_topic(*path)
        elif len(path) == 2 and path[1] in self._leaves and self._has_space_for(path[0]):
            stream = self._streams.setdefault(path[0], _Stream(since=now))
            stream.last_message = now
            if path[1] in LEAVES and path[1] != "state":
                self._take(stream, path[1], message, now, wall)
            else:
                for document in self._records.documents(path[0], path[1], message.payload):
                    self._take_record(stream, path[1], document, now, wall)

    def rows(self, now: float) -> list[dict[str, str]]:
        """The cells of each stream, sorted by name, without terminal control characters."""
        self._forget(now)
        shown = ((name, stream) for name, stream in sorted(self._streams.items()) if self._is_shown(stream, now))
        return [self._row(name, stream, now) for name, stream in shown]

    def note(self, now: float) -> str:
        """Why there are no rows, or how many are hidden, what records wait for, and the fault of the spool, if any."""
        spool = f"the spool of the relay has a fault: {sanitize(self._spool)}" if self._spool else ""
        waits = sanitize(self._records.note(), NOTE_MOST)
        return "; ".join(filter(None, (spool, waits, self._note_on_streams(now))))

    def _note_on_streams(self, now: float) -> str:
        wanted = [stream for stream in self._streams.values() if self._is_selected(stream)]
        hidden = sum(not self._is_shown(stream, now) for stream in wanted)
        if hidden:
            return f"not shown: {counted(hidden, 'stream')} offline for over an hour"
        if wanted:
            return ""
        if self._streams:
            return "no matching stream yet"
        return f"the relay is {sanitize(self._relay)}, no stream yet" if self._relay else "nothing published yet"

    def _take_status(self, document: dict[str, Any]) -> None:
        self._relay = _text(document, "state", "")
        spool = document.get("spool")
        self._spool = _text(spool, "fault", "") if isinstance(spool, dict) else ""

    def _delete_topic(self, name: str, leaf: str) -> None:
        if (stream := self._streams.get(name)) is not None:
            stream.discard_topic(leaf)
            if not stream.retained:
                self._drop(name)

    def _forget(self, now: float) -> None:
        """Remove streams without a message since the subscription began."""
        if now > self._subscribed + SETTLED:
            for name in [name for name, stream in self._streams.items() if stream.last_message < self._subscribed]:
                self._drop(name)

    def _drop(self, name: str) -> None:
        del self._streams[name]
        self._records.forget(name)

    def _is_shown(self, stream: _Stream, now: float) -> bool:
        offline = self._relay == "offline" or stream.availability == "offline"
        return self._is_selected(stream) and (self._keep or not offline or stream.idle_seconds(now) < LONG_OFFLINE)

    def _is_selected(self, stream: _Stream) -> bool:
        return self._choice.everything or self._choice.wants(stream.pid, stream.program)

    def _has_space_for(self, name: str) -> bool:
        return name in self._streams or (len(self._streams) < ROW_LIMIT and len(name) <= LEVEL_LIMIT)

    def _take(self, stream: _Stream, leaf: str, message: Received, now: float, wall: float) -> None:
        if leaf in _RETAINED:
            stream.retained.add(leaf)
        if leaf == "availability":
            stream.availability = message.payload[:32].decode("utf-8", "replace")
            stream.changed = stream.changed if message.retained else now
        elif leaf == "link":
            document = document_of(message.payload)
            stream.state = _text(document, "state", "")
            stream.changed = now - max(0.0, wall - _time(document, "since", wall))
            stream.set_place(document)
        elif leaf == "health":
            stream.lead = _lead_time(document_of(message.payload))
        elif leaf == "rejected":
            stream.bad += len(lines_of(message.payload))
        elif leaf == "dictionary" and not self._records.learn(message.payload):
            stream.bad += 1

    def _take_record(self, stream: _Stream, leaf: str, document: dict[str, Any], now: float, wall: float) -> None:
        if leaf == "state":
            stream.retained.add(leaf)
        if items := items_of(document):
            stream.items |= {key: _value(items[key]) for key in _KEYS if key in items}
            stream.set = _text(document, "set", "-")
            stream.set_place(document)
            age = max(0.0, wall - _time(document, "received", wall)) if leaf == "state" else 0.0
            if leaf != "state":
                stream.count_arrival(now)
            stream.last = now - age if stream.last is None else max(now - age, stream.last)
        else:
            stream.bad += 1

    def _row(self, name: str, stream: _Stream, now: float) -> dict[str, str]:
        state = "offline" if self._relay == "offline" else stream.state or stream.availability
        cells = {"stream": name, "state": state}
        cells |= {column: _number(stream.items, keys, form) for column, form, keys in _FORMATS}
        age = "-" if stream.last is None else f"{max(0.0, now - stream.last):.1f}"
        cells |= {"set": stream.set, "rate": f"{stream.rate(now):.1f}", "age": age, "bad": str(stream.bad)}
        cells["lead"] = stream.lead
        return {column: sanitize(text) for column, text in cells.items()}


def sanitize(text: str, limit: int = CELL_MOST) -> str:
    """The text shortened to `limit`, with a question mark for each character that is not printable."""
    return "".join(c if c.isprintable() else "?" for c in text[:limit])


def items_of(document: dict[str, Any]) -> dict[str, Any]:
    """The items of a record; empty if the document is not a record."""
    items = document.get("items")
    return items if isinstance(items, dict) else {}


def _time(document: dict[str, Any], key: str, otherwise: float) -> float:
    try:
        return datetime.fromisoformat(_text(document, key, "")).timestamp()
    except (ValueError, OverflowError):
        return otherwise


def _text(document: dict[str, Any], key: str, otherwise: str) -> str:
    """The text at `key`, shortened to a cell; `otherwise` if it is not text."""
    text = document.get(key)
    return text[:CELL_MOST] if isinstance(text, str) else otherwise


def _lead_time(document: dict[str, Any]) -> str:
    """The quantiles of the last minute in milliseconds, of the slowest sink: 50 %, 95 % and 99 %."""
    sinks = document.get("lead_time")
    parts = sinks.values() if isinstance(sinks, dict) else ()
    minutes = [each.get("last_minute") for each in parts if isinstance(each, dict)]
    figures = [[_ms(one.get(f"p{share}_ms")) for share in (50, 95, 99)] for one in minutes if isinstance(one, dict)]
    known = [[value for value in one if value is not None] for one in figures if None not in one]
    return "/".join(f"{value:.3g}" for value in max(known, key=lambda one: one[-1])) if known else "-"


def _value(item: Any) -> float | None:
    return item if isinstance(item, (int, float)) and not isinstance(item, bool) else None


def _ms(item: Any) -> float | None:
    """A time in milliseconds, of up to 30 years."""
    value = _value(item)
    return value if value is not None and 0 <= value < 1e12 else None


def _number(items: dict[str, float | None], keys: tuple[str, ...], form: str) -> str:
    for key in keys:
        if (value := items.get(key)) is not None:
            return format(value, form)
    return "-"
