"""Makes the events of records (MISB ST 0805)."""

from __future__ import annotations

import logging
import time

from klvrelay.config.sinks.cot import CotSettings
from klvrelay.geo import Items, Situation, TrackHistory, derive
from klvrelay.record import Record, utc
from klvrelay.sinks.cot.aircraft_event import aircraft_event
from klvrelay.sinks.cot.cot_event import CotEvent
from klvrelay.sinks.cot.identity import STREAMS_MOST, StreamTexts, callsign_of, identity_of
from klvrelay.sinks.cot.located_record import LocatedRecord
from klvrelay.sinks.cot.picture_events import footprint_event, interest_event
from klvrelay.sinks.cot.target_events import target_events
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.sinks")
_POSITIONED = ("ST0601", "ST0104")
"""Sets that have a position of the aircraft."""
_IDENTITY = {"tail_number": "item 4", "mission": "items 10 and 3"}


class EventConversion:
    """Makes events of records, over all connections of a sink. It keeps the texts and the movement of each stream."""

    def __init__(self, settings: CotSettings) -> None:
        self._settings = settings
        self._texts, self._tracks = StreamTexts(), TrackHistory()
        self._told: set[tuple[str, str]] = set()

    def of(self, publication: Publication) -> list[CotEvent]:
        """The events of what an output publishes, made now.

        None of a gap, nor of a record that is replayed beside live ones: it would move markers back.
        """
        record = publication.record
        if record is None or publication.age:
            return []
        return self.events_of(record, time.time_ns() // 1000, publication.output)

    def events_of(self, record: Record, now_us: int, output: str = "") -> list[CotEvent]:
        """The events of a record, as an output publishes it. None: without a position or time; this is logged once.

        now_us   when they are made, microseconds since 1970
        """
        items = record.items if record.set != "ST0903" else {"vmti_local_set": record.items}
        situation = derive(items)
        located = self._located(record, items, situation, now_us, output)
        if located is None:
            return []
        made = {"platform": aircraft_event, "spi": interest_event, "footprint": footprint_event}
        found = [make(located) for kind, make in made.items() if kind in self._settings.events]
        more = target_events(located) if "targets" in self._settings.events else []
        events = [event for event in found if event is not None] + more
        if not events and record.set in _POSITIONED:
            self._say(record.stream, "a record has no position (items 13, 14; 23, 24), so it has no event")
        return events

    def _located(
        self, record: Record, items: Items, situation: Situation, now_us: int, output: str
    ) -> LocatedRecord | None:
        settings, stream = self._settings, record.stream
        time_us = self._time(record)
        if time_us is None:
            self._say(stream, "a record has no valid time, so it has no event")
            return None
        texts = self._texts.follow(output, stream, items)
        identity = identity_of(settings, stream, texts)
        if identity is None:
            self._say(stream, f"{_IDENTITY[settings.uid_from]} not sent yet, which uid_from needs: no event until then")
            return None
        track = self._tracks.follow(stream, items, record.clock_us, situation.platform)
        callsign = callsign_of(settings, stream, texts)
        return LocatedRecord(settings, stream, items, texts, situation, track, identity, callsign, time_us, now_us)

    def _time(self, record: Record) -> int | None:
        """Item 2, or the arrival; None for neither, before 1970 and beyond the year 9999."""
        times = record.clock_us, record.received_us
        first, second = times if self._settings.event_time == "klv" else times[::-1]
        time_us = second if first is None else first
        last = None if time_us is None else utc(time_us + round(self._settings.stale_after * 1e6))
        return time_us if last is not None and time_us is not None and time_us >= 0 else None

    def _say(self, stream: str, text: str) -> None:
        """Log once per stream."""
        if (stream, text) not in self._told and len(self._told) < STREAMS_MOST:
            self._told.add((stream, text))
            LOG.warning("%s: Cursor on Target: %s", printable(stream), text)
