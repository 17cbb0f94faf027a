"""Describes the API as an OpenAPI 3.1 document, from the endpoints themselves."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from klvrelay.schema.parts import TEXT, closed, described
from klvrelay.web.api.endpoint import PREFIX, ApiEndpoint, Parameter
from klvrelay.web.problems import CONTENT_TYPE

EVERYWHERE = (400, 401, 500, 503)
"""Errors that every endpoint may answer."""
PROBLEM = closed(
    {
        "type": TEXT,
        "title": described(TEXT, "The name of the status"),
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": described(TEXT, "What is wrong, and what to do"),
    }
)


def openapi(endpoints: Sequence[ApiEndpoint]) -> dict[str, Any]:
    """The document."""
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        paths.setdefault(f"{PREFIX}{endpoint.path}", {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "klvrelay",
            "version": version("klvrelay"),
            "description": "Health, incidents and alerts of a relay of KLV metadata.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: ApiEndpoint) -> dict[str, Any]:
    content = {"application/json": {"schema": _inner(endpoint.schema)}}
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "responses": {"200": {"description": "OK", "content": content}},
    }
    for status in sorted({*EVERYWHERE, *endpoint.errors}):
        operation["responses"][str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if endpoint.parameters:
        operation["parameters"] = [_parameter(one) for one in endpoint.parameters]
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": dict(endpoint.body)}}}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.text,
        "required": parameter.place == "path",
        "schema": dict(parameter.schema),
    }


def _inner(schema: Any) -> Any:
    """A schema inside the document: what it refers to is in itself."""
    return {key: value for key, value in _embedded(dict(schema), schema.get("$defs", {})).items() if key != "$defs"}


def _embedded(schema: Any, definitions: Any) -> Any:
    """The schema with its definitions in the places that refer to them."""
    if isinstance(schema, list):
        return [_embedded(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    own = {**definitions, **schema.get("$defs", {})}
    reference = schema.get("$ref", "")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _embedded(own[reference.removeprefix("#/$defs/")], own) | rest
    return {key: _embedded(value, own) for key, value in schema.items() if key not in ("$defs", "$schema")}
