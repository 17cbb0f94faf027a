"""Recordings of `klvrelay sample --fault`, followed by a right one: an encoder that fails, and is repaired."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from klvrelay import sample

AT, FAULTY, RIGHT = 10, 40, 90
"""Seconds before the fault, with it, and of the right recording after it: a minute, in which what was found counts, and
more."""
RULE_OF = {
    "frozen": "frozen", "frozen-time": "frozen", "jump": "position_step", "corners": "corners",
    "corner-order": "corners", "frame-centre": "frame_centre", "below-ground": "below_ground",
    "position-zero": "position_zero", "future": "time", "past": "time",
}  # fmt: skip
"""The rule that each fault raises."""
EVENTS = {name: [("raised", rule), ("cleared", rule)] for name, rule in RULE_OF.items()}
_START = "2025-06-01T09:30:00Z"


def packets_of(rate: int = 4) -> dict[str, list[bytes]]:
    """The KLV packets of a flight for each fault, and of `clean` without one; `rate`: packets per second."""
    return {name: flight_of(name, rate) for name in (*RULE_OF, "clean")}


def flight_of(name: str, rate: int) -> list[bytes]:
    """Those of one fault, or of `clean`."""
    begin = _packets(rate, fault=name, fault_at=AT) if name in RULE_OF else _packets(rate)
    return [*begin, *_right(rate)]


@cache
def _right(rate: int) -> list[bytes]:
    return list(sample.packets(seconds=RIGHT, klv_rate=rate, start=_START))


def _packets(rate: int, **fault: Any) -> list[bytes]:
    return list(sample.packets(seconds=AT + FAULTY, klv_rate=rate, start=_START, **fault))


def record_flights(folder: Path, rate: int = 4) -> dict[str, Path]:
    """The same as recordings with video."""
    right = folder / "right.ts"
    _write(right, RIGHT, rate)
    found = {}
    for name in (*RULE_OF, "clean"):
        path = found[name] = folder / f"{name}.ts"
        _write(path, AT + FAULTY, rate, **({"fault": name, "fault_at": AT} if name in RULE_OF else {}))
        with path.open("ab") as file:
            file.write(right.read_bytes())
    return found


def _write(path: Path, seconds: float, rate: int, **fault: Any) -> None:
    sample.write(path, seconds=seconds, size=(128, 72), fps=10, klv_rate=rate, start=_START, **fault)
