"""Numbers with the step of their encoding, and the differences between written and decoded values."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from klvrelay.encode.numbers import unpacked
from klvrelay.encode.packs import steps_of
from klvrelay.standards.spec import PACKS

# What a record adds to the written values.
ADDED = {"text", "items", "user_value", "user_data", "matrix_size", "mode", "sparse", "ebytes", "apa"}


# What it adds where bytes are left out and a default applies.
LEFT_OUT = {
    element.name
    for name in PACKS
    for step in steps_of(name)
    if step.default is not None
    for element in step.elements
}


class Stepped(float):
    """A number, and the step between two codes of its encoding."""

    step: float

    @classmethod
    def of(cls, value: float, step: float) -> Stepped:
        made = cls(value)
        made.step = step
        return made


def single(value: float) -> bytes:
    """The four-byte code for which a record's text has the fewest digits."""
    try:
        return struct.pack(">f", value)
    except OverflowError:
        return struct.pack(">d", value)


def apart(given: Any, got: Any, path: str = "", *, short: bool = False) -> Iterator[str]:
    """Where the decoded value differs from the written one by more than a step; `short`: floats of 4 bytes."""
    if isinstance(given, dict) and given.keys() == {"special"}:
        given = None
    if isinstance(given, dict) and isinstance(got, dict):
        for key in given:
            if key not in got:
                yield f"{path}.{key}: lost"
            else:
                yield from apart(given[key], got[key], f"{path}.{key}", short=short)
        yield from (f"{path}.{key}: from nowhere" for key in got.keys() - given.keys() - ADDED - LEFT_OUT)
    elif isinstance(given, list | tuple) and isinstance(got, list) and len(given) == len(got):
        for at, (one, other) in enumerate(zip(given, got, strict=True)):
            yield from apart(one, other, f"{path}[{at}]", short=short)
    elif isinstance(given, Stepped) and isinstance(got, float | int):
        # IMAPB rounds down by less than a step, and the text adds at most half a step.
        if not abs(given - got) <= given.step * 1.5001:
            yield f"{path}: {given!r} came back as {got!r}, the step is {given.step!r}"
    elif isinstance(given, float) and isinstance(got, float):
        narrow = short or unpacked(single(given)) == given
        if given != got and not (narrow and single(given) == single(got)):
            yield f"{path}: {given!r} came back as {got!r}"
    elif given != got:
        yield f"{path}: {given!r} came back as {got!r}"
