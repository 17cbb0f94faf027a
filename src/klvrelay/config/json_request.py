"""Requests of subscribers as JSON objects: reads them, and the id that their answers repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from klvrelay.errors import ConfigError, KlvrelayError
from klvrelay.text import printable

ID_MOST, ERROR_MOST = 200, 500
"""Maximum characters of the id of a request, and of an error."""


def request_of(payload: bytes, most: int, example: str) -> dict[str, Any]:
    """The object of at most `most` bytes. Raises ConfigError, with the example."""
    if len(payload) > most:
        raise ConfigError(f"a request has at most {most} bytes")
    try:
        request = orjson.loads(payload)
    except orjson.JSONDecodeError:
        request = None
    if not isinstance(request, dict):
        raise ConfigError(f"a request is a JSON object, such as {example}")
    return request


def id_of(request: Mapping[str, Any]) -> dict[str, str]:
    """The id of the request as a member of its answer, if it has one. Raises ConfigError."""
    if "id" not in request:
        return {}
    found = request["id"]
    if not isinstance(found, str) or len(found) > ID_MOST:
        raise ConfigError(f"id: must be a text of at most {ID_MOST} characters")
    return {"id": found}


def refusal(fault: KlvrelayError) -> dict[str, Any]:
    """The members of the answer to a request that is refused."""
    return {"ok": False, "error": printable(str(fault))[:ERROR_MOST]}
