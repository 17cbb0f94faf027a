"""All kinds of sinks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from klvrelay.config.kinds import did_you_mean
from klvrelay.config.mqtt import MqttSettings, mqtt_settings
from klvrelay.config.sinks.cot import COT
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.files import FILES, PATHS
from klvrelay.config.sinks.http import HTTP
from klvrelay.config.sinks.kind import ALL_OUTPUT_KEYS, SinkKind
from klvrelay.config.sinks.lines import LINES
from klvrelay.config.sinks.nats import NATS
from klvrelay.config.sinks.redis import REDIS
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.shape.output import Output
from klvrelay.shape.presets import DEFAULTS, RAW


def _mqtt(url: str, settings: Mapping[str, Any]) -> MqttSettings:
    return mqtt_settings(url, dict(settings))


def _mqtt_outputs(settings: MqttSettings) -> tuple[Output, ...]:
    return (*DEFAULTS, *((RAW,) if settings.raw else ()))


MQTT = SinkKind(
    name="mqtt",
    schemes=("mqtt", "mqtts"),
    form="mqtt://[user@]host[:port][/prefix]",
    text="an MQTT broker",
    settings=MqttSettings,
    from_url=_mqtt,
    outputs=_mqtt_outputs,
    module="klvrelay.sinks.mqtt",
    output_keys=ALL_OUTPUT_KEYS,
    contents=("records", "state", "items", "homeassistant"),
)

KINDS: Sequence[SinkKind] = (MQTT, LINES, REDIS, NATS, COT, FILES, HTTP)
_BY_SCHEME = {scheme: kind for kind in KINDS for scheme in kind.schemes}
_NETWORK = tuple(scheme for scheme in _BY_SCHEME if scheme not in ("stdin", "file"))


def kind_of_url(text: str) -> SinkKind:
    """The kind of a sink with this URL. Raises ConfigError, which quotes no part that may contain a password."""
    url = Url.parse(text)
    if url.scheme == "file" and not text.strip().lower().startswith(("file:", *PATHS)):
        schemes = ", ".join(_NETWORK)
        raise ConfigError(
            f"must begin with a scheme, such as mqtt://, or for a folder with / or ./; - is standard output; schemes of"
            f" sinks: {schemes}"
        )
    if url.scheme in ("ws", "wss"):
        raise ConfigError("WebSocket (ws://, wss://) is not supported; use the broker's mqtt:// or mqtts:// listener")
    if (found := _BY_SCHEME.get(url.scheme)) is None:
        hint = did_you_mean(url.scheme, _NETWORK) or f"; schemes of sinks: {', '.join(_NETWORK)}"
        raise ConfigError(f"{url.scheme}:// is not the scheme of a sink{hint}")
    return found


def kind_of(settings: FarEndSettings) -> SinkKind:
    """The kind of a sink with these settings."""
    return next(kind for kind in KINDS if isinstance(settings, kind.settings))


def kinds_with(key: str) -> list[SinkKind]:
    """The kinds that have a setting of this name."""
    return [kind for kind in KINDS if any(key == setting.name for setting in kind.keys)]
