"""Reads CBOR (RFC 8949): the types of JSON, and byte strings. Tags are refused: references may expand without limit.

    first octet: major type (3 bits), argument (5 bits: 0..23; 24..27 for 1, 2, 4, 8 octets; 31 for indefinite length)
    major 0 unsigned | 1 negative | 2 bytes | 3 text | 4 array | 5 map | 6 tag (refused) | 7 float, true, false, null
"""

from __future__ import annotations

import struct
from typing import Any

from klvrelay.errors import DecodeError

DEPTH_MOST = 64
"""Maximum depth of arrays and maps."""

_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}
_INDEFINITE = 31
_BREAK = 0xFF


class CborReader:
    """Reads values one after the other. Raises DecodeError for anything else."""

    __slots__ = ("_data", "at")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at

    @property
    def ended(self) -> bool:
        return self.at >= len(self._data)

    def value(self, depth: int = DEPTH_MOST) -> Any:
        """The next value."""
        first = self._octet()
        if first < 0x18:
            return first
        major, low = first >> 5, first & 0x1F
        if major == 7:
            return self._simple(low)
        if low == _INDEFINITE:
            return self._indefinite(major, depth)
        count = low if low < 24 else self._argument(low)
        if major < 2:
            return -1 - count if major else count
        if major < 4:
            return self._string(major, count)
        return self._container(major, count, depth)

    def _octet(self) -> int:
        try:
            first = self._data[self.at]
        except IndexError:
            raise self._fault("it ends within a value") from None
        self.at += 1
        return first

    def _take(self, count: int) -> bytes:
        start = self.at
        if count > len(self._data) - start:
            raise self._fault("it ends within a value")
        self.at = start + count
        return self._data[start : self.at]

    def _argument(self, low: int) -> int:
        if low > 27:
            raise self._fault("reserved length")
        return int.from_bytes(self._take(1 << (low - 24)), "big")

    def _simple(self, low: int) -> Any:
        if low in _FLOATS:
            form = _FLOATS[low]
            return form.unpack(self._take(form.size))[0]
        if low not in _SIMPLE:
            raise self._fault("unknown simple value")
        return _SIMPLE[low]

    def _string(self, major: int, count: int) -> bytes | str:
        data = self._take(count)
        if major == 2:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise self._fault("text that is not UTF-8") from None

    def _container(self, major: int, count: int, depth: int) -> Any:
        if major > 5:
            raise self._fault("tags are not accepted")
        if not depth or count > len(self._data) - self.at:  # each element has at least one octet
            raise self._fault("too deep" if not depth else "it ends within a value")
        if major == 4:
            return [self.value(depth - 1) for _ in range(count)]
        return self._unique([(self._key(), self.value(depth - 1)) for _ in range(count)])

    def _indefinite(self, major: int, depth: int) -> Any:
        if not depth or major not in (2, 3, 4, 5):
            raise self._fault("too deep" if not depth else "reserved length")
        if major < 4:
            return self._chunks(major)
        found: list[Any] = []
        while not self._breaks():
            found.append(self.value(depth - 1) if major == 4 else (self._key(), self.value(depth - 1)))
        return found if major == 4 else self._unique(found)

    def _chunks(self, major: int) -> bytes | str:
        chunks: list[Any] = []
        while not self._breaks():
            if self._data[self.at] >> 5 != major:
                raise self._fault("a string of mixed types")
            chunks.append(self.value())
        return b"".join(chunks) if major == 2 else "".join(chunks)

    def _breaks(self) -> bool:
        """At the end of an indefinite length: skip it."""
        if self.ended:
            raise self._fault("it ends within a value")
        found = self._data[self.at] == _BREAK
        self.at += found
        return found

    def _key(self) -> int | str:
        key = self.value(0)
        if not isinstance(key, int | str) or isinstance(key, bool):
            raise self._fault("a key that is neither integer nor text")
        return key

    def _unique(self, pairs: list[tuple[int | str, Any]]) -> dict[int | str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise self._fault("a map with the same key twice")
        return found

    def _fault(self, text: str) -> DecodeError:
        return DecodeError(f"not valid CBOR at byte {self.at}: {text}")
