"""The topics of the outputs of a sink, as entries of the AsyncAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from klvrelay.config.topic_template import filled
from klvrelay.schema.home_assistant import discovery_topic
from klvrelay.schema.output_changes import change_topics, may_become_partial
from klvrelay.schema.parts import TEXT, Schema
from klvrelay.schema.telemetry import record
from klvrelay.schema.topics import RECORD, TOPICS, TopicEntry
from klvrelay.shape.encoding.content_types import CONTENT_TYPES, JSON_LINES
from klvrelay.shape.output import Output, is_whole
from klvrelay.shape.presets import DEFAULTS, RAW
from klvrelay.sinks.mqtt.budget.left_out import as_later

REPLACED = ("telemetry", "state", "raw")
"""Topics that a sink with outputs has only if its outputs have them."""
COMPACT: Schema = {
    "type": "string",
    "format": "binary",
    "description": "Records in the compact format: a CBOR array of maps with integer keys. The messages have no content"
    " type and, except for `replayed`, no user properties",
}
COMPRESSED: Schema = {"type": "string", "format": "binary", "description": "A zstd frame of the payload"}
ITEM: Schema = {"description": "The value of one item: text unchanged, other values as JSON. null: unknown"}
DICTIONARY_SCHEMA: Schema = {"type": "string", "format": "binary", "description": "A zstd dictionary"}
DICTIONARY = TopicEntry(
    "dictionary", "The zstd dictionary of the stream: frames name the one that they need",
    "application/octet-stream", ("stream", "boot"), retained=True,
)  # fmt: skip
LATER_SUMMARY = "Whole records that the budget left out, when the uplink is idle"
_SUMMARIES = {"records": "Records", "state": "The latest value of every item, merged", "items": "Values of items",
              "homeassistant": "The latest values, for Home Assistant"}  # fmt: skip


def topics_of(
    outputs: Sequence[Output], *, raw: bool, changeable: Sequence[str] = (), budget: bool | None = None,
    later: bool = False,
) -> list[TopicEntry]:  # fmt: skip
    """The topics of a sink with these outputs; `raw`, `changeable` (`set`), `budget` and `later`: its settings.

    budget   None: not known
    """
    published = (*(outputs or DEFAULTS), *((RAW,) if raw else ()))
    changes = change_topics(changeable, published)
    topics = [topic for topic in TOPICS if topic.leaf != "uplink" or budget is not False]
    if not outputs and not changes and not budget:
        return topics
    outputs = outputs or DEFAULTS
    kept = [topic for topic in topics if topic.leaf not in REPLACED or (topic.leaf == "raw" and raw)]
    kept += [discovery_topic(each.qos) for each in outputs if each.content == "homeassistant"][:1]
    kept += [DICTIONARY] if any(output.compression == "zstd" for output in outputs) else []
    names = {topic.leaf for topic in kept}
    entries = [_entry(output, names, _payload_of(output, changeable, budget=bool(budget))) for output in outputs]
    if later and (whole := next(filter(is_whole, outputs), None)) is not None:
        followed = as_later(whole)
        entries.append(replace(_entry(followed, set(), payload_of(followed)), summary=LATER_SUMMARY, optional=()))
    return [*entries, *kept, *changes]


def _entry(output: Output, taken: set[str], payload: str) -> TopicEntry:
    return TopicEntry(
        f"output-{output.name}" if output.name in taken else output.name,
        summary_of(output),
        content_type_of(output),
        headers=() if output.format == "compact" else RECORD,
        optional=() if output.retain else ("replayed",),
        retained=output.retain,
        expires=not output.retain,
        address=filled(output.topic, {"output": output.name}),
        payload=payload,
        qos=output.qos,
    )


def summary_of(output: Output) -> str:
    """What an output publishes, in one line."""
    parts = [_SUMMARIES[output.content]]
    if output.items and output.content != "homeassistant":
        parts.append(f"items: {', '.join(output.items)}")
    if output.streams:
        parts.append(f"streams: {', '.join(output.streams)}")
    if output.rate is not None:
        parts.append(f"at most {output.rate:g} per second")
    if output.on_change:
        parts.append("on change")
    if output.coarse:
        parts.append(f"positions rounded to {output.coarse:g} m")
    return "; ".join(parts)


def content_type_of(output: Output) -> str:
    if output.content == "items":
        return "text/plain"
    several = output.batch > 1 and output.format == "json"
    found = JSON_LINES if several else CONTENT_TYPES[output.format]
    return f"{found}+zstd" if output.compression == "zstd" else found


def _payload_of(output: Output, changeable: Sequence[str], *, budget: bool) -> str:
    """The same; a change, or a budget that does not suffice, may make its records partial."""
    found = payload_of(output)
    if found in ("telemetry", "change") and may_become_partial(output, changeable):
        return "either"
    is_reduced = budget and not output.retain and output.priority != "alert"
    return "either" if found == "telemetry" and is_reduced else found


def payload_of(output: Output) -> str:
    """The name of the schema of its payloads."""
    if output.compression == "zstd":
        return "compressed"
    if output.content != "records":
        return {"state": "state", "items": "item", "homeassistant": "home"}[output.content]
    if output.format in ("klv", "compact"):
        return {"klv": "raw", "compact": "compact"}[output.format]
    return "change" if output.on_change else "telemetry"


def change() -> Schema:
    """The JSON Schema of a record of an output on change."""
    schema = record()
    schema["title"] = "klvrelay record on change"
    schema["description"] = (
        "A full record, or a partial one: the items that changed since the record `after` of the same stream and set"
    )
    properties: dict[str, Any] = schema["properties"]
    properties |= {
        "full": {"type": "boolean", "description": "Does it have all items?"},
        "after": {"type": "integer", "minimum": 0, "description": "Partial only: seq of the record that it continues"},
        "removed": {
            "type": "array",
            "items": TEXT,
            "description": "Partial only: keys of the items that are not sent any more; unknown.150 for an unknown one",
        },
    }
    schema["required"] = [*schema["required"], "full"]
    del schema["$id"]
    return schema
