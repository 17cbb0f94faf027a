"""The messages of outputs: their topics, and their payloads with one or several records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from klvrelay.config.mqtt import MqttSettings
from klvrelay.shape.encoding.formats import TEXT, message_of
from klvrelay.shape.payload import Payload
from klvrelay.sinks.mqtt.messages import JSON, origin, with_age
from klvrelay.sinks.mqtt.outputs.compression import Compression
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.values.home_assistant import discovery
from klvrelay.sinks.publishing.ages import Ages
from klvrelay.sinks.publishing.output_topics import OutputTopics


class OutputMessages:
    """Creates the messages of outputs according to the settings of their sink.

    is_open  may all compressed outputs publish a payload?
    """

    def __init__(self, settings: MqttSettings, ages: Ages, is_open: Callable[[Payload], bool]) -> None:
        self._settings, self._ages, self._is_open = settings, ages, is_open
        self.compression = Compression(settings)
        self._topics = OutputTopics(settings.prefix)

    def topic(self, payload: Payload) -> str:
        """The topic of a payload."""
        return self._topics.of(payload)

    def of(self, payloads: Sequence[Payload]) -> Message:
        """The message of one or several payloads of the same topic and run. Its `seq` is that of the first record.

        A compact one has neither content type nor user properties: they would be a third of it, and its payload has the
        same.
        """
        first = payloads[0]
        if first.announces is not None:
            return self._discovery(first, first.announces)
        output, record = first.output, first.record
        is_compact = output.format == "compact"
        data, content_type = first.data, TEXT
        if output.content != "items":
            seqs = [payload.record.seq for payload in payloads]
            data, content_type = message_of([payload.data for payload in payloads], seqs, output.format)
        if output.compression == "zstd":
            data, content_type = self.compression.compressed(
                data, content_type, record.stream, record.boot,
                lambda: all(map(self._is_open, payloads)),
            )  # fmt: skip
        qos = self._settings.qos if output.qos is None else output.qos
        return Message(
            self.topic(first), data, qos, output.retain, None if is_compact else content_type,
            None if output.retain else self._settings.expiry,
            () if is_compact else (*origin(record.stream, record.boot), ("seq", str(record.seq))),
        )  # fmt: skip

    def _discovery(self, payload: Payload, items: Sequence[str]) -> Message:
        """What announces the stream to Home Assistant."""
        record = payload.record
        topic, data = discovery(self._settings.prefix, record.stream, items, topic=self.topic(payload))
        qos = self._settings.qos if payload.output.qos is None else payload.output.qos
        return Message(topic, data, qos, True, JSON, user=origin(record.stream, record.boot))

    def aged(self, payload: Payload) -> Message:
        """The message of a payload that is replayed, with the age of its record."""
        return with_age(self.of([payload]), self._ages.of(payload.record))

