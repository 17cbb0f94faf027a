"""What a source knows of its line: counts and measures, for the health of its stream."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from klvrelay.core import Counters
from klvrelay.json_output import added


@dataclass(slots=True)
class LinkStats:
    """What is known of a source's line so far; what its kind can't know stays 0 (None for a measure).

    size             bytes of transport
    datagrams        of UDP and RTP, and messages of SRT; `strangers` of them came from another sender than the one that
                     is fixed
    kernel_drops     datagrams that the kernel dropped, since the socket's buffer was full
    udp_duplicates   datagrams without RTP that came twice, the copy left out
    rtp_lost         sequence numbers that never came; `rtp_reordered` came late but in time, `rtp_duplicates` twice;
                     `rtp_restarts` are senders that restarted; `rtp_foreign` packets of another SSRC or payload type
    srt_lost         packets lost on the line, `srt_retransmitted` sent again, `srt_dropped` given up as too late
    srt_rtt_ms       the round trip as last measured
    hls_segments     segments of a playlist that were read whole; `hls_lost` never came, or not whole
    lane             of the transport lane, where the source has its own
    """

    size: int = 0
    datagrams: int = 0
    strangers: int = 0
    kernel_drops: int = 0
    udp_duplicates: int = 0
    rtp_lost: int = 0
    rtp_reordered: int = 0
    rtp_duplicates: int = 0
    rtp_restarts: int = 0
    rtp_foreign: int = 0
    srt_lost: int = 0
    srt_retransmitted: int = 0
    srt_dropped: int = 0
    srt_rtt_ms: float | None = None
    hls_segments: int = 0
    hls_lost: int = 0
    lane: Counters = field(default_factory=Counters)

    def __add__(self, later: LinkStats) -> LinkStats:
        """Both together: counts are added (see `added`), of a measure the later one stands."""
        return LinkStats(**{f.name: _together(getattr(self, f.name), getattr(later, f.name)) for f in fields(LinkStats)})


def _together(before: Any, later: Any) -> Any:
    if isinstance(later, Counters):
        return before + later
    if isinstance(later, int):
        return added(before, later)
    return before if later is None else later


def figures_of(kind: Any) -> tuple[str, ...]:
    """The names of what is in a Link, or in its Counters."""
    return kind._fields if hasattr(kind, "_fields") else tuple(f.name for f in fields(kind))
