"""Reads the parameters of a request, as their schemas say. What is unknown or wrong is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from klvrelay.web.api.endpoint import ApiEndpoint, Parameter, Schema
from klvrelay.web.problems import Problem

TEXT_MOST = 1000
"""Maximum characters of a text."""


def values_of(endpoint: ApiEndpoint, path: Mapping[str, str], query: Mapping[str, str]) -> dict[str, Any]:
    """The typed values of the parameters; the defaults of those that are missing. Raises Problem."""
    known = {parameter.name: parameter for parameter in endpoint.parameters}
    for name in query:
        if name not in known or known[name].place == "path":
            valid = ", ".join(one.name for one in endpoint.parameters if one.place == "query") or "none"
            raise Problem(400, f"unknown parameter; valid parameters: {valid}")
    given = {**query, **path}
    return {
        name: _value(parameter, given[name]) if name in given else parameter.schema.get("default")
        for name, parameter in known.items()
    }


def _value(parameter: Parameter, text: str) -> Any:
    schema, name = parameter.schema, parameter.name
    if schema.get("type") == "integer":
        value = int(text) if re.fullmatch(r"\d{1,15}", text, re.ASCII) else None
        if value is None or not schema.get("minimum", 0) <= value <= schema.get("maximum", value):
            raise Problem(400, f"{name}: must be a whole number from {schema.get('minimum', 0)} to {schema['maximum']}")
        return value
    if schema.get("type") == "boolean":
        if text not in ("true", "false"):
            raise Problem(400, f"{name}: must be true or false")
        return text == "true"
    if "enum" in schema and text not in schema["enum"]:
        raise Problem(400, f"{name}: must be one of {', '.join(schema['enum'])}")
    if "pattern" in schema and re.search(schema["pattern"], text) is None:
        raise Problem(404 if parameter.place == "path" else 400, f"{name}: must match {schema['pattern']}")
    if len(text) > TEXT_MOST:
        raise Problem(400, f"{name}: must have at most {TEXT_MOST} characters")
    return text


def body_of(schema: Schema, data: bytes) -> dict[str, Any]:
    """The members of a body: texts, or null. Raises Problem."""
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise Problem(400, "the body must be JSON") from None
    if not isinstance(body, dict):
        raise Problem(400, "the body must be an object")
    known = schema["properties"]
    if missing := [name for name in schema.get("required", ()) if name not in body]:
        raise Problem(400, f"the body must have the member {missing[0]}")
    for name, value in body.items():
        if name not in known:
            raise Problem(400, f"unknown member; valid members: {', '.join(known)}")
        if not (value is None and "null" in known[name]["type"]):
            _check_text(name, known[name], value)
    return body


def _check_text(name: str, schema: Schema, value: object) -> None:
    least, most = schema.get("minLength", 0), schema.get("maxLength", TEXT_MOST)
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise Problem(400, f"{name}: must be a text of {least} to {most} characters")
