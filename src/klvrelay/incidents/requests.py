"""Reads requests to acknowledge an incident, applies them, and makes their answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from klvrelay.config.json_request import ID_MOST, id_of, refusal, request_of
from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.incidents.incident import Incident
from klvrelay.text import printable

REQUEST_MOST = 8 << 10
"""Maximum bytes of a request."""
_KEYS = ("incident", "by", "note", "id")

Acknowledge = Callable[[str, str, str | None], Awaitable[Incident]]


async def answer_request(payload: bytes, acknowledge: Acknowledge) -> dict[str, Any]:
    """Apply a request. Returns its answer: `ok`, and the incident or the error; with the `id` of the request."""
    found: dict[str, Any] = {}
    try:
        request = request_of(payload, REQUEST_MOST, '{"incident": "3f9c", "by": "operator"}')
        found |= id_of(request)
        _check_keys(request)
        values = _texts(request)
        incident = await acknowledge(values["incident"] or "", values["by"] or "", values["note"])
        return found | {"ok": True, "incident": incident.document()}
    except KlvrelayError as fault:
        return found | refusal(fault)


def _check_keys(request: dict[str, Any]) -> None:
    if unknown := [key for key in request if key not in _KEYS]:
        raise ConfigError(f"{printable(unknown[0])[:ID_MOST]}: unknown; valid keys: {', '.join(_KEYS)}")


def _texts(request: dict[str, Any]) -> dict[str, str | None]:
    values = {key: request.get(key) for key in ("incident", "by", "note")}
    for key, value in values.items():
        if not isinstance(value, str) and (key != "note" or value is not None):
            raise ConfigError(f"{key}: must be a text")
    return values
