"""The budget of an uplink: costs, the token bucket, and the kernel's counts as the truth."""

from __future__ import annotations

import random
import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manual_clock import Clock

from klvrelay.config import kinds
from klvrelay.errors import ConfigError
from klvrelay.shape.budget.budget import BURST, Budget, Wire
from klvrelay.transports import tcp_info
from klvrelay.transports.tcp_info import TcpInfo

RATE = kinds.bit_rate("1kbit/s", "1Gbit/s")


@pytest.mark.parametrize(
    ("text", "rate"),
    [("64kbit/s", 64_000), ("9.6kbit/s", 9_600), ("9600bit/s", 9_600), ("1 Mbit/s", 1e6), ("1Gbit/s", 1e9)],
)
def test_a_bit_rate_has_powers_of_1000(text, rate):
    assert RATE.read(text) == pytest.approx(rate)
    assert RATE.read(RATE.shown(RATE.read(text)).strip('"')) == pytest.approx(rate)


@pytest.mark.parametrize("value", ["64", 64, "64k", "64kB/s", "64Kbit/s", "0.5kbit/s", "2Gbit/s", True, "-1kbit/s", ""])
def test_anything_else_is_no_bit_rate(value):
    with pytest.raises(ConfigError, match="64kbit/s"):
        RATE.read(value)


def test_a_packet_costs_its_segments_records_and_answers():
    """Each segment has headers, each TLS record its own, and each answer of the broker is acknowledged."""
    wire = Wire(header=52, segment=1448)
    assert wire.cost(0) == 0
    assert wire.cost(100) == 152
    assert wire.cost(1449) == 1449 + 2 * 52
    assert wire.cost(100, qos=1) == 204
    assert wire.cost(100, qos=2) == 152 + 56 + 104
    assert wire._replace(tls=True).cost(100) == 174
    assert wire._replace(header=72, tls=True).cost(20_000) == 20_000 + 2 * 22 + 14 * 72


@settings(deadline=None)
@given(
    rate=st.floats(1e3, 1e6),
    sizes=st.lists(st.integers(1, 5000), min_size=20, max_size=200),
    errors=st.lists(st.floats(0.3, 3.0), min_size=20, max_size=20),
    pauses=st.lists(st.floats(0.0, 2.0), min_size=20, max_size=20),
)
def test_no_period_exceeds_the_rate_by_more_than_a_burst_and_a_message(rate, sizes, errors, pauses):
    """Whatever the sizes and pauses, and however wrong the estimates that are settled before the next message."""
    clock = Clock()
    budget = Budget(rate, clock)
    sent: list[tuple[float, float]] = []
    truth = 0.0
    for number, size in enumerate(sizes):
        clock.now += budget.wait + (pauses[number % 20] if number % 7 == 0 else 0.0)
        assert budget.wait < 1e-6
        budget.spend(size * errors[number % 20])
        truth += size
        budget.settle(truth)
        sent.append((clock.now, size))
    largest = max(sizes)
    for first in range(0, len(sent), 5):
        total = 0.0
        for when, size in sent[first:]:
            total += size
            allowed = rate / 8 * (when - sent[first][0] + BURST) + largest
            assert total <= allowed * 1.000001 + 0.01


@settings(deadline=None)
@given(rate=st.floats(1e3, 1e6), sizes=st.lists(st.integers(1, 5000), min_size=50, max_size=100))
def test_a_sender_that_always_has_messages_uses_the_whole_rate(rate, sizes):
    clock = Clock()
    budget = Budget(rate, clock)
    begin = clock.now
    for size in sizes:
        clock.now += budget.wait
        budget.spend(size)
    total = sum(sizes)
    assert clock.now - begin == pytest.approx((total - sizes[-1]) * 8 / rate, abs=BURST + 1e-6)


def test_estimates_are_replaced_by_what_was_sent():
    """Also by more than was estimated: acknowledgements and retransmissions."""
    clock = Clock()
    budget = Budget(8_000, clock)  # 1000 bytes a second
    budget.spend(500)
    assert budget.wait == pytest.approx(0.4)
    budget.settle(300)
    assert budget.wait == pytest.approx(0.2)
    budget.settle(1300)
    assert budget.wait == pytest.approx(1.2)
    assert budget.total == 1300


