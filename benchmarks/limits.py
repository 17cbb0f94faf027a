"""Measures the cost of hostile packets of 64 KiB, each built to be expensive, and of hostile streams."""

from __future__ import annotations

import random
from functools import partial

from benchmarks.clock import Call, take_turns
from benchmarks.show import Goal, goals, number, table
from klvrelay import decoder
from klvrelay.core import Lane
from klvrelay.encode.ber import ber_length, ber_oid
from klvrelay.standards.spec import UNIVERSAL_KEYS

_WANTED = 1.0  # ms per 64 KiB


def run(*, quick: bool) -> None:
    packets = _packets()
    lines = {name: len(decoder.json_lines(raw)) for name, raw in packets.items()}
    calls = {name: (lambda raw=raw: decoder.json_lines(raw), 1) for name, raw in packets.items()}
    timings = take_turns(calls, rounds=5 if quick else 15)
    rows = [
        (name, f"{len(raw):,}", f"{lines[name]:,}", number(timings[name].median * 1e3)) for name, raw in packets.items()
    ]
    table("Hostile packets", ("", "bytes", "bytes of JSON", "ms"), rows)
    goals([Goal(name, _WANTED, timings[name].median * 1e3, "ms", at_most=True) for name in packets])
    _search(rounds=3 if quick else 9)


def _search(rounds: int) -> None:
    """Framing of 1 MiB with keys inside announced lengths, in one piece and in datagrams."""
    streams = _streams()
    calls: dict[str, tuple[Call, int]] = {}
    for name, data in streams.items():
        calls[name] = (partial(_frame, data, len(data)), 1)
        calls[f"{name}, in datagrams"] = (partial(_frame, data, 1316), 1)
    timings = take_turns(calls, rounds=rounds)
    rows = [(name, number(timing.median * 1e3 / 16)) for name, timing in timings.items()]
    table("Hostile streams", ("", "ms per 64 KiB"), rows)
    wanted = [Goal(name, 1.0, timings[name].median * 1e3 / 16, "ms per 64 KiB", at_most=True) for name in streams]
    goals(wanted)


def _frame(data: bytes, size: int) -> None:
    lane = Lane(ts=False)
    for at in range(0, len(data), size):
        lane.packets(data[at : at + size])


def _streams() -> dict[str, bytes]:
    """1 MiB each: keys with announced lengths that include the following keys."""
    hidden = b"\x05\x00" * 150 + b"\x05\x15"
    return {
        "keys hidden in items": _with_long_lengths("ST0601", 65_280, hidden),
        "above 64 KiB": _with_long_lengths("ST0601", 300_000, hidden),
        "without a checksum": _with_long_lengths("ST0102", 65_000, hidden),
        "with a CRC": _with_long_lengths("ST1002", 65_000, hidden),
    }


def _with_long_lengths(name: str, promise: int, inside: bytes) -> bytes:
    one = UNIVERSAL_KEYS[name] + b"\x84" + promise.to_bytes(4) + inside
    return (one * ((1 << 20) // len(one) + 1))[: 1 << 20]


def _packets() -> dict[str, bytes]:
    chance = random.Random(1)
    keys = (b"\x06\x0e+4" + count.to_bytes(12, "big") + b"\x00" for count in range(3_800))
    nested = b""
    for _ in range(8):
        nested = _item(100, nested + _item(4, b"xx"))
    return {
        "no packet: lengths of 4 GiB": (UNIVERSAL_KEYS["ST0601"] + b"\x84\xff\xff\xff\xff") * 3_000,
        "1,020 unknown tags": _packet("ST0601", b"".join(_item(200 + count, b"") for count in range(1_020))),
        "repeated known tags": _packet("ST0601", b"".join(_item(3 + count % 130, b"ab") for count in range(1_020))),
        "empty items": _packet("ST0601", b"\x03\x00" * 32_000),
        "distinct universal keys": _packet("ST0104", b"".join(keys)),
        "nested sets": _packet("ST0601", nested * 60),
        "text to escape": _packet("ST0601", _item(3, b"\x01" * 60_000)),
        "small matrices": _packet("ST0601", _item(3, b"") * 500 + _item(102, b"\x81\x0e\x00") * 500),
        "sparse matrices": _packet("ST0601", _item(102, b"\x81\x0f\x09" + bytes(1_270)) * 40),
        "small targets": _packet("ST0903", _item(101, b"".join(b"\x05\x01\x04\x01\x05" for _ in range(13_000)))),
        "flags with long names": _packet("ST0601", _item(100, b"\x2f\x01\x00\x7c\x01\x00") * 8_000),
        "array of octets": _packet("ST1303", _array(60_000, 1, 1) + bytes(60_000)),
        "array of runs": _packet("ST1303", _array(256, 1, 5) + b"\x01" + b"\x02\x00\x82\x00" * 254),
        "array of floats": _packet("ST1601", _item(8, _array(16_000, 4, 1) + chance.randbytes(64_000))),
        "array of doubles": _packet("ST1601", _item(8, _array(8_000, 8, 1) + chance.randbytes(64_000))),
    }


def _packet(name: str, value: bytes) -> bytes:
    return UNIVERSAL_KEYS[name] + ber_length(len(value)) + value


def _item(tag: int, value: bytes) -> bytes:
    return ber_oid(tag) + ber_length(len(value)) + value


def _array(count: int, octets: int, algorithm: int) -> bytes:
    return b"".join(map(ber_oid, (1, count, octets, algorithm)))
