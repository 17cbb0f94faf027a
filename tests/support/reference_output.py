"""A second implementation of what an output publishes on change, in pure Python: the format as it is described.

It shares nothing with the product but the tables of the standards and the JSON of a record.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import cbor2
import msgpack
import orjson
from packet_wrapping import item, packet, universal_key
from reference_wire import ber_length, walk

from klvrelay.record import Record
from native.spec import facts

Codes = dict[int, list[bytes]]
MATRIX = 102
"""The item of ST 0601 whose meaning depends on the items before it: its records are full."""


def codes_of(raw: bytes) -> Codes:
    """The items of a local set by tag, without its checksum."""
    _, used = ber_length(raw[16:])
    return codes_of_value(set_of(raw), raw[16 + used :])


def codes_of_value(name: str, value: bytes) -> Codes:
    """The items of the value of a set, up to the first malformed one."""
    found: Codes = {}
    for entry in walk(value)[0]:
        if entry.tag not in (0, facts.CHECKSUM.get(name)):
            found.setdefault(entry.tag, []).append(entry.value)
    return found


def set_of(raw: bytes) -> str:
    return next(name for name in facts.DECODED if universal_key(name) == raw[:16])


def raw_of(name: str, codes: Codes) -> bytes:
    """A packet of these items, time stamp first, with a checksum if the set has one."""
    order = sorted(codes, key=lambda tag: tag != facts.TIME.get(name))
    return packet(name, b"".join(item(tag, code) for tag in order for code in codes[tag]), checksum=True)


@dataclass
class Published:
    """What was published of a set before."""

    seq: int
    codes: Codes
    document: dict[str, Any]
    count: int = 0


@dataclass
class Step:
    """One record to publish: all of it, and what changed if it is partial."""

    record: Record
    codes: Codes
    before: Published | None
    document: dict[str, Any]


@dataclass
class ReferenceOutput:
    """The output of one stream: full every `every` records of a set, else what changed.

    tags   the selected items of ST 0601
    """

    form: str
    every: int = 10
    tags: Collection[int] | None = None
    _published: dict[str, Published] = field(default_factory=dict)
    _seq: int = 0

    def truth(self, record: Record) -> dict[str, Any]:
        """The full document of the record as the output has it."""
        return self._step(record, None).document

    def message(self, records: Sequence[Record]) -> bytes:
        """One message with these records, of one stream."""
        steps = [self._next(record) for record in records]
        if self.form == "compact":
            before = 0
            entries = []
            for step in steps:
                entries.append(compact_entry(step, before))
                before = step.record.seq
            return cbor2.dumps(entries)
        if self.form == "klv":
            return b"".join(klv_packet(step) for step in steps)
        documents = [document_of(step) for step in steps]
        if self.form == "json":
            lines = [orjson.dumps(document) for document in documents]
            return lines[0] if len(lines) == 1 else b"".join(line + b"\n" for line in lines)
        dumps = cbor2.dumps if self.form == "cbor" else msgpack.packb
        return b"".join(dumps(document) for document in documents)

    def reset(self) -> None:
        """The next records are full."""
        self._published.clear()

    def _next(self, record: Record) -> Step:
        before = self._published.get(record.set)
        step = self._step(record, before)
        count = 0 if step.before is None else step.before.count + 1
        self._published[record.set] = Published(record.seq, step.codes, step.document, count)
        return step

    def _step(self, record: Record, before: Published | None) -> Step:
        codes = codes_of(record.raw)
        if self.tags is not None and record.set == "ST0601":
            codes = {tag: values for tag, values in codes.items() if tag in self.tags}
        if before is not None and before.count + 1 >= self.every:
            before = None
        if not self._may_be_partial(record.set, codes):
            before = None
        document = orjson.loads(record._replace(raw=raw_of(record.set, codes), checksum="ok").json())
        return Step(record, codes, before, document)

    def _may_be_partial(self, name: str, codes: Codes) -> bool:
        if name == "ST0601" and MATRIX in codes:
            return False
        if self.form != "klv":
            return True
        return name == "ST0601" and 65 in codes and not any(b"" in values for values in codes.values())


def changed(step: Step) -> tuple[Codes, list[int]]:
    """The items that changed, and those that are gone."""
    assert step.before is not None
    earlier = step.before.codes
    return (
        {tag: values for tag, values in step.codes.items() if earlier.get(tag) != values},
        [tag for tag in earlier if tag not in step.codes and tag != facts.TIME.get(step.record.set)],
    )


def compact_entry(step: Step, seq_before: int) -> dict[int, Any]:
    record = step.record
    entry: dict[int, Any] = {0: record.seq - seq_before}
    time = facts.TIME.get(record.set)
    if step.before is None:
        key = None if record.set == "ST0601" else record.raw[:16]
        entry[-1] = [record.boot, key, record.received_us, record.pts, record.pid, record.program]
        codes, removed = step.codes, []
    else:
        codes, removed = changed(step)
        if record.set != "ST0601":
            entry[-4] = record.raw[:16]
        if (after := record.seq - step.before.seq) != 1:
            entry[-5] = after
        if removed:
            entry[-2] = removed
    for tag, values in codes.items():
        entry[tag] = values[0] if len(values) == 1 else values
    if step.before is not None and time in codes and is_later(step.before.codes.get(time, []), codes[time]):
        entry[time] = int.from_bytes(codes[time][0], "big") - int.from_bytes(step.before.codes[time][0], "big")
    return entry


def is_later(before: list[bytes], now: list[bytes]) -> bool:
    """May the time be sent as a difference?"""
    return [len(each) for each in before + now] == [8, 8] and before <= now


def klv_packet(step: Step) -> bytes:
    name = step.record.set
    if step.before is None:
        return raw_of(name, step.codes)
    codes, removed = changed(step)
    codes.pop(65, None)
    return raw_of(name, {**({2: step.codes[2]} if 2 in step.codes else {}), **codes, **{tag: [b""] for tag in removed}})


def document_of(step: Step) -> dict[str, Any]:
    """The document of a record: those of an output on change say whether they are full."""
    whole = step.document
    if step.before is None:
        return {**whole, "full": True}
    items, earlier = dict(whole["items"]), dict(step.before.document["items"])
    unknown, unknown_before = items.pop("unknown", {}), earlier.pop("unknown", {})
    found = {key: value for key, value in items.items() if key not in earlier or not same(earlier[key], value)}
    special = {
        path: meaning
        for path, meaning in whole["quality"].get("special", {}).items()
        if path.replace("[", ".").split(".")[0] in found
    }
    gone = [key for key in earlier if key not in items]
    gone += [f"unknown.{tag}" for tag in unknown_before if tag not in unknown]
    unknown = {tag: code for tag, code in unknown.items() if unknown_before.get(tag) != code}
    quality = {key: value for key, value in whole["quality"].items() if key != "special"}
    tag = facts.VERSION.get(step.record.set)
    is_same = step.codes.get(tag) == step.before.codes.get(tag)
    return {
        **whole,
        "version": None if is_same else whole["version"],
        "full": False,
        "after": step.before.seq,
        "removed": gone,
        "quality": {**quality, "special": special} if special else quality,
        "items": {**found, "unknown": unknown} if unknown else found,
    }


def same(one: Any, two: Any) -> bool:
    """Unchanged; a null may have another meaning, so it counts as changed."""
    return bool(orjson.dumps(one) == orjson.dumps(two)) and b"null" not in orjson.dumps(one)
