"""Scenes in a separate network namespace, for `test_source_udp.py`: `unshare -rn python network_scenes.py SCENE`.

Two veth pairs, a0 = a1 and b0 = b1; senders use the far ends. The scene prints as JSON what a source received on the
near ends.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from contextlib import aclosing, suppress
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "src")]

import feed  # noqa: E402

from klvrelay.errors import SourceDown  # noqa: E402
from klvrelay.sources.open import open_source  # noqa: E402

PORT = 5000
GROUP, GROUP6 = "239.1.2.3", "ff05::77"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def cable(name: str, number: int) -> None:
    """NAME0 has 10.0.NUMBER.1 and fd00:NUMBER::1, NAME1 those that end in 2 and in 9."""
    ip("link", "add", f"{name}0", "type", "veth", "peer", f"{name}1")
    for end, host in (("0", 1), ("1", 2)):
        ip("addr", "add", f"10.0.{number}.{host}/24", "dev", name + end)
        ip("-6", "addr", "add", f"fd00:{number}::{host}/64", "dev", name + end, "nodad")
        ip("link", "set", name + end, "up", "addrgenmode", "none")
    ip("addr", "add", f"10.0.{number}.9/24", "dev", f"{name}1")


def send(name: str, number: int, *, host: int = 2, group: str = GROUP) -> None:
    """Send one KLV packet that names the cable and the sender, from the cable's far end."""
    data = feed.klv_packet(host, ord(name))
    with socket.socket(socket.AF_INET6 if ":" in group else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, f"{name}1".encode())
        if ":" in group:
            index = socket.if_nametoindex(f"{name}1")
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 4)
            sock.bind((f"fd00:{number}::{host}", 0))
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(f"10.0.{number}.{host}"))
            sock.bind((f"10.0.{number}.{host}", 0))
        sock.sendto(data, (group, PORT))


def send_all(group: str = GROUP) -> None:
    for name, number in (("a", 1), ("b", 2)):
        send(name, number, host=9 if group == GROUP else 2, group=group)
        send(name, number, group=group)


class Ear:
    """A source read in the background: the senders received, such as "a2", and why it ended."""

    def __init__(self, url: str, interface: str | None = None, timeout: float = 0.1) -> None:
        self.heard: list[str] = []
        self.ended: list[str] = []
        self.source = open_source(url, interface=interface, timeout=timeout, demux="native")

    async def __aenter__(self) -> Ear:
        self._task = asyncio.create_task(self._read())
        while not (self.source._inbox or self.ended):
            await asyncio.sleep(0.001)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _read(self) -> None:
        try:
            async with aclosing(self.source.packets()) as packets:
                async for units in packets:
                    self.heard += [chr(entry[0][28]) + chr(entry[0][31]) for entry in units.entries]
        except SourceDown as fault:
            self.ended.append(str(fault))

    async def hears(self, group: str = GROUP) -> list[str]:
        """The senders received, once there are any."""
        self.heard.clear()
        while not self.heard:
            send_all(group)
            await asyncio.sleep(0.02)
        return sorted(set(self.heard))

    async def ends(self) -> list[str]:
        while not self.ended:
            await asyncio.sleep(0.01)
        return self.ended


async def choice(kind: str) -> dict[str, list[str]]:
    """One of two networks, named in three ways."""
    group = GROUP6 if kind == "ipv6" else GROUP
    url = f"udp://[{GROUP6}]:{PORT}" if kind == "ipv6" else f"udp://{GROUP}:{PORT}"
    if kind == "one":
        url += "?sources=10.0.1.2,10.0.2.2"
    received = {}
    for what, interface in (("by name", "a0"), ("by address", "10.0.1.1"), ("the other", "b0")):
        async with Ear(url, interface) as ear:
            received[what] = await ear.hears(group)
    return received


async def taken_away() -> dict[str, list[str]]:
    """The named interface disappears and returns."""
    url, received = f"udp://{GROUP}:{PORT}", {}
    async with Ear(url, "a0") as ear:
        received["before"] = await ear.hears()
        ip("link", "del", "a0")
        received["while away"] = await ear.ends()
    cable("a", 1)
    async with Ear(url, "a0") as ear:
        received["after"] = await ear.hears()
        ip("link", "del", "a0")
        cable("a", 1)
        received["when back"] = await ear.ends()
    return received


async def default_route() -> dict[str, list[str]]:
    """The default route disappears, and the system has another."""
    received = {}
    ip("route", "add", "224.0.0.0/4", "dev", "a0")
    async with Ear(f"udp://{GROUP}:{PORT}") as ear:
        received["before"] = await ear.hears()
        subprocess.run("ip route add 224.0.0.0/4 dev b0 metric 9; ip link del a0; ip link add a1 type veth peer a9;"
                       " ip addr add 10.0.1.2/24 dev a1; ip addr add 10.0.1.9/24 dev a1; ip link set a1 up",
                       shell=True, check=True)  # fmt: skip
        received["after"] = await ear.hears()
    return received


async def main(scene: str) -> None:
    ip("link", "set", "lo", "up")
    cable("a", 1)
    cable("b", 2)
    for name in ("all", "default", "a0", "a1", "b0", "b1"):  # a sender on this machine is not a spoofed one
        Path(f"/proc/sys/net/ipv4/conf/{name}/rp_filter").write_text("0")
        Path(f"/proc/sys/net/ipv4/conf/{name}/accept_local").write_text("1")
    async with asyncio.timeout(20):
        match scene:
            case "taken-away":
                received = await taken_away()
            case "default-route":
                received = await default_route()
            case _:
                received = await choice(scene.removeprefix("choice-"))
    print(json.dumps(received))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
