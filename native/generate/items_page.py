"""The page of items, from the csv tables and the vectors: all items of all sets, how a record writes them, and
which are decoded, encoded and covered by test vectors.

`native/generate` writes it to `native/spec/ITEMS.md`; `coverage.py` counts the vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from native.generate import coverage, groups_page, packs_page, schema, schema_values
from native.generate.clauses import PREFERRED
from native.generate.documents import STANDARDS
from native.generate.schema_packs import pack
from native.spec import facts

HEAD = """<!-- Made by native/generate from native/spec/*.csv and tests/vectors/vectors.jsonl: do not edit. -->
# Items

Every item that klvrelay knows: its key in a record, its units, and how its value is written, with the range. An item
that is in none of these tables is kept as hex under `unknown`. On the command line, `klvrelay items` shows more of
each: resolution, bytes, labels, bits, elements.

- **dec**: decoded to a value, or kept as hex.
- **enc**: `klvrelay.encode` writes it back to bytes.
- **dead band**: the change, in the item's units, that an output with dead bands does not send.
- **vec**: number of test vectors that contain it, alone, in a set or in a packet, including nested sets. Items that no
  vector contains are still checked, in random packets, against a second decoder written from the tables alone.
"""

FORMS = {
    "uint": "integer",
    "int": "integer",
    "timestamp": "integer, microseconds since 1970",
    "date_time": "integer, microseconds since 1970",
    "utf8": "text",
    "ascii": "text",
    "utf16": "text",
    "enum": "label, or the integer where it has none",
    "bitfield": "object of bits",
    "bytes": "hex",
    "uuid": "UUID",
    "float": "number",
    "ber_oid": "integer",
    "mdap": "object, [MDAP](#mdap)",
}
NO_RANGE = {"enum", "bitfield", "timestamp", "date_time"}


def items_page() -> str:
    """The Markdown page of all items, a table a set."""
    sets = (section(name) for name in facts.DECODED)
    universal = (universal_section(name) for name in facts.UNIVERSAL)
    return "\n".join(
        [
            HEAD, coverage_section(), groups_page.section(), *sets, *universal, alone_section(), packs_page.section(),
            raw_section(), omitted_section(), large_section(),
        ]
    )  # fmt: skip


# --- coverage ---


def coverage_section() -> str:
    rows = [row(heading(name), *figures(name)) for name in facts.DECODED]
    rows += [row(heading(name), *universal_figures(name)) for name in facts.UNIVERSAL]
    by_tag, keyed = total(map(figures, facts.DECODED)), total(map(universal_figures, facts.UNIVERSAL))
    lines = [
        "## Coverage\n",
        "| set | document | items | dec | enc | in a vector | vectors |",
        "| --- | --- | --: | --: | --: | --: | --: |",
        *rows,
        f"| **all by tag** | | {' | '.join(f'**{n}**' for n in by_tag)} | |",
        f"| **all** | | {' | '.join(f'**{n}**' for n in total([by_tag, keyed]))} | |",
        "",
        *vectors_text(),
    ]
    return "\n".join(lines) + "\n"


def total(rows: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Items, decoded, encoded, in a vector. The last column has no sum: a vector may count in several sets."""
    return tuple(map(sum, zip(*(row[:4] for row in rows), strict=True)))


def row(title: str, items: int, decoded: int, encoded: int, held: int, vectors: int) -> str:
    name, _, document = title.partition("|")
    return f"| [{name}](#{anchor(name)}) | {document} | {items} | {decoded} | {encoded} | {held} | {vectors} |"


def heading(name: str) -> str:
    return f"{words(name)}|{STANDARDS[name][0].removeprefix('MISB ')}: {STANDARDS[name][1]}"


def words(name: str) -> str:
    """`ST 0903 VTarget`, `EG 0104`."""
    return schema.clause(name) if name in facts.DECODED else schema.words(name)


def anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def figures(name: str) -> tuple[int, int, int, int, int]:
    """Items; those decoded, encoded, in a vector; and the number of vectors with an item of the set."""
    items = facts.items(name)
    held = sum(coverage.counts()[name, item.tag] > 0 for item in items)
    decoded = sum(decodes(item) for item in items)
    return len(items), decoded, sum(map(encodes, items)), held, coverage.of_set(name)


def universal_figures(name: str) -> tuple[int, int, int, int, int]:
    rows = universal_rows(name)
    items = [item for _, item, _ in rows]
    held = sum(count > 0 for *_, count in rows)
    return len(rows), sum(map(decodes, items)), sum(map(encodes, items)), held, coverage.of_set(name)


def decodes(item: facts.Item) -> bool:
    return form(item) != "raw hex"


def encodes(item: facts.Item) -> bool:
    """Encoding uses the same tables: every item that has a value in a record can be written."""
    return decodes(item)


def yes(flag: bool) -> str:
    return "yes" if flag else "no"


def vectors_text() -> Iterator[str]:
    of_packs = ", ".join(f"{count} of {schema.words(name)} packs" for name, count in coverage.packs().items())
    rest = ", ".join(f"{count} {name}" for name, count in sorted(coverage.others().items()))
    total = len(coverage.vectors())
    yield f"{total} vectors in all: of items, sets and packets, {of_packs}, and of single rules: {rest}."


# --- sets ---


def section(name: str) -> str:
    title, document = STANDARDS[name][1], STANDARDS[name][0]
    lines = [f"## {words(name)}\n", f"{title} ({document}), {where(name)}.\n"]
    return "\n".join([*lines, *table(facts.items(name))]) + "\n"


def where(name: str) -> str:
    """Where the set occurs: in packets with its key, and inside which items."""
    keys = {key.set: key.key for key in facts.universal_keys()}
    hosts = [item for owner in facts.DECODED for item in facts.items(owner) if coverage.set_inside(item.kind) == name]
    inside = ", ".join(f"{words(item.set)} item {item.tag}" for item in hosts)
    alone = [f"packets of key `{keys[name].hex()}`"] if name in keys else []
    return "; ".join([*alone, *([f"inside {inside}"] if inside else [])])


def table(items: list[facts.Item]) -> Iterator[str]:
    banded = items[0].set == "ST0601"
    yield "| tag | name | key | units | in a record | dec | enc | vec |" + " dead band |" * banded
    yield "| --: | --- | --- | --- | --- | --- | --- | --: |" + " --: |" * banded
    for item in items:
        count = coverage.counts()[item.set, item.tag]
        marks = f"{yes(decodes(item))} | {yes(encodes(item))} | {count}" + f" | {groups_page.dead_band(item)}" * banded
        yield f"| {item.tag} | {item.name}{mark(item)} | `{item.key}` | {item.units} | {form(item)} | {marks} |"


def mark(item: facts.Item) -> str:
    """`(deprecated)`, `(15 where not sent)`."""
    better = [group[: group.index(item.tag)] for group in PREFERRED if item.set == "ST0601" and item.tag in group]
    marks = ["deprecated"] if item.deprecated and item.name != "Deprecated" else []
    marks += [f"prefer {', '.join(map(str, tags))}" for tags in better if tags]
    return f" ({'; '.join(marks)})" if marks else ""


def form(item: facts.Item) -> str:
    """How a record writes the item, in words."""
    kind, _, inner = item.kind.partition(":")
    if kind == "local_set" and "$ref" not in schema.set_reference(inner):
        return "raw hex"
    if kind == "local_set":
        shown = f"object, {words(schema.SAME_TAGS.get(inner, inner))}"
    elif kind == "series":
        shown = series_form(inner)
    elif kind in ("dlp", "flp", "vlp"):
        shown = pack_form(schema_values.pack_name(item))
    elif item.mapping.startswith("linear") or item.mapping == "imapb":
        shown = "number"
    else:
        shown = "array of integers" if item.key == "active_payloads" else FORMS[kind]
    span = "" if whole_range(item) else schema_values.range_text(item)
    shown = f"{shown}, {span}" if span else shown
    return shown.replace("object", "array of objects", 1) if item.repeats else shown


def whole_range(item: facts.Item) -> bool:
    """Is its range the same as that of its bytes?"""
    if item.kind in NO_RANGE or item.mapping != "raw" or item.min is None:
        return item.kind in NO_RANGE
    codes = 256**item.len_max
    return (item.min, item.max) in ((0, codes - 1), (-codes // 2, codes // 2 - 1))


def series_form(inner: str) -> str:
    name = coverage.set_inside(f"series:{inner}")
    if name is not None:
        return f"array of objects, {words(name)}"
    return "array of integers" if inner == "uint" else f"array of [{inner}](#{anchor(inner)})"


@cache
def pack_form(name: str) -> str:
    shape = pack(name, facts.packs()[name])
    return f"{shape['type']}, [{name}](#{anchor(name)})"


# --- items by 16-byte key ---


@cache
def universal_rows(name: str) -> list[tuple[bytes, facts.Item, int]]:
    """The items of a universal set: key, item, and number of vectors that contain it."""
    known = {plain(key): item for key, item in facts.keyed()}
    if name == "ST0104":
        return [(r.key, known[plain(r.key)], coverage.counts()[name, at]) for at, r in enumerate(facts.legacy())]
    keys = [row for row in facts.item_keys() if row.set == facts.UNIVERSAL[name]]
    return [(row.key, known[plain(row.key)], coverage.counts()[name, row.tag]) for row in keys]


def plain(key: bytes) -> bytes:
    """Without octet 8, the registry version, which is ignored when keys are compared."""
    return key[:7] + key[8:]


def universal_section(name: str) -> str:
    title, document = STANDARDS[name][1], STANDARDS[name][0]
    lines = [f"## {words(name)}\n", f"{title} ({document}), {where(name)}. A record uses the keys of the local sets.\n"]
    return "\n".join([*lines, *keyed_table(universal_rows(name))]) + "\n"


def alone_section() -> str:
    """The items whose keys are in neither universal set: a packet may be one of them."""
    listed = {plain(key) for name in facts.UNIVERSAL for key, *_ in universal_rows(name)}
    counts = {facts.ALONE[name][0]: count for name, count in coverage.packs().items()}
    rest = [(key, item, counts.get(item.key, 0)) for key, item in facts.keyed() if plain(key) not in listed]
    text = "These may also be in a universal set, or a packet by themselves; so may the items of the two sets above.\n"
    return "\n".join(["## Other items by 16-byte key\n", text, *keyed_table(rest)]) + "\n"


def keyed_table(rows: list[tuple[bytes, facts.Item, int]]) -> Iterator[str]:
    yield "| 16-byte key | name | key | units | in a record | dec | enc | vec |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --: |"
    for key, item, count in rows:
        once = replace(item, repeats=False)
        marks = f"{yes(decodes(item))} | {yes(encodes(item))} | {count}"
        yield f"| `{key.hex()}` | {item.name} | `{item.key}` | {item.units} | {form(once)} | {marks} |"


def raw_section() -> str:
    """The sets whose packets are recognised but not decoded."""
    known = {*facts.DECODED, *facts.UNIVERSAL, *facts.ALONE}
    rows = [key for key in facts.universal_keys() if key.set not in known]
    lines = [f"| {schema.words(key.set)} | {key.name} | `{key.key.hex()}` |" for key in rows]
    head = "## Sets without a table\n"
    text = "A record names the set of such a packet; its items are hex under `unknown`.\n"
    return "\n".join([head, text, "| set | name | key |", "| --- | --- | --- |", *lines]) + "\n"


# --- values ---


def omitted_section() -> str:
    """The elements of packs that have a value if their bytes are omitted."""
    elements = [element for rows in facts.packs().values() for element in rows if element.default]
    lines = [
        f"| {words(e.set)} item {e.tag} | [{e.pack}](#{anchor(e.pack)}) | {packs_page.omitted(e)} |" for e in elements
    ]
    text = (
        "If the standard defines what omitted bytes of a pack mean, a record has that value. `klvrelay.encode` omits"
        " again what\nthe packet of a record omitted. An item that is not in its set is not in the record either: its"
        " notes say what that means.\n"
    )
    return "\n".join(["## Omitted bytes\n", text, "| item | pack | value |", "| --- | --- | --- |", *lines]) + "\n"


def large_section() -> str:
    """The items whose integers may be too large for a double."""
    large = [item for name in facts.DECODED for item in schema_values.beyond(name)]
    lines = [f"| {words(item.set)} item {item.tag} | `{item.key}` |" for item in large]
    text = (
        "These may hold integers beyond 2^53 - 1 (9,007,199,254,740,991), which JavaScript and other readers with"
        " doubles\nonly round; so may `time_us`. With `numbers = \"safe\"` a record has such an integer as the string"
        " of its digits.\nThis also applies to any other item that was sent in more bytes than its standard allows.\n"
    )
    head = "## Integers beyond 2^53 - 1\n"
    return "\n".join([head, text, "| item | key |", "| --- | --- |", *lines]) + "\n"
