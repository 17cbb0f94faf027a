"""The topics `set` and `set/result`, by which subscribers change outputs, as entries of the AsyncAPI document."""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.config.json_request import ERROR_MOST, ID_MOST
from klvrelay.config.output_changes import CHANGEABLE, TEXT_MOST, TEXTS_MOST, allowed
from klvrelay.config.outputs import OUTPUT_SETTINGS
from klvrelay.schema.parts import TEXT, Schema, closed, described
from klvrelay.schema.topics import TopicEntry
from klvrelay.shape.output import Output

_SETTINGS = {setting.name: setting for setting in OUTPUT_SETTINGS if setting.name in CHANGEABLE}
_ID: Schema = {"type": "string", "maxLength": ID_MOST, "description": "Any text; the answer has it too"}
_TEXTS: Schema = {"type": "array", "items": TEXT | {"maxLength": TEXT_MOST}, "maxItems": TEXTS_MOST}
_OWN = {"items": {"anyOf": [TEXT, _TEXTS]}, "exclude": {"anyOf": [TEXT, _TEXTS]}}
EITHER: Schema = {
    "description": "A record, or one of an output on change: its settings, or the step of a budget, may change",
    "anyOf": [{"$ref": "#/components/schemas/telemetry"}, {"$ref": "#/components/schemas/change"}],
}


def change_topics(changeable: Sequence[str], outputs: Sequence[Output]) -> list[TopicEntry]:
    """The entries of a sink with these outputs, of which this is changeable. Empty if nothing is."""
    pairs = [f"{output.name}.{name}" for output in outputs for name in allowed(changeable, output.name)]
    if not pairs:
        return []
    about = "Changes an output of the stream until the settings are read again; not retained, at most 4 KiB"
    return [
        TopicEntry(
            "set", f"{about}. Allowed: {', '.join(pairs)}", headers=(), address="{prefix}/{stream}/set", received=True
        ),
        TopicEntry(
            "set_result", "The answer to each request", headers=("stream", "boot"), expires=True,
            address="{prefix}/{stream}/set/result",
        ),
    ]  # fmt: skip


def may_become_partial(output: Output, changeable: Sequence[str]) -> bool:
    """May a change make its records partial, or full again?"""
    return output.content == "records" and "on_change" in allowed(changeable, output.name)


def request() -> Schema:
    """What a request is."""
    values = {
        name: described(_OWN.get(name) or dict(setting.kind.schema), setting.text[:1].upper() + setting.text[1:])
        for name, setting in _SETTINGS.items()
    }
    values["rate"] = {"anyOf": [values["rate"], {"type": "null"}], "description": "null: every record"}
    reset: Schema = {"const": True, "description": "End all changes of this output for this stream"}
    shape = closed({"output": TEXT, "id": _ID, "reset": reset, **values}, ["id", "reset", *values])
    return shape | {"description": "Changes the settings that it has. The answer has the values that apply"}


def result() -> Schema:
    """What an answer is."""
    values: dict[str, Schema] = {
        "items": {"type": "array", "items": TEXT}, "exclude": {"type": "array", "items": TEXT},
        "rate": {"type": ["number", "null"]}, "on_change": {"type": "boolean"},
        "dead_band": {"type": ["boolean", "object"]}, "snapshot": TEXT,
    }  # fmt: skip
    error: Schema = {"type": "string", "maxLength": ERROR_MOST, "description": "Why it was refused, and what is valid"}
    ok: Schema = {"type": "boolean"}
    left_out = {
        "type": "array", "items": TEXT,
        "description": "Keys and groups of its items that the budget leaves out at present; of many, those that stay,"
        " with !",
    }  # fmt: skip
    shape = {"id": _ID, "output": TEXT, "ok": ok, "error": error, "values": closed(values), "left_out": left_out}
    return closed(shape, ["id", "output", "error", "values", "left_out"]) | {
        "description": "`values` are those that apply now, if the request names an output"
    }
