"""Streams that are made to be dear to look at: each pushes one list, one count or one search of the probe.

Every maker takes a size in bytes and gives a stream of about that size, the same each time.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice

from klvrelay.encode.wire import ber_length, ber_oid
from klvrelay.spec import UNIVERSAL_KEYS
from klvrelay.wire import crc32

TS = 188
KLVA = b"\x05\x04KLVA"
ASYNC, SYNC, VIDEO = 0x06, 0x15, 0x1B
KLV_PID, VIDEO_PID, PMT_PID = 0x101, 0x100, 0x1000
START_US = 1_780_306_200_000_000

Maker = Callable[[int], bytes]


class Mux:
    """Transport packets whose continuity counters are right."""

    def __init__(self) -> None:
        self._counters: dict[int, int] = {}

    def packet(self, pid: int, payload: bytes, *, start: bool = False, field: bytes = b"") -> bytes:
        """One packet with at most 184 bytes of adaptation field (its flags first) and payload."""
        counter = self._counters[pid] = self._counters.get(pid, -1) + 1 & 15
        room = 184 - len(payload)
        if room or field:
            field = bytes([room - 1]) + (field or b"\0" * (room > 1)).ljust(room - 1, b"\xff")
        return struct.pack(">BHB", 0x47, start << 14 | pid, (0x30 if field else 0x10) | counter) + field + payload

    def carry(self, pid: int, data: bytes) -> bytes:
        """Something that begins here, in as many packets as it takes."""
        return b"".join(self.packet(pid, data[at : at + 184], start=at == 0) for at in range(0, len(data), 184))

    def section(self, pid: int, table: int, number: int, version: int, body: bytes) -> bytes:
        head = struct.pack(">HBBB", number, 0xC1 | (version & 31) << 1, 0, 0)
        section = bytes([table]) + (0xB000 | len(head) + len(body) + 4).to_bytes(2) + head + body
        return self.carry(pid, b"\0" + section + crc32(section).to_bytes(4))

    def pat(self, programs: Iterable[tuple[int, int]], version: int = 0) -> bytes:
        return self.section(0, 0, 1, version, b"".join(struct.pack(">HH", n, 0xE000 | pid) for n, pid in programs))

    def pmt(
        self, streams: Iterable[tuple[int, int, bytes]], *, number: int = 1, pid: int = PMT_PID, version: int = 0,
        pcr: int = VIDEO_PID,
    ) -> bytes:  # fmt: skip
        body = struct.pack(">HH", 0xE000 | pcr, 0xF000)
        for kind, of, said in streams:
            body += struct.pack(">BHH", kind, 0xE000 | of, 0xF000 | len(said)) + said
        return self.section(pid, 2, number, version, body)

    def pes(self, payload: bytes, pid: int = KLV_PID, *, pts: int | None = None, sid: int = 0xBD) -> bytes:
        stamp = b"" if pts is None else _stamp(pts)
        head = bytes([0x84, 0x80 if stamp else 0, len(stamp)]) + stamp
        size = len(head) + len(payload)
        return self.carry(pid, b"\0\0\1" + bytes([sid]) + (size if size < 65_536 else 0).to_bytes(2) + head + payload)

    def pcr(self, ticks: int, pid: int = VIDEO_PID) -> bytes:
        """A packet with a clock stamp and no payload."""
        stamp = b"\x10" + struct.pack(">IH", ticks >> 1 & 0xFFFFFFFF, (ticks & 1) << 15 | 0x7E00)
        return struct.pack(">BHBB", 0x47, pid, 0x20 | self._counters.get(pid, 0), 183) + stamp.ljust(183, b"\xff")

    def listed(self, *others: tuple[int, int, bytes]) -> bytes:
        """Tables of one program with video and KLV."""
        streams = [(VIDEO, VIDEO_PID, b""), (ASYNC, KLV_PID, KLVA), *others]
        return self.pat([(1, PMT_PID)]) + self.pmt(streams)


def _stamp(pts: int) -> bytes:
    pts &= (1 << 33) - 1
    return struct.pack(">BHH", 0x21 | pts >> 29 & 14, pts >> 14 & 0xFFFE | 1, pts << 1 & 0xFFFE | 1)


def item(tag: int, value: bytes) -> bytes:
    return ber_oid(tag) + ber_length(len(value)) + value


def klv(items: bytes, number: int = 0, *, step_us: int = 33_333, name: str = "ST0601") -> bytes:
    """A packet of these items between a time stamp and a right checksum."""
    time_us = START_US + number * step_us
    value = item(2, time_us.to_bytes(8)) + items + item(65, b"\x13") + b"\x01\x02"
    raw = UNIVERSAL_KEYS[name] + ber_length(len(value) + 2) + value
    return raw + _sum(raw)


def _sum(raw: bytes) -> bytes:
    return ((sum(raw[::2]) << 8) + sum(raw[1::2]) & 0xFFFF).to_bytes(2)


def _filled(parts: Iterable[bytes], size: int) -> bytes:
    """Parts until there is as much as is wanted."""
    out = bytearray()
    for part in parts:
        out += part
        if len(out) >= size:
            break
    return bytes(out)


def _many(make: Callable[[Mux, int], bytes], *others: tuple[int, int, bytes], every: int = 0) -> Maker:
    """One program, and then what `make` gives of each number."""

    def stream(size: int) -> bytes:
        mux = Mux()
        return _filled(_parts(mux), size)

    def _parts(mux: Mux) -> Iterator[bytes]:
        for number in count():
            if number == 0 or (every and number % every == 0):
                yield mux.listed(*others)
            yield make(mux, number)

    return stream


def _klv_only(make: Callable[[int], bytes]) -> Maker:
    """Bare KLV."""
    return lambda size: _filled(map(make, count()), size)


# ---- tables ----


def pmt_churn(size: int) -> bytes:
    """40 programs, whose maps list 190 other PIDs with each version."""
    mux, programs = Mux(), [(n, 0x20 + n) for n in range(1, 41)]

    def parts() -> Iterator[bytes]:
        for version in count():
            yield mux.pat(programs, version)
            for number, pid in programs:
                first = version * 977 + number * 197
                streams = [(ASYNC, 0x100 + (first + n) % 0x1E00, b"") for n in range(190)]
                yield mux.pmt(streams, number=number, pid=pid, version=version)

    return _filled(parts(), size)


def pmt_small_churn(size: int) -> bytes:
    """A map in one packet, with another KLV PID and another clock each time."""

    def one(mux: Mux, number: int) -> bytes:
        klv_pid = 0x200 + number % 0x1C00
        return mux.pmt([(ASYNC, klv_pid, KLVA), (VIDEO, 0x1F00 - number % 64, b"")], version=number, pcr=klv_pid)

    return _many(one)(size)


def pat_churn(size: int) -> bytes:
    """Other programs on other PIDs with each PAT."""
    mux = Mux()
    pats = (
        mux.pat([((v * 251 + n) % 65_535 + 1, 0x20 + (v * 91 + n * 7) % 0x1F00) for n in range(250)], v)
        for v in count()
    )
    return _filled(pats, size)


def pat_small_churn(size: int) -> bytes:
    """A PAT in one packet, of one program that moves, and its map behind it."""
    mux = Mux()

    def parts() -> Iterator[bytes]:
        for v in count():
            pid = 0x20 + v % 0x1F00
            yield mux.pat([(v % 65_535 + 1, pid)], v)
            yield mux.pmt([(ASYNC, 0x20 + (v * 7 + 3) % 0x1F00, KLVA)], number=v % 65_535 + 1, pid=pid, version=v)

    return _filled(parts(), size)


def many_programs(size: int) -> bytes:
    """2,000 programs in eight PATs, each with a map of 60 streams with many descriptors."""
    mux = Mux()
    said = KLVA + b"\x0a\x04\x1b[2J" + b"".join(bytes([0x80 + n, 0]) for n in range(10))

    def parts() -> Iterator[bytes]:
        for v in count():
            for block in range(8):
                some = [(block * 250 + n + 1, 0x20 + block * 250 + n) for n in range(250)]
                yield mux.pat(some, v)
                for number, pid in some[:60]:
                    streams = [(n, 0x1000 + (number * 30 + n) % 0xFF0, said) for n in range(22)]
                    yield mux.pmt(streams, number=number, pid=pid, version=v)

    return _filled(parts(), size)


def big_descriptors(size: int) -> bytes:
    """Maps and an SDT that are full of texts with control characters."""
    text = bytes(range(32)) + b"\x9b\xe2\x80\xae" * 6

    def one(mux: Mux, number: int) -> bytes:
        said = b"".join(b"\x05" + bytes([len(text)]) + bytes([number & 255]) + text[1:] for _ in range(4))
        streams = [(ASYNC, 0x300 + number % 512 + n, said) for n in range(3)]
        sdt = mux.section(0x11, 0x42, 1, number, b"\0\1\xff\0\1\xfc\x80" + bytes([200]) + b"\x48" + text * 12)
        return mux.pmt(streams, version=number) + sdt

    return _many(one)(size)


def many_registrations(size: int) -> bytes:
    """Streams that each have as many descriptors as a map can hold."""
    def one(mux: Mux, number: int) -> bytes:
        said = b"".join(b"\x05\x04" + bytes([27, 155, number & 255, n]) for n in range(160))
        return mux.pmt([(ASYNC, 0x101, said)], version=number)

    return _many(one)(size)


# ---- packets ----


def all_pids(size: int) -> bytes:
    """A packet of each PID in turn."""
    mux = Mux()
    return _filled((mux.packet(n * 37 % 8191 + 0, b"\xaa" * 184) for n in count(1)), size)


def starts_on_all_pids(size: int) -> bytes:
    """A PES packet begins in each packet, on every PID in turn."""
    mux = Mux()
    body = b"\0\0\1\xbd\x00\x30\x84\0\0" + UNIVERSAL_KEYS["ST0601"] + b"\x1f"
    return _filled((mux.packet(0x20 + n * 37 % 8000, body.ljust(184, b"\0"), start=True) for n in count()), size)


def empty_pes(size: int) -> bytes:
    """PES packets without anything in them on the KLV PID."""
    return _many(lambda mux, n: mux.pes(b"", pts=n * 3))(size)


def tiny_pes(size: int) -> bytes:
    """A PES packet a TS packet on one PID that is said to be KLV, and holds other data."""
    return _many(lambda mux, n: mux.pes(b"no KLV here %d" % n, pts=n * 3000))(size)


def stream_ids(size: int) -> bytes:
    """PES packets with a key in them, of another stream_id each."""
    body = UNIVERSAL_KEYS["ST0601"] + b"\x10" + bytes(16)
    return _many(lambda mux, n: mux.pes(body, sid=n & 255, pts=n * 3000))(size)


def tiny_frames(size: int) -> bytes:
    """A video frame a TS packet, on 8 video PIDs."""
    videos = [(VIDEO, 0x400 + n, b"") for n in range(8)]
    start = b"\0\0\0\1\x09\xf0\0\0\0\1\x06\x05\x04MISP"
    return _many(lambda mux, n: mux.pes(start, 0x400 + n % 8, pts=n * 7, sid=0xE0), *videos)(size)


def many_videos(size: int) -> bytes:
    """Maps that list 200 video PIDs in all, and packets of all of them."""
    mux = Mux()

    def parts() -> Iterator[bytes]:
        yield mux.pat([(n + 1, 0x30 + n) for n in range(10)])
        for n in range(10):
            yield mux.pmt([(VIDEO, 0x400 + n * 20 + i, b"") for i in range(20)], number=n + 1, pid=0x30 + n)
        for n in count():
            yield mux.packet(0x400 + n % 200, b"\0\0\1\xe0\0\0\x80\0\0".ljust(184, b"\0"), start=True)

    return _filled(parts(), size)


def clock_jumps(size: int) -> bytes:
    """A PCR in each packet, each far from the one before."""
    return _many(lambda mux, n: mux.pcr(n * 7_919_000_017 & (1 << 33) - 1))(size)


def clocks(size: int) -> bytes:
    """A PCR in each packet, on another PID each."""
    mux = Mux()
    return mux.listed() + _filled((mux.pcr(n * 3000, 0x20 + n * 37 % 8000) for n in count()), size)


def discontinuities(size: int) -> bytes:
    """A continuity error in each packet of the KLV PID."""
    def one(mux: Mux, number: int) -> bytes:
        packet = mux.pes(klv(b"", number))
        return packet[:3] + bytes([packet[3] & 0xF0 | number * 5 & 15]) + packet[4:]

    return _many(one)(size)


def sync_lost(size: int) -> bytes:
    """Junk behind each packet, so that packets never come in step."""
    mux = Mux()
    return _filled((mux.packet(0x100, b"\xaa" * 184) + b"\x47" * (n % 7 + 1) for n in count()), size)


def sync_lost_seldom(size: int) -> bytes:
    """Six packets in step, then a few bytes of junk."""
    mux = Mux()
    run = (b"".join(mux.packet(0x100, b"\xaa" * 184) for _ in range(6)) + b"\x11" * (n % 5 + 1) for n in count())
    return _filled(run, size)


def only_sync(size: int) -> bytes:
    """Nothing but sync bytes."""
    return b"\x47" * size


def false_sync(size: int) -> bytes:
    """Sync bytes at nearly each place where one may be, and no five in step."""
    unit = bytearray(b"\x47" * 752 + b"\x11" * 188)
    return bytes(unit * (size // len(unit) + 1))[:size]


def noise(size: int) -> bytes:
    """Random bytes behind a few packets."""
    mux = Mux()
    return mux.listed() + b"".join(mux.packet(0x100, b"\0" * 184) for _ in range(5)) + random.Random(1).randbytes(size)


def random_packets(size: int) -> bytes:
    """Packets of random bytes behind the sync byte."""
    data = bytearray(random.Random(2).randbytes(size // TS * TS))
    data[::TS] = b"\x47" * (size // TS)
    return bytes(data)


def larger_packets(lead: int, behind: int) -> Maker:
    """Good KLV in packets of 192 or 204 bytes."""

    def stream(size: int) -> bytes:
        plain = klv_pes(size * TS // (TS + lead + behind))
        return b"".join(b"\0" * lead + plain[at : at + TS] + b"\xff" * behind for at in range(0, len(plain), TS))

    return stream


# ---- KLV ----


def klv_pes(size: int) -> bytes:
    """A good record a TS packet."""
    return _many(lambda mux, n: mux.pes(klv(item(3, b"M1") + item(5, b"\x10\x20"), n)), every=500)(size)


def new_keys(size: int) -> bytes:
    """Packets of a set that nobody knows, another one each."""
    return _klv_only(lambda n: b"\x06\x0e\x2b\x34\x02\x0b\x01\x01" + n.to_bytes(8) + b"\x04abcd")(size)


def new_keys_pes(size: int) -> bytes:
    """The same in PES packets."""
    key = b"\x06\x0e\x2b\x34\x02\x0b\x01\x01"
    return _many(lambda mux, n: mux.pes(key + n.to_bytes(8) + b"\x04abcd", pts=n * 3000))(size)


def new_tags(size: int) -> bytes:
    """Items with tags that no table has, other ones in each packet."""
    return _klv_only(lambda n: klv(b"".join(item(200 + n * 3 + i, b"x") for i in range(3)), n))(size)


def many_tags(size: int) -> bytes:
    """1,000 unknown items a packet, other ones in each."""
    return _klv_only(lambda n: klv(b"".join(item(200 + n * 17 + i, b"") for i in range(1000)), n))(size)


def many_items(size: int) -> bytes:
    """Packets of 1,024 items of two bytes, their tags over again."""
    return _klv_only(lambda n: klv(b"".join(item(3 + (n + i) % 130, b"ab") for i in range(1000)), n))(size)


def nested(size: int) -> bytes:
    """Sets in sets, eight deep."""
    inside = b""
    for _ in range(8):
        inside = item(100, inside + item(4, b"xx"))
    return _klv_only(lambda n: klv(inside * 20, n))(size)


def amended(size: int) -> bytes:
    """Sets of other items in each packet, beside a segment each."""
    def one(n: int) -> bytes:
        return klv(item(100, b"".join(item(3 + (n * 7 + i) % 140, b"12") for i in range(9))) + item(3 + n % 140, b"y"), n)

    return _klv_only(one)(size)


def remarks(size: int) -> bytes:
    """Items of wrong lengths, other ones each time: thousands of different warnings."""
    return _klv_only(lambda n: klv(b"".join(item(5 + (n + i) % 60, bytes(9 + (n * 7 + i) % 90)) for i in range(5)), n))(size)


def targets(size: int) -> bytes:
    """VMTI with 200 targets, all of them with something odd."""
    def one(n: int) -> bytes:
        series = b"".join(ber_length(5) + ber_oid(i + 1)[:1] + item(5, bytes(2)) for i in range(100))
        return klv(item(74, item(4, b"\x06") + item(101, series)), n)

    return _klv_only(one)(size)


def labels(size: int) -> bytes:
    """Security labels and texts that differ each time, with control characters."""
    def one(n: int) -> bytes:
        text = b"\x1b[%dm\x9b\xe2\x80\xae\xc2\x9b %d" % (n, n)
        return klv(item(3, text) + item(48, item(1, b"\x01") + item(3, text) + item(4, text * 3) + item(22, b"\0\x0c")), n)

    return _klv_only(one)(size)


def long_texts(size: int) -> bytes:
    """Texts of 60 KB with bytes to escape."""
    return _klv_only(lambda n: klv(item(3, b"\x01" * 30_000) + item(4, b"\xff" * 30_000), n))(size)


def stamps(size: int) -> bytes:
    """Two time stamps in turn, centuries apart; bad checksums in between."""
    def one(n: int) -> bytes:
        raw = klv(item(3, b"M"), n, step_us=10**13 if n & 1 else 1)
        return raw if n % 3 else raw[:-1] + bytes([raw[-1] ^ 1])

    return _klv_only(one)(size)


def stamps_pes(size: int) -> bytes:
    """The same with PTS that jump each time."""
    return _many(lambda mux, n: mux.pes(klv(b"", n * 7919 % 100_003), pts=n * 7_919_000_017))(size)


def smallest(size: int) -> bytes:
    """Packets of ST 0601 with nothing in them."""
    one = UNIVERSAL_KEYS["ST0601"] + b"\0"
    return one * (size // len(one))


def versions(size: int) -> bytes:
    """Another version of ST 0601 and of the sets inside in each packet."""
    def one(n: int) -> bytes:
        value = item(2, (START_US + n * 33_333).to_bytes(8)) + item(65, bytes([n & 255]))
        value += item(48, item(22, (n % 65_536).to_bytes(2))) + item(74, item(4, bytes([n >> 3 & 127]))) + b"\x01\x02"
        raw = UNIVERSAL_KEYS["ST0601"] + ber_length(len(value) + 2) + value
        return raw + _sum(raw)

    return _klv_only(one)(size)


def many_klv_pids(size: int) -> bytes:
    """200 PIDs with KLV, in ten programs."""
    mux = Mux()

    def parts() -> Iterator[bytes]:
        yield mux.pat([(n + 1, 0x30 + n) for n in range(10)])
        for n in range(10):
            yield mux.pmt([(ASYNC, 0x400 + n * 20 + i, KLVA) for i in range(20)], number=n + 1, pid=0x30 + n)
        for n in count():
            yield mux.pes(klv(item(3, b"M1"), n // 200), 0x400 + n % 200, pts=n * 15)

    return _filled(parts(), size)


def id3(size: int) -> bytes:
    """Timed ID3 and text where KLV is announced."""
    return _many(lambda mux, n: mux.pes(b"ID3\x04\0\0\0\0\0\x3fPRIV\0\0\0\x35\0\0com.\x1b[2J %d" % n, pts=n * 3000))(size)


def universal(size: int) -> bytes:
    """Universal sets with keys that nobody knows, 60 in each."""
    def one(n: int) -> bytes:
        value = b"".join(b"\x06\x0e\x2b\x34\x01\x01" + (n * 60 + i).to_bytes(10) + b"\x01x" for i in range(60))
        return UNIVERSAL_KEYS["ST0104"] + ber_length(len(value)) + value

    return _klv_only(one)(size)


def promised(size: int) -> bytes:
    """Keys that promise more bytes than ever come, over and over."""
    one = UNIVERSAL_KEYS["ST0601"] + b"\x84\x00\x04\x00\x00" + b"\x05\x00" * 100
    return (one * (size // len(one) + 1))[:size]


def cells(size: int) -> bytes:
    """Metadata AU cells whose numbers never follow each other, several in each PES packet."""
    def one(mux: Mux, n: int) -> bytes:
        raw = klv(b"", n)
        cell = bytes([0, n * 91 & 255, 0xDF]) + len(raw).to_bytes(2) + raw
        return mux.pes(cell * 2, pts=n * 3000, sid=0xFC)

    return _many(one)(size)


HOSTILE: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        pmt_churn, pmt_small_churn, pat_churn, pat_small_churn, many_programs, big_descriptors, many_registrations,
        all_pids, starts_on_all_pids, empty_pes, tiny_pes, stream_ids, tiny_frames, many_videos, clock_jumps, clocks,
        discontinuities, sync_lost, sync_lost_seldom, only_sync, false_sync, noise, random_packets,
        klv_pes, new_keys, new_keys_pes, new_tags, many_tags, many_items, nested, amended, remarks, targets, labels,
        long_texts, stamps, stamps_pes, smallest, versions, many_klv_pids, id3, universal, promised, cells,
    )
} | {"packets_of_192": larger_packets(4, 0), "packets_of_204": larger_packets(0, 16)}  # fmt: skip
