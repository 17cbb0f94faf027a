"""Types, names and limits of the packets that a broker sends (MQTT 5, 2.1.2)."""

from __future__ import annotations

CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = 8, 9, 10, 11, 12, 13, 14, 15
NAMES = {
    CONNACK: "a CONNACK", PUBLISH: "a PUBLISH", PUBACK: "a PUBACK", PUBREC: "a PUBREC", PUBREL: "a PUBREL",
    PUBCOMP: "a PUBCOMP", SUBACK: "a SUBACK", UNSUBACK: "an UNSUBACK", PINGRESP: "a PINGRESP",
    DISCONNECT: "a DISCONNECT", AUTH: "an AUTH",
}  # fmt: skip
"""Those that a broker may send."""
RETAINED = 0x31
"""The first byte of a retained message of QoS 0."""

ANSWER_MOST = 8 << 10
"""Maximum bytes of a packet other than PUBLISH: an answer has a few bytes, and perhaps a reason text."""
DOCUMENT_MOST = 8 << 20
"""Maximum bytes of a PUBLISH: the JSON of a KLV packet of the default limit can have 4 MiB."""
