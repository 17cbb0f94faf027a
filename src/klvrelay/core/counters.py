"""What went through a decoder, as numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from klvrelay.json_output import added

if TYPE_CHECKING:
    pass


class Counters(NamedTuple):  # a dataclass would load a dozen modules when a command starts
    """What went through a decoder so far; the checks of the transport with their numbers in ETSI TR 101 290.

    passed_over                bytes that are in no packet
    too_large                  keys whose packet would be larger than `packet_limit`, and were passed over
    discontinuities            of the continuity counters of KLV PIDs
    sync_losses                1.1, and each wrong sync byte; `sync_byte_errors` (1.2): those that cost one packet only
    pat_errors, pmt_errors     1.3, 1.5: none for 0.5 s, scrambled, or another table on PID 0
    continuity_errors          1.4, of all PIDs
    pid_errors                 1.6: a PID that a PMT lists was not seen for `Lane`'s `absent_us`
    transport_errors           2.1: packets that a receiver marked as damaged
    crc_errors                 2.2, of PAT and PMT
    pcr_repetition_errors      2.3: more than 100 ms between two PCRs of a programme
    pcr_discontinuity_errors   2.3: its clock jumped, and nothing announced it
    scrambled                  packets; `duplicates` are packets that came twice, as they may
    pat_sections, pmt_sections taken with a good CRC, each repetition too
    klv_packets                TS packets on the PIDs that are followed as KLV; of those `klv_scrambled`,
                               `klv_transport_errors`, and `unlisted_packets` on PIDs that no table lists
    private_packets            TS packets of listed private streams in which no KLV was seen
    fill, fill_bytes           KLV Fill items that were skipped (SMPTE ST 336), and their bytes
    pcr_jitter_us              deviation of the PCRs from their arrival, smoothed (of the worst clock), and its
    pcr_jitter_max_us          maximum; 0 where no arrival is known
    """

    packets: int = 0
    bad_checksum: int = 0
    damaged: int = 0
    unknown_items: int = 0
    passed_over: int = 0
    too_large: int = 0
    ts_packets: int = 0
    discontinuities: int = 0
    sync_losses: int = 0
    sync_byte_errors: int = 0
    pat_errors: int = 0
    continuity_errors: int = 0
    pmt_errors: int = 0
    pid_errors: int = 0
    transport_errors: int = 0
    crc_errors: int = 0
    pcr_repetition_errors: int = 0
    pcr_discontinuity_errors: int = 0
    scrambled: int = 0
    duplicates: int = 0
    pat_sections: int = 0
    pmt_sections: int = 0
    klv_packets: int = 0
    klv_scrambled: int = 0
    klv_transport_errors: int = 0
    unlisted_packets: int = 0
    private_packets: int = 0
    fill: int = 0
    fill_bytes: int = 0
    pcr_jitter_us: int = 0
    pcr_jitter_max_us: int = 0

    def __add__(self, other: Counters) -> Counters:  # type: ignore[override]  # counts, not a sequence
        """Both together: counts are added (see `added`), of a measure the larger one stands."""
        figures = zip(_TOGETHER, self, other, strict=True)
        return Counters(*(together(one, two) for together, one, two in figures))


MEASURES = frozenset(("pcr_jitter_us", "pcr_jitter_max_us"))
"""Figures among the counters that are no counts: they may also become less."""
_TOGETHER: list[Callable[[int, int], int]] = [max if name in MEASURES else added for name in Counters._fields]
_figures: Callable[[Any], tuple[int, ...]] = operator.attrgetter(*Counters._fields)
