"""How much of a stream may be looked at closely, so that no bytes take longer to look at than others do.

Everything is counted. What takes long (the items of a record, the head of a PES packet, a table) is looked at each time
in any stream that equipment sends; of one that brings more of it than its size allows, it is looked at now and then.
"""

from __future__ import annotations


class Allowance:
    """So much at the beginning, and then one for so many bytes that pass by."""

    __slots__ = ("_each", "_free", "_left")

    def __init__(self, free: int, each: int) -> None:
        self._free = self._left = float(free)
        self._each = each

    def passed(self, size: int) -> None:
        """So many bytes came."""
        self._left = min(self._free, self._left + size / self._each)

    @property
    def left(self) -> int:
        """How many may be looked at now."""
        return max(0, int(self._left))

    def spend(self, cost: float) -> None:
        """It took as much longer as so many others."""
        self._left -= cost

    def take(self, cost: float = 1.0) -> bool:
        """Look at one; false if there have been too many."""
        if self._left < 1:
            return False
        self._left -= cost
        return True
