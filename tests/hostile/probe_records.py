"""KLV that is expensive to probe: endless keys, items, remarks, texts and times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from hostile_mux import ASYNC, KLVA, START_US, Maker, Mux, bare, checksum, filled, item, klv, program_of

from klvrelay.encode.ber import ber_length, ber_oid
from klvrelay.standards.spec import UNIVERSAL_KEYS


def new_keys(size: int) -> bytes:
    """Packets of unknown sets, each with a different key."""
    return bare(lambda n: b"\x06\x0e\x2b\x34\x02\x0b\x01\x01" + n.to_bytes(8) + b"\x04abcd")(size)


def new_keys_pes(size: int) -> bytes:
    """The same in PES packets."""
    key = b"\x06\x0e\x2b\x34\x02\x0b\x01\x01"
    return program_of(lambda mux, n: mux.pes(key + n.to_bytes(8) + b"\x04abcd", pts=n * 3000))(size)


def new_tags(size: int) -> bytes:
    """Items with unknown tags, different in each packet."""
    return bare(lambda n: klv(b"".join(item(200 + n * 3 + i, b"x") for i in range(3)), n))(size)


def many_tags(size: int) -> bytes:
    """1,000 unknown items per packet, different in each."""
    return bare(lambda n: klv(b"".join(item(200 + n * 17 + i, b"") for i in range(1000)), n))(size)


def many_items(size: int) -> bytes:
    """Packets of 1,024 items of two bytes with repeating tags."""
    return bare(lambda n: klv(b"".join(item(3 + (n + i) % 130, b"ab") for i in range(1000)), n))(size)


def nested(size: int) -> bytes:
    """Sets in sets, eight deep."""
    inside = b""
    for _ in range(8):
        inside = item(100, inside + item(4, b"xx"))
    return bare(lambda n: klv(inside * 20, n))(size)


def amended(size: int) -> bytes:
    """Amendments of other items in each packet, and a segment in each."""
    def one(n: int) -> bytes:
        inside = b"".join(item(3 + (n * 7 + i) % 140, b"12") for i in range(9))
        return klv(item(100, inside) + item(3 + n % 140, b"y"), n)

    return bare(one)(size)


def unlike(size: int) -> bytes:
    """Nearly all items of ST 0601 in each packet, empty; the omitted two differ each time."""

    def one(n: int) -> bytes:
        left_out = 3 + n % 60, 66 + n // 60 % 70
        return klv(b"".join(empty for tag, empty in items if tag not in left_out), n)

    items = [(tag, item(tag, b"")) for tag in range(3, 143) if tag != 65]
    return bare(one)(size)


def remarks(size: int) -> bytes:
    """Items of wrong lengths, different each time: thousands of different warnings."""
    return bare(lambda n: klv(b"".join(item(5 + (n + i) % 60, bytes(9 + (n * 7 + i) % 90)) for i in range(5)), n))(size)


def targets(size: int) -> bytes:
    """VMTI with 200 targets, each with a defect."""
    def one(n: int) -> bytes:
        series = b"".join(ber_length(5) + ber_oid(i + 1)[:1] + item(5, bytes(2)) for i in range(100))
        return klv(item(74, item(4, b"\x06") + item(101, series)), n)

    return bare(one)(size)


def labels(size: int) -> bytes:
    """Security labels and texts that differ each time, with control characters."""
    def one(n: int) -> bytes:
        text = b"\x1b[%dm\x9b\xe2\x80\xae\xc2\x9b %d" % (n, n)
        label = item(1, b"\x01") + item(3, text) + item(4, text * 3) + item(22, b"\0\x0c")
        return klv(item(3, text) + item(48, label), n)

    return bare(one)(size)


def long_texts(size: int) -> bytes:
    """Texts of 60 KB with bytes to escape."""
    return bare(lambda n: klv(item(3, b"\x01" * 30_000) + item(4, b"\xff" * 30_000), n))(size)


def stamps(size: int) -> bytes:
    """Two time stamps in turn, centuries apart, with bad checksums in between."""
    def one(n: int) -> bytes:
        raw = klv(item(3, b"M"), n, step_us=10**13 if n & 1 else 1)
        return raw if n % 3 else raw[:-1] + bytes([raw[-1] ^ 1])

    return bare(one)(size)


def stamps_pes(size: int) -> bytes:
    """The same with PTS that jump each time."""
    return program_of(lambda mux, n: mux.pes(klv(b"", n * 7919 % 100_003), pts=n * 7_919_000_017))(size)


def smallest(size: int) -> bytes:
    """Packets of ST 0601 without items."""
    one = UNIVERSAL_KEYS["ST0601"] + b"\0"
    return one * (size // len(one))


def versions(size: int) -> bytes:
    """Each packet has another version of ST 0601 and of its nested sets."""
    def one(n: int) -> bytes:
        value = item(2, (START_US + n * 33_333).to_bytes(8)) + item(65, bytes([n & 255]))
        value += item(48, item(22, (n % 65_536).to_bytes(2))) + item(74, item(4, bytes([n >> 3 & 127]))) + b"\x01\x02"
        raw = UNIVERSAL_KEYS["ST0601"] + ber_length(len(value) + 2) + value
        return raw + checksum(raw)

    return bare(one)(size)


def many_klv_pids(size: int) -> bytes:
    """200 PIDs with KLV, in ten programs."""
    mux = Mux()

    def parts() -> Iterator[bytes]:
        yield mux.pat([(n + 1, 0x30 + n) for n in range(10)])
        for n in range(10):
            yield mux.pmt([(ASYNC, 0x400 + n * 20 + i, KLVA) for i in range(20)], number=n + 1, pid=0x30 + n)
        for n in count():
            yield mux.pes(klv(item(3, b"M1"), n // 200), 0x400 + n % 200, pts=n * 15)

    return filled(parts(), size)


def id3(size: int) -> bytes:
    """Timed ID3 and text where KLV is announced."""
    tag = b"ID3\x04\0\0\0\0\0\x3fPRIV\0\0\0\x35\0\0com.\x1b[2J "
    return program_of(lambda mux, n: mux.pes(tag + b"%d" % n, pts=n * 3000))(size)


def universal(size: int) -> bytes:
    """Universal sets with unknown keys, 60 in each."""
    def one(n: int) -> bytes:
        value = b"".join(b"\x06\x0e\x2b\x34\x01\x01" + (n * 60 + i).to_bytes(10) + b"\x01x" for i in range(60))
        return UNIVERSAL_KEYS["ST0104"] + ber_length(len(value)) + value

    return bare(one)(size)


def promised(size: int) -> bytes:
    """Keys whose lengths exceed the data, over and over."""
    one = UNIVERSAL_KEYS["ST0601"] + b"\x84\x00\x04\x00\x00" + b"\x05\x00" * 100
    return (one * (size // len(one) + 1))[:size]


def matrices(size: int) -> bytes:
    """Matrices of few bytes that expand to much text."""
    return bare(lambda n: klv(item(3, b"") * 500 + item(102, b"\x81\x0f\x09" + bytes(1_270)) * 40, n))(size)


def cells(size: int) -> bytes:
    """Metadata AU cells whose numbers never follow each other, several in each PES packet."""
    def one(mux: Mux, n: int) -> bytes:
        raw = klv(b"", n)
        cell = bytes([0, n * 91 & 255, 0xDF]) + len(raw).to_bytes(2) + raw
        return mux.pes(cell * 2, pts=n * 3000, sid=0xFC)

    return program_of(one)(size)


RECORDS: dict[str, Maker] = {
    maker.__name__: maker
    for maker in (
        new_keys, new_keys_pes, new_tags, many_tags, many_items, nested, amended, unlike, remarks, targets, labels,
        long_texts, stamps, stamps_pes, smallest, versions, many_klv_pids, id3, universal, promised, matrices, cells,
    )
}  # fmt: skip
