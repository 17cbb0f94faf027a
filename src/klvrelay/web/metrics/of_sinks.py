"""The metrics of the sinks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

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
    yield Family("klvrelay_sink_state_age_seconds", "gauge", "Time since the last change of state",
                 [Sample(labels(sink=name), health.clock() - health.since) for health, name in known])  # fmt: skip
