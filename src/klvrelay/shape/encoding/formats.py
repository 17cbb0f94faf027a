"""Messages of several payloads, in each format."""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.core.compact import compact
from klvrelay.shape.encoding.cbor_parts import with_seq
from klvrelay.shape.encoding.content_types import CONTENT_TYPES, JSON_LINES, Format

TEXT = "text/plain"


def message_of(payloads: Sequence[bytes], seqs: Sequence[int], form: Format) -> tuple[bytes, str]:
    """The payload of a message of several records with these numbers, and its content type."""
    if form == "compact":
        steps = [seq - before for before, seq in zip((0, *seqs), seqs, strict=False)]
        return compact([with_seq(made, step) for made, step in zip(payloads, steps, strict=True)]), CONTENT_TYPES[form]
    if len(payloads) > 1 and form == "json":
        return b"\n".join((*payloads, b"")), JSON_LINES
    return b"".join(payloads), CONTENT_TYPES[form]

