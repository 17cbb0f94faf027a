"""What became of records at a far end: how many it took, refused, or was never offered."""

from __future__ import annotations

from typing import NamedTuple


class Outcome(NamedTuple):
    """What became of the records of a batch at the far end.

    delivered  it confirmed them
    rejected   it refused them (MQTT: reason code 0x80 and above), or their topic is suspended after such a refusal
    left_out   they were never offered: larger than it takes
    unwanted   they were never offered, since the settings do not want them
    """

    delivered: int = 0
    rejected: int = 0
    left_out: int = 0
    unwanted: int = 0

    @property
    def answered(self) -> int:
        """Records that are done with."""
        return self.delivered + self.rejected + self.left_out + self.unwanted


class Sums(NamedTuple):
    """numbered == delivered + rejected + shed + left_out + waiting + unwanted, always.

    numbered    records that were appended to the log for this sink
    delivered   the far end confirmed them
    rejected    the far end refused them
    shed        they gave way to newer ones before they were sent
    left_out    they were never offered, or set aside: the far end does not take them
    waiting     neither: not yet sent, or sent and not yet answered
    unwanted    they were never offered, since the settings do not want them
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
        """Those that the far end was to have, and has not, as far as is known."""
        return self.rejected + self.shed + self.left_out + self.waiting

    def told(self, sink: str) -> str:
        """`359 to mqtt://broker:1883, 1 rejected, 0 shed, 0 left`: the parts of `numbered`, by their name if rare."""
        rejected = f", {self.rejected} rejected" if self.rejected else ""
        left_out = f", {self.left_out} left out" if self.left_out else ""
        unwanted = f", {self.unwanted} not wanted" if self.unwanted else ""
        return f"{self.delivered} to {sink}{rejected}{left_out}{unwanted}, {self.shed} shed, {self.waiting} left"
