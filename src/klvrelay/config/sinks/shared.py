"""Settings that several kinds of sinks have. Each is the metadata of a field."""

from __future__ import annotations

from typing import get_args

from klvrelay.config import kinds
from klvrelay.config.setting import described
from klvrelay.config.sinks.far_end import PublishBad
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers

TEXT_MOST, PREFIX_MOST = 65_535, 60_000
"""Maximum bytes of a text (MQTT 5, 1.5.4), and of the prefix: with the longest stream name the topic is a text."""
_FILE = kinds.text(wanted="the name of a file")


def check_length(text: str, most: int) -> None:
    """Raise ConfigError for a text with more bytes."""
    if len(text.encode(errors="replace")) > most:
        raise ConfigError(f"must have at most {most} bytes")


def check_printable(text: str) -> None:
    """Raise ConfigError unless a text is printable and not too long."""
    if not text.isprintable():
        raise ConfigError("must be printable text")
    check_length(text, TEXT_MOST)


def _check_prefix(prefix: str) -> None:
    levels = prefix.split("/")
    if not all(levels) or any(c in "+#" or not c.isprintable() for c in prefix) or prefix[0] == "$":
        raise ConfigError("must be topic levels such as klvrelay or site/klv, without +, # or a leading $")
    check_length(prefix, PREFIX_MOST)


PREFIX = described(
    kinds.text(_check_prefix, "topic levels without + and #", wanted="topic levels such as site/klv"),
    "first level or levels of every topic, key and subject",
)
USERNAME = described(
    kinds.text(check_printable, wanted=None), "user name at the far end, unless the URL has one", example='"relay"'
)
PASSWORD = described(
    kinds.SECRET, "its password, unless the URL has one", elsewhere=True, note="with mqtt: KLVRELAY_MQTT_PASSWORD"
)
TOKEN = described(
    kinds.SECRET, "token, in place of a user; http: sent as Authorization: Bearer", elsewhere=True, example='"..."'
)
CA_FILE = described(
    _FILE, "CA certificates to trust with TLS", note="those of the system", example='"/etc/klvrelay/ca.pem"'
)
CERT_FILE = described(_FILE, "client certificate for TLS", example='"relay.pem"')
KEY_FILE = described(_FILE, "key of the client certificate", example='"relay.key"')
ALLOW_PLAINTEXT = described(kinds.FLAG, "send a password without TLS to another machine")
NUMBERS = described(
    kinds.one_of(*get_args(Numbers)), "safe: integers beyond 2^53 - 1, which JavaScript rounds, as strings"
)
PUBLISH_BAD = described(kinds.one_of(*get_args(PublishBad)), "topic of records with a bad checksum, or drop them")
TIMEOUT = described(kinds.number(0.1, 300), "seconds to wait for each response of the far end")
INTERFACE = described(kinds.text(), "udp: network interface for multicast", example='"eth0"')
TTL = described(kinds.whole(1, 255), "udp: routers that a multicast datagram may pass")
