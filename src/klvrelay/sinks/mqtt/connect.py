"""Makes a connection to a broker: MQTT 5 or 3.1.1, with what the broker takes."""

from __future__ import annotations

import logging

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.mqtt.connection import Connection, LessWanted, Message, StaleSession, Terms, WrongVersion
from klvrelay.sinks.mqtt.faults import UNSUPPORTED_VERSION, connect_fault, no_mqtt
from klvrelay.sinks.mqtt.session import Session

_LOG = logging.getLogger("klvrelay.sinks")


async def connect(
    settings: MqttSettings,
    *,
    client_id: str,
    will: Message | None = None,
    protocol: int | None = None,
    terms: Terms | None = None,
    session: Session | None = None,
    once: bool = False,
) -> Connection:
    """A new connection: MQTT 5, then 3.1.1 where the broker wants that, stays silent or hangs up.

    A broker without retained messages, or without the QoS that is set, gets a last will that it takes; `terms` is what
    an earlier connection found, and `session` what it left half-way at QoS 2; `once`: one that hangs up at the first
    connection is not asked for less. Raises SinkDown (not reachable now), SinkRefused (a no for good) or ConfigError (a
    certificate file).
    """
    from klvrelay.sinks.mqtt.paho_connection import (  # here, since the library takes a tenth of a second to load
        PahoConnection,
    )

    async def opened(version: int, terms: Terms) -> PahoConnection:
        while True:
            try:
                return await PahoConnection.open(settings, version, client_id, will, terms, session)
            except LessWanted as less:
                terms = less.terms
            except StaleSession:
                # A clean session, which ends at once.
                wipe = await PahoConnection.open(settings, version, client_id, None, terms)
                await wipe.close()

    terms = terms or Terms()
    # One of 3.1.1 has no way to say what it does not take: it hangs up, now or at the second time too.
    lesser = [] if will is None or once else [(4, less) for less in (terms, *terms.lesser())]
    versions = (5, 4) if (protocol or settings.protocol) == 5 else (4,)
    faults: list[WrongVersion] = []
    for version, taken in [*((version, terms) for version in versions), *lesser]:
        try:
            link = await opened(version, taken)
        except WrongVersion as fault:
            faults.append(fault)
            if once and not fault.said_so:
                break
            if version == 4 and (fault.said_so or fault.silent or fault.odd):
                break
        else:
            link.older_only = any(fault.said_so for fault in faults)
            _LOG.debug("mqtt connected url=%s protocol=%s", settings.url, version)
            return link
    if faults[-1].said_so or (faults[0].said_so and faults[-1].odd):
        raise connect_fault(settings, UNSUPPORTED_VERSION, client_id)
    if faults[-1].fault is not None:
        raise faults[-1].fault
    raise no_mqtt(settings, faults[-1].silent)
