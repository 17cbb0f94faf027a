"""The settings of the ledger of incidents."""

from __future__ import annotations

from dataclasses import dataclass

from klvrelay.config import kinds
from klvrelay.config.setting import setting

INCIDENTS_SIZE_LEAST = 1 << 20
"""Least bytes of the ledger."""


@dataclass(frozen=True, slots=True)
class IncidentSettings:
    """Limits of the ledger of incidents, and whether subscribers may change it."""

    age: float = setting(
        365 * 86400.0, kinds.duration("1d", "36500d"), "maximum age of closed incidents; older ones are deleted"
    )
    size: int = setting(
        64 << 20, kinds.size(INCIDENTS_SIZE_LEAST), "maximum bytes; beyond that the oldest closed incidents are deleted"
    )
    set: bool = setting(
        False, kinds.FLAG, "let subscribers acknowledge incidents, by a message on {prefix}/incidents/acknowledge"
    )
