"""Transport streams that are expensive to probe: endless tables, PIDs, clocks, PES packets, sync bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count

from hostile_mux import ASYNC, KLVA, TS, VIDEO, Maker, Mux, filled, item, klv, program_of

from klvrelay.standards.spec import UNIVERSAL_KEYS

# ---- tables ----


def pmt_churn(size: int) -> bytes:
    """40 programs whose PMTs list 190 other PIDs with each version."""
    mux, programs = Mux(), [(n, 0x20 + n) for n in range(1, 41)]

    def parts() -> Iterator[bytes]:
        for version in count():
            yield mux.pat(programs, version)
            for number, pid in programs:
                first = version * 977 + number * 197
                streams = [(ASYNC, 0x100 + (first + n) % 0x1E00, b"") for n in range(190)]
                yield mux.pmt(streams, number=number, pid=pid, version=version)

    return filled(parts(), size)


def pmt_small_churn(size: int) -> bytes:
    """A PMT in one packet, with another KLV PID and another PCR PID each time."""

    def one(mux: Mux, number: int) -> bytes:
        klv_pid = 0x200 + number % 0x1C00
        return mux.pmt([(ASYNC, klv_pid, KLVA), (VIDEO, 0x1F00 - number % 64, b"")], version=number, pcr=klv_pid)

    return program_of(one)(size)


def pat_churn(size: int) -> bytes:
    """Each PAT lists other programs on other PIDs."""
    mux = Mux()
    pats = (
        mux.pat([((v * 251 + n) % 65_535 + 1, 0x20 + (v * 91 + n * 7) % 0x1F00) for n in range(250)], v)
        for v in count()
    )
    return filled(pats, size)


def pat_small_churn(size: int) -> bytes:
    """A PAT in one packet with one program that moves, followed by its PMT."""
    mux = Mux()

    def parts() -> Iterator[bytes]:
        for v in count():
            pid = 0x20 + v % 0x1F00
            yield mux.pat([(v % 65_535 + 1, pid)], v)
            yield mux.pmt([(ASYNC, 0x20 + (v * 7 + 3) % 0x1F00, KLVA)], number=v % 65_535 + 1, pid=pid, version=v)

    return filled(parts(), size)


def many_programs(size: int) -> bytes:
    """2,000 programs in eight PATs, each with a PMT of 60 streams with many descriptors."""
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

    return filled(parts(), size)


def big_descriptors(size: int) -> bytes:
    """PMTs and an SDT full of texts with control characters."""
    text = bytes(range(32)) + b"\x9b\xe2\x80\xae" * 6

    def one(mux: Mux, number: int) -> bytes:
        said = b"".join(b"\x05" + bytes([len(text)]) + bytes([number & 255]) + text[1:] for _ in range(4))
        streams = [(ASYNC, 0x300 + number % 512 + n, said) for n in range(3)]
        sdt = mux.section(0x11, 0x42, 1, number, b"\0\1\xff\0\1\xfc\x80" + bytes([200]) + b"\x48" + text * 12)
        return mux.pmt(streams, version=number) + sdt

    return program_of(one)(size)


def many_registrations(size: int) -> bytes:
    """Streams with as many descriptors as a PMT can hold."""
    def one(mux: Mux, number: int) -> bytes:
        said = b"".join(b"\x05\x04" + bytes([27, 155, number & 255, n]) for n in range(160))
        return mux.pmt([(ASYNC, 0x101, said)], version=number)

    return program_of(one)(size)


# ---- packets ----


def all_pids(size: int) -> bytes:
    """One packet on each PID in turn."""
    mux = Mux()
    return filled((mux.packet(n * 37 % 8191 + 0, b"\xaa" * 184) for n in count(1)), size)


def starts_on_all_pids(size: int) -> bytes:
    """A PES packet begins in each TS packet, on every PID in turn."""
    mux = Mux()
    body = b"\0\0\1\xbd\x00\x30\x84\0\0" + UNIVERSAL_KEYS["ST0601"] + b"\x1f"
    return filled((mux.packet(0x20 + n * 37 % 8000, body.ljust(184, b"\0"), start=True) for n in count()), size)


def empty_pes(size: int) -> bytes:
    """Empty PES packets on the KLV PID."""
    return program_of(lambda mux, n: mux.pes(b"", pts=n * 3))(size)


def tiny_pes(size: int) -> bytes:
    """One PES packet per TS packet on a PID announced as KLV that carries other data."""
    return program_of(lambda mux, n: mux.pes(b"no KLV here %d" % n, pts=n * 3000))(size)


def stream_ids(size: int) -> bytes:
    """PES packets with a key in them, each with another stream_id."""
    body = UNIVERSAL_KEYS["ST0601"] + b"\x10" + bytes(16)
    return program_of(lambda mux, n: mux.pes(body, sid=n & 255, pts=n * 3000))(size)


def tiny_frames(size: int) -> bytes:
    """One video frame per TS packet, on 8 video PIDs."""
    videos = [(VIDEO, 0x400 + n, b"") for n in range(8)]
    start = b"\0\0\0\1\x09\xf0\0\0\0\1\x06\x05\x04MISP"
    return program_of(lambda mux, n: mux.pes(start, 0x400 + n % 8, pts=n * 7, sid=0xE0), *videos)(size)


def many_videos(size: int) -> bytes:
    """PMTs that list 200 video PIDs in all, and packets of all of them."""
    mux = Mux()

    def parts() -> Iterator[bytes]:
        yield mux.pat([(n + 1, 0x30 + n) for n in range(10)])
        for n in range(10):
            yield mux.pmt([(VIDEO, 0x400 + n * 20 + i, b"") for i in range(20)], number=n + 1, pid=0x30 + n)
        for n in count():
            yield mux.packet(0x400 + n % 200, b"\0\0\1\xe0\0\0\x80\0\0".ljust(184, b"\0"), start=True)

    return filled(parts(), size)


def clock_jumps(size: int) -> bytes:
    """A PCR in each packet, each far from the previous one."""
    return program_of(lambda mux, n: mux.pcr(n * 7_919_000_017 & (1 << 33) - 1))(size)


def clocks(size: int) -> bytes:
    """A PCR in each packet, each on another PID."""
    mux = Mux()
    return mux.listed() + filled((mux.pcr(n * 3000, 0x20 + n * 37 % 8000) for n in count()), size)


def discontinuities(size: int) -> bytes:
    """A continuity error in each packet of the KLV PID."""
    def one(mux: Mux, number: int) -> bytes:
        packet = mux.pes(klv(b"", number))
        return packet[:3] + bytes([packet[3] & 0xF0 | number * 5 & 15]) + packet[4:]

    return program_of(one)(size)


def sync_lost(size: int) -> bytes:
    """Junk after each packet, so that packets are never aligned."""
    mux = Mux()
    return filled((mux.packet(0x100, b"\xaa" * 184) + b"\x47" * (n % 7 + 1) for n in count()), size)


def sync_lost_seldom(size: int) -> bytes:
    """Six aligned packets, then a few bytes of junk."""
    mux = Mux()
    run = (b"".join(mux.packet(0x100, b"\xaa" * 184) for _ in range(6)) + b"\x11" * (n % 5 + 1) for n in count())
    return filled(run, size)


def only_sync(size: int) -> bytes:
    """Nothing but sync bytes."""
    return b"\x47" * size


def false_sync(size: int) -> bytes:
    """Sync bytes at nearly every position, but never five at packet distance."""
    unit = bytearray(b"\x47" * 752 + b"\x11" * 188)
    return bytes(unit * (size // len(unit) + 1))[:size]


def noise(size: int) -> bytes:
    """Random bytes after a few packets."""
    mux = Mux()
    return mux.listed() + b"".join(mux.packet(0x100, b"\0" * 184) for _ in range(5)) + random.Random(1).randbytes(size)


def random_packets(size: int) -> bytes:
    """Packets of random bytes after the sync byte."""
    data = bytearray(random.Random(2).randbytes(size // TS * TS))
    data[::TS] = b"\x47" * (size // TS)
    return bytes(data)


def one_a_packet(size: int) -> bytes:
    """One valid record per TS packet."""
    return program_of(lambda mux, n: mux.pes(klv(item(3, b"M1") + item(5, b"\x10\x20"), n)), every=500)(size)


def larger_packets(lead: int, behind: int) -> Maker:
    """Valid KLV in packets of 192 or 204 bytes."""

    def stream(size: int) -> bytes:
        plain = one_a_packet(size * TS // (TS + lead + behind))
        return b"".join(b"\0" * lead + plain[at : at + TS] + b"\xff" * behind for at in range(0, len(plain), TS))

    return stream


TRANSPORT: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        pmt_churn, pmt_small_churn, pat_churn, pat_small_churn, many_programs, big_descriptors, many_registrations,
        all_pids, starts_on_all_pids, empty_pes, tiny_pes, stream_ids, tiny_frames, many_videos, clock_jumps, clocks,
        discontinuities, sync_lost, sync_lost_seldom, only_sync, false_sync, noise, random_packets, one_a_packet,
    )
} | {"packets_of_192": larger_packets(4, 0), "packets_of_204": larger_packets(0, 16)}  # fmt: skip
