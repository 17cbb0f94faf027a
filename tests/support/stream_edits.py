"""Make transport streams faulty: change headers and tables, lose, mark or replace packets."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import feed
from probe_streams import sample_file
from test_lane import KLV_PID, PMT_PID, Wire

from klvrelay.sending.impair import Impairer, Impairment

TS = 188
VIDEO_PID = 0x100

Edit = Callable[[bytes], bytes | None]
Listed = tuple[int, int, bytes]
"""A stream of a PMT: type, PID, descriptors."""


@cache
def sample(carriage: str = "sync") -> bytes:
    """Two seconds of `klvrelay sample`: video on 0x100, 60 records on 0x101."""
    with TemporaryDirectory() as folder:
        return sample_file(Path(folder), carriage=carriage).read_bytes()


def packets(ts: bytes) -> Iterator[bytes]:
    return (ts[at : at + TS] for at in range(0, len(ts), TS))


def pid_of(packet: bytes) -> int:
    return int.from_bytes(packet[1:3]) & 0x1FFF


def edited(ts: bytes, edit: Edit, pid: int | None = None, *, every: int = 1) -> bytes:
    """Apply `edit` to each packet of a PID (or of all), or to every so-many-th; None removes it."""
    made, seen = [], 0
    for packet in packets(ts):
        if pid is None or pid_of(packet) == pid:
            seen += 1
            packet = edit(packet) if seen % every == 0 else packet
        made.append(packet or b"")
    return b"".join(made)


def marked(byte: int, bits: int) -> Edit:
    """Set bits of a header."""
    return lambda packet: packet[:byte] + bytes([packet[byte] | bits]) + packet[byte + 1 :]


ERROR = marked(1, 0x80)
SCRAMBLED = marked(3, 0x80)


def drop(packet: bytes) -> None:
    """Lose packets."""


def freeze_counter(packet: bytes) -> bytes:
    """A continuity counter that never changes."""
    return packet[:3] + bytes([packet[3] & 0xF0]) + packet[4:]


def payload_at(packet: bytes) -> int:
    return 5 + packet[4] if packet[3] & 0x20 else 4


def in_pes_head(offset: int, change: Callable[[bytes], bytes], size: int = 1) -> Edit:
    """Change bytes of each PES header, `offset` from its start code."""

    def edit(packet: bytes) -> bytes:
        at = payload_at(packet) + offset
        if not packet[1] & 0x40 or at + size > TS:
            return packet
        return packet[:at] + change(packet[at : at + size]) + packet[at + size :]

    return edit


def longer(by: int) -> Edit:
    """A PES_packet_length larger than the payload, or (negative) smaller."""
    return in_pes_head(4, lambda size: (int.from_bytes(size) + by).to_bytes(2), 2)


def relisted(ts: bytes, change: Callable[[list[Listed]], list[Listed]], *, crc: int = 0) -> bytes:
    """Every PMT lists other streams; `crc` corrupts its CRC."""
    return edited(ts, lambda packet: _pmt(packet, change, crc), PMT_PID)


def _pmt(packet: bytes, change: Callable[[list[Listed]], list[Listed]], crc: int) -> bytes:
    at = payload_at(packet) + 1
    body = packet[at : at + 3 + (int.from_bytes(packet[at + 1 : at + 3]) & 0xFFF) - 4]
    info = 12 + (int.from_bytes(body[10:12]) & 0xFFF)
    section = body[:info] + b"".join(
        bytes([kind]) + (0xE000 | pid).to_bytes(2) + (0xF000 | len(said)).to_bytes(2) + said
        for kind, pid, said in change(list(_listed(body[info:])))
    )
    section = section[:1] + (0xB000 | len(section) + 1).to_bytes(2) + section[3:]
    section += (feed._crc32(section) ^ crc).to_bytes(4)
    return packet[:at] + section.ljust(TS - at, b"\xff")


def _listed(body: bytes) -> Iterator[Listed]:
    at = 0
    while at < len(body):
        size = int.from_bytes(body[at + 3 : at + 5]) & 0xFFF
        yield body[at], int.from_bytes(body[at + 1 : at + 3]) & 0x1FFF, body[at + 5 : at + 5 + size]
        at += 5 + size


def as_type(kind: int, descriptors: bytes | None = None) -> Callable[[list[Listed]], list[Listed]]:
    """The KLV stream declared with another stream type."""
    return lambda streams: [
        (kind, pid, said if descriptors is None else descriptors) if pid == KLV_PID else (old, pid, said)
        for old, pid, said in streams
    ]


def without_klv(streams: list[Listed]) -> list[Listed]:
    return [each for each in streams if each[1] != KLV_PID]


def carrying(ts: bytes, make: Callable[[int], bytes]) -> bytes:
    """Other data in place of each KLV packet, in separate PES packets."""
    wire, number, made = Wire(), 0, []
    for packet in packets(ts):
        if pid_of(packet) != KLV_PID:
            made.append(packet)
        elif packet[1] & 0x40:
            made += wire.pes(make(number))
            number += 1
    return b"".join(made)


def impaired(ts: bytes, wish: str) -> bytes:
    """Impaired as by `klvrelay send --impair`."""
    impairer = Impairer(Impairment.parse(wish))
    size = TS if impairer.impairment.level == "ts" else 7 * TS
    units = (ts[at : at + size] for at in range(0, len(ts), size))
    parts = [data for unit in units for _, data in impairer.push(unit)]
    return b"".join([*parts, *(data for _, data in impairer.rest())])


def with_junk(ts: bytes, every: int) -> bytes:
    """Junk bytes between some packets."""
    noise = random.Random(1)
    return b"".join(
        packet + noise.randbytes(11) * (number % every == 0) for number, packet in enumerate(packets(ts), 1)
    )
