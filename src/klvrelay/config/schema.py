"""The JSON Schema of the settings file, for editors."""

from __future__ import annotations

import tomllib
from typing import Any

from klvrelay.config.setting import Setting
from klvrelay.config.tables import ALERT, GEOFENCE, NOTIFY, OLD, SPOOL, TABLES, Table
from klvrelay.json_output import dumps

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLACE_TEXT = {
    "file": "a file with it, which only its owner can read",
    "env": "a variable of the environment with it",
    "credential": "a credential of systemd with it (LoadCredential=NAME:FILE)",
}


_NEEDED = {"alert": ["rule"], "geofence": ["name", "file"], "notify": ["name"]}


def settings_schema() -> str:
    """The schema as JSON. It has the structure and the limits, not the rules that combine several settings."""
    tables = {table.name: _table_or_array(table) for table in TABLES}
    old = {name: {**_table(table), "deprecated": True} for name, table in OLD.items()}
    schema = {
        "$schema": DIALECT,
        "title": "Settings of klvrelay",
        "type": "object",
        "properties": tables | old,
        "additionalProperties": False,
    }
    return dumps(schema, indented=True).decode()


def place_text(setting: Setting, place: str) -> str:
    """The description of a key that names another place of a value."""
    return f"instead of {setting.name}: {_PLACE_TEXT[place]}"


def _table_or_array(table: Table) -> dict[str, Any]:
    if not table.is_array:
        return _table(table)
    return {"type": "array", "description": table.text, "items": _table(table)}


def _table(table: Table) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for setting in table.settings:
        for key in setting.keys:
            properties[key] = _property(setting, key[len(setting.name) + 1 :])
    properties |= {inner.key: _table_or_array(inner) for inner in table.inner}
    found = {
        "type": "object",
        "description": table.text,
        "properties": properties,
        "additionalProperties": False,
    }
    if table is SPOOL:
        found["required"] = ["path"]
    if table in (ALERT, GEOFENCE, NOTIFY):
        found["required"] = _NEEDED[table.name]
    elif table.is_array and table in TABLES:
        others = ["host"] if "host" in properties else []
        keys = [*table.setting_of("url")[0].keys, *others]
        found["oneOf"] = [{"required": [key]} for key in keys]
    return found


def _property(setting: Setting, place: str) -> dict[str, Any]:
    if place:
        return {"type": "string", "description": place_text(setting, place)}
    found = {**setting.kind.schema, "description": setting.full_text}
    if setting.default is not None:
        found["default"] = tomllib.loads(f"default = {setting.default_shown}")["default"]
    return found
