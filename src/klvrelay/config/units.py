"""Sizes, times and bit rates with units, as in settings and options: 64M, 10GiB, 50ms, 7d, 64kbit/s."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([KMGT]?)(?:i?B)?", re.IGNORECASE | re.ASCII)
_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)", re.ASCII)
_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([kMG]?)bit/s", re.ASCII)
_BITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_BYTES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_size(text: str) -> int | None:
    """Bytes, with powers of 1024 for K, M, G and T; None if it is not a size."""
    found = _SIZE.fullmatch(text)
    return int(float(found[1]) * _BYTES[found[2].upper()]) if found else None


def parse_time(text: str) -> float | None:
    """Seconds; None if it is not a time with a unit."""
    found = _TIME.fullmatch(text)
    return float(found[1]) * _SECONDS[found[2]] if found else None


def parse_rate(text: str) -> float | None:
    """Bits per second, with powers of 1000 for k, M and G; None if it is not a bit rate."""
    found = _RATE.fullmatch(text)
    return float(found[1]) * _BITS[found[2]] if found else None


def size_text(size: float) -> str:
    """A number of bytes, formatted for people."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        scale = _BYTES[unit[0]]
        if size >= scale:
            return f"{size / scale:.3g} {unit}" if size < 1000 * scale else f"{size / scale:,.0f} {unit}"
    return f"{size:,.0f} bytes"


def size_setting(size: int) -> str:
    """A number of bytes as settings have it."""
    unit = next((unit for unit in "TGMK" if size and size % _BYTES[unit] == 0), "")
    return f"{size // _BYTES[unit]}{unit}"


def time_setting(seconds: float) -> str:
    """Seconds as settings have it."""
    fits = (unit for unit in ("d", "h", "m", "s") if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0)
    unit = next(fits, "s" if seconds >= 10 else "ms")
    return f"{seconds / _SECONDS[unit]:.12g}{unit}"


def rate_setting(rate: float) -> str:
    """Bits per second as settings have them: `9.6kbit/s`."""
    unit = next((unit for unit in "GMk" if rate >= _BITS[unit]), "")
    return f"{rate / _BITS[unit]:.12g}{unit}bit/s"


_DISTANCE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(m|km)", re.ASCII)


def parse_distance(text: str) -> float | None:
    """Metres; None if it is not a distance with a unit."""
    found = _DISTANCE.fullmatch(text)
    return float(found[1]) * (1000 if found[2] == "km" else 1) if found else None


def distance_text(metres: float) -> str:
    """Metres as settings have them."""
    return f"{metres / 1000:.12g}km" if metres >= 1000 and metres % 1000 == 0 else f"{metres:.12g}m"
