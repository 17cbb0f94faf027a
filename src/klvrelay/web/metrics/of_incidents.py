"""The metrics of the ledger of incidents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from klvrelay.health.causes import CAUSES
from klvrelay.health.changes import Subject
from klvrelay.incidents.ledger_service import IncidentCounts
from klvrelay.web.metrics.exposition import labels
from klvrelay.web.metrics.family import Family, Sample

_KEYS = [(subject, cause) for subject in get_args(Subject) for cause in CAUSES]
"""Also those without incidents: the first one must be an increase."""


def families_of_incidents(counts: IncidentCounts) -> Iterator[Family]:
    """All metrics of incidents."""
    known = [(key, labels(subject=key[0], cause=key[1])) for key in _KEYS]
    yield Family("klvrelay_open_incidents", "gauge", "Open incidents",
                 [Sample(label, counts.open.get(key, 0)) for key, label in known])  # fmt: skip
    yield Family("klvrelay_closed_incidents_total", "counter", "Closed incidents, those of earlier runs included",
                 [Sample(label, counts.closed.get(key, 0)) for key, label in known])  # fmt: skip
    yield Family("klvrelay_incident_seconds_total", "counter", "Total length of the closed incidents",
                 [Sample(label, float(counts.seconds.get(key, 0))) for key, label in known])  # fmt: skip
    yield Family("klvrelay_mttr_seconds", "gauge", "Mean length of the closed incidents",
                 [Sample(labels(subject=one), counts.mttr(one)) for one in get_args(Subject)])  # fmt: skip
    yield Family("klvrelay_unwritten_incidents", "gauge", "Incidents in memory that are not in the ledger yet",
                 [Sample("", counts.waiting)])  # fmt: skip
    yield Family("klvrelay_ledger_failing", "gauge", "1 if the ledger cannot be written",
                 [Sample("", counts.fault is not None)])  # fmt: skip
