"""The metrics of the streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import get_args

from klvrelay.health.stream import State, StreamHealth
from klvrelay.schema.link_terms import COUNTERS
from klvrelay.web.metrics.exposition import labels
from klvrelay.web.metrics.family import Family, MetricKind, Sample, Value

_Of = Callable[[StreamHealth], Value]

_FIGURES: tuple[tuple[str, MetricKind, str, _Of], ...] = (
    ("records_total", "counter", "KLV packets decoded", lambda h: h.records),
    ("bad_checksum_records_total", "counter", "Records with a bad checksum", lambda h: h.bad),
    ("damaged_records_total", "counter", "Records damaged in transport", lambda h: h.damaged),
    ("refused_records_total", "counter", "KLV packets on PIDs beyond the limit of streams per source",
     lambda h: h.refused),
    ("dropped_packets_total", "counter", "Packets dropped because the relay was too slow", lambda h: h.dropped),
    ("openings_total", "counter", "Number of times the source was opened", lambda h: h.openings),
    ("outages_total", "counter", "Number of times the stream stopped being live", lambda h: h.outages),
    ("outage_seconds_total", "counter", "Total length of the outages", lambda h: round(h.away_so_far, 3)),
    ("gaps_total", "counter", "Pauses that are long for the rate of the stream", lambda h: h.rhythm.gaps),
    ("record_rate_hertz", "gauge", "Records per second over the last five seconds",
     lambda h: h.rhythm.rate(h.clock())),
    ("last_record_age_seconds", "gauge", "Time since the last record; no value before the first",
     lambda h: round(h.clock() - h.last_record, 3) if h.records else None),
    ("state_age_seconds", "gauge", "Time since the last change of state",
     lambda h: round(h.clock() - h.since, 3)),
)  # fmt: skip
_CLOCKS = ("wall", "pts", "pcr")
_RENAMED = {"srt_rtt_ms": ("srt_round_trip_seconds", 1e3), "pcr_jitter_us": ("pcr_jitter_seconds", 1e6),
            "pcr_jitter_max_us": ("pcr_jitter_max_seconds", 1e6)}  # fmt: skip
"""Measures in base units: their names, and what to divide by."""


def families_of_streams(streams: Sequence[StreamHealth]) -> Iterator[Family]:
    """All metrics of the streams that are published."""
    known = [(health, labels(stream=health.name)) for health in streams if health.reported]
    yield _states(known)
    for name, kind, text, value in _FIGURES:
        yield Family(f"klvrelay_stream_{name}", kind, text, [Sample(label, value(health)) for health, label in known])
    yield from _transport(known)
    yield from _clocks([health for health, _ in known])


def _states(known: Sequence[tuple[StreamHealth, str]]) -> Family:
    samples = (
        Sample(labels(stream=health.name, state=state), health.state == state)
        for health, _ in known
        for state in get_args(State)
    )
    return Family("klvrelay_stream_state", "gauge", "1 for the state of the stream, 0 for the others", samples)


def _transport(known: Sequence[tuple[StreamHealth, str]]) -> Iterator[Family]:
    """The counters of the socket and of the transport lane, by their names in `link`."""
    for name, text in COUNTERS.items():
        if name == "dropped":
            continue
        in_link = name not in _LANE
        field = "size" if name == "bytes" else name
        values = [(getattr(h.link if in_link else h.link.lane, field), label) for h, label in known]
        if name in _RENAMED:
            new, unit = _RENAMED[name]
            samples = [Sample(label, None if value is None else value / unit) for value, label in values]
            yield Family(f"klvrelay_stream_{new}", "gauge", _in_seconds(text), samples)
        else:
            title = "received_bytes" if name == "bytes" else name
            samples = [Sample(label, value) for value, label in values]
            yield Family(f"klvrelay_stream_{title}_total", "counter", text, samples)


def _in_seconds(text: str) -> str:
    return text.replace(", ms", ", seconds").replace(", us", ", seconds").partition("; ")[0]


def _clocks(healths: Sequence[StreamHealth]) -> Iterator[Family]:
    """Values are computed one by one, as they are written: a drift is a regression."""
    known = [(each.clocks, clock, labels(stream=each.name, clock=clock)) for each in healths for clock in _CLOCKS]
    yield Family("klvrelay_stream_clock_offset_seconds", "gauge", "How far another clock is ahead of the KLV time",
                 (Sample(label, clocks.against[clock].offset_s) for clocks, clock, label in known))  # fmt: skip
    yield Family("klvrelay_stream_clock_drift_ratio", "gauge", "Drift of this offset, seconds per second",
                 (Sample(label, _ratio(clocks.against[clock].drift_ppm))
                  for clocks, clock, label in known))  # fmt: skip
    yield Family("klvrelay_stream_clock_steps_total", "counter", "Lasting steps of the KLV time",
                 (Sample(label, clocks.against[clock].jumps) for clocks, clock, label in known))  # fmt: skip


def _ratio(ppm: float | None) -> float | None:
    return None if ppm is None else ppm / 1e6


_LANE = frozenset(StreamHealth("", "").link.lane._fields)
