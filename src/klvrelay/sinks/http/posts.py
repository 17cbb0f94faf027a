"""Which publications share a POST: those of one topic and run, in order, up to a number and a size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from klvrelay.gap import Gap
from klvrelay.shape.encoding.content_types import CONTENT_TYPES, JSON_LINES
from klvrelay.sinks.publishing.publication import Publication

JSON = CONTENT_TYPES["json"]


class Post(NamedTuple):
    """The publications of one POST.

    places  of the publications among all that are sent
    """

    places: Sequence[int]
    publications: Sequence[Publication]

    @property
    def halves(self) -> tuple[Post, Post]:
        """The same as two, in order."""
        half = len(self.places) // 2
        return Post(self.places[:half], self.publications[:half]), Post(self.places[half:], self.publications[half:])

    @property
    def body(self) -> bytes:
        """JSON as lines; of other formats, one document after another."""
        data = [one.data for one in self.publications]
        return b"\n".join((*data, b"")) if self.publications[0].content_type == JSON else b"".join(data)

    @property
    def fields(self) -> Mapping[str, str]:
        """The fields of the header that say what it is."""
        first, last = self.publications[0], self.publications[-1]
        stream, output = first.topic.split("/")[-2:]
        end = last.item.last if isinstance(last.item, Gap) else last.item.seq
        boot = first.item.boot or ""
        return {
            "Content-Type": JSON_LINES if first.content_type == JSON else first.content_type,
            "Idempotency-Key": f'"{boot}-{first.item.seq}-{end}-{self._digest}"',
            "Klvrelay-Stream": stream,
            "Klvrelay-Output": output,
            "Klvrelay-Boot": boot,
            "Klvrelay-First": str(first.item.seq),
            "Klvrelay-Last": str(end),
            "Klvrelay-Records": str(len(self.publications)),
        }

    @property
    def _digest(self) -> str:
        """Differs for another topic, and for other records between the same two."""
        text = "\n".join((self.publications[0].topic, *(one.identity for one in self.publications)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def posts_of(publications: Sequence[Publication], most: int, size_most: int) -> Iterator[Post]:
    """The POSTs, of at most so many publications and bytes each; one that is larger is alone."""
    waiting: dict[tuple[str, str, str | None], list[int]] = {}
    sizes: dict[tuple[str, str, str | None], int] = {}
    for place, one in enumerate(publications):
        key = one.topic, one.content_type, one.item.boot
        places, size = waiting.setdefault(key, []), len(one.data) + 1
        if places and (len(places) >= most or sizes[key] + size > size_most):
            yield _post(places, publications)
            places = waiting[key] = []
            sizes[key] = 0
        places.append(place)
        sizes[key] = sizes.get(key, 0) + size
    for places in waiting.values():
        yield _post(places, publications)


def _post(places: Sequence[int], publications: Sequence[Publication]) -> Post:
    return Post(places, [publications[place] for place in places])
