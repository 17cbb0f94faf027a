"""The publications of a batch: what the outputs publish of each record and gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from klvrelay.config.names import safe_level
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.gap import Gap, Item
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.shape.encoding.content_types import CONTENT_TYPES
from klvrelay.shape.encoding.formats import TEXT, message_of
from klvrelay.shape.payload import Payload
from klvrelay.shape.shaped_output import Decision, Due
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.publishing.ages import Ages, json_with_age
from klvrelay.sinks.publishing.leaf import leaf_of
from klvrelay.sinks.publishing.output_topics import OutputTopics
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import GAP, THINNED, UNCHOSEN, UNWANTED, WITHHELD, best_of, counted

JSON = CONTENT_TYPES["json"]
NOT_DUE = {Decision.UNWANTED: UNCHOSEN, Decision.THINNED: THINNED, Decision.WITHHELD: WITHHELD, Decision.DUE: THINNED}
"""The result of a record without publications."""


class Publications:
    """Makes the publications of one sink, over all its connections."""

    def __init__(self, shaper: Shaper, settings: FarEndSettings) -> None:
        self.shaper, self._settings = shaper, settings
        self._ages = Ages()
        self._topics = OutputTopics(settings.prefix)

    def of_batch(self, batch: Sequence[Item], now: float, *, replayed: bool) -> PublishedBatch:
        """The publications of a batch. `replayed`: it is from the backlog of an outage, beside live records."""
        made = PublishedBatch()
        for item in batch:
            if isinstance(item, Gap):
                made.add(GAP, [self._document(item, "gap")])
            elif (leaf := leaf_of(item, self._settings.publish_bad)) == "telemetry":
                due, decision = self.shaper.offer(item, now, replayed=replayed)
                made.add(NOT_DUE[decision], self.of_due(due, now))
            else:
                made.add(*self._of_rejected(item, leaf))
        return made

    def _of_rejected(self, record: Record, leaf: str | None) -> tuple[int, list[Publication]]:
        """A damaged record as it is, if an output may publish its stream exactly as it is."""
        if leaf is None:
            return UNWANTED, []
        decision = self.shaper.decide_rejected(record)
        return NOT_DUE[decision], [self._document(record, leaf)] if decision is Decision.DUE else []

    def _document(self, item: Item, leaf: str) -> Publication:
        topic = f"{self._settings.prefix}/{safe_level(item.stream)}/{leaf}"
        return Publication(topic, item.json(numbers=self._settings.numbers), JSON, item)

    def of_due(self, due: Iterable[Due], now: float) -> list[Publication]:
        """The publications of records that are due now."""
        return [self._of_payload(payload) for each in due for payload in each.payloads(now)]

    def _of_payload(self, payload: Payload) -> Publication:
        output, record = payload.output, payload.record
        data, content_type, age = payload.data, TEXT, ""
        if output.content != "items":
            data, content_type = message_of([data], [record.seq], output.format)
        if payload.replayed:
            age = self._ages.of(record)
            data = json_with_age(data, age) if content_type == JSON else data
        return Publication(
            self._topics.of(payload), data, content_type, record, output.name, output.retain, age, payload.item
        )


class PublishedBatch:
    """The publications of a batch in order, and which of them belong to which record or gap."""

    def __init__(self) -> None:
        self.publications: list[Publication] = []
        self._ends: list[int] = []
        self._known: list[int] = []

    def add(self, known: int, publications: Sequence[Publication]) -> None:
        """The next record or gap. `known`: its result without publications, or GAP."""
        self.publications += publications
        self._ends.append(len(self.publications))
        self._known.append(known)

    def outcome(self, results: Sequence[int]) -> Outcome:
        """The outcome of the leading items whose publications are all answered."""
        return counted(self._results(results))

    def _results(self, results: Sequence[int]) -> Iterator[int]:
        start = 0
        for known, end in zip(self._known, self._ends, strict=True):
            if end > len(results):
                return
            yield known if known == GAP or start == end else best_of(results[start:end])
            start = end
