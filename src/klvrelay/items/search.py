"""Finds the items that match a query."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from klvrelay.items.entry import (
    HEAD,
    SETS,
    ItemEntry,
    by_key,
    entries,
    every,
    inner_set,
    notes,
    pack_alone,
    packet_set,
)
from klvrelay.standards import clauses, spec

STEP = re.compile(r"(\w+)(?:\[\d+\])?$")
CLOSE = 4
CUTOFF = 0.6
SHORT = {"uas": "ST0601", "vmti": "ST0903", "rvt": "ST0806", "sar": "ST1206"}
"""Short names of sets."""


class NotFound(LookupError):
    """No item matches the query; the text suggests similar names."""


def find_set(text: str) -> str | None:
    """The set with this name: `ST0903`, `st 0903`, `0903`, `VMTI`, `VTarget`, `EG0104`; None if unknown."""
    return _set_names().get(_normalize(text))


@cache
def _set_names() -> dict[str, str]:
    return {_normalize(name): name for name in clauses.STANDARDS} | SHORT


def _normalize(text: str) -> str:
    plain = re.sub(r"[\W_]", "", text.lower()).removeprefix("misb")
    return re.sub(r"^(st|eg)(?=\d)", "", plain)


def look_up(query: str, name: str | None = None) -> tuple[list[ItemEntry], str | None]:
    """The matching items, and the set if the query names a whole set by its name or packet key.

    Raises NotFound.
    """
    key = key_bytes(query)
    whole = name or HEAD if not query.strip() else packet_set(key) if key else find_set(query) if not name else None
    if whole is None:
        return find(query, name), None
    alone = pack_alone(whole)
    return ([alone], None) if alone is not None else (list(entries(whole)), whole)


def split_queries(words: Sequence[str], name: str | None = None) -> list[str]:
    """Split the input into queries: one per word if each word is a tag, a path or a key; otherwise a single query.

    `frame center` is one query, `13 14` are two; so are `13,14`.
    """
    query = " ".join(words)
    parts = query.replace(",", " ").split()
    one = len(parts) < 2 or key_bytes(query) or _address(query, name) or _is_known_name(query, name)
    if one or not all(key_bytes(part) or _address(part, name) or _is_known_name(part, name) for part in parts):
        return [query]
    return parts


def _is_known_name(query: str, name: str | None) -> bool:
    return any(_is_named(entry, query) for entry in (every() if name is None else entries(name)))


def find(query: str, name: str | None = None) -> list[ItemEntry]:
    """The items that match an address; else an exact key or name; else words of these; else words of their content.

    `name` restricts the search to one set. An address is a tag (default set ST 0601), `0903:101`, a path as in
    `quality` (`74.101[0].10`, `vmti_local_set.vtarget_series`), or a 16-byte key in hex.

    Raises NotFound.
    """
    query = re.sub(r"^(item|tag)\s+", "", query.strip(), flags=re.IGNORECASE).rstrip(": ")
    key = key_bytes(query)
    if key is not None:
        return _of_key(key)
    if (place := _address(query, name)) is not None:
        return [_at(*place)]
    among = list(every() if name is None else entries(name))
    for matches in (_is_named, _has_words, _holds_words):
        if found := [entry for entry in among if matches(entry, query)]:
            return _once(found)
    raise NotFound(_near(query, among))


def key_bytes(text: str) -> bytes | None:
    """16 bytes in hex, with or without spaces, dots or dashes; None for any other text."""
    digits = re.sub(r"[\s.,:_-]|0x", "", text.lower())
    return bytes.fromhex(digits) if re.fullmatch(r"[0-9a-f]{32}", digits) else None


def _of_key(key: bytes) -> list[ItemEntry]:
    entry = by_key(key)
    if entry is None:
        raise NotFound(f'unknown key {key.hex()}: a record keeps its value as hex under "unknown"')
    return [entry]


def _address(query: str, name: str | None) -> tuple[str, list[str]] | None:
    """(set, steps from there) if the query is an address; else None."""
    if query.isdecimal():
        return name or HEAD, [str(int(query))]
    before, mark, path = _split(query)
    if mark and (home := find_set(before)) is not None:
        return home, path.split(".")
    steps = query.split(".")
    if len(steps) > 1 and all(STEP.match(step) for step in steps):
        return name or HEAD, steps
    return None


def _split(query: str) -> tuple[str, str, str]:
    found = re.match(r"(.+?)(\s*[:/]\s*|\s+(?=\d))([\w.\[\]]+)$", query)
    return (found[1], found[2], found[3]) if found else (query, "", "")


def _at(home: str, steps: list[str]) -> ItemEntry:
    """The item at the end of a path of tags or keys; content of a pack belongs to the item of the pack."""
    entry = None
    inside: str | None = home
    for step in steps:
        if inside is None:
            break
        key = key_bytes(step)
        found = STEP.match(step)
        entry = _of_key(key)[0] if key else _in_set(inside, found[1] if found else step)
        inside = inner_set(entry.item.kind)
    assert entry is not None
    return entry


def _in_set(name: str, step: str) -> ItemEntry:
    found = [entry for entry in entries(name) if step in (str(entry.item.tag), entry.item.key)]
    if not found:
        raise NotFound(_no_such(name, step))
    return found[0]


def _no_such(name: str, step: str) -> str:
    tags = [entry.item.tag for entry in entries(name)]
    if not tags:
        return f'{name} has no table: a record keeps its items as hex under "unknown"'
    if not step.isdecimal():
        return f"{name} has no item {step!r}{_suggestion(step, [entry.item.key for entry in entries(name)])}"
    return f"{name} has no item {step} (valid tags: {_spans(sorted(tags))}); a record keeps it as hex"


def _spans(numbers: list[int]) -> str:
    """`1-23, 101-107`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)


@lru_cache(4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", text.lower()))


def _is_named(entry: ItemEntry, query: str) -> bool:
    return _words(query) in (_words(entry.item.key), _words(entry.item.name))


def _has_words(entry: ItemEntry, query: str) -> bool:
    return _all_in(query, [entry.item.key, entry.item.name])


def _holds_words(entry: ItemEntry, query: str) -> bool:
    """Whether the query matches elements, labels, bits or notes."""
    item = entry.item
    place = (entry.set, item.tag)
    labels = [label for where, codes in spec.CODES.items() if where[:2] == place for label in codes.values()]
    bits = [bit.key for where, fields in spec.BITS.items() if where[:2] == place for bit in fields]
    elements = [element.name for element in spec.PACKS.get(item.pack, ())]
    return _all_in(query, [*labels, *bits, *elements, notes(item.notes), item.units, *item.special.values()])


def _all_in(query: str, texts: Iterable[str]) -> bool:
    """Whether one of the texts contains every word of the query."""
    wanted = _words(query)
    return bool(wanted) and any(all(word in " ".join(_words(text)) for word in wanted) for text in texts)


def _once(found: list[ItemEntry]) -> list[ItemEntry]:
    """Remove the universal form of items that were also found by tag."""
    by_tag = {entry.item.key for entry in found if entry.universal_key is None}
    return [entry for entry in found if entry.universal_key is None or entry.item.key not in by_tag]


def _near(query: str, among: list[ItemEntry]) -> str:
    names = [entry.item.key for entry in among] + [name.lower() for name in SETS]
    return f"no item named {query!r}{_suggestion(query, names)}"


def _suggestion(query: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches("_".join(_words(query)), list(dict.fromkeys(names)), CLOSE, CUTOFF)
    return f"; similar: {', '.join(close)}" if close else ""
