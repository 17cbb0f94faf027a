"""Transport statistics of a source: counts and measures."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from klvrelay.core import Counters
from klvrelay.json_output import added


@dataclass(slots=True)
class LinkStats:
    """Transport statistics of one source. Fields that do not apply to it are 0 (None for measures).

    size             bytes received
    datagrams        UDP and RTP datagrams, SRT messages; of those `strangers` came from a sender other than the
                     configured one
    kernel_drops     datagrams dropped by the kernel because the socket buffer was full
    udp_duplicates   discarded duplicates of datagrams without RTP
    rtp_lost         missing sequence numbers; `rtp_reordered`: packets out of order but in time; `rtp_duplicates`:
                     packets that came twice; `rtp_restarts`: restarts of the sender; `rtp_foreign`: packets of another
                     SSRC or payload type
    srt_lost         packets lost in transit; `srt_retransmitted` were sent again, `srt_dropped` were too late
    srt_rtt_ms       round-trip time, latest measurement
    hls_segments     playlist segments read completely; `hls_lost` were missing or incomplete
    lane             counters of the transport lane, if the source has one
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
        """The sum of two: counts are added (see `added`), of measures the later one is kept."""
        names = (member.name for member in fields(LinkStats))
        return LinkStats(**{name: _together(getattr(self, name), getattr(later, name)) for name in names})


def _together(before: Any, later: Any) -> Any:
    if isinstance(later, Counters):
        return before + later
    if isinstance(later, int):
        return added(before, later)
    return before if later is None else later


def figures_of(kind: Any) -> tuple[str, ...]:
    """The field names of LinkStats, or of its Counters."""
    return kind._fields if hasattr(kind, "_fields") else tuple(f.name for f in fields(kind))
