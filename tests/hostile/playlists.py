"""HLS playlists for hostile servers, and responses that contain them."""

from __future__ import annotations

from collections.abc import Iterable

from servers import http, moved

PLACES = ("first", "variant", "segment", "range", "map", "key", "reload")
"""The places where a playlist may lead, and the playlist itself."""


def media(lines: Iterable[str], *, first: int = 0, ended: bool = True, seconds: float = 0.3) -> bytes:
    """A media playlist; a line that is no tag is a segment."""
    text = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:1", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for line in lines:
        text += [line] if line.startswith("#") else [f"#EXTINF:{seconds:.3f},", line]
    return "\n".join([*text, *(["#EXT-X-ENDLIST"] if ended else []), ""]).encode()


def variants(targets: Iterable[str]) -> bytes:
    return b"#EXTM3U\n" + b"".join(b"#EXT-X-STREAM-INF:BANDWIDTH=1\n%s\n" % target.encode() for target in targets)


def leading(place: str, there: str, ts: bytes) -> dict[str, list[bytes]]:
    """The responses of a server at /a.m3u8 and /0.ts, in turn, so that one of PLACES leads to the URL `there`."""
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="{there}"'
    first = {
        "first": [moved(there)],
        "variant": [http(variants([there]))],
        "segment": [http(media([there]))],
        "range": [http(media(["#EXT-X-BYTERANGE:188@188", there]))],
        "map": [http(media([f'#EXT-X-MAP:URI="{there}"', "0.ts"]))],
        "key": [http(media([key, "0.ts"]))],
        "reload": [http(media(["0.ts"], ended=False)), moved(there)],
    }
    return {"/a.m3u8": first[place], "/0.ts": [http(ts)]}
