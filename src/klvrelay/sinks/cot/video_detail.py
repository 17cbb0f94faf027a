"""Where the video of an aircraft is: `<__video>` with a ConnectionEntry, which TAK clients play from the marker."""

from __future__ import annotations

from urllib.parse import quote

from klvrelay.config.url import Url
from klvrelay.sinks.cot.cot_event import Detail

_PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "srt": 9000, "udp": 1234}
_WHOLE = ("http", "https")
"""Clients take these URLs as a whole."""


def video_detail(template: str, stream: str, uid: str, callsign: str) -> Detail:
    """The video of a stream: `{stream}` in the template is replaced by its name, percent-encoded."""
    text = template.replace("{stream}", quote(stream, safe="", errors="replace"))
    url = Url.parse(text)
    if url.scheme in _WHOLE:
        place = {"protocol": "raw", "address": text, "port": "-1", "path": ""}
    else:
        query = f"?{url.query.reveal()}" if url.query else ""
        port = url.port or _PORTS.get(url.scheme, -1)
        place = {"protocol": url.scheme, "address": url.host, "port": str(port), "path": f"{url.path}{query}"}
    entry = {
        "uid": uid, "alias": callsign, **place, "networkTimeout": "12000", "bufferTime": "-1", "roverPort": "-1",
        "rtspReliable": "0", "ignoreEmbeddedKLV": "false",
    }  # fmt: skip
    return Detail("__video", {"uid": uid, "url": text}, inner=(Detail("ConnectionEntry", entry),))
