"""An age for people: 12 s, 5 min, 3 h, 2 d."""

from __future__ import annotations


def age(seconds: float) -> str:
    """The largest unit of which there are at least two. A negative age, of a clock that was set back, is 0 s."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
