"""The schema of `gap`: a range of records that are not published."""

from __future__ import annotations

from klvrelay.schema.parts import (
    BOOT,
    COUNT,
    INSTANT,
    LARGE_COUNT,
    STREAM,
    Schema,
    closed,
    described,
    document,
    listed,
    nullable,
)

REASONS = {
    "memory": "shed at the limit of the memory",
    "size": "shed at the size limit of the spool",
    "age": "shed at the age limit",
    "too_large": "too large for the broker",
    "set_aside": "set aside, because the broker closes the connection at the record",
    "refused": "refused by the broker",
    "excluded": "excluded by the settings",
    "damaged": "damaged on disk",
}


def gap() -> Schema:
    """The JSON Schema of a gap record."""
    members = {
        "schema": {"const": "klvrelay/gap/1"},
        "stream": STREAM,
        "boot": nullable(BOOT),
        "from": described(LARGE_COUNT, "seq of the first of these records"),
        "to": described(LARGE_COUNT, "seq of the last of these records"),
        "count": described(COUNT, "Number of these records"),
        "reason": {"enum": [*REASONS], "description": listed(REASONS)},
        "since": described(nullable(INSTANT), "UTC of the arrival of the first; null if it was never live"),
    }
    return document("klvrelay gap", "Consecutive records of a stream that are not published", closed(members))
