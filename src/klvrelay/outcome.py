"""What became of records at a far end: how many it took, refused, or was never offered."""

from __future__ import annotations

from typing import NamedTuple


class Outcome(NamedTuple):
    """What became of the records of a batch at the far end.

    delivered  it confirmed them
    rejected   it refused them (MQTT: reason code 0x80 and above), or their topic is suspended after such a refusal
    left_out   they were never offered: larger than it takes, or not wanted by the settings
    """

    delivered: int = 0
    rejected: int = 0
    left_out: int = 0

    @property
    def answered(self) -> int:
        """Records that are done with."""
        return self.delivered + self.rejected + self.left_out
