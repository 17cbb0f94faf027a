"""What the rules measure of the transport of a stream. The relay reads these counters every few seconds."""

from __future__ import annotations

from klvrelay.alerts.window import Counted, RecentAmounts
from klvrelay.link_stats import LinkStats

SPAN = 10.0
LOST_LEAST = 5
"""Least number of packets lost in SPAN: a single one of few is a large share."""


class LinkSample:
    """Errors of the last 10 s. `None`: not known yet.

    transport_rate  TR 101 290 priority 1 errors per second
    rtp_share       share of RTP packets lost; `srt_share`, of SRT packets dropped
    kernel_rate     datagrams per second dropped by the kernel
    scrambled_rate  scrambled TS packets with KLV per second
    too_large       KLV packets above the limit in the last minute
    is_at_rest      none of these is above 0
    """

    def __init__(self) -> None:
        self.transport_rate: float | None = None
        self.rtp_share: float | None = None
        self.srt_share: float | None = None
        self.kernel_rate: float | None = None
        self.scrambled_rate: float | None = None
        self.too_large = 0.0
        self.is_at_rest = True
        self._counted = Counted(SPAN)
        self._large, self._large_before = RecentAmounts(), 0
        self._latest: LinkStats | None = None

    def take(self, link: LinkStats, now: float) -> None:
        """Take the counters, if they were read again since."""
        if self.too_large:
            self.too_large = self._large.total(now)
            self._set_rest()
        if link is self._latest:
            return
        self._latest, lane, counted = link, link.lane, self._counted
        errors = (lane.sync_losses + lane.sync_byte_errors + lane.pat_errors + lane.continuity_errors
                  + lane.pmt_errors + lane.pid_errors)  # fmt: skip
        counted.add(now, errors, link.rtp_lost, link.srt_dropped, link.datagrams, link.kernel_drops, lane.klv_scrambled)
        self._take_large(lane.too_large, now)
        if not (seconds := counted.seconds):
            return
        datagrams = counted.increase(3)
        self.transport_rate = counted.increase(0) / seconds
        self.rtp_share = _share(counted.increase(1), datagrams)
        self.srt_share = _share(counted.increase(2), datagrams)
        self.kernel_rate = counted.increase(4) / seconds
        self.scrambled_rate = counted.increase(5) / seconds
        self._set_rest()

    def _set_rest(self) -> None:
        self.is_at_rest = not (self.too_large or self.transport_rate or self.rtp_share or self.srt_share
                               or self.kernel_rate or self.scrambled_rate)  # fmt: skip

    def _take_large(self, count: int, now: float) -> None:
        if count > self._large_before:
            self._large.count(count - self._large_before, now)
            self.too_large = self._large.total(now)
            self._set_rest()
        self._large_before = count


def _share(lost: int, received: int) -> float:
    return lost / (lost + received) if lost >= LOST_LEAST else 0.0
