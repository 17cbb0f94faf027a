"""The file `alive` of the state directory: by it the next start knows when a run ended, and how.

    magic      8 bytes  "klvalive"
    2 slots, written in turn, so that a kill in the middle of a write leaves the other one:
      count    u64      number of this beat; the slot with the higher one counts
      us       u64      wall clock, microseconds since 1970 UTC
      boottime f64      CLOCK_BOOTTIME, seconds
      rate     f64      records per second of all streams
      how      u8       0: it runs, else how it ended (`_ENDS`)
      run      8 bytes  its id
      boot_id  36 bytes id of the start of the machine
      crc      u32      CRC-32 of the slot before it

All integers are little-endian. A thread writes it, since a disk may block; the loop only notes that it runs. If it does
not for HUNG seconds, the relay is as good as dead, and its last beat stays. The file is not synchronised: a kill loses
nothing of it, a power failure what the kernel has not written yet (usually 30 s).
"""

from __future__ import annotations

import contextlib
import os
import struct
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from klvrelay import threads
from klvrelay.incidents.moment import MachineClock, Moment

NAME = "alive"
EVERY = 0.05
"""Seconds between two beats."""
HUNG = 2.0
"""Seconds without a beat of the loop after which the relay counts as hung since that beat."""
RETRY = 5.0
"""Seconds until a file that could not be opened is opened again."""
RunEnd = Literal["stopped", "ended", "failed"]
_ENDS: tuple[RunEnd | None, ...] = (None, "stopped", "ended", "failed")
_MAGIC = b"klvalive"
_SLOT = struct.Struct("<QQddB8s36s")
_CRC = struct.Struct("<I")
_SLOT_SIZE = _SLOT.size + _CRC.size
SIZE = len(_MAGIC) + 2 * _SLOT_SIZE


@dataclass(frozen=True, slots=True)
class LastBeat:
    """The last sign of a run. `how`: how it ended; None: it was killed, or it still runs."""

    run: str
    at: Moment
    rate: float
    how: RunEnd | None


def read_alive(folder: Path) -> LastBeat | None:
    """The last beat of the run that used this folder before; None if there was none, or it cannot be read."""
    try:
        with (folder / NAME).open("rb") as file:
            data = file.read(SIZE)
    except OSError:
        return None
    if len(data) < SIZE or not data.startswith(_MAGIC):
        return None
    found = [slot for place in (0, 1) if (slot := _slot(data, len(_MAGIC) + place * _SLOT_SIZE)) is not None]
    return max(found, key=lambda each: each[0])[1] if found else None


def _slot(data: bytes, start: int) -> tuple[int, LastBeat] | None:
    slot = data[start : start + _SLOT.size]
    if _CRC.unpack_from(data, start + _SLOT.size)[0] != zlib.crc32(slot):
        return None
    count, us, boottime, rate, how, run, boot_id = _SLOT.unpack(slot)
    if not count or how >= len(_ENDS):
        return None
    at = Moment(us, boottime, _text(boot_id))
    return count, LastBeat(_text(run), at, rate, _ENDS[how])


def _text(field: bytes) -> str:
    return field.rstrip(b"\0").decode("ascii", "replace")


class Alive:
    """Keeps the file `alive` up to date. Nothing here blocks or raises: with a disk that fails it is out of date.

    rate         records per second of all streams
    is_written   the end of the run was written, as far as the disk works
    """

    def __init__(self, folder: Path, run: str, clock: MachineClock) -> None:
        self._path, self._run, self._clock = folder / NAME, run.encode(), clock
        self.rate = 0.0
        self._count = 0
        self._fd: int | None = None
        self._next_open = 0.0
        self._last_beat = 0.0
        self._end: RunEnd | None = None
        self._ending = threading.Event()
        self.is_written = threading.Event()
        self._is_started = False

    def beat(self) -> None:
        """The loop runs: call it every EVERY seconds on it."""
        self._last_beat = self._clock.monotonic()
        if not self._is_started:
            self._is_started = True
            threads.start(self._work, "klvrelay-alive")

    def close(self, how: RunEnd) -> None:
        """The run ends: write how, unless the disk hangs. `is_written` shows when it was."""
        self.beat()
        self._end = how
        self._ending.set()

    def _work(self) -> None:
        while not self._ending.is_set():
            if self._clock.monotonic() - self._last_beat < HUNG:
                self._write(0)
            self._ending.wait(EVERY)
        self._write(_ENDS.index(self._end))
        self._close_file()
        self.is_written.set()

    def _write(self, how: int) -> None:
        self._count += 1
        try:
            if self._fd is None:
                self._open()
            if self._fd is not None:
                os.pwrite(self._fd, self._slot(how), len(_MAGIC) + self._count % 2 * _SLOT_SIZE)
        except OSError:
            self._close_file()
            self._next_open = self._clock.monotonic() + RETRY

    def _slot(self, how: int) -> bytes:
        now = self._clock.now()
        boot_id = now.boot_id.encode("ascii", "replace")
        slot = _SLOT.pack(self._count, max(0, now.us), now.boottime, self.rate, how, self._run, boot_id)
        return slot + _CRC.pack(zlib.crc32(slot))

    def _open(self) -> None:
        if self._clock.monotonic() < self._next_open:
            return
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        if os.pread(self._fd, len(_MAGIC), 0) != _MAGIC or os.fstat(self._fd).st_size != SIZE:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, _MAGIC + bytes(SIZE - len(_MAGIC)), 0)

    def _close_file(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            with contextlib.suppress(OSError):
                os.close(fd)
