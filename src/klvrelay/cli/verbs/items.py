"""The verb `items`: prints the reference of metadata items.

Without a query it lists ST 0601. A query that matches one item prints its full entry; several matches give a list.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from klvrelay.cli.verbs.printout import Listing, Printout, show
from klvrelay.errors import ConfigError
from klvrelay.items import NotFound, entries, find, find_set, item_details, look_up, set_details, split_queries
from klvrelay.items.entry import ItemEntry
from klvrelay.items.item_details import Field, ItemDetails, Part
from klvrelay.json_output import dumps
from klvrelay.standards import clauses
from klvrelay.text import counted, printable

MORE = (
    "klvrelay items 13           one item, by tag, key (sensor_latitude), words (frame center) or 16-byte key",
    "klvrelay items 0903:101     an item of another set, or a path as in a record's quality: 74.101[0].10",
    "klvrelay items --set 0903   the items of another set; --sets lists the sets",
)


def items(words: Sequence[str], *, set_name: str | None, list_sets: bool, as_json: bool) -> None:
    """Print the matching entries. Raises ConfigError if nothing matches."""
    if list_sets:
        if as_json:
            _write_json([set_details(name) for name in clauses.STANDARDS])
        else:
            show(all_sets(), sys.stdout)
        return
    name = _set(set_name) if set_name else None
    answers = [(query, *_look_up(query, name)) for query in split_queries(words, name)]
    if as_json:
        _write_json([item_details(entry) for _, found, _ in answers for entry in found])
    else:
        for number, printout in enumerate(_printouts(answers)):
            if number:
                print()
            show(printout, sys.stdout)


def _look_up(query: str, name: str | None) -> tuple[list[ItemEntry], str | None]:
    try:
        return look_up(query, name)
    except NotFound as fault:
        raise ConfigError(f"{printable(str(fault))}\ntry: klvrelay items, klvrelay items --sets") from fault


def _printouts(answers: list[tuple[str, list[ItemEntry], str | None]]) -> Iterator[Printout]:
    for query, found, whole in answers:
        if whole is not None:
            yield one_set(whole)
        elif len(found) == 1:
            yield one_item(found[0])
        else:
            yield several(query, found)


def _set(text: str) -> str:
    name = find_set(text)
    if name is None:
        raise ConfigError(f"unknown set {printable(text)!r}\ntry: klvrelay items --sets")
    return name


def _write_json(content: object) -> None:
    sys.stdout.write(dumps(content, indented=True).decode())


# --- printouts ---


def all_sets() -> Printout:
    """The sets by name, their standards, and the items that contain them."""
    rows: list[tuple[str, ...]] = []
    for name in clauses.STANDARDS:
        of = set_details(name)
        held = ", ".join([*(["packet"] if of["universal_key"] else []), *of["inside"]])
        rows.append((name, of["standard"], str(of["items"] or ""), of["title"], held))
    columns = ("set", "standard", "items", "title", "found in")
    hints = ["klvrelay items --set VTarget   a set's items"]
    return Printout("Sets and packs that klvrelay knows by name", [], [Listing(columns, rows)], hints)


def one_set(name: str) -> Printout:
    """The items of a set, one row each."""
    of = set_details(name)
    lines = [("packets", group_digits(of["universal_key"]))] if of["universal_key"] else []
    lines += [("inside", ", ".join(of["inside"]))] if of["inside"] else []
    found = entries(name)
    if not found:
        lines.append(("items", 'no table: a record keeps them as hex under "unknown"'))
    tables = [listing(list(found), "tag")] if found else []
    return Printout(f"{of['standard']}  {of['title']}  ({name})", lines, tables, list(MORE))


def several(query: str, found: list[ItemEntry]) -> Printout:
    """A short table of several matches."""
    hints = [f"klvrelay items {found[0].address}   shows all of it"]
    return Printout(f"{counted(len(found), 'item')} for {printable(query)!r}", [], [listing(found, "item")], hints)


def listing(found: list[ItemEntry], first: str) -> Listing:
    rows = [_row(entry, item_details(entry), first) for entry in found]
    return Listing((first, "key", "units", "range", "value", "name"), rows, spare=2)


def _row(entry: ItemEntry, of: ItemDetails, first: str) -> tuple[str, ...]:
    at = str(of["tag"]) if first == "tag" and entry.universal_key is None else of["address"]
    value = of["record"].partition(",")[0].partition(":")[0].partition(" ")[0]
    name = of["name"] + (" (deprecated)" if of["deprecated"] and "eprecated" not in of["name"] else "")
    return at, of["key"], of["units"], "" if all_codes(of) else range_text(of["range"]), value, name


def all_codes(of: ItemDetails) -> bool:
    """Is the range just that of an integer of this many bytes?"""
    span = 256 ** of["length_max"]
    return of["mapping"] == "raw" and of["range"] in ([0, span - 1], [-span // 2, span // 2 - 1])


def range_text(ends: list[float] | None) -> str:
    return f"{ends[0]} to {ends[1]}" if ends else ""


def group_digits(key: str | None) -> str:
    """`060e2b34 020b0101 ...`."""
    return " ".join(key[at : at + 8] for at in range(0, len(key), 8)) if key else ""


def one_item(entry: ItemEntry) -> Printout:
    """The full entry of one item."""
    of = item_details(entry)
    head = of["address"] if entry.universal_key is None else entry.set
    hints = [f"klvrelay items --set {of['holds']}   what is inside"] if of["holds"] else []
    return Printout(f"{head}  {of['name']}", list(_facts(of)), list(_tables(of)), hints)


def _facts(of: ItemDetails) -> Iterator[tuple[str, str]]:
    facts = (
        ("key", of["key"]),
        ("standard", of["standard"]),
        ("units", of["units"]),
        ("range", range_text(of["range"])),
        ("resolution", of["resolution_text"]),
        ("length", of["length"]),
        ("encoding", of["encoding"]),
        ("in a record", of["record"]),
        ("special values", _no_number(of)),
        ("length 0", of["zero_length"]),
        ("in the head", of["lifted"] and f"{of['lifted']}, if its set is the packet"),
        ("prefer", _address_list(of["prefer"], "if they are sent")),
        ("instead of", _address_list(of["instead_of"], "")),
        ("may repeat", "yes" if of["repeats"] else ""),
        ("status", "required" if of["required"] else "deprecated" if of["deprecated"] else ""),
        ("16-byte key", ", ".join(map(group_digits, of["universal_keys"]))),
        ("notes", of["notes"]),
    )
    return ((label, text) for label, text in facts if text)


def _no_number(of: ItemDetails) -> str:
    """The codes with a special meaning: null in a record, and reported in `quality.special`."""
    codes = [f"{raw} = {meaning}" for raw, meaning in of["special"].items()]
    if of["mapping"] == "imapb":
        codes = ["infinities, NaN, below_min, above_max and other codes of MISB ST 1201"]
    if of["kind"] == "float":
        codes = ["infinities, NaN"]
    return f"{'; '.join(codes)}: null, reported in quality.special" if codes else ""


def _address_list(addresses: list[str], text: str) -> str:
    """`0601:104 sensor_ellipsoid_height_extended, then 0601:75 sensor_ellipsoid_height`."""
    named = [f"{address} {find(address)[0].item.key}" for address in addresses]
    return " ".join(filter(None, [", then ".join(named), text])) if named else ""


def _tables(of: ItemDetails) -> Iterator[Listing]:
    if of["codes"]:
        yield Listing(("code", "label"), list(of["codes"].items()))
    if of["bits"]:
        yield _bits("", of["bits"])
    if of["elements"]:
        rows = [_element(part) for part in of["elements"]]
        yield Listing(("element", "bytes", "encoding", "notes"), rows, "elements, in order")
    for part in of["elements"]:
        if part["codes"]:
            yield Listing(("code", "label"), list(part["codes"].items()), part["name"])
        if part["bits"]:
            yield _bits(part["name"], part["bits"])


def _element(part: Part) -> tuple[str, ...]:
    marks = ("optional" if part["optional"] else "", "repeats to end" if part["repeats"] else "", part["notes"])
    length = "" if part["length"] == "var" else part["length"].replace("|", " or ")
    return part["name"], length, part["encoding"], "; ".join(dict.fromkeys(filter(None, marks)))


def _bits(title: str, fields: list[Field]) -> Listing:
    rows = [(bits["bits"], bits["key"], bits["meaning"] or _labels(bits)) for bits in fields]
    return Listing(("bits", "key", "meaning"), [*rows], title)


def _labels(field: Field) -> str:
    return ", ".join(f"{code} {label}" for code, label in field["codes"].items()) or "number"
