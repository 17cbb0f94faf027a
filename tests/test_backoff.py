"""The pauses between attempts over days, their jitter, and the period after which they start short again."""

from __future__ import annotations

import random

import pytest

from klvrelay.backoff import Backoff
from klvrelay.errors import SourceDown
from klvrelay.relay.supervise import Standing, supervise


def test_an_outage_of_days_has_pauses_as_that_of_minutes():
    """Thousands of attempts give the same pause as seven: no number grows without bound."""
    backoff = Backoff(cap=30.0, chance=random.Random(1))
    pauses = [backoff.next() for _ in range(5000)]

    assert all(15.0 <= pause <= 30.0 for pause in pauses[7:])
    assert backoff.tries == 5000


def test_pauses_are_spread_over_half_of_their_length():
    """A hundred relays of one broker reconnect at different times."""
    backoff = Backoff(first=8.0, cap=8.0, chance=random.Random(1))
    pauses = sorted(backoff.next() for _ in range(1000))

    assert 4.0 <= pauses[0] < 4.1
    assert 7.9 < pauses[-1] <= 8.0
    assert 5.8 < pauses[500] < 6.2


@pytest.mark.parametrize(("stood", "is_short"), [(9.9, False), (10.0, True)])
async def test_ten_seconds_are_the_default_steady_period(stood: float, is_short: bool):
    """After less, the far end may be one that closes each connection soon."""
    now, pauses, left = [0.0], list[float](), [0.0] * 6 + [stood]

    async def attempt(up) -> None:
        up()
        if not left:
            return
        now[0] += left.pop(0)
        raise SourceDown("lost")

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    await supervise(
        attempt, name="uav1", backoff=Backoff(), standing=lambda: Standing.LASTING, down=lambda fault: None,
        clock=lambda: now[0], sleep=sleep,
    )  # fmt: skip

    assert pauses[5] >= 8.0
    assert (pauses[6] <= 0.5) is is_short
