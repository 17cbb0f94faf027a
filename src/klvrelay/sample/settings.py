"""Parameters of a sample recording, validated before anything is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import get_args

from klvrelay.errors import ConfigError
from klvrelay.multiplex.frame_stamp import Codec
from klvrelay.multiplex.mux import DELAY, PTS_WRAP
from klvrelay.multiplex.tables import KLV_PID, PMT_PID, VIDEO_PID, Carriage
from klvrelay.sample.faults import FAULTS, clock_us

START = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
FIRST_PTS = 90000 + DELAY
SLOWEST, FASTEST = 10, 60  # frames per second; each frame carries a PCR, and at least ten per second are required

Rate = int | float | Fraction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_USUAL = 640 * 360 * 30  # pixels per second for which 1 Mbit/s is sufficient


@dataclass(frozen=True, slots=True)
class Settings:
    """Parameters of a recording; see `klvrelay.sample.write`."""

    frames: int
    width: int
    height: int
    fps: Fraction
    klv_rate: Fraction
    codec: Codec
    carriage: Carriage
    bit_rate: int
    seed: int
    start_us: int
    first_pts: int
    klv_pid: int
    program: int
    fault: str = ""
    fault_at: float = 0.0

    def seconds(self, number: int) -> float:
        """Time of a frame in seconds since the start."""
        return float(number / self.fps)

    def time_us(self, number: int) -> int:
        """Time of a frame in microseconds since 1970, as the clock of the encoder shows it."""
        true_us = self._true_us(number)
        return true_us if not self.fault else clock_us(self.fault, true_us, self._true_us(self.first), self.start_us)

    def _true_us(self, number: int) -> int:
        return self.start_us + round(number * 1_000_000 / self.fps)

    @property
    def first(self) -> int:
        """Number of the first frame with the fault."""
        return math.ceil(Fraction(self.fault_at) * self.fps)

    def scene(self, number: int) -> int:
        """Number of the frame whose scene a frame shows: another one if the picture is frozen."""
        return min(number, self.first) if self.fault == "frozen" else number

    def pts(self, number: int) -> int:
        """PTS of a frame in 90 kHz ticks, not wrapped."""
        return self.first_pts + round(number * 90_000 / self.fps)

    def has_klv(self, number: int) -> bool:
        """Whether a frame is the first at or after the due time of a KLV packet."""
        share = self.klv_rate / self.fps
        return math.floor(number * share) > math.floor((number - 1) * share)


def check(*, seconds: float, size: tuple[int, int] | str, fps: Rate, klv_rate: Rate | None, codec: str,
          carriage: str, bit_rate: int | None, seed: int, start: datetime | int | str,
          first_pts: int, klv_pid: int = KLV_PID, program: int = 1, fault: str | None = None,
          fault_at: float | None = None) -> Settings:  # fmt: skip
    """Validated settings; raises ConfigError with the invalid parameter and its valid values."""
    width, height = _size(size)
    frame_rate = _rate("fps", fps, SLOWEST, FASTEST)
    pace = frame_rate if klv_rate is None else _rate("klv_rate", klv_rate, 0.1, frame_rate)
    if not (_is_number(seconds) and 0 < seconds <= 86400):
        raise ConfigError(f"seconds {seconds!r}: give more than 0, at most 86400")
    if bit_rate is None:
        bit_rate = max(100_000, round(1_000_000 * Fraction(width * height) * frame_rate / _USUAL))
    if not isinstance(bit_rate, int) or not 20_000 <= bit_rate <= 100_000_000:
        raise ConfigError(f"bit_rate {bit_rate!r}: give 20000 to 100000000 bits per second")
    if not isinstance(seed, int):
        raise ConfigError(f"seed {seed!r}: give a whole number")
    if not 0 <= first_pts < PTS_WRAP:
        raise ConfigError(f"first_pts {first_pts!r}: give 0 to {PTS_WRAP - 1} (90 kHz ticks)")
    if not 0x20 <= klv_pid <= 0x1FFE or klv_pid in (PMT_PID, VIDEO_PID):
        raise ConfigError(
            f"klv_pid {klv_pid:#x}: give 0x20 to 0x1ffe, except {VIDEO_PID:#x} (video) and {PMT_PID:#x} (PMT)"
        )
    if not 1 <= program <= 65535:
        raise ConfigError(f"program {program}: give 1 to 65535")
    frames = max(1, round(Fraction(seconds) * frame_rate))
    begins = _fault_at(fault, fault_at, seconds)
    return Settings(
        frames, width, height, frame_rate, pace, _codec(codec), _carriage(carriage),
        bit_rate, seed, _microseconds(start), first_pts, klv_pid, program, fault or "", begins,
    )  # fmt: skip


def _fault_at(fault: str | None, at: float | None, seconds: float) -> float:
    if fault is None and at is not None:
        raise ConfigError("fault_at: give the fault too, such as frozen")
    if fault is not None and fault not in FAULTS:
        raise ConfigError(f"fault {fault!r}: give one of {', '.join(FAULTS)}")
    if at is not None and not (_is_number(at) and 0 <= at < seconds):
        raise ConfigError(f"fault_at {at!r}: give a second of the recording, from 0 to below {seconds:g}")
    return seconds / 2 if at is None else float(at)


def fast_enough(klv_rate: Rate) -> Rate:
    """A frame rate that permits this KLV rate."""
    return klv_rate if _is_number(klv_rate) and klv_rate > SLOWEST else SLOWEST


def _size(size: tuple[int, int] | str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in (size.lower().split("x") if isinstance(size, str) else size))
    except (TypeError, ValueError) as fault:
        raise ConfigError(f"size {size!r}: give WIDTHxHEIGHT, such as 640x360") from fault
    if not (128 <= width <= 3840 and 72 <= height <= 2160 and width % 2 == 0 and height % 2 == 0):
        raise ConfigError(f"size {width}x{height}: give even numbers, from 128x72 to 3840x2160")
    return width, height


def _rate(name: str, rate: Rate, low: float, high: Rate) -> Fraction:
    """The rate as a fraction; 29.97 means 30000/1001."""
    if not _is_number(rate) or not low <= rate <= high:
        raise ConfigError(f"{name} {rate!r}: give {low:g} to {float(high):g} per second")
    exact = Fraction(rate).limit_denominator(1_000)
    ntsc = Fraction(round(rate) * 1000, 1001)
    return ntsc if exact.denominator != 1 and abs(ntsc - exact) < Fraction(1, 200) else exact


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Fraction) and math.isfinite(value)


def _codec(name: str) -> Codec:
    for codec in get_args(Codec):
        if codec == name:
            return codec  # type: ignore[no-any-return]
    raise ConfigError(f"codec {name!r}: give one of {', '.join(get_args(Codec))}")


def _carriage(name: str) -> Carriage:
    for carriage in get_args(Carriage):
        if carriage == name:
            return carriage  # type: ignore[no-any-return]
    raise ConfigError(f"carriage {name!r}: give one of {', '.join(get_args(Carriage))}")


def _microseconds(start: datetime | int | str) -> int:
    if isinstance(start, int) and 0 <= start < 1 << 62:
        return start
    try:
        when = datetime.fromisoformat(start) if isinstance(start, str) else start
        if not isinstance(when, datetime):
            raise ValueError("neither a time nor microseconds")
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        if when < _EPOCH:
            raise ValueError("before 1970")
    except ValueError as fault:
        raise ConfigError(f"start {start!r}: {fault}; give a time such as 2026-06-01T09:30:00Z") from fault
    return (when - _EPOCH) // timedelta(microseconds=1)
