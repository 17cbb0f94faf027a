"""Which addresses a server may redirect to, for each pair of address types; and the rate of requests."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from klvrelay.transports.http import reach
from klvrelay.transports.http.faults import WebFault
from klvrelay.transports.http.reach import LINK, MACHINE, PRIVATE, PUBLIC, Reach, RequestRate

KINDS = (PUBLIC, PRIVATE, LINK, MACHINE)


@pytest.fixture
def port() -> Iterator[int]:
    """A server on every address of this machine."""
    with socket.create_server(("", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def nearness(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The nearness of two addresses of this machine."""
    kinds: dict[str, int] = {}
    monkeypatch.setattr(reach, "nearness", kinds.__getitem__)
    return kinds


@pytest.mark.parametrize("near", KINDS)
@pytest.mark.parametrize("first", KINDS)
def test_a_server_leads_to_no_address_nearer_than_its_own(first: int, near: int, nearness: dict[str, int], port: int):
    """As near is allowed, and farther away."""
    nearness |= {"127.0.0.1": first, "127.0.0.2": near}
    connections = Reach()
    connections.connect(("127.0.0.1", port), 5).close()

    if near > first:
        with pytest.raises(WebFault, match="on this machine or its network"):
            connections.connect(("127.0.0.2", port), 5)
    else:
        connections.connect(("127.0.0.2", port), 5).close()


def test_the_first_connection_sets_the_bound_and_no_other(nearness: dict[str, int], port: int):
    """A server on the private network that redirected to a public one may still name its own network."""
    nearness |= {"127.0.0.1": PRIVATE, "127.0.0.2": PUBLIC}
    connections = Reach()
    for host in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        connections.connect((host, port), 5).close()


def test_a_server_behind_a_proxy_leads_to_public_addresses_only(nearness: dict[str, int], port: int):
    """Only the proxy knows where it is."""
    nearness |= {"127.0.0.1": PUBLIC, "127.0.0.2": PRIVATE}
    connections = Reach()
    connections.is_far()
    connections.connect(("127.0.0.1", port), 5).close()

    with pytest.raises(WebFault):
        connections.connect(("127.0.0.2", port), 5)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock of the rate."""
    now = [1000.0]
    monkeypatch.setattr(reach.time, "monotonic", lambda: now[0])
    return now


def test_a_pause_allows_no_more_than_a_burst(clock: list[float]):
    """An hour without requests does not save up for thousands of them."""
    rate = RequestRate(4, 2.0)
    clock[0] += 3600
    waits = [rate.take() for _ in range(6)]

    assert waits == [0.0] * 4 + [0.5, 1.0]


def test_requests_at_the_rate_never_wait(clock: list[float]):
    """And one between two of them waits for its share only."""
    rate = RequestRate(1, 2.0)
    waits = []
    for _ in range(10):
        waits.append(rate.take())
        clock[0] += 0.5
    clock[0] -= 0.25

    assert (waits, rate.take()) == ([0.0] * 10, 0.25)
