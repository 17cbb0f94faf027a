"""The limits at which datagram sockets are read together, by sockets and wake-ups, from both sides."""

from __future__ import annotations

import pytest

from klvrelay.core.receiver_set import Load
from klvrelay.sources.datagrams.schedule import pause_of

WINDOW, COALESCE, SHORTEST = 0.1, 0.008, 0.002


@pytest.mark.parametrize(("busy", "pause"), [(5, 0.0), (6, SHORTEST)])
def test_six_sockets_are_gathered_and_five_are_not(busy: int, pause: float):
    """However much data they receive."""
    assert pause_of(Load(10_000, 1_000, busy), WINDOW, COALESCE, pause=0.0) == pause
    assert (pause_of(Load(10_000, 1_000, busy), WINDOW, COALESCE, pause=SHORTEST) > 0) is (pause > 0)


@pytest.mark.parametrize(("ready", "pause"), [(799, 0.0), (800, SHORTEST)])
def test_a_look_must_replace_sixteen_wake_ups_to_begin(ready: int, pause: float):
    """8,000 a second, at a pause of 2 ms."""
    assert pause_of(Load(ready, ready, 20), WINDOW, COALESCE, pause=0.0) == pause


@pytest.mark.parametrize(("ready", "pause"), [(299, 0.0), (300, SHORTEST)])
def test_a_look_must_replace_six_wake_ups_to_go_on(ready: int, pause: float):
    """3,000 a second, at a pause of 2 ms."""
    assert pause_of(Load(ready, 50, 20), WINDOW, COALESCE, pause=SHORTEST) == pause


@pytest.mark.parametrize(
    ("crowd", "before", "pause"),
    [(31.9, 1, 1), (32.0, 1, 2), (63.9, 1, 2), (64.0, 1, 4), (23.9, 2, 1), (24.0, 2, 2), (47.9, 4, 2), (48.0, 4, 4)],
)
def test_a_crowd_waits_longer(crowd: float, before: int, pause: int):
    """Twice as long from 32 sockets on, four times from 64 on; three quarters of these numbers are enough to continue.
    """
    load = Load(round(crowd * 100), 100, 100)

    assert pause_of(load, WINDOW, COALESCE, pause=before * SHORTEST) == pause * SHORTEST
