"""The media that an RTSP server announces (SDP, RFC 8866), rewritten so that libav reads the data."""

from __future__ import annotations

import re
from dataclasses import dataclass

_KLV = re.compile(r"sm[pt]{2}e-?336m|\bklv\b", re.IGNORECASE)
_TEXT = re.compile(r"\b(t140|red|ttml\+xml|3gpp-tt)\b", re.IGNORECASE)
TRACKS_MOST = 64
_LINE = re.compile(
    r"[vostcbm]=|a=(?:control|rtpmap|fmtp|range|framerate|framesize|recvonly|sendonly|sendrecv|inactive)\b"
)
"""The lines that libav needs; others describe formats that are not used here."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One announced track: its number, kind and encoding, and how its SETUP is addressed.

    renamed   it may be KLV, and libav would ignore it under its announced kind
    """

    number: int
    kind: str
    coding: str
    control: str
    renamed: bool

    @property
    def may_be_klv(self) -> bool:
        """Data, or MPEG-TS, which may contain data."""
        return self.renamed or self.kind == "application" or bool(_KLV.search(self.coding)) or self._is_ts

    @property
    def _is_ts(self) -> bool:
        return "MP2T" in self.coding.upper()

    def __str__(self) -> str:
        return f"track {self.number} ({self.kind}{' ' + self.coding if self.coding else ''})"


def rewrite(text: str, without: frozenset[int]) -> tuple[list[Medium], str]:
    """All tracks, and the description without those in `without`, with possible KLV announced as `application`."""
    text = "".join(line for line in re.split(r"(?<=\n)", text) if _LINE.match(line))
    head, *sections = re.split(r"(?m)^(?=m=)", text)
    media = [_medium(number, section) for number, section in enumerate(sections[:TRACKS_MOST])]
    kept = [
        re.sub(r"^m=\S+", "m=application", section) if medium.renamed else section
        for medium, section in zip(media, sections, strict=False)
        if medium.number not in without
    ]
    return media, head + "".join(kept)


def _medium(number: int, section: str) -> Medium:
    kind = (re.match(r"m=([\w-]{1,20})", section) or [""] * 2)[1]
    format_ = (re.match(r"m=\S+ +\S+ +\S+ +(\d+)", section) or [""] * 2)[1]
    coding = (re.search(r"(?m)^a=rtpmap:\d+ +([\w.+-]{1,40})", section) or [""] * 2)[1]
    coding = coding or {"33": "MP2T"}.get(format_, "")
    control = (re.search(r"(?m)^a=control:(\S{1,500})", section) or [""] * 2)[1]
    if kind in ("application", "video"):
        renamed = False  # libav reads these, whatever their encoding
    elif kind in ("audio", "text"):
        renamed = bool(_KLV.search(coding)) or (kind == "text" and not _TEXT.search(coding))
    else:
        renamed = True
    return Medium(number, kind, coding, control, renamed)


def track_of(media: list[Medium], target: str) -> Medium | None:
    """The track that a SETUP of this URL addresses."""
    fits = [medium for medium in media if medium.control and target.endswith(medium.control)]
    return max(fits, key=lambda medium: len(medium.control), default=media[0] if len(media) == 1 else None)


STATUS = {
    400: "bad request: check the URL",
    403: "forbidden: check the user's rights",
    404: "not found: check the path",
    405: "the server does not allow this method here",
    406: "the server has no description that klvrelay can read",
    410: "gone: no longer available on the server",
    451: "the server does not understand a parameter: check the URL",
    453: "not enough bandwidth: the server may have too many clients",
    454: "session not found: the server dropped the session",
    455: "the server does not allow this in its current state",
    457: "the server does not allow the requested range",
    459: "the server allows no operation on all tracks at once",
    461: "the server does not support this transport: try the other ?transport=",
    462: "the server cannot reach this machine: try ?transport=tcp",
    500: "internal server error: see the server's log",
    501: "the server does not know this method",
    503: "the server is overloaded or under maintenance",
    505: "the server does not support RTSP 1.0",
    551: "the server does not support a requested option",
}
"""The meaning of an RTSP status (RFC 2326, 7.1.1), with a remedy."""
