"""The bytes of the packets that the relay sends, compared with those of paho. `test_mqtt_sizes.py` has PUBLISH."""

from __future__ import annotations

from itertools import product

import pytest
from brokers import until
from cases import each_of
from paho_packets import PUBACK, PUBREL, PahoPackets

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.mqtt.native import encode, pings
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.protocol.packet_types import ANSWER_MOST, DOCUMENT_MOST
from klvrelay.sinks.mqtt.protocol.session import EXPIRY
from klvrelay.text import Secret

WILLS = (None, Message("kr/status", b"gone", 1, True, "application/json"), Message("kr/stätus", b"", 0, False))
LOGINS = ((None, None), ("relay", None), ("relay", "pass wörd"))
TOPICS = ("kr/#", "kr/+/state", "ü" * 100)


@each_of(list(product((5, 4), WILLS, LOGINS, (False, True), (1, 300, 65_535))), repr)
def test_connect_equals_that_of_paho(case):
    """With and without last will, user, password and session, in both versions."""
    protocol, will, (user, password), keeps_session, keepalive = case
    secret = None if password is None else Secret(password)
    settings = MqttSettings(host="127.0.0.1", username=user, password=secret, keepalive=keepalive)
    limits = {"MaximumPacketSize": DOCUMENT_MOST if will is None else ANSWER_MOST, "ReceiveMaximum": 1}
    if keeps_session:
        limits["SessionExpiryInterval"] = EXPIRY

    ours = encode.connect_packet(settings, protocol, "kr-1", will, keeps_session=keeps_session)

    theirs = PahoPackets(protocol, "kr-1", clean=not keeps_session).connect(keepalive, will, user, password, **limits)
    assert ours == theirs


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("protocol", [5, 4])
def test_subscribe_and_unsubscribe_equal_those_of_paho(protocol, topic):
    """At QoS 0, with any packet identifier."""
    for number in (1, 255, 256, 65_535):
        paho = PahoPackets(protocol)
        assert encode.subscribe_packet(number, topic, protocol) == paho.subscribe(number, topic)
        assert encode.unsubscribe_packet(number, topic, protocol) == paho.unsubscribe(number, topic)


@pytest.mark.parametrize("protocol", [5, 4])
def test_short_packets_equal_those_of_paho(protocol):
    """Acknowledgements, PUBREL, ping and DISCONNECT, which ends the session with MQTT 5."""
    paho = PahoPackets(protocol)
    for number in (1, 256, 65_535):
        assert encode.puback_packet(number) == paho.acknowledgement(PUBACK, number)
        assert encode.pubrel_packet(number) == paho.acknowledgement(PUBREL, number)
    assert paho.ping() == pings.PINGREQ
    assert encode.disconnect_packet(protocol, ends_session=False) == paho.disconnect()
    ends = {"SessionExpiryInterval": 0} if protocol == 5 else {}
    assert encode.disconnect_packet(protocol, ends_session=True) == paho.disconnect(**ends)


async def test_a_message_that_cannot_be_encoded_holds_no_other_back(oracle):
    """Its topic is no valid text: the call fails, the messages before it are sent, and the connection stays usable."""
    connection = await connect(MqttSettings.from_url(oracle.url, timeout=2.0), client_id="kr", will=WILLS[1])
    with pytest.raises(UnicodeEncodeError):
        await connection.publish([Message("kr/a", b"1"), Message("kr/\ud800", b"2")])
    await until(lambda: oracle.payloads() == [b"1"])
    await connection.publish([Message("kr/a", b"3")])
    await connection.close()

    assert oracle.payloads() == [b"1", b"3"]
