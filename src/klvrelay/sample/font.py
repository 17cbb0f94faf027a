"""The dot font (5 x 7) of the overlay, and text set in it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

WIDTH, HEIGHT, ADVANCE = 5, 7, 6  # dots

# Seven rows of five dots, one byte per row; bit 4 is the left dot.
_DOTS = {
    " ": "00000000000000", "0": "0E11131519110E", "1": "040C040404040E", "2": "0E11010204081F",
    "3": "1F02040201110E", "4": "02060A121F0202", "5": "1F101E0101110E", "6": "0608101E11110E",
    "7": "1F010204080808", "8": "0E11110E11110E", "9": "0E11110F01020C", "A": "0E11111F111111",
    "B": "1E11111E11111E", "C": "0E11101010110E", "D": "1E11111111111E", "E": "1F10101E10101F",
    "F": "1F10101E101010", "G": "0E11101711110F", "H": "1111111F111111", "I": "0E04040404040E",
    "J": "0702020202120C", "K": "11121418141211", "L": "1010101010101F", "M": "111B1515111111",
    "N": "11111915131111", "O": "0E11111111110E", "P": "1E11111E101010", "Q": "0E11111115120D",
    "R": "1E11111E141211", "S": "0F10100E01011E", "T": "1F040404040404", "U": "1111111111110E",
    "V": "11111111110A04", "W": "1111111515150A", "X": "11110A040A1111", "Y": "1111110A040404",
    "Z": "1F01020408101F", ".": "00000000000C0C", ":": "000C0C000C0C00", "-": "0000001F000000",
    "+": "0004041F040400", "/": "00010204081000", "°": "06090906000000",
}  # fmt: skip


@lru_cache(maxsize=128)
def glyph(letter: str, scale: int) -> Mask:
    """The dots of a letter, `scale` pixels per dot; blank for an unknown letter."""
    rows = bytes.fromhex(_DOTS.get(letter, _DOTS[" "]))
    dots = np.array([[row >> (WIDTH - 1 - column) & 1 for column in range(WIDTH)] for row in rows], bool)
    return dots.repeat(scale, 0).repeat(scale, 1)


@lru_cache(maxsize=256)
def text(line: str, scale: int) -> tuple[Mask, Mask]:
    """Ink and outline of a line of text, both with a margin of `scale` pixels on each side."""
    ink = np.zeros(((HEIGHT + 2) * scale, (len(line) * ADVANCE + 1) * scale), bool)
    for number, letter in enumerate(line):
        left = (number * ADVANCE + 1) * scale
        ink[scale : (HEIGHT + 1) * scale, left : left + WIDTH * scale] = glyph(letter, scale)
    near = ink.copy()
    near[:, 1:] |= ink[:, :-1]
    near[:, :-1] |= ink[:, 1:]
    around = near.copy()
    around[1:] |= near[:-1]
    around[:-1] |= near[1:]
    return ink, around & ~ink
