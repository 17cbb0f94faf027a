"""The metrics of the sinks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from klvrelay.health.lead_time import COARSE, StreamLeadTime
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
    yield Family("klvrelay_sink_withheld_records_total", "counter", "Records withheld because of their marking",
                 [Sample(labels(sink=name, output=output), count)
                  for health, name in known for output, count in health.withheld().items()])  # fmt: skip
    yield from _budgets([(uplink, name) for health, name in known if (uplink := health.uplink()) is not None])
    yield _lead_times(known)
    yield Family("klvrelay_sink_unclear_lead_times_total", "counter",
                 "Records without a lead time, since their time of arrival is unclear",
                 [Sample(labels(sink=name), health.lead_times.unclear) for health, name in known])  # fmt: skip
    yield Family("klvrelay_sink_state_age_seconds", "gauge", "Time since the last change of state",
                 [Sample(labels(sink=name), round(health.clock() - health.since, 3))
                  for health, name in known])  # fmt: skip


def _budgets(known: Sequence[tuple[Mapping[str, Any], str]]) -> Iterator[Family]:
    """How sinks with a budget use it: see `uplink`."""
    yield Family("klvrelay_sink_budget_step", "gauge", "What the budget reduces, from 0 (nothing) to 5",
                 [Sample(labels(sink=name), uplink["step"]) for uplink, name in known])  # fmt: skip
    yield Family("klvrelay_sink_budget_sent_bytes_total", "counter", "Bytes sent, with all headers",
                 [Sample(labels(sink=name), uplink["bytes"]) for uplink, name in known])  # fmt: skip
    yield Family("klvrelay_sink_budget_left_out_messages_total", "counter", "Messages that the budget left out",
                 [Sample(labels(sink=name), uplink["left_out"]) for uplink, name in known])  # fmt: skip


def _lead_times(known: Sequence[tuple[SinkHealth, str]]) -> Family:
    """The histogram of each stream at each sink."""
    samples = (sample for health, name in known for stream, times in list(health.lead_times.streams.items())
               for sample in _lead_time(name, stream, times))  # fmt: skip
    return Family("klvrelay_lead_time_seconds", "histogram", "Time from the arrival of a record to its confirmation",
                  samples)  # fmt: skip


def _lead_time(sink: str, stream: str, times: StreamLeadTime) -> Iterator[Sample]:
    counts, seconds = times.cumulative()
    own = labels(sink=sink, stream=stream)
    for bound, count in zip(_BOUNDS, counts, strict=True):
        yield Sample(f'{own[:-1]},le="{bound}"}}', count, "_bucket")
    yield Sample(own, seconds, "_sum")
    yield Sample(own, counts[-1], "_count")


_BOUNDS = (*(f"{bound / 1e6:g}" for bound in COARSE), "+Inf")
