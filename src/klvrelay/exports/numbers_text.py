"""Degrees and metres as text, without exponents and superfluous zeros."""

from __future__ import annotations


def degrees(value: float) -> str:
    """Degrees with 8 decimals, as in a record's JSON: 1 mm on the ground."""
    return _trimmed(f"{value:.8f}")


def metres(value: float | None) -> str:
    """Metres with 3 decimals; empty for None."""
    return "" if value is None else _trimmed(f"{value:.3f}")


def _trimmed(text: str) -> str:
    text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
