"""Selects the KLV of a source by PID and program, and names its streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from klvrelay.config.names import checked_name, pid_number, program_number
from klvrelay.core import LOWER, LOWER_HERE, PacketInfo


class Choice:
    """The selected KLV of a source, and the names of its streams.

    only      selected PIDs; empty: all
    program   number of the selected program; None: all
    names     stream names by PID
    taken     names of other streams of the relay
    together  all KLV is one stream, whatever its PIDs
    """

    __slots__ = ("names", "only", "program", "taken", "together")

    def __init__(
        self,
        only: frozenset[int] = frozenset(),
        program: int | None = None,
        names: Mapping[int, str] | None = None,
        taken: frozenset[str] = frozenset(),
        *,
        together: bool = False,
    ) -> None:
        self.only = only
        self.program = program
        self.names: Mapping[int, str] = names or {}
        self.taken = taken
        self.together = together
        for name in self.names.values():
            checked_name(name, "pids")

    def beside(self, taken: frozenset[str]) -> Choice:
        """The same choice, with these names taken."""
        return Choice(self.only, self.program, self.names, taken, together=self.together)

    @property
    def everything(self) -> bool:
        return not self.only and self.program is None

    def wants(self, pid: int | None, program: int | None) -> bool:
        return (not self.only or pid in self.only) and (self.program is None or program == self.program)

    def missed(self, places: Mapping[int | None, int | None]) -> str:
        """What was selected, and where KLV was found instead. `places`: programs by PID."""
        wanted = [f"PID {pid:#x}" for pid in sorted(self.only)]
        wanted += [] if self.program is None else [f"program {self.program}"]
        found = [
            f"PID {pid:#x}" + ("" if program is None else f" (program {program})")
            for pid, program in places.items() if pid is not None
        ]  # fmt: skip
        return f"{', '.join(wanted)} was selected; KLV is on {', '.join(found) or 'no PID'}"

    def awaits_lower(self, seen: PacketInfo) -> bool:
        """May a lower selected PID carry KLV too?"""
        if self.only and (seen.pid is None or min(self.only) >= seen.pid):
            return False
        return bool(seen.listing & (LOWER if self.program is None else LOWER_HERE))


EVERYTHING = Choice()
TOGETHER = Choice(together=True)


def chosen(pid: int | Iterable[int] | None, program: int | None) -> Choice:
    """The choice of one or several PIDs, and of a program. Raises ConfigError for an invalid number."""
    if pid is None and program is None:
        return EVERYTHING
    pids = () if pid is None else (pid,) if isinstance(pid, int | str) else pid
    return Choice(frozenset(map(pid_number, pids)), None if program is None else program_number(program))
