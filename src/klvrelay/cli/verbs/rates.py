"""Parses bit rates: 5M, 2.5M, 300k."""

from __future__ import annotations

import re

from klvrelay.errors import ConfigError
from klvrelay.text import printable

_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9}


def bits_a_second(text: str, option: str = "rate") -> float:
    """`5M`, `300k` or `5000000` in bit/s (k and M are powers of 1000). Raises ConfigError, naming the option."""
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*([kmg]?)", text.lower(), re.ASCII)
    if found is None or not 1000 <= (rate := float(found[1]) * _UNITS[found[2]]) <= 1e11:
        raise ConfigError(f"{option} {printable(text)}: give a bit rate in bits per second, such as 5M or 300k".strip())
    return rate
