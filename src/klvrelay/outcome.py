"""Outcome of deliveries: how many records were delivered, rejected, left out, thinned, withheld or shed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

Reason = Literal["memory", "size", "age", "too_large", "set_aside", "refused", "excluded", "damaged"]
"""Why a record is not published. The first three are limits of the log, at which the oldest records are shed."""


class Unpublished(NamedTuple):
    """A record of a batch that subscribers do not get: its place among the answered ones, and the reason of its gap."""

    place: int
    reason: Reason


class _Counts(NamedTuple):
    delivered: int = 0
    rejected: int = 0
    left_out: int = 0
    unwanted: int = 0
    gaps: int = 0
    thinned: int = 0
    withheld: int = 0


class Outcome(_Counts):
    """Number of records of a batch by outcome, and of its gaps.

    delivered  confirmed by the far end
    rejected   refused by the far end (MQTT reason code 0x80 and above), or their topic is suspended after a refusal, or
               perhaps lost with the session of an MQTT broker (QoS 2)
    left_out   never offered: too large for the far end
    unwanted   never offered: excluded by the settings
    gaps       gaps that were answered, in whatever way: they stand for records that other counts contain
    thinned    not published by any output: not its turn, or nothing changed
    withheld   not published because of its marking

    `unpublished` names the records for which subscribers need a gap, and `places` those that were delivered, by their
    places among the answered ones; None: all. `confirmed` is when each delivered record was, seconds of the monotonic
    clock; None: now. None of them is compared.
    """

    unpublished: Sequence[Unpublished] = ()
    places: Sequence[int] | None = None
    confirmed: Sequence[float] | None = None

    @property
    def answered(self) -> int:
        """Number of records and gaps that need no further delivery."""
        return sum(self)


class Sums(NamedTuple):
    """Record counts of a sink. Their sum without `numbered` is always `numbered`.

    numbered    appended to the log for this sink
    delivered   confirmed by the far end
    rejected    refused by the far end
    shed        discarded before sending, to make room for newer records
    left_out    never offered, or set aside: too large for the far end
    waiting     not yet sent, or unacknowledged; at QoS 2 until PUBCOMP, since before that a broker may not hand it on
    unwanted    never offered: excluded by the settings
    thinned     not published by any output: not its turn, or nothing changed
    withheld    not published because of its marking
    """

    numbered: int = 0
    delivered: int = 0
    rejected: int = 0
    shed: int = 0
    left_out: int = 0
    waiting: int = 0
    unwanted: int = 0
    thinned: int = 0
    withheld: int = 0

    @property
    def lost(self) -> int:
        """Number of records that the far end should have and, as far as is known, has not."""
        return self.rejected + self.shed + self.left_out + self.waiting

    def describe(self, sink: str) -> str:
        """`359 delivered to mqtt://broker:1883, 1 rejected, 0 shed, 0 waiting`. Some counts appear only above 0."""
        names = ("rejected", "left_out", "unwanted", "thinned", "withheld")
        some = "".join(f", {count} {name.replace('_', ' ')}" for name in names if (count := getattr(self, name)))
        return f"{self.delivered} delivered to {sink}{some}, {self.shed} shed, {self.waiting} waiting"
