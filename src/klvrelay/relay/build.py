"""Builds a relay from its settings, and runs it to an exit code."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial

from klvrelay import threads
from klvrelay.config.settings import RelaySettings, SourceSettings
from klvrelay.errors import ConfigError
from klvrelay.relay.feed import Feed
from klvrelay.relay.relay import Relay, new_boot
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sources.contract import Source
from klvrelay.sources.open import is_isolated, open_source
from klvrelay.sources.web.resume import Resume

LOG = logging.getLogger("klvrelay.relay")

LOST = 8
"""Exit code: records were received that a sink does not have."""
SLOWEST = 32.0
"""Seconds that a source may be silent beyond its timeouts: the longest segment of a live playlist."""


def opened(settings: SourceSettings, given: Resume | None = None) -> Source:
    """The source of one entry; packets of a relayed file have the time at which they are read."""
    return open_source(
        settings.url,
        timeout=settings.timeout,
        interface=settings.interface,
        sender=settings.sender,
        ca_file=settings.ca_file,
        speed=settings.speed,
        loop=settings.loop,
        follow=settings.follow,
        demux=settings.demux,
        isolate=settings.isolate,
        passphrase=settings.passphrase,
        packet_limit=settings.packet_limit,
        live_stamps=True,
        resume=given,
    )


async def check_files(settings: RelaySettings) -> None:
    """Raise ConfigError for certificates and keys that cannot be used, before anything starts."""
    await threads.run(partial(_load_files, settings), "klvrelay-files")  # the file system may block


def _load_files(settings: RelaySettings) -> None:
    for source in settings.sources:
        if source.ca_file is not None:
            from klvrelay.transports.tls import client_context  # loaded here: few configurations need it

            client_context(source.ca_file)
    if settings.mqtt is not None and settings.mqtt.tls:
        from klvrelay.sinks.mqtt.dial import tls_context

        tls_context(settings.mqtt)


async def relayed(settings: RelaySettings) -> int:
    """Relay until the sources end or it is cancelled; gives the exit code."""
    await check_files(settings)
    relay = relay_of(settings)
    try:
        await relay.run()
    except asyncio.CancelledError:
        if not relay.lost:
            raise
    finally:
        LOG.info("%s", relay.summary())
    if relay.lost:
        LOG.error("records lost: %s", relay.losses)
    return relay.fault.exit_code if relay.fault is not None else LOST if relay.lost else 0


def relay_of(settings: RelaySettings) -> Relay:
    """A relay that is ready to run; raises ConfigError for an invalid source."""
    boot = new_boot()
    feeds = []
    for (name, source), choice in zip(settings.named(), settings.choices(), strict=True):
        if not source.stall > 0:
            raise ConfigError(f"stall {source.stall:g}: give seconds above 0")
        opened(source)  # opens nothing yet, but finds wrong schemes and options before anything starts
        # A live playlist delivers one segment at a time, with a pause before the next.
        stall = source.stall + SLOWEST if source.url.path.endswith((".m3u8", ".m3u")) else source.stall
        given = Resume()
        apart = partial(opened, replace(source, isolate=True), given)
        is_apart = is_isolated(source.url, source.isolate)
        feeds.append(
            Feed(
                name,
                apart if is_apart else partial(opened, replace(source, isolate=False), given),
                str(source.url),
                stall,
                apart,
                3 * source.timeout + SLOWEST,
                source.packet_limit,
                choice,
            )
        )
    sinks = [] if settings.mqtt is None else [(settings.mqtt.url, MqttSink(settings.mqtt, boot=boot))]
    return Relay(
        feeds, sinks, boot=boot, waiting=settings.waiting, waiting_size=settings.waiting_size,
        coalesce=settings.coalesce,
    )  # fmt: skip
