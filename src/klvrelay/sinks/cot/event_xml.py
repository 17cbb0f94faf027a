"""Events as XML: TAK protocol 0, and the base schema of Cursor on Target, version 2.0.

    <?xml version="1.0" encoding="UTF-8"?>
    <event version="2.0" uid= type= how= time= start= stale= access=>
      <point lat= lon= hae= ce= le=/>
      <detail>...</detail>
    </event>

Nothing follows </event>: in a stream, the next document does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from klvrelay.record import utc
from klvrelay.sinks.cot.cot_event import UNKNOWN, CotEvent, CotPoint, Detail, fixed

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot contain, not even escaped (2.2)."""
_PLAIN = re.compile(r"[\w .,:;/{}()+*%=?@#$!|~^-]*", re.ASCII)
"""What needs no escape: most texts."""
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


def event_xml(event: CotEvent) -> bytes:
    """The document of an event, UTF-8, on two lines."""
    attributes = {
        "version": "2.0", "uid": event.uid, "type": event.type, "how": event.how, "time": time_text(event.time_us),
        "start": time_text(event.time_us), "stale": time_text(event.stale_us),
    }  # fmt: skip
    if event.access:
        attributes["access"] = event.access
    inner = _element("point", _point(event.point)) + _element("detail", {}, details_xml(event.details))
    return (_HEAD + _element("event", attributes, inner)).encode()


def details_xml(details: tuple[Detail, ...]) -> str:
    """Elements, one after the other."""
    return "".join(_element(one.name, one.attributes, _escaped(one.text) + details_xml(one.inner)) for one in details)


@lru_cache(maxsize=64)
def time_text(us: int) -> str:
    """A time as in XML Schema, to the millisecond. Raises ValueError beyond the year 9999."""
    time = utc(us // 1000 * 1000)
    if time is None:
        raise ValueError(us)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03}Z"


def _point(point: CotPoint) -> dict[str, str]:
    lengths = {name: _metres(value) for name, value in zip(("hae", "ce", "le"), point[2:], strict=True)}
    return {"lat": fixed(point.lat, 8), "lon": fixed(point.lon, 8), **lengths}


def _metres(value: float) -> str:
    return fixed(value, 1 if value == UNKNOWN else 2)


def _element(name: str, attributes: Mapping[str, str], inner: str = "") -> str:
    given = "".join(f' {key}="{_escaped(value)}"' for key, value in attributes.items())
    return f"<{name}{given}>{inner}</{name}>" if inner else f"<{name}{given}/>"


def _escaped(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return _INVALID.sub("\ufffd", text).translate(_ESCAPES)
