"""The verb `schema`: prints the AsyncAPI document, or the JSON Schema of a payload or of the settings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.schema import settings_schema
from klvrelay.config.settings import SinkSettings
from klvrelay.config.settings_file import read_settings
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers, dumps
from klvrelay.schema import asyncapi, payload_schema
from klvrelay.text import printable

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


def print_configured(document: str, config: str | None, name: str | None, others: Sequence[str]) -> None:
    """Print the AsyncAPI document of a sink of a settings file. Raises ConfigError."""
    if config is None:
        raise ConfigError("--sink: needs -c FILE")
    if document != "asyncapi":
        raise ConfigError(f"-c: applies to the document asyncapi only: {document} does not depend on it")
    if others:
        raise ConfigError(f"{others[0]}: the settings file has it; give only one of both")
    settings = read_settings(config).settings
    sink = _chosen(settings.sinks, name, config)
    if sink.mqtt is None:
        raise ConfigError(f"--sink: {sink.name} is not an MQTT sink, so it has no AsyncAPI document")
    budget = sink.budget is not None
    found = asyncapi(sink.mqtt, sink.outputs, sink.set, budget=budget, later=sink.budget_later,
                     acknowledges=settings.incidents.set)  # fmt: skip
    sys.stdout.write(dumps(found, indented=True).decode())


def _chosen(sinks: Sequence[SinkSettings], name: str | None, config: str) -> SinkSettings:
    names = ", ".join(sink.name for sink in sinks)
    found = [sink for sink in sinks if name == sink.name or (name is None and sink.mqtt is not None)]
    if not sinks:
        raise ConfigError(f"{printable(config)}: has no [[sink]]")
    if not found and name is None:
        raise ConfigError(f"{printable(config)}: has no MQTT sink: only such a sink has an AsyncAPI document")
    if not found:
        raise ConfigError(f"--sink: {printable(name or '')} is unknown; valid names: {names}")
    if len(found) > 1:
        raise ConfigError(f"{printable(config)}: has several sinks: give --sink with one of {names}")
    return found[0]
