"""The metrics of the sinks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from klvrelay.health.lead_time import COARSE
from klvrelay.health.sink import SinkHealth, SinkState
from klvrelay.web.metrics.exposition import labels
from klvrelay.web.metrics.family import Family, Sample


def families_of_sinks(sinks: Sequence[SinkHealth]) -> Iterator[Family]:
    """All metrics of the sinks."""
    known = [(health, health.key or health.name) for health in sinks]
    yield Family(
        "klvrelay_sink_state", "gauge", "1 for the state of the sink, 0 for the others",
        [Sample(labels(sink=name, state=state), health.state == state)
         for health, name in known for state in get_args(SinkState)],
    )  # fmt: skip
    yield Family(
        "klvrelay_sink_records_total", "counter", "Records by what became of them",
        [Sample(labels(sink=name, outcome=outcome), count)
         for health, name in known for outcome, count in health.sums._asdict().items()
         if outcome not in ("numbered", "waiting")],
    )  # fmt: skip
    yield Family("klvrelay_sink_numbered_records_total", "counter", "Records appended for the sink",
                 [Sample(labels(sink=name), health.sums.numbered) for health, name in known])  # fmt: skip
    yield Family("klvrelay_sink_waiting_records", "gauge", "Records not yet sent, or unacknowledged",
                 [Sample(labels(sink=name), health.sums.waiting) for health, name in known])  # fmt: skip
    yield Family("klvrelay_sink_outages_total", "counter", "Number of times the sink stopped being up",
                 [Sample(labels(sink=name), health.outages) for health, name in known])  # fmt: skip
    yield Family("klvrelay_sink_suspended_topics", "gauge", "Topics that the far end refuses",
                 [Sample(labels(sink=name), len(health.suspended())) for health, name in known])  # fmt: skip
    yield _lead_times(known)
    yield Family("klvrelay_sink_unclear_lead_times_total", "counter",
                 "Records without a lead time, since their time of arrival is unclear",
                 [Sample(labels(sink=name), health.lead_times.unclear) for health, name in known])  # fmt: skip
    yield Family("klvrelay_sink_state_age_seconds", "gauge", "Time since the last change of state",
                 [Sample(labels(sink=name), health.clock() - health.since) for health, name in known])  # fmt: skip


def _lead_times(known: Sequence[tuple[SinkHealth, str]]) -> Family:
    """The histogram of each stream at each sink."""
    samples: list[Sample] = []
    for health, name in known:
        for stream, times in health.lead_times.streams.items():
            counts, seconds = times.cumulative()
            samples += (
                Sample(labels(sink=name, stream=stream, le=bound), count, "_bucket")
                for bound, count in zip(_BOUNDS, counts, strict=True)
            )
            own = labels(sink=name, stream=stream)
            samples += Sample(own, seconds, "_sum"), Sample(own, counts[-1], "_count")
    return Family("klvrelay_lead_time_seconds", "histogram", "Time from the arrival of a record to its confirmation",
                  samples)  # fmt: skip


_BOUNDS = (*(f"{bound / 1e6:g}" for bound in COARSE), "+Inf")
