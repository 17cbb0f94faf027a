"""Opens sinks by their kind. The modules of a kind, and its libraries, are loaded when such a sink is opened."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings import SinkSettings
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.known import kind_of
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import Sink
from klvrelay.sinks.mqtt.failover import FailoverSink
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.publishing.far_end import FarEnd
from klvrelay.sinks.publishing.publishing_sink import PublishingSink


class SinkModule(Protocol):
    """The package of a kind of sink, beside that of MQTT."""

    def check(self, settings: FarEndSettings) -> None:
        """Raise ConfigError if a library is missing, or a certificate or file cannot be used. Opens no connection."""

    def far_end(self, settings: FarEndSettings) -> FarEnd:
        """The far end, not connected yet."""


def open_sink(settings: SinkSettings, shaper: Shaper | None, boot: str) -> Sink:
    """A sink that is not connected yet. `shaper` None: an MQTT sink publishes all records, with all items."""
    if settings.mqtt is None:
        assert shaper is not None
        return PublishingSink(far_end(settings.far_end), settings.far_end, shaper, hold=settings.batch or 0.0)
    batch, budget = settings.batch, settings.budget
    if settings.fallbacks:
        return FailoverSink(settings.brokers, boot=boot, batch=batch, shaper=shaper, budget=budget)
    return MqttSink(settings.mqtt, boot=boot, batch=batch, shaper=shaper, budget=budget)


def far_end(settings: FarEndSettings) -> FarEnd:
    """The far end of a sink that is not MQTT, not connected yet."""
    return _module_of(settings).far_end(settings)


def check_far_end(settings: FarEndSettings) -> None:
    """Raise ConfigError for libraries, certificates or keys that cannot be used. Opens no connection."""
    if not isinstance(settings, MqttSettings):
        _module_of(settings).check(settings)
    elif settings.tls:
        from klvrelay.sinks.dialing.dial import tls_context  # loaded here: few configurations need it

        tls_context(settings)


def _module_of(settings: FarEndSettings) -> SinkModule:
    return cast("SinkModule", import_module(kind_of(settings).module))
