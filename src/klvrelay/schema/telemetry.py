"""The schema of a record, on `telemetry` and `rejected`: the generated one, `record.schema.json`."""

from __future__ import annotations

import json
from pathlib import Path

from klvrelay.schema.parts import Schema

RECORD = Path(__file__).parents[1] / "record.schema.json"


def record() -> Schema:
    """The JSON Schema of a record, read from the file at each call: the caller may modify it."""
    schema: Schema = json.loads(RECORD.read_text(encoding="utf-8"))
    return schema


def items_by_set(schema: Schema) -> dict[str, Schema]:
    """The schema of `items` of a record by `set`, from the conditions of the record's schema."""
    conditions = ((each["if"]["properties"]["set"]["const"], each["then"]["properties"]) for each in schema["allOf"])
    return {name: properties["items"] for name, properties in conditions}
