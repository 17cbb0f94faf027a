"""Limits detailed inspection, so that no input costs more CPU time per byte than ordinary streams.

Everything is counted. Expensive parts (items of a record, PES headers, tables) are always inspected at the rates that
equipment sends. In denser streams only a sample of them is inspected.
"""

from __future__ import annotations


class Allowance:
    """An initial allowance of `free`, then one inspection per `each` bytes."""

    __slots__ = ("_each", "_free", "_left")

    def __init__(self, free: int, each: int) -> None:
        self._free = self._left = float(free)
        self._each = each

    def credit(self, size: int) -> None:
        """Account for `size` bytes of the stream."""
        self._left = min(self._free, self._left + size / self._each)

    @property
    def left(self) -> int:
        """Number of inspections available now."""
        return max(0, int(self._left))

    def spend(self, cost: float) -> None:
        """Charge additional cost, in inspections."""
        self._left -= cost

    def take(self, cost: float = 1.0) -> bool:
        """Charge one inspection; false if the allowance is used up."""
        if self._left < 1:
            return False
        self._left -= cost
        return True
