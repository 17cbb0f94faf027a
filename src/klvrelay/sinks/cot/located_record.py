"""A record with all that its events are made of."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.config.sinks.cot import CotSettings
from klvrelay.geo import Items, PlatformTrack, Situation
from klvrelay.sinks.cot.cot_event import CotEvent, CotPoint, Detail
from klvrelay.sinks.cot.event_xml import time_text
from klvrelay.sinks.cot.identity import Texts, uid_of
from klvrelay.sinks.cot.marking_text import access_of, marking_of

FLOW_TAG = "klvrelay"
"""The name of this system in flow tags."""


class LocatedRecord(NamedTuple):
    """A record, and where its aircraft and picture are.

    identity  of the aircraft, as in uids
    time_us   of its events, microseconds since 1970
    now_us    when they are made
    """

    settings: CotSettings
    stream: str
    items: Items
    texts: Texts
    situation: Situation
    track: PlatformTrack
    identity: str
    callsign: str
    time_us: int
    now_us: int

    def uid(self, kind: str) -> str:
        """The uid of its event of a kind."""
        return uid_of(self.settings, kind, self.identity)

    def event(
        self, kind: str, cot_type: str, how: str, point: CotPoint, details: tuple[Detail, ...], remarks: str = ""
    ) -> CotEvent:
        """An event with flow tags, remarks and marking. kind: as in its uid."""
        text = "; ".join(part for part in (marking_of(self.items), remarks) if part)
        flow = Detail("_flow-tags_", {FLOW_TAG: time_text(self.now_us)})
        said = (Detail("remarks", text=text),) if text else ()
        stale_us = self.time_us + round(self.settings.stale_after * 1e6)
        return CotEvent(
            self.uid(kind), cot_type, how, self.time_us, stale_us, point, (*details, *said, flow), access_of(self.items)
        )

    def link(self) -> Detail:
        """The aircraft, as the origin of another event."""
        return Detail(
            "link",
            {
                "uid": self.uid("platform"), "type": self.settings.cot_type, "relation": "p-p",
                "parent_callsign": self.callsign, "production_time": time_text(self.time_us),
            },
        )  # fmt: skip