def test_a_new_connection_is_counted_from_its_beginning():
    """Its handshake too, and the debt of the one before it remains."""
    clock = Clock()
    budget = Budget(8_000, clock)
    budget.settle(600)
    budget.begin_connection()
    budget.settle(200)
    assert budget.total == 800
    assert budget.wait == pytest.approx(0.7)


def test_the_rate_in_use_is_that_of_the_last_seconds():
    clock = Clock()
    budget = Budget(64_000, clock)
    for _ in range(200):
        clock.now += 0.1
        budget.spend(400)
    assert budget.used == pytest.approx(32_000, rel=0.06)
    clock.now += 10
    assert budget.used < 1_000
    assert budget.is_idle


# ---- the kernel's counts ----


def connected(family: int = socket.AF_INET) -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1" if family == socket.AF_INET else "::1", 0), family=family) as server:
        near = socket.create_connection(server.getsockname()[:2])
        far, _ = server.accept()
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return near, far


@pytest.mark.parametrize(("family", "ip"), [(socket.AF_INET, 20), (socket.AF_INET6, 40)])
def test_the_kernel_counts_each_byte_and_segment(family, ip):
    """What one end has sent, the other end has received."""
    try:
        near, far = connected(family)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with near, far:
        before = tcp_info.tcp_info(near)
        for size in (1, 100, 1000):
            near.sendall(bytes(size))
            got = 0
            while got < size:
                got += len(far.recv(5000))
        after = tcp_info.tcp_info(near)
        assert before is not None
        assert after is not None
        assert after.sent - before.sent == 1101
        assert after.segments - before.segments == 3
        assert after.header in (ip + 20, ip + 32)
        assert after.on_wire - before.on_wire == 1101 + 3 * after.header
        assert after.waiting == after.unsent == after.retransmitted == 0


def test_what_the_peer_does_not_read_waits():
    near, far = connected()
    with near, far:
        near.setblocking(False)
        written = 0
        try:
            while True:
                written += near.send(bytes(1 << 16))
        except BlockingIOError:
            pass
        info = tcp_info.tcp_info(near)
        assert info is not None
        assert info.sent - info.retransmitted + info.unsent == written
        assert info.waiting == written - info.acked
        assert info.unsent > 0


def test_an_older_kernel_has_no_counts():
    """Before Linux 4.19 the structure ends earlier: then estimates must do."""
    near, far = connected()
    with near, far:
        data = near.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, tcp_info.SIZE)
    assert TcpInfo.parse(data, 40) is not None
    assert TcpInfo.parse(data[:192], 40) is None
    assert tcp_info.tcp_info(near) is None  # closed
    one, other = socket.socketpair()
    with one, other:
        assert tcp_info.tcp_info(one) is None


def test_the_structure_is_that_of_the_kernel():
    data = bytearray(tcp_info.SIZE)
    data[5] = 7
    struct.pack_into("=I", data, 16, 1388)
    struct.pack_into("=Q", data, 120, 901)
    struct.pack_into("=4I", data, 136, 12, 99, 34, 250_000)
    struct.pack_into("=2Q", data, 200, 1100, 80)
    info = TcpInfo.parse(bytes(data), 40)
    assert info == TcpInfo(52, 1388, 1100, 80, 900, 34, 12, 0.25)
    assert info.on_wire == 1100 + 12 * 52
    assert info.waiting == 1100 - 80 - 900 + 34
    struct.pack_into("=I", data, 148, 0xFFFF_FFFF)
    data[5] = 6
    without = TcpInfo.parse(bytes(data), 40)
    assert without is not None
    assert (without.min_rtt, without.header) == (0.0, 40)


def test_random_amounts_are_counted_exactly():
    """Several segments for each write, over a connection with small segments."""
    chance = random.Random(3)
    with socket.socket() as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        server.bind(("127.0.0.1", 0))
        server.listen()
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with near, far:
        total = 0
        for _ in range(50):
            size = chance.randrange(1, 20_000)
            near.sendall(bytes(size))
            total += size
            while size:
                size -= len(far.recv(size))
        ours, theirs = tcp_info.tcp_info(near), tcp_info.tcp_info(far)
        assert ours is not None
        assert theirs is not None
        assert ours.sent - ours.retransmitted == total
        assert ours.segments >= total / ours.mss
