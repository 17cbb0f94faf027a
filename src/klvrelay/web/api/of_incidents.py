"""The endpoints of the ledger of incidents."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, get_args

from klvrelay.errors import ConfigError
from klvrelay.health.causes import CAUSES
from klvrelay.health.changes import Subject
from klvrelay.incidents.figures import Period
from klvrelay.incidents.incident import BY_MOST, NOTE_MOST, Incident
from klvrelay.incidents.ledger_service import Incidents, check_acknowledgement
from klvrelay.incidents.query import LIMIT, LIMIT_MOST
from klvrelay.schema.incident import figures as figures_schema
from klvrelay.schema.incident import incident as incident_schema
from klvrelay.schema.parts import INSTANT, TEXT, closed, described, nullable
from klvrelay.web.api.endpoint import ApiEndpoint, Call, Parameter
from klvrelay.web.api.times import TIME_FORM, time_us
from klvrelay.web.problems import Problem

FIGURES_SINCE = 30 * 86400.0
"""Default period of the figures, seconds."""
TURN = 200
"""Incidents after which other tasks run."""
_CURSOR = "^[0-9]{1,17}-[0-9a-f]{12}$"


def _ledger(call: Call) -> Incidents:
    if call.observed.incidents is None:
        raise Problem(503, "the ledger of incidents is not open yet: try again")
    return call.observed.incidents


async def incidents(call: Call) -> Any:
    values, limit = call.values, call.values["limit"]
    found = await _ledger(call).list(
        stream=values["stream"], subject=values["subject"], cause=values["cause"], open=values["open"],
        since_us=_time(call, "since"), after=_place(values["after"]), limit=limit + 1,
    )  # fmt: skip
    following = cursor_of(found[limit - 1]) if len(found) > limit else None
    return {"incidents": await _documents(found[:limit]), "next": following}


def cursor_of(incident: Incident) -> str:
    """What continues a list after an incident."""
    return f"{incident.since_us}-{incident.id}"


def _place(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    since_us, _, id = cursor.partition("-")
    return int(since_us), id


async def _documents(found: Sequence[Incident]) -> list[dict[str, Any]]:
    """Their documents, with pauses: thousands must not delay live records."""
    documents: list[dict[str, Any]] = []
    for begin in range(0, len(found), TURN):
        documents += (each.document() for each in found[begin : begin + TURN])
        await asyncio.sleep(0)
    return documents


async def incident(call: Call) -> Any:
    id = call.values["id"]
    found = await _ledger(call).list(id=id, limit=2)
    if len(found) != 1:
        text = "several incidents have ids that begin so" if found else "there is no incident of this id"
        raise Problem(404, f"{text}: see /api/v1/incidents")
    return found[0].document()


async def acknowledge(call: Call) -> Any:
    by, note = call.body["by"], call.body.get("note")
    try:
        check_acknowledgement(by, note)
    except ConfigError as fault:
        raise Problem(400, str(fault)) from None
    try:
        return (await _ledger(call).acknowledge(call.values["id"], by, note)).document()
    except ConfigError as fault:
        raise Problem(404, str(fault)) from None


async def figures(call: Call) -> Any:
    now = time.time_ns() // 1000
    start, end = _time(call, "from"), _time(call, "to")
    end = now if end is None else end
    start = max(0, end - round(FIGURES_SINCE * 1e6)) if start is None else start
    if end < start:
        raise Problem(400, "from: must not be later than to")
    return (await _ledger(call).figures(Period(start, end))).document()


def _time(call: Call, name: str) -> int | None:
    text = call.values[name]
    return None if text is None else time_us(name, text)


_ID = Parameter("id", "Id of the incident, or its beginning", {"type": "string", "pattern": "^[0-9a-f]{1,12}$"}, "path")
_SELECTION = (
    Parameter("stream", "Only of this stream; with `subject`, only of what has this name", {"type": "string"}),
    Parameter("subject", "Only of this kind", {"type": "string", "enum": [*get_args(Subject)]}),
    Parameter("cause", "Only of this cause", {"type": "string", "enum": [*CAUSES]}),
    Parameter("since", f"Only those that were open then or began later: {TIME_FORM}", {"type": "string"}),
    Parameter("open", "true: only open ones; false: only closed ones", {"type": "boolean"}),
    Parameter("limit", "Maximum number of incidents",
              {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST, "default": LIMIT}),
    Parameter("after", "Continue a list: the `next` of its last part", {"type": "string", "pattern": _CURSOR}),
)  # fmt: skip
_PERIOD = (
    Parameter("from", f"Begin of the period: {TIME_FORM}; default: 30 days before its end", {"type": "string"}),
    Parameter("to", "End of the period, in the same form; default: now", {"type": "string"}),
)
_LIST = {
    "incidents": {"type": "array", "items": incident_schema(), "description": "The latest first"},
    "next": described(nullable(TEXT), "The parameter `after` for the incidents that follow; null: these are all"),
}
_REPORT = {
    "from": described(INSTANT, "Begin of the period, UTC"),
    "to": described(INSTANT, "Its end"),
    "figures": {"type": "array", "items": figures_schema(), "description": "By part and cause"},
}
_ACKNOWLEDGEMENT = closed(
    {
        "by": {"type": "string", "minLength": 1, "maxLength": BY_MOST, "description": "Who acknowledges it"},
        "note": {"type": ["string", "null"], "maxLength": NOTE_MOST, "description": "A note; replaces an earlier one"},
    },
    ["note"],
)

ENDPOINTS = (
    ApiEndpoint("/incidents", "Incidents, the latest first", incidents, closed(_LIST), _SELECTION),
    ApiEndpoint("/incidents/figures", "Number, MTTR, MTBF, availability and more of a period", figures, closed(_REPORT),
                _PERIOD),
    ApiEndpoint("/incidents/{id}", "One incident", incident, incident_schema(), (_ID,), errors=(404,)),
    ApiEndpoint("/incidents/{id}", "Acknowledge an incident, and keep a note", acknowledge, incident_schema(), (_ID,),
                method="PATCH", body=_ACKNOWLEDGEMENT, errors=(403, 404, 413, 415)),
)  # fmt: skip
