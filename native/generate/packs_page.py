"""The packs on the page of items: their elements, from the csv tables; `items_page.py` has the sets."""

from __future__ import annotations

from collections.abc import Iterator

from native.generate import schema
from native.generate.documents import STANDARDS
from native.generate.schema_values import range_text
from native.spec import facts


def section() -> str:
    """All packs, a table each."""
    text = "Their elements in order. A record has an object with them, without elements that are lengths of others.\n"
    return "\n".join(["## Packs\n", text, *(one(name, elements) for name, elements in facts.packs().items())])


def one(name: str, elements: list[facts.Element]) -> str:
    return "\n".join([f"### {name}\n", f"{owner(elements[0])}.\n", *element_table(elements)]) + "\n"


def owner(element: facts.Element) -> str:
    """The item whose value it is, or the document that defines it."""
    if element.tag:
        return f"{schema.clause(element.set)} item {element.tag}"
    return STANDARDS[element.set][0]


def element_table(elements: list[facts.Element]) -> Iterator[str]:
    yield "| element | bytes | kind | range | notes |"
    yield "| --- | --- | --- | --- | --- |"
    for element in elements:
        yield f"| {element.name} | {length(element)} | {kind(element)} | {range_text(element)} | {notes(element)} |"


def length(element: facts.Element) -> str:
    """`4`, `4 or 8`, `3 bits`; the element with the length; or empty if the coding defines it."""
    size = "" if element.length == "var" else element.length.replace("|", " or ")
    return f"{size} {element.kind}" if element.kind in ("bit", "bits") else size


def kind(element: facts.Element) -> str:
    """`imapb`, `int, linear_int`, `float pair`."""
    plain = element.mapping in ("raw", "special", "", element.kind) or element.kind.startswith(element.mapping)
    return element.kind if plain else f"{element.kind}, {element.mapping}"


def notes(element: facts.Element) -> str:
    marks = ("optional" if element.optional else "", "repeats to end" if element.repeat else "")
    return "; ".join(dict.fromkeys(filter(None, (*marks, element.notes.removesuffix("; see README")))))


def omitted(element: facts.Element) -> str:
    """What omitted bytes mean: `denominator = 1`, `recovery_... = takeoff_...`."""
    name = element.name.replace("_length", "_...")
    return f"{name} = {element.default.replace('_length', '_...')}"
