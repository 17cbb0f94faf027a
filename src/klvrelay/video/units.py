"""The NAL units of an access unit of H.264 or H.265 with start codes (Annex B).

H.264, 7.3.1    type: low 5 bits of the first byte       1-5 slices, 5 IDR, 7 SPS, 8 PPS
H.265, 7.3.1.2  type: bits 1 to 6 of the first byte      0-31 slices, 16-23 IRAP, 32 VPS, 33 SPS, 34 PPS
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

START = b"\0\0\1"
NalCodec = Literal["h264", "hevc"]
NAL_CODECS = ("h264", "hevc")

_SHIFT = {"h264": (0, 0x1F), "hevc": (1, 0x3F)}
_SLICES = {"h264": range(1, 6), "hevc": range(32)}
_KEY_SLICES = {"h264": range(5, 6), "hevc": range(16, 24)}
_PARAMETERS = {"h264": (7, 8), "hevc": (32, 33, 34)}
MOST_SETS = 64
"""Parameter sets kept; a stream has a few."""


class ParameterSets:
    """The newest parameter sets of a stream, by type and number of their order in an access unit."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._sets: dict[tuple[int, int], bytes] = {}

    def complete(self, data: bytes) -> tuple[bytes, bool] | None:
        """An access unit with parameter sets before a key frame that lacks them, and whether it is a key frame.

        None: it contains no slice, or it is a key frame whose parameter sets are not known: it cannot be decoded.
        """
        found: list[tuple[int, bytes]] = []
        for kind, begin, end in nal_units(data, self._codec):
            if kind in _SLICES[self._codec]:
                is_key = kind in _KEY_SLICES[self._codec]
                self._keep(found)
                return self._with_sets(data, {kind for kind, _ in found}) if is_key else (data, False)
            if kind in _PARAMETERS[self._codec]:
                found.append((kind, data[begin:end]))
        self._keep(found)
        return None

    def _keep(self, found: list[tuple[int, bytes]]) -> None:
        if not found:
            return
        for kind in {kind for kind, _ in found}:
            self._sets = {key: unit for key, unit in self._sets.items() if key[0] != kind}
        for number, (kind, unit) in enumerate(found[:MOST_SETS]):
            self._sets[kind, number] = unit

    def _with_sets(self, data: bytes, present: set[int]) -> tuple[bytes, bool] | None:
        kinds = _PARAMETERS[self._codec]
        if any(all(key[0] != kind for key in self._sets) for kind in kinds):
            return None
        missing = [unit for (kind, _), unit in sorted(self._sets.items()) if kind not in present]
        return b"".join(b"\0" + START + unit for unit in missing) + data, True


def nal_units(data: bytes, codec: str) -> Iterator[tuple[int, int, int]]:
    """(type, begin, end) of each unit, without start codes and the zeros before the next one."""
    shift, mask = _SHIFT[codec]
    begin = data.find(START) + len(START)
    while len(START) <= begin < len(data):
        following = data.find(START, begin)
        end = len(data) if following < 0 else following
        while end > begin and data[end - 1] == 0:
            end -= 1
        yield data[begin] >> shift & mask, begin, end
        if following < 0:
            return
        begin = following + len(START)
