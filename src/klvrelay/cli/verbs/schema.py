"""The verb `schema`: prints the AsyncAPI document, or the JSON Schema of a payload or of the settings."""

from __future__ import annotations

import sys
from typing import Any

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.schema import settings_schema
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers, dumps
from klvrelay.schema import asyncapi, payload_schema

ANY_BROKER = "mqtt://127.0.0.1:1883"


def print_schema(document: str, *, mqtt: str | None, prefix: str | None, numbers: Numbers | None) -> None:
    """Print the document as indented JSON. Raises ConfigError for invalid settings."""
    if document != "asyncapi" and (mqtt is not None or prefix is not None):
        option = "--prefix" if mqtt is None else "--mqtt"
        raise ConfigError(f"{option}: applies to the document asyncapi only: {document} does not depend on it")
    if document == "settings":
        if numbers is not None:
            raise ConfigError("--numbers: applies to the topics only: settings does not depend on it")
        sys.stdout.write(settings_schema())
        return
    options: dict[str, Any] = {"prefix": prefix, "numbers": numbers}
    settings = MqttSettings.from_url(
        mqtt or ANY_BROKER, **{name: value for name, value in options.items() if value is not None}
    )
    found = asyncapi(settings) if document == "asyncapi" else payload_schema(document, settings.numbers)
    sys.stdout.write(dumps(found, indented=True).decode())
