"""The topics by which subscribers acknowledge incidents, as entries of the AsyncAPI document."""

from __future__ import annotations

from klvrelay.config.json_request import ERROR_MOST, ID_MOST
from klvrelay.schema.incident import incident
from klvrelay.schema.parts import TEXT, Schema, closed, described
from klvrelay.schema.topics import TopicEntry

_ID: Schema = {"type": "string", "maxLength": ID_MOST, "description": "Any text; the answer has it too"}

ACKNOWLEDGEMENT_TOPICS = (
    TopicEntry(
        "incidents-acknowledge", "Acknowledges an incident; not retained, at most 8 KiB", headers=(),
        address="{prefix}/incidents/acknowledge", payload="acknowledgement", received=True,
    ),
    TopicEntry(
        "incidents-acknowledge-result", "The answer to each request", headers=("boot",), expires=True,
        address="{prefix}/incidents/acknowledge/result", payload="acknowledgement_result",
    ),
)  # fmt: skip


def acknowledgement() -> Schema:
    """What a request is."""
    members = {
        "incident": described(TEXT, "Id of the incident, or its first characters if they are those of one incident"),
        "by": described(TEXT, "Who acknowledges it"),
        "note": {"type": ["string", "null"], "description": "A note"},
        "id": _ID,
    }
    return closed(members, ["note", "id"]) | {"description": "Acknowledges an incident"}


def acknowledgement_result() -> Schema:
    """What an answer is."""
    whole = incident()
    error: Schema = {"type": "string", "maxLength": ERROR_MOST, "description": "Why it was refused, and what is valid"}
    members = {
        "id": _ID,
        "ok": {"type": "boolean"},
        "incident": {key: value for key, value in whole.items() if key != "$schema"},
        "error": error,
    }
    return closed(members, ["id", "incident", "error"]) | {"description": "The incident, or the error"}
