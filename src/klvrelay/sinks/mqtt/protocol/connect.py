"""Connects to a broker: with MQTT 5 or 3.1.1, and with the QoS and retention that the broker supports."""

from __future__ import annotations

import logging

from klvrelay.config.mqtt import Client, MqttSettings
from klvrelay.sinks.mqtt.faults import UNSUPPORTED_VERSION, connect_fault, no_mqtt
from klvrelay.sinks.mqtt.protocol.base_connection import BaseConnection
from klvrelay.sinks.mqtt.protocol.connection import Connection, LesserTerms, Message, StaleSession, Terms, WrongVersion
from klvrelay.sinks.mqtt.protocol.session import Session

LOG = logging.getLogger("klvrelay.sinks")


def _implementation(client: Client) -> type[BaseConnection]:
    """Imported here, since the libraries take a tenth of a second to load."""
    if client == "aiomqtt":
        from klvrelay.sinks.mqtt.aiomqtt.connection import AiomqttConnection

        return AiomqttConnection
    from klvrelay.sinks.mqtt.native.connection import NativeConnection

    return NativeConnection


async def connect(
    settings: MqttSettings,
    *,
    client_id: str,
    will: Message | None = None,
    protocol: int | None = None,
    terms: Terms | None = None,
    session: Session | None = None,
    once: bool = False,
    one_by_one: bool = False,
    client: Client | None = None,
) -> Connection:
    """A new connection, with MQTT 5. If the broker refuses it, does not answer or closes the connection, with 3.1.1.

    terms     what the broker supports, found by an earlier connection; the last will is reduced to it
    session   incomplete messages of QoS 2 of earlier connections
    once      do not try lesser terms if the broker closes the first connection
    one_by_one  send a message only once the one before it is answered; see `Connection.widen`
    client    the implementation; None: that of the settings. Only "native" has sessions

    Raises SinkDown (not reachable now), SinkRefused (refused permanently) or ConfigError (a certificate file).
    """
    implementation = _implementation(client or settings.client)

    async def open(version: int, terms: Terms) -> BaseConnection:
        while True:
            try:
                return await implementation.open(
                    settings, version, client_id, will, terms, session, one_by_one=one_by_one
                )
            except LesserTerms as lesser:
                terms = lesser.terms
            except StaleSession:
                # A clean session ends the old one, and then itself.
                clean = await implementation.open(settings, version, client_id, None, terms)
                await clean.close()

    terms = terms or Terms()
    # A broker of MQTT 3.1.1 cannot report what it does not support: it closes the connection, perhaps twice.
    lesser = [] if will is None or once else [(4, less) for less in (terms, *terms.lesser())]
    versions = (5, 4) if (protocol or settings.protocol) == 5 else (4,)
    faults: list[WrongVersion] = []
    for version, tried in [*((version, terms) for version in versions), *lesser]:
        try:
            connection = await open(version, tried)
        except WrongVersion as fault:
            faults.append(fault)
            if once and not fault.refused:
                break
            if version == 4 and (fault.refused or fault.silent or fault.invalid):
                break
        else:
            connection.older_only = any(fault.refused for fault in faults)
            LOG.debug("%s: connected: protocol=%s", settings.url, version)
            return connection
    if faults[-1].refused or (faults[0].refused and faults[-1].invalid):
        raise connect_fault(settings, UNSUPPORTED_VERSION, client_id)
    if faults[-1].fault is not None:
        raise faults[-1].fault
    raise no_mqtt(settings, faults[-1].silent)
