"""Reads requests to acknowledge an incident, applies them, and makes their answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.incidents.incident import Incident
from klvrelay.text import printable

REQUEST_MOST = 8 << 10
"""Maximum bytes of a request."""
ID_MOST, ERROR_MOST = 200, 500
"""Maximum characters of the id of a request, and of an error."""
_KEYS = ("incident", "by", "note", "id")

Acknowledge = Callable[[str, str, str | None], Awaitable[Incident]]


async def answer_request(payload: bytes, acknowledge: Acknowledge) -> dict[str, Any]:
    """Apply a request. Returns its answer: `ok`, and the incident or the error; with the `id` of the request."""
    found: dict[str, Any] = {}
    try:
        request = _object(payload)
        found |= _id(request)
        values = _texts(request)
        incident = await acknowledge(values["incident"] or "", values["by"] or "", values["note"])
        return found | {"ok": True, "incident": incident.document()}
    except KlvrelayError as fault:
        return found | {"ok": False, "error": printable(str(fault))[:ERROR_MOST]}


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > REQUEST_MOST:
        raise ConfigError(f"a request has at most {REQUEST_MOST} bytes")
    try:
        request = orjson.loads(payload)
    except orjson.JSONDecodeError:
        request = None
    if not isinstance(request, dict):
        raise ConfigError('a request is a JSON object, such as {"incident": "3f9c", "by": "operator"}')
    if unknown := [key for key in request if key not in _KEYS]:
        raise ConfigError(f"{printable(unknown[0])[:ID_MOST]}: unknown; valid keys: {', '.join(_KEYS)}")
    return request


def _id(request: dict[str, Any]) -> dict[str, str]:
    if "id" not in request:
        return {}
    found = request["id"]
    if not isinstance(found, str) or len(found) > ID_MOST:
        raise ConfigError(f"id: must be a text of at most {ID_MOST} characters")
    return {"id": found}


def _texts(request: dict[str, Any]) -> dict[str, str | None]:
    values = {key: request.get(key) for key in ("incident", "by", "note")}
    for key, value in values.items():
        if not isinstance(value, str) and (key != "note" or value is not None):
            raise ConfigError(f"{key}: must be a text")
    return values
