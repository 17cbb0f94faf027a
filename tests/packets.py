"""Random packets for hypothesis: items, sets and packs out of the csv facts, right, wrong and at the edges.

Next door: `wrapping.py` builds the bytes, `opinions.py` compares what the decoders say of them.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from hypothesis import strategies as st
from wrapping import decoded, local_set, oid, packet, series, universal_key

from native.spec import facts

FOLDER = Path(__file__).parent / "vectors"
DEPTH = 4
UNKNOWN_TAGS = (0, 144, 150, 191, 192, 255, 300, 16383, 16384, 99999, 2**35 - 1)
TEXT = 'abc"\\/\x00\x01\x1f\x7fé€😀 \ufffd'
EDGES = (0x00, 0x01, 0x7F, 0x80, 0xFF, 0xC0, 0xC8, 0xD0, 0xD8, 0xE0, 0xE1, 0xE8, 0xF0, 0xF8)


@cache
def known_values() -> dict[tuple[str, int], list[bytes]]:
    """The bytes of the vectors and seeds, by set and tag: packs that are right to begin with."""
    found: dict[tuple[str, int], list[bytes]] = {}
    for name in ("vectors.jsonl", "seeds.jsonl"):
        for vector in map(json.loads, (FOLDER / name).read_text(encoding="utf-8").splitlines()):
            if "tag" in vector:
                found.setdefault((vector["set"], vector["tag"]), []).append(bytes.fromhex(vector["hex"]))
    return found


def edges(size: int) -> st.SearchStrategy[bytes]:
    """First byte and filling where codes turn: zero, all ones, the sign, what is no number."""
    return st.builds(
        lambda first, fill, last: (bytes([first]) + bytes([fill]) * size)[: size - 1] + bytes([last]),
        st.sampled_from(EDGES),
        st.sampled_from((0x00, 0xFF)),
        st.sampled_from((0x00, 0x01, 0xFE, 0xFF)),
    ).map(lambda data: data[-size:])


def scalar(item: facts.Item) -> st.SearchStrategy[bytes]:
    low = max(1, item.len_min)
    size = st.integers(low, min(item.len_max or low + 12, low + 12))
    plain = size.flatmap(lambda n: st.binary(min_size=n, max_size=n) | edges(n))
    if item.kind in ("utf8", "ascii"):
        return st.text(TEXT, max_size=20).map(str.encode) | plain
    if item.kind == "utf16":
        return st.text(TEXT, max_size=20).map(lambda text: text.encode("utf-16-be")) | plain
    return plain


def known(item: facts.Item) -> st.SearchStrategy[bytes]:
    """A vector's bytes, as they are or damaged a little."""
    values = known_values().get((item.set, item.tag))
    return st.sampled_from(values) | damaged(st.sampled_from(values)) if values else st.just(b"\x01\x02")


def damaged(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """One bit flipped, the end cut off, or bytes added."""
    flip = st.builds(_flipped, data, st.integers(0, 1 << 16))
    cut = st.builds(lambda whole, at: whole[: at % (len(whole) + 1)], data, st.integers(0, 1 << 16))
    return flip | cut | st.builds(bytes.__add__, data, st.binary(min_size=1, max_size=4))


def _flipped(data: bytes, at: int) -> bytes:
    if not data:
        return data
    bit = at % (8 * len(data))
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def nested(item: facts.Item, name: str, depth: int) -> st.SearchStrategy[bytes]:
    inside = sets(name, depth + 1)
    if item.kind.startswith("local_set:"):
        return inside
    if item.kind == "series:VTargetPack":
        inside = st.builds(bytes.__add__, st.integers(0, 300).map(oid), inside)
    whole = st.lists(inside, max_size=3).map(series)
    return whole | damaged(whole)


def value(item: facts.Item, depth: int) -> st.SearchStrategy[bytes]:
    """Mostly what the item should hold, sometimes nothing, sometimes anything."""
    name = decoded(item.kind)
    wild = st.just(b"") | st.binary(max_size=24)
    if name and depth < DEPTH:
        return nested(item, name, depth) | wild
    packed = item.kind in ("dlp", "flp", "vlp") or item.kind.startswith("series:")
    return (known(item) if packed else scalar(item) | known(item)) | wild


@cache
def sets(name: str, depth: int = 0) -> st.SearchStrategy[bytes]:
    """The value of a set: any of its items in any order, unknown ones among them; sometimes damaged."""
    items = st.sampled_from(facts.items(name)).flatmap(lambda i: st.tuples(st.just(i.tag), value(i, depth)))
    unknown = st.tuples(st.sampled_from(UNKNOWN_TAGS), st.binary(max_size=6))
    whole = st.lists(items | items | items | unknown, max_size=10 if depth == 0 else 5).map(local_set)
    return whole | whole | whole | damaged(whole)


def universal() -> st.SearchStrategy[bytes]:
    keys = st.sampled_from([key.key for key in facts.universal_keys()])
    items = st.builds(lambda key, data: key + series([data]), keys, st.binary(max_size=8))
    return st.lists(items, max_size=5).map(b"".join)


def packets() -> st.SearchStrategy[bytes]:
    """Whole packets of every kind of set, with a right checksum, none, or a wrong one."""
    tops = [name for name in facts.DECODED if universal_key(name)]
    whole = st.sampled_from(tops).flatmap(
        lambda name: st.builds(packet, st.just(name), sets(name), checksum=st.booleans())
    )
    raw = st.builds(packet, st.sampled_from(["ST0806", "VTrack", "ST1108", "ST1303"]), sets("ST0102"))
    keyed = st.builds(packet, st.sampled_from(["EG0104", "ST0102-US"]), universal())
    return whole | whole | whole | raw | keyed
