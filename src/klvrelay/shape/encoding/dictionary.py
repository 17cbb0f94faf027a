"""Trains a zstd dictionary from the first payloads of a stream."""

from __future__ import annotations

from klvrelay.shape.encoding.compression import zstd_module

PAYLOADS = 100
"""Payloads that it is trained from. More do not make the frames smaller."""
DICTIONARY_SIZE = 4096
"""Bytes of a dictionary. A larger one takes longer to transmit, and does not make the frames smaller."""
SAMPLE_MOST = 16 << 10
"""Bytes of a payload that are used."""
SAMPLES_MOST = 1 << 20
"""Maximum bytes of all samples together: fewer payloads are used then."""
LEAST = 8
"""Minimum payloads: zstd makes no dictionary from fewer."""


class DictionaryTrainer:
    """Collects the first payloads of a stream, and trains a dictionary from them once.

    Training takes 5 to 30 ms: call `train` in a thread (`klvrelay.threads.run`). Payloads that are added meanwhile are
    ignored.
    """

    def __init__(self, payloads: int = PAYLOADS, size: int = DICTIONARY_SIZE) -> None:
        self._wanted = max(payloads, LEAST)
        self._size = size
        self._samples: list[bytes] = []
        self._octets = 0
        self._ready = False

    @property
    def ready(self) -> bool:
        """Are there enough payloads?"""
        return self._ready

    def add(self, payload: bytes) -> bool:
        """Collect a payload that is not compressed. True once there are enough."""
        if not self._ready:
            self._samples.append(payload[:SAMPLE_MOST])
            self._octets += len(self._samples[-1])
            full = self._octets >= SAMPLES_MOST and len(self._samples) >= LEAST
            self._ready = full or len(self._samples) >= self._wanted
        return self._ready

    def train(self) -> bytes | None:
        """The dictionary; None if zstd finds nothing in common in these payloads. The payloads are released."""
        zstd = zstd_module()
        samples, self._samples = self._samples, []
        try:
            return bytes(zstd.train_dict(samples, self._size).dict_content)
        except (ValueError, zstd.ZstdError):
            return None
