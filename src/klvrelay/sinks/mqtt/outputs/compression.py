"""zstd for the outputs of a sink: a dictionary for each stream, trained from its first payloads and published retained.

    collecting --> training, in a thread --> announced: the broker has the dictionary, and frames use it
                                                 ^
    a new connection: frames are without it -----+
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from klvrelay import threads
from klvrelay.config.mqtt import MqttSettings
from klvrelay.shape.encoding.compression import Compressor
from klvrelay.shape.encoding.content_types import ZSTD_SUFFIX
from klvrelay.shape.encoding.dictionary import DictionaryTrainer
from klvrelay.sinks.mqtt.messages import origin
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, Message
from klvrelay.sinks.mqtt.topics import stream_topic
from klvrelay.text import printable

LEAF, OCTETS = "dictionary", "application/octet-stream"
LOG = logging.getLogger("klvrelay.sinks")


@dataclass(slots=True)
class StreamDictionary:
    """The dictionary of one stream: `trainer` while payloads are collected, then `dictionary` if there is any."""

    boot: str | None
    trainer: DictionaryTrainer | None = field(default_factory=DictionaryTrainer)
    dictionary: bytes | None = None
    announced: bool = False
    plain: Compressor = field(default_factory=Compressor)
    trained: Compressor | None = None


class Compression:
    """Compresses payloads, over all connections to one broker."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._streams: dict[str, StreamDictionary] = {}

    def begin(self) -> None:
        """A new connection: the broker may not have the dictionaries."""
        for stream in self._streams.values():
            stream.announced = False

    def compressed(
        self, data: bytes, content_type: str, stream: str, boot: str | None, is_open: Callable[[], bool]
    ) -> tuple[bytes, str]:
        """A payload compressed, and its content type; unchanged if that is not larger.

        is_open  may others see parts of this payload in the dictionary?
        """
        found = self._streams.get(stream)
        if found is None:
            found = self._streams[stream] = StreamDictionary(boot)
        if found.trainer is not None and not found.trainer.ready and is_open():
            found.trainer.add(data)
        uses = found.trained if found.announced and found.trained is not None else found.plain
        made = uses.compress(data)
        return made, content_type if made is data else content_type + ZSTD_SUFFIX

    @property
    def is_due(self) -> bool:
        """Is there a dictionary to train or to publish?"""
        return any(_is_due(stream) for stream in self._streams.values())

    async def due(self) -> list[tuple[str, Message]]:
        """Train what is ready. Returns the dictionaries that are to be published, with their streams."""
        due = [(name, stream) for name, stream in self._streams.items() if _is_due(stream)]
        for name, stream in due:
            if stream.trainer is not None:
                await self._train(name, stream)
        return [(name, self._message(name, stream)) for name, stream in due if stream.dictionary is not None]

    async def _train(self, name: str, stream: StreamDictionary) -> None:
        assert stream.trainer is not None
        try:
            stream.dictionary = await threads.run(stream.trainer.train, "klvrelay-zstd")
        except asyncio.CancelledError:
            stream.trainer = DictionaryTrainer()  # its payloads are gone
            raise
        stream.trainer = None
        stream.trained = None if stream.dictionary is None else Compressor(stream.dictionary)
        LOG.info("%s: zstd dictionary: bytes=%d", printable(name), len(stream.dictionary or b""))

    def _message(self, name: str, stream: StreamDictionary) -> Message:
        topic = stream_topic(self._settings.prefix, name, LEAF)
        payload = stream.dictionary or b""
        return Message(topic, payload, self._settings.qos, True, OCTETS, user=origin(name, stream.boot))

    def answered(self, name: str, code: int) -> None:
        """The broker answered for the dictionary of a stream. If it refused, frames are without it."""
        stream = self._streams[name]
        stream.announced = code < REFUSED
        if not stream.announced:
            stream.dictionary = stream.trained = None


def _is_due(stream: StreamDictionary) -> bool:
    if stream.trainer is not None:
        return stream.trainer.ready
    return stream.dictionary is not None and not stream.announced
