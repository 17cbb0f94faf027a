"""The topics: what is published there, and with which MQTT properties."""

from __future__ import annotations

from dataclasses import dataclass

from klvrelay.sinks.mqtt.messages import JSON, KLV, TEXT

OF_THE_RELAY = ("status", "uplink")
"""Topics of the relay, not of a stream."""

RECORD = ("stream", "boot", "seq")
"""User properties of the messages of records, except compact ones."""


@dataclass(frozen=True, slots=True)
class TopicEntry:
    """One topic, or one of each stream.

    leaf          last level of the topic, or name of the output
    summary       what is published there
    content_type  of the payload, as sent with MQTT 5; that of compact records is not sent
    headers       user properties with MQTT 5
    optional      user properties that some messages have
    retained      the broker keeps the last message
    expires       with MQTT 5, the broker discards the message after the `expiry` of the settings
    address       template of the topic, if it is that of an output
    payload       the name of its schema, if it is not `leaf`
    qos           None: that of the settings
    received      the relay reads it
    """

    leaf: str
    summary: str
    content_type: str = JSON
    headers: tuple[str, ...] = RECORD
    optional: tuple[str, ...] = ()
    retained: bool = False
    expires: bool = False
    address: str = ""
    payload: str = ""
    qos: int | None = None
    received: bool = False

    @property
    def template(self) -> str:
        """The topic, with {prefix} and other names."""
        own = self.leaf in OF_THE_RELAY
        return self.address or (f"{{prefix}}/{self.leaf}" if own else f"{{prefix}}/{{stream}}/{self.leaf}")

    @property
    def schema(self) -> str:
        """The name of its schema: `rejected` has that of `telemetry`."""
        return self.payload or ("telemetry" if self.leaf == "rejected" else self.leaf)


_VALUE = ("stream", "boot")
_REPLAYED = ("replayed",)

TOPICS = (
    TopicEntry("telemetry", "Every good record", optional=_REPLAYED, expires=True),
    TopicEntry(
        "rejected", "Records with a bad checksum, and records damaged in transport", optional=_REPLAYED, expires=True
    ),
    TopicEntry("raw", "The KLV bytes of each record in telemetry, if enabled", KLV, optional=_REPLAYED, expires=True),
    TopicEntry("gap", "Ranges of records that are not published", expires=True),
    TopicEntry("state", "The latest value of every item, merged; at most once a second", headers=_VALUE, retained=True),
    TopicEntry("link", "Health of the stream; on each change and every 10 s", headers=_VALUE, retained=True),
    TopicEntry(
        "health", "Health of the stream: what link has, and more; on each change and every 10 s", headers=_VALUE,
        retained=True,
    ),
    TopicEntry(
        "alert", "What is raised for the stream, and what just happened; empty: nothing is raised", headers=_VALUE,
        retained=True,
    ),
    TopicEntry("availability", "online while KLV is received, else offline", TEXT, _VALUE, retained=True),
    TopicEntry("status", "The relay itself; also its last will", headers=("boot",), retained=True),
    TopicEntry(
        "relay-health", "Health of the relay, of its sinks and of its spool; on each change and every 10 s",
        headers=("boot",), retained=True, address="{prefix}/health",
    ),
    TopicEntry(
        "daily-report", "Figures of the incidents of the last whole day (UTC): MTTR, MTBF, availability",
        headers=("boot",), retained=True, address="{prefix}/report/daily",
    ),
    TopicEntry(
        "relay-alert", "The same for the relay and its sinks", headers=("boot",), retained=True,
        address="{prefix}/alert", payload="alert",
    ),
    TopicEntry(
        "uplink", "With a budget: its use, and what it leaves out; on each change and every minute", headers=(),
        retained=True,
    ),
)
