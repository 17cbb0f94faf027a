"""Ports for tests: no two at the same time get the same one."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import ports
import pytest

from benchmarks import process


def test_a_reserved_port_is_not_given_out_again(monkeypatch: pytest.MonkeyPatch):
    """Until it is released; one that is bound is not given out either."""
    with ports.reserved() as first, ports.reserved() as second, ports.reserved() as bound:
        pass
    monkeypatch.setattr(ports, "_RANGE", [first, second, bound])
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", bound))
        with ports.reserved() as one, ports.reserved() as other:
            assert {one, other} == {first, second}
            with pytest.raises(RuntimeError, match="no port is free"), ports.reserved():
                pass
        with ports.reserved() as again:
            assert again in (first, second)


def test_benchmarks_side_by_side_get_different_ports():
    """Before any of them is bound, and however many are wanted."""
    with ExitStack() as stack:
        blocks = [range(first, first + 300) for first in (stack.enter_context(process.free_ports(300)) for _ in "abc")]
    assert len({port for block in blocks for port in block}) == 900
