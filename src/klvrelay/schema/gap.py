"""The schema of `gap`: a range of records that a sink discarded."""

from __future__ import annotations

from klvrelay.schema.parts import BOOT, COUNT, INSTANT, LARGE_COUNT, STREAM, TEXT, Schema, closed, described, document


def gap() -> Schema:
    """The JSON Schema of a gap record."""
    members = {
        "stream": STREAM,
        "boot": BOOT,
        "from": described(LARGE_COUNT, "seq of the first record that is missing"),
        "to": described(LARGE_COUNT, "seq of the last record that is missing"),
        "reason": described(TEXT, "Why the records were discarded"),
        "since": described(INSTANT, "UTC of the arrival of the first of them"),
        "count": described(COUNT, "Number of records"),
    }
    return document("klvrelay gap", "A range of records that was discarded before it was delivered", closed(members))
