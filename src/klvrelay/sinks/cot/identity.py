"""Who an event is of: uid and callsign of an aircraft, which must not change from record to record."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import quote

from klvrelay.config.sinks.cot import NAMES, CotSettings
from klvrelay.config.topic_template import filled
from klvrelay.geo import Items

STREAMS_MOST = 1000
"""Streams of which texts are kept; beyond it, the one that was silent for longest is forgotten."""
LABEL_MOST, IDENTITY_MOST = 60, 120
"""Maximum characters of a text in an event, and of the identity of an aircraft."""

_KEYS = (*NAMES[1:], "image_source_sensor")
_BLANK = re.compile(r"\s+")
Texts = Mapping[str, str]


def clean(text: str, most: int = LABEL_MOST) -> str:
    """On one line, without characters that do not print, and not too long."""
    shown = text[: 4 * most]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in shown)
    return _BLANK.sub(" ", shown).strip()[:most].strip()


class StreamTexts:
    """The latest texts of each stream: many aircraft send their names rarely, and labels must not flicker."""

    def __init__(self, most: int = STREAMS_MOST) -> None:
        self._most = most
        self._texts: OrderedDict[tuple[str, str], dict[str, str]] = OrderedDict()

    def follow(self, output: str, stream: str, items: Items) -> Texts:
        """The texts of a stream at its newest record, as an output publishes them. Those never sent are absent."""
        texts = self._texts.setdefault((output, stream), {})
        self._texts.move_to_end((output, stream))
        if len(self._texts) > self._most:
            self._texts.popitem(last=False)
        for key in _KEYS:
            if isinstance(value := items.get(key), str) and (text := clean(value)):
                texts[key] = text
        return texts


def callsign_of(settings: CotSettings, stream: str, texts: Texts) -> str:
    """The label of an aircraft: that of the settings, or item 59, or 4, or the stream's name."""
    if settings.callsign is not None:
        values = {**dict.fromkeys(NAMES, ""), **texts, "stream": stream}
        return clean(filled(settings.callsign, values)) or clean(stream)
    return texts.get("platform_call_sign") or texts.get("platform_tail_number") or clean(stream) or "klvrelay"


def identity_of(settings: CotSettings, stream: str, texts: Texts) -> str | None:
    """What identifies an aircraft, in characters of uids. None: its items were not sent yet."""
    match settings.uid_from:
        case "tail_number":
            found = [texts.get("platform_tail_number")]
        case "mission":
            found = [texts.get("platform_designation"), texts.get("mission_id")]
        case _:
            found = [stream]
    parts = [quote(one, safe="", errors="replace") for one in found if one is not None]
    return _bounded("_".join(parts)) if len(parts) == len(found) else None


def uid_of(settings: CotSettings, kind: str, identity: str) -> str:
    """The uid of an event, such as klvrelay.spi.uav1. The kind comes first, so no stream has the uid of another."""
    return f"{settings.uid_prefix}.{kind}.{identity}"


def _bounded(text: str) -> str:
    if len(text) <= IDENTITY_MOST:
        return text
    return f"{text[:80]}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"
