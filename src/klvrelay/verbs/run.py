"""Builds a relay from its settings: which source opens how, which sink is told where; next door, `relay.py` runs it."""

from __future__ import annotations

from functools import partial

from klvrelay.config import RelaySettings, SourceSettings
from klvrelay.relay import Relay, new_boot
from klvrelay.sinks.mqtt import MqttSink
from klvrelay.sources import Source, open_source


def opened(settings: SourceSettings) -> Source:
    """The source of one entry; a relayed file's packets bear the time they are read."""
    return open_source(
        settings.url,
        timeout=settings.timeout,
        interface=settings.interface,
        sender=settings.sender,
        ca_file=settings.ca_file,
        speed=settings.speed,
        loop=settings.loop,
        live_stamps=True,
    )


def relay_of(settings: RelaySettings) -> Relay:
    """A relay that is ready to run; raises ConfigError for a source that can't be meant."""
    boot = new_boot()
    streams = []
    for name, source in settings.named():
        opened(source)  # nothing is opened yet: wrong schemes and options are found before anything starts
        streams.append((name, partial(opened, source), str(source.url)))
    sinks = [] if settings.mqtt is None else [(settings.mqtt.url, MqttSink(settings.mqtt, boot=boot))]
    return Relay(streams, sinks, boot=boot, waiting=settings.waiting)
