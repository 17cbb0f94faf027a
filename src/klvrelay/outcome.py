"""Outcome of deliveries: how many records were delivered, rejected, left out or shed."""

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


class Outcome(_Counts):
    """Number of records of a batch by outcome, and of its gaps.

    delivered  confirmed by the far end
    rejected   refused by the far end (MQTT reason code 0x80 and above), or their topic is suspended after a refusal, or
               perhaps lost with the session of an MQTT broker (QoS 2)
    left_out   never offered: too large for the far end
    unwanted   never offered: excluded by the settings
    gaps       gaps that were answered, in whatever way: they stand for records that other counts contain

    `unpublished` names the records for which subscribers need a gap; it is not compared.
    """

    unpublished: Sequence[Unpublished] = ()

    @property
    def answered(self) -> int:
        """Number of records and gaps that need no further delivery."""
        return sum(self)


class Sums(NamedTuple):
    """Record counts of a sink. Always numbered == delivered + rejected + shed + left_out + waiting + unwanted.

    numbered    appended to the log for this sink
    delivered   confirmed by the far end
    rejected    refused by the far end
    shed        discarded before sending, to make room for newer records
    left_out    never offered, or set aside: too large for the far end
    waiting     not yet sent, or unacknowledged; at QoS 2 until PUBCOMP, since before that a broker may not hand it on
    unwanted    never offered: excluded by the settings
    """

    numbered: int = 0
    delivered: int = 0
    rejected: int = 0
    shed: int = 0
    left_out: int = 0
    waiting: int = 0
    unwanted: int = 0

    @property
    def lost(self) -> int:
        """Number of records that the far end should have and, as far as is known, has not."""
        return self.rejected + self.shed + self.left_out + self.waiting

    def describe(self, sink: str) -> str:
        """`359 delivered to mqtt://broker:1883, 1 rejected, 0 shed, 0 waiting`. Some counts appear only above 0."""
        rejected = f", {self.rejected} rejected" if self.rejected else ""
        left_out = f", {self.left_out} left out" if self.left_out else ""
        unwanted = f", {self.unwanted} unwanted" if self.unwanted else ""
        return (
            f"{self.delivered} delivered to {sink}{rejected}{left_out}{unwanted}, {self.shed} shed,"
            f" {self.waiting} waiting"
        )
