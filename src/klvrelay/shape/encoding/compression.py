"""zstd: compresses payloads one by one, with a dictionary, and decompresses them within limits.

The standard library has zstd from Python 3.14; before that, the package `backports.zstd` has the same interface.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from functools import cache
from typing import Any

from klvrelay.errors import ConfigError, DecodeError

ZSTD_BEGIN = b"\x28\xb5\x2f\xfd"
"""The first bytes of a frame (RFC 8878)."""

LEVEL = 3
DICTIONARIES_MOST = 64
DICTIONARY_MOST = 128 << 10
"""Maximum bytes of a dictionary that is read."""
WINDOW_LOG_MOST = 23
"""A frame may refer back by 8 MiB: the minimum that RFC 8878 recommends for decoders."""


@cache
def zstd_module() -> Any:
    """The module. Raises ConfigError if the package is missing."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise ConfigError("zstd needs a package: pip install 'klvrelay[zstd]'") from None
    return zstd


class Compressor:
    """Compresses payloads of one stream, one frame for each. Keep it: making one costs more than a payload.

    dictionary   as `DictionaryTrainer` makes it; its number is in each frame
    """

    def __init__(self, dictionary: bytes | None = None, *, level: int = LEVEL) -> None:
        zstd = zstd_module()
        known = None if dictionary is None else zstd.ZstdDict(dictionary)
        self._context = zstd.ZstdCompressor(level=level, zstd_dict=known)
        self._mode = zstd.ZstdCompressor.FLUSH_FRAME

    def compress(self, payload: bytes) -> bytes:
        """The payload as a frame; the payload itself if that is not larger, as readers recognise both."""
        frame: bytes = self._context.compress(payload, mode=self._mode)
        return frame if len(frame) < len(payload) else payload


class Unreadable(DecodeError):
    """A frame whose dictionary is not known."""

    def __init__(self, dictionary: int) -> None:
        super().__init__(f"the frame needs the zstd dictionary {dictionary}, which is not known")
        self.dictionary = dictionary


class Decompressor:
    """Decompresses payloads of any stream to at most `most` bytes, with the dictionaries that it has learned."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._dictionaries: OrderedDict[int, Any] = OrderedDict()

    def learn(self, dictionary: bytes) -> None:
        """Add a dictionary. Raises DecodeError if it is none."""
        zstd = zstd_module()
        if len(dictionary) > DICTIONARY_MOST:
            raise DecodeError(f"a zstd dictionary of more than {DICTIONARY_MOST} bytes")
        try:
            known = zstd.ZstdDict(dictionary)
            zstd.ZstdDecompressor(zstd_dict=known)
        except (ValueError, zstd.ZstdError) as fault:
            raise DecodeError(f"not a zstd dictionary: {fault}") from None
        self._dictionaries.pop(known.dict_id, None)
        self._dictionaries[known.dict_id] = known
        if len(self._dictionaries) > DICTIONARIES_MOST:
            self._dictionaries.popitem(last=False)

    def plain(self, payload: bytes) -> bytes:
        """The payload decompressed, or itself if it is not compressed.

        Raises Unreadable if its dictionary is not known, and DecodeError if it is malformed or too large.
        """
        if not payload.startswith(ZSTD_BEGIN):
            return payload
        zstd = zstd_module()
        try:
            number = zstd.get_frame_info(payload).dictionary_id
            known = self._dictionaries[number] if number else None
            options = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG_MOST}
            context = zstd.ZstdDecompressor(zstd_dict=known, options=options)
            plain: bytes = context.decompress(payload, max_length=self._most + 1)
        except KeyError:
            raise Unreadable(number) from None
        except zstd.ZstdError as fault:
            raise DecodeError(f"not valid zstd: {fault}") from None
        if len(plain) > self._most:
            raise DecodeError(f"a payload of more than {self._most} bytes after decompression")
        if not context.eof or context.unused_data:
            raise DecodeError("not valid zstd: not exactly one frame")
        return plain
