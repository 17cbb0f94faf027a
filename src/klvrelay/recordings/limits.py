"""Limits of a recorder: sizes and ages, parsed from the command line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from klvrelay.config.units import parse_size, parse_time, size_text
from klvrelay.errors import ConfigError
from klvrelay.text import printable

LEAST_SIZE = 4096

_NONE = "none"


@dataclass(frozen=True, slots=True)
class RecordingLimits:
    """When a segment is complete, and how much is kept.

    seconds, size        of one segment: it ends at the next program association table (PAT) after that
    keep_size, keep_age  bytes and seconds of all segments of a stream together; infinite for no limit
    """

    seconds: float = 60.0
    size: int = 64 << 20
    keep_size: float = 10 << 30
    keep_age: float = 7 * 86400.0

    def __post_init__(self) -> None:
        if self.keep_size < 2 * self.size:
            raise ConfigError(
                f"--keep-size: {size_text(self.keep_size)} is less than two segments of {size_text(self.size)}:"
                " keep more, or give a smaller --segment-size"
            )

    @classmethod
    def parse(
        cls, seconds: str | None, size: str | None, keep_size: str | None, keep_age: str | None
    ) -> RecordingLimits:
        """Parse the options; None stands for the default. Raises ConfigError that names the option."""
        options: dict[str, Any] = {}
        if seconds is not None:
            options["seconds"] = _seconds("--segment-seconds", seconds)
        if size is not None:
            options["size"] = _size("--segment-size", size)
        if keep_size is not None:
            options["keep_size"] = math.inf if keep_size == _NONE else _size("--keep-size", keep_size)
        if keep_age is not None:
            options["keep_age"] = math.inf if keep_age == _NONE else _age("--keep-age", keep_age)
        return cls(**options)


def _seconds(option: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.1 <= seconds <= 86400:
        raise ConfigError(f"{option} {printable(text)}: give seconds from 0.1 to 86400")
    return seconds


def _size(option: str, text: str) -> int:
    size = parse_size(text)
    if size is None or size < LEAST_SIZE:
        unlimited = f", or {_NONE}" if option == "--keep-size" else ""
        raise ConfigError(f"{option} {printable(text)}: give bytes, at least 4K, as in 64M or 10G{unlimited}")
    return size


def _age(option: str, text: str) -> float:
    age = parse_time(text)
    if age is None or age < 1:
        raise ConfigError(f"{option} {printable(text)}: give an age of at least 1s, as in 90m, 12h or 7d, or {_NONE}")
    return age
