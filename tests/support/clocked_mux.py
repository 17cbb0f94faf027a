"""A multiplexer with a clock, for the transport checks: slots of stream time, each with a PCR and the packets due in
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from test_lane import ASYNC, KLV_PID, KLVA, PMT_PID, SYNC, Wire, klv_packet
from test_psi import pat, pmt

from klvrelay.core import Counters, Entry, Lane

VIDEO_PID, AUDIO_PID = 0x100, 0x110
STREAMS = ((0x1B, VIDEO_PID, b""), (0x0F, AUDIO_PID, b""), (ASYNC, KLV_PID, KLVA))
EPOCH = 1_700_000_000_000_000
SLOT = 20_000
"""Microseconds from one slot to the next."""

__all__ = ["ASYNC", "AUDIO_PID", "EPOCH", "KLVA", "KLV_PID", "SLOT", "STREAMS", "SYNC", "VIDEO_PID"]


@dataclass(frozen=True, slots=True)
class Slot:
    """The packets sent at one moment, by name: "pat", "pmt", "pcr", "video", "audio", "klv"."""

    us: int
    parts: dict[str, list[bytes]]

    @property
    def ts(self) -> list[bytes]:
        return [packet for part in self.parts.values() for packet in part]


Stream = tuple[int, int, bytes]
Leave = Callable[[int], Sequence[str]]
Due = tuple[str, int, Callable[[], list[bytes]]]


def nothing(_us: int) -> Sequence[str]:
    return ()


class Clocked(Wire):
    """One program: its tables and KLV every 100 ms, video and a PCR in each slot, audio in every second one."""

    def pcr(self, us: int, pid: int = VIDEO_PID, *, announced: bool = False) -> bytes:
        """A packet with only an adaptation field, with a PCR of so many microseconds."""
        ticks = us * 27 % ((1 << 33) * 300)
        base, more = divmod(ticks, 300)
        field = bytes([0x90 if announced else 0x10]) + (base << 15 | 0x7E00 | more).to_bytes(6)
        counter = self.counters.get(pid, 0)
        return bytes([0x47, pid >> 8, pid & 255, 0x20 | counter, 183]) + field.ljust(183, b"\xff")

    def slots(
        self, begin: int, end: int, *, streams: Sequence[Stream] = STREAMS, first_pcr: int = 0, leave: Leave = nothing
    ) -> list[Slot]:
        """From `begin` to `end`, in microseconds, without those that `leave` names at that time.

        streams those in the PMT: video, audio if there are three, and KLV as the last
        first_pcr the clock at 0
        """
        slots = []
        for us in range(begin, end, SLOT):
            parts, left = {}, leave(us)
            for name, every, make in self._schedule(us, streams, first_pcr):
                if us % every == 0 and name not in left:
                    parts[name] = make()
            slots.append(Slot(us, parts))
        return slots

    def _schedule(self, us: int, streams: Sequence[Stream], first_pcr: int) -> Iterator[Due]:
        video, *audio, klv = (pid for _, pid, _ in streams)
        yield "pat", 100_000, lambda: self.carry(0, b"\0" + pat((1, PMT_PID)))
        yield "pmt", 100_000, lambda: self.carry(PMT_PID, b"\0" + pmt(*streams))
        yield "pcr", SLOT, lambda: [self.pcr(us + first_pcr)]
        yield "video", SLOT, lambda: self.carry(video, b"v" * 700)
        for pid in audio:
            yield "audio", 2 * SLOT, partial(self.carry, pid, b"a" * 300)
        yield "klv", 100_000, lambda: self.pes(klv_packet(us // 100_000, 400), klv)


def fed(slots: Iterable[Slot], *, arrival: bool, lane: Lane | None = None) -> tuple[list[Entry], Lane]:
    """The lane after these slots, one piece each; with `arrival` it gets their arrival times, otherwise only the PCRs.
    """
    lane, entries = lane or Lane(ts=True), []
    for slot in slots:
        entries += lane.packets(b"".join(slot.ts), EPOCH + slot.us if arrival else None)
    return entries, lane


def between(begin: int, end: int, *names: str) -> Leave:
    """Omit these for a while."""
    return lambda us: names if begin <= us < end else ()


PLAIN = {
    "packets", "ts_packets", "passed_over", "duplicates", "pcr_jitter_us", "pcr_jitter_max_us", "pat_sections",
    "pmt_sections", "klv_packets", "klv_scrambled", "klv_transport_errors", "unlisted_packets", "private_packets",
    "fill", "fill_bytes",
}  # fmt: skip


def faults(counters: Counters | Lane) -> dict[str, Any]:
    """All detected errors, with their numbers."""
    found = counters.counters if isinstance(counters, Lane) else counters
    return {name: value for name, value in found._asdict().items() if name not in PLAIN and value}
