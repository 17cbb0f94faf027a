"""Cuts connections of the oracle broker at chosen points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from oracle_broker import OracleBroker


def cut_after(oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch, most: Callable[[int], int | None]) -> None:
    """Reset connection number n after `most(n)` messages, whose last is not answered; 0: at its CONNACK; None: never.
    """
    connect, publish = oracle._connect, oracle._publish
    counts: Counter[int] = Counter()

    async def cut_at_connect(guest: Any, body: bytes) -> bool:
        accepted = await connect(guest, body)
        if most(guest.number) == 0:
            oracle.cut(reset=True)
        return accepted

    def cut_at_publish(guest: Any, flags: int, body: bytes) -> None:
        if guest.gone:
            return
        publish(guest, flags, body)
        counts[guest.number] += 1
        if counts[guest.number] == most(guest.number):
            oracle.cut(reset=True)

    monkeypatch.setattr(oracle, "_connect", cut_at_connect)
    monkeypatch.setattr(oracle, "_publish", cut_at_publish)
