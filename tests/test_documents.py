"""Records as CBOR and MessagePack: other readers find in them what is in their JSON."""

from __future__ import annotations

import contextlib
import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import cbor2
import msgpack
import pytest
from cases import each_case
from hypothesis import given, settings
from hypothesis import strategies as st
from packet_wrapping import local_set, packet
from random_packets import packets
from test_thinning import recorded, sample

import klvrelay
from klvrelay.core.document import Form, transcode
from klvrelay.errors import DecodeError
from klvrelay.json_output import dumps
from klvrelay.record import sharing_json

VECTORS = Path(__file__).parent / "vectors" / "vectors.jsonl"
READERS: dict[Form, Callable[[bytes], Any]] = {"cbor": cbor2.loads, "msgpack": lambda data: msgpack.unpackb(data)}
FORMS: list[Form] = list(READERS)
SOME = klvrelay.select("sensor_latitude", "security_local_set", "unknown")


def same(text: bytes, form: Form) -> None:
    """Equal values of equal types: integers stay integers, and -0.0 keeps its sign."""
    assert typed(READERS[form](transcode(text, form))) == typed(json.loads(text)), text


def typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return list(map(typed, value))
    return type(value), math.copysign(1, value) if isinstance(value, float) else 0, value


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None)
@given(raw=packets())
def test_a_record_of_any_packet_is_the_same_document(form: Form, raw: bytes) -> None:
    """With all of its arguments."""
    for record in klvrelay.decode(raw):
        found = record._replace(stream='a"b\\é\n', boot="5f2c9a", received_us=2**60, pts=7, program=1)
        for arguments in ({}, {"numbers": "safe"}, {"items": SOME}):
            written = getattr(found, form)(**arguments)
            assert typed(READERS[form](written)) == typed(json.loads(found.json(**arguments)))
            with sharing_json():
                assert getattr(found, form)(**arguments) == written


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["osh_sample_stream.ts", "day_flight.klv", "orbit.ts"])
def test_a_recording_is_the_same_documents(name: str, form: Form, request: Any) -> None:
    """And smaller ones."""
    records = sample() if name == "orbit.ts" else recorded(request.getfixturevalue("shared"), name)
    for record in records[:200]:
        written = getattr(record, form)()
        assert READERS[form](written) == json.loads(record.json())
        assert len(written) < len(record.json())


@pytest.mark.parametrize("form", FORMS)
def test_every_vector_is_the_same_document(form: Form) -> None:
    """Packets of all sets and items that the tests know."""
    count = 0
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        if vector["type"] == "packet":
            for record in klvrelay.decode(bytes.fromhex(vector["hex"])):
                same(record.json(), form)
                count += 1
    assert count > 20


NUMBERS = (
    st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.integers(-(2**40), 2**40).map(lambda code: code / 2**20)
)

VALUES = st.recursive(
    NUMBERS | st.none() | st.booleans() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None, max_examples=400)
@given(value=VALUES)
def test_any_json_is_the_same_document(value: Any) -> None:
    """As orjson writes it, and as Python does with escapes; in each form."""
    escaped = json.dumps(value, separators=(",", ":")).encode().replace(b"e+", b"e")
    for form in FORMS:
        same(dumps(value), form)
        same(escaped, form)


@pytest.mark.parametrize("form", FORMS)
def test_decimals_are_read_as_the_nearest_double(form: Form) -> None:
    """Also with more digits than a double has, in the middle between two, and at the ends of its range."""
    rng = Random(754)
    texts = [
        "9007199254740993.0", "9007199254740993.00000000001", "9007199254740995.0", "0.1", "1.0", "2.5e-324",
        "5e-324", "2.2250738585072011e-308", "1.7976931348623157e308", "0.0", "-0.0", "123456789012345678901.5",
        "18446744073709551616.0", "0.30000000000000004", "1e22", "1e23", "8.5e15", "7205759403792793.5",
        "1e-400", "2.4e-324", "123e20", "1e37", "-12.5",
    ]  # fmt: skip
    texts += [f"{rng.randrange(10 ** rng.randrange(1, 20))}.{rng.randrange(10**15):015}" for _ in range(3000)]
    texts += [repr(struct.unpack(">d", rng.randbytes(8))[0]) for _ in range(3000)]
    for text in texts:
        if "n" not in text:  # nan, inf
            same(text.replace("e+", "e").encode(), form)


@each_case("form", FORMS)
@each_case("count", [0, 15, 16, 31, 32, 255, 256, 65535, 65536, 70000])
def test_texts_and_arrays_of_any_size(form: Form, count: int) -> None:
    """Around each size at which a head becomes longer."""
    same(dumps("x" * count), form)
    same(dumps("\n" + "x" * count), form)
    same(dumps([["y"], [1] * count, {"z": 2}]), form)
    same(dumps({str(number): {} for number in range(count)}), form)


@pytest.mark.parametrize("form", FORMS)
def test_integers_are_as_short_as_they_can_be(form: Form) -> None:
    """Around each size, positive and negative."""
    for power in (0, 4, 5, 7, 8, 15, 16, 31, 32, 63):
        for number in (2**power - 1, 2**power, -(2**power), -(2**power) - 1):
            if number >= -(2**63):
                text = str(number).encode()
                same(text, form)
                assert transcode(text, form) == (cbor2.dumps(number) if form == "cbor" else msgpack.packb(number))


@each_case("form", FORMS)
@each_case(
    "text",
    [b"", b"{", b"}", b"[1", b"[1}", b'"a', b'"a\\', b'"\\x"', b'"\\u12"', b'"\\ud800"', b'"\\ud800\\u0041"', b"nul",
     b"-", b"1.", b"1e", b".5", b"+1", b"NaN", b"18446744073709551616", b"1" * 40, b" 1",
     b"1.2.3", b"1.5e", b"{]", b'"\\uzzzz"', b'"\\ud800\\ue000"', b"[" * 100 + b"]" * 100],
)  # fmt: skip
def test_what_the_core_does_not_write_is_refused(form: Form, text: bytes) -> None:
    """Cut, malformed, nested too deep."""
    with pytest.raises(DecodeError):
        transcode(text, form)


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None)
@given(text=st.text(alphabet='[]{}",:\\u0123456789.e-truefalsn dD8', max_size=60))
def test_any_text_is_refused_or_written(form: Form, text: str) -> None:
    """Within its memory."""
    with contextlib.suppress(DecodeError):
        assert len(transcode(text.encode(), form)) <= 3 * len(text.encode()) + 64


@pytest.mark.parametrize("form", FORMS)
def test_a_large_record_is_written(form: Form) -> None:
    """Beyond the memory that there is at first."""
    raw = packet("ST0601", local_set([(2, bytes(8)), *[(100, b"\5\2\1\1")] * 20_000]), checksum=True)
    [record] = klvrelay.decode(raw)
    assert READERS[form](getattr(record, form)()) == json.loads(record.json())


def test_what_is_no_packet_is_refused() -> None:
    """As its JSON is."""
    [record] = klvrelay.decode(packet("ST0601", local_set([(2, bytes(8))]), checksum=True))
    with pytest.raises(DecodeError, match="not a KLV packet"):
        record._replace(raw=b"x").cbor()
