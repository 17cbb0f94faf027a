"""Two sources on one port are refused before anything starts, where the kernel would refuse the second."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import ExitStack
from itertools import product

import pytest
from cases import each_case

from klvrelay.cli.main import main
from klvrelay.config import ports
from klvrelay.config.ports import check_ports
from klvrelay.config.settings import SourceSettings
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.transports.address import place, socket_for

ADDRESSES = "0.0.0.0", "127.0.0.1", "127.0.0.2", "239.1.1.1", "239.1.1.2", "::", "::1", "ff15::1"


def refuses(*urls: str, interfaces: tuple[str | None, ...] = (None, None)) -> bool:
    sources = [SourceSettings(Url.parse(url), interface=name) for url, name in zip(urls, interfaces, strict=True)]
    try:
        check_ports(sources)
    except ConfigError:
        return True
    return False


def kernel_refuses(addresses: tuple[str, str], port: int) -> bool:
    """Bind two sockets as a `udp://` source does."""
    with ExitStack() as stack:
        for address in map(ipaddress.ip_address, addresses):
            sock = stack.enter_context(socket_for(address))
            if address.is_multicast:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(place(address, port, 0))
            except OSError:
                return True
    return False


@each_case("addresses", list(product(ADDRESSES, repeat=2)), ids="-".join)
def test_what_the_kernel_refuses_is_refused_before(addresses: tuple[str, str], free_port: int):
    """And nothing else: groups share a port."""
    urls = [f"udp://{f'[{host}]' if ':' in host else host}:{free_port}" for host in addresses]
    assert refuses(*urls) == kernel_refuses(addresses, free_port)


@each_case(
    ("first", "second", "expected"),
    [
        ("udp://:5000", "rtp://:5000", True),
        ("udp://:5000", "udp://:5001", False),
        ("udp://:5000", "srt://:5000", True),
        ("udp://:5000", "srt://127.0.0.1:5000?mode=listener", True),
        ("udp://:5000", "srt://127.0.0.1:5000", False),
        ("udp://:5000", "tcp://:5000?listen=1", False),
        ("tcp://:5000?listen=1", "tcp://127.0.0.1:5000?listen=1", True),
        ("tcp://:5000?listen=1", "tcp://127.0.0.1:5000", False),
        ("tcp://camera:5000", "tcp://camera:5000", False),
        ("udp://camera:5000", "udp://:5000", False),
        ("a.ts", "a.ts", False),
        ("udp://:5000?interface=eth0", "udp://:5000?interface=eth1", False),
        ("udp://:5000?interface=eth0", "udp://:5000", True),
    ],
)
def test_protocols_modes_and_interfaces(first: str, second: str, *, expected: bool):
    """Only sources that bind the port count. A host name is not looked up: its source finds out when it is opened."""
    assert refuses(first, second) == refuses(second, first) == expected


def test_the_interface_of_the_settings_counts():
    """As that of the URL does."""
    urls = "udp://:5000", "udp://:5000"
    assert not refuses(*urls, interfaces=("eth0", "eth1"))
    assert refuses(*urls, interfaces=("eth0", "eth0"))


@pytest.mark.parametrize("first", ["239.1.0.0", "127.0.0.0"], ids=["groups", "addresses"])
def test_each_of_many_sources_is_compared_with_few(first: str, monkeypatch: pytest.MonkeyPatch):
    """Three hundred on one port, then one on any address, which collides with the first of them."""
    compared = []

    def collide(one: ports._Port, other: ports._Port) -> bool:
        compared.append(one)
        return real(one, other)

    real = ports._collide
    monkeypatch.setattr(ports, "_collide", collide)
    hosts = [ipaddress.ip_address(first) + number for number in range(1, 301)]
    sources = [SourceSettings(Url.parse(f"udp://{host}:5000")) for host in hosts]

    check_ports(sources)
    assert len(compared) < 300
    last = SourceSettings(Url.parse("udp://:5000"))
    assert [(number, reason.split()[0]) for number, reason in ports.collisions([*sources, last])] == [
        (300, f"udp://{hosts[0]}:5000")
    ]


def test_run_refuses_two_sources_on_one_port(capsys: pytest.CaptureFixture[str]):
    """With exit code 2 and one line, before the broker is tried."""
    assert main(["run", "udp://:5000", "udp://127.0.0.1:5000", "--mqtt", "mqtt://127.0.0.1:9"]) == 2
    assert "udp://:5000 and udp://127.0.0.1:5000 receive on the same port; give them" in capsys.readouterr().err
