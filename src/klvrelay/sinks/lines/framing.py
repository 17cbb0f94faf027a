"""The bytes of a publication in a stream of bytes: a line of JSON, or a KLV packet, which contains its length."""

from __future__ import annotations

from klvrelay.config.sinks.lines import Framing
from klvrelay.shape.encoding.content_types import CONTENT_TYPES
from klvrelay.sinks.publishing.publication import Publication


def framed(publication: Publication, framing: Framing) -> bytes | None:
    """None if the stream cannot carry it: gaps and damaged records are JSON, which has no place among KLV packets."""
    if publication.content_type != CONTENT_TYPES[framing]:
        return None
    return publication.data if framing == "klv" else publication.data + b"\n"
