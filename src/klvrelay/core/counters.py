"""Counters of a decoder, and of its transport checks."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from klvrelay.json_output import added


class Counters(NamedTuple):  # not a dataclass, which loads a dozen modules at start-up
    """Counts since the decoder started. Transport checks have their numbers in ETSI TR 101 290.

    passed_over                bytes outside of packets
    too_large                  packets larger than `packet_limit`, which were skipped
    discontinuities            of the continuity counters of KLV PIDs
    sync_losses                1.1, and each wrong sync byte; `sync_byte_errors` (1.2): those that cost one packet only
    pat_errors, pmt_errors     1.3, 1.5: none for 0.5 s, scrambled, or another table on PID 0
    continuity_errors          1.4, of all PIDs
    pid_errors                 1.6: a PID that a PMT lists was not seen for `Lane`'s `absent_us`
    transport_errors           2.1: packets with the transport_error_indicator set
    crc_errors                 2.2, of PAT and PMT
    pcr_repetition_errors      2.3: more than 100 ms between two PCRs of a program
    pcr_discontinuity_errors   2.3: the PCR jumped without a discontinuity_indicator
    scrambled                  packets; `duplicates`: packets sent twice, which is permitted
    pat_sections, pmt_sections received with a valid CRC, including repetitions
    klv_packets                TS packets on PIDs treated as KLV; of those `klv_scrambled`,
                               `klv_transport_errors`, and `unlisted_packets` on PIDs that no table lists
    private_packets            TS packets of listed private streams without KLV
    fill, fill_bytes           skipped KLV Fill items (SMPTE ST 336), and their bytes
    pcr_jitter_us              deviation of the PCRs from their arrival, smoothed (of the worst program)
    pcr_jitter_max_us          its maximum; 0 if arrival times are unknown
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
        """The sum of two: counts are added (see `added`), of measures the maximum is kept."""
        figures = zip(_TOGETHER, self, other, strict=True)
        return Counters(*(together(one, two) for together, one, two in figures))


MEASURES = frozenset(("pcr_jitter_us", "pcr_jitter_max_us"))
"""Fields that are measures, not counts: they may decrease."""
_TOGETHER: list[Callable[[int, int], int]] = [max if name in MEASURES else added for name in Counters._fields]
_figures: Callable[[Any], tuple[int, ...]] = operator.attrgetter(*Counters._fields)
