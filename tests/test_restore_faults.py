"""Whatever arrives, a restorer answers with documents or with an error of klvrelay, and its memory is bounded."""

from __future__ import annotations

import tracemalloc

import cbor2
import msgpack
import orjson
import pytest
from cases import each_case
from hypothesis import given, settings
from hypothesis import strategies as st
from records import platform, record, security, targets
from reference_output import ReferenceOutput

from klvrelay import ConfigError, DecodeError, Restorer
from klvrelay.shape.restoring import known
from klvrelay.shape.restoring.cbor import DEPTH_MOST, CborReader
from klvrelay.shape.restoring.known import CONTENT_MOST, SETS_MOST, STREAMS_MOST, TOTAL_MOST, KnownStreams

FORMS = ("json", "cbor", "msgpack", "klv", "compact")
HEAD = ["5f2c9a", None, None, None, None, None]
TIME = (1_340_977_512_123_456).to_bytes(8, "big")


def full(seq=0, **codes):
    return {0: seq, -1: HEAD, 2: TIME, 65: b"\x13", **{int(tag[1:]): code for tag, code in codes.items()}}


def compact(*entries):
    return cbor2.dumps(list(entries))


# ---- malformed ----

FAULTY_COMPACT = {
    "empty array": b"\x80\x01",
    "not a map": compact(1),
    "no seq": compact({-1: HEAD}),
    "seq below zero": compact({0: -1, -1: HEAD}),
    "seq back below zero": compact(full(3), {**full(), 0: -4}),
    "seq too large": compact({0: 1 << 63, -1: HEAD}),
    "seq is true": compact({0: True, -1: HEAD}),
    "short head": compact({0: 0, -1: HEAD[:5]}),
    "long boot": compact({0: 0, -1: ["b" * 65, *HEAD[1:]]}),
    "boot is a number": compact({0: 0, -1: [1, *HEAD[1:]]}),
    "short key": compact({0: 0, -1: ["b", b"\x06\x0e\x2b\x34", *HEAD[2:]]}),
    "no key": compact({0: 0, -1: ["b", bytes(16), *HEAD[2:]]}),
    "pts too large": compact({0: 0, -1: ["b", None, None, 1 << 40, None, None]}),
    "received below zero": compact({0: 0, -1: ["b", None, -1, None, None, None]}),
    "text as code": compact({**full(), 13: "x"}),
    "number as code": compact({**full(), 13: 5}),
    "empty list as code": compact({**full(), 13: []}),
    "two times": compact({0: 1, 2: 5, 3: 6}),
    "tag too large": compact({**full(), 1 << 35: b""}),
    "unknown key": compact({**full(), -6: b""}),
    "text as key": compact({**full(), "a": b""}),
    "packet of a partial record": compact({0: 1, -3: platform(1)}),
    "packet that is none": compact({**full(), -3: b"packet"}),
    "removed is no list": compact({0: 1, -2: 5}),
    "short key of a partial record": compact({0: 1, -4: b"\x06\x0e\x2b\x34"}),
    "after is zero": compact({0: 1, -5: 0}),
    "key twice": b"\x81\xa2\x00\x00\x00\x00",
    "cut": compact(full())[:-1],
    "more": compact(full()) + b"\x00",
    "tag of CBOR": b"\x81\xa2\x00\xc1\x00\x20\x80",
    "huge array": b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\xa0",
}


@each_case("name", FAULTY_COMPACT)
def test_malformed_compact_is_refused(name):
    """With a DecodeError; what came before still counts."""
    restorer = Restorer()
    restorer.restore(compact(full(0, t5=b"\x01\x02")))

    with pytest.raises(DecodeError):
        restorer.restore(FAULTY_COMPACT[name], format="compact")

    (found,) = restorer.restore(compact({0: 1, 2: 40, 5: b"\x71\xc2"}))
    assert (found["seq"], found["items"]) == (1, {"platform_heading_angle": 159.974})
    assert found["time_us"] == 1_340_977_512_123_496


def test_a_time_after_one_that_is_not_known_is_refused():
    """The record before it has no time stamp of 8 bytes."""
    restorer = Restorer()
    restorer.restore(compact({0: 0, -1: HEAD, 65: b"\x13"}))

    with pytest.raises(DecodeError, match="time"):
        restorer.restore(compact({0: 1, 2: 40}))


FAULTY_DOCUMENTS = [
    (b"[1]", "json"),
    (b"{", "json"),
    (b'{"a":1}\n{', "json"),
    (b'{"full":true}', "json"),
    (b'{"full":false,"stream":"a","boot":null,"seq":"1","set":"ST0601"}', "json"),
    (b'{"full":true,"stream":"a","boot":null,"seq":1,"set":"ST0601","items":[]}', "json"),
    (b'{"full":true,"stream":"a","boot":null,"seq":1,"set":"ST0601","items":{},"quality":3}', "json"),
    (b'{"full":true,"stream":"a","boot":null,"seq":1,"set":["ST0601"],"items":{}}', "json"),
    (b'{"full":false,"stream":"a","boot":null,"seq":1,"set":"ST0601","items":{},"removed":3}', "json"),
    (b"\xf6", "cbor"),
    (b"\xbf\x61a", "cbor"),
    (b"\xa1\x61a\x42xx", "cbor"),
    (b"\xa1\x61a\xd9\x01\x00\x80", "cbor"),
    (b"\xa1\x01\x02", "cbor"),
    (b"\xa1\x61\xff\x01", "cbor"),
    (b"\xa1\x61a\xfc", "cbor"),
    (b"\xa1\x61a\x7f\x41a\xff", "cbor"),
    (b"\xa1\x61a\x1c", "cbor"),
    (b"\xa1\x61a\x3f", "cbor"),
    (b"\xa1\x80\x01", "cbor"),
    (b"\x81" * 100, "cbor"),
    (b"\x81\xa1", "msgpack"),
    (b"\x81\xa1a\xc4\x01x", "msgpack"),
    (b"\x81\xa1a\xd4\x05x", "msgpack"),
    (b"\x81\x01\x02", "msgpack"),
    (b"\xc1", "msgpack"),
    (b"\x81\xa1a\xdd\xff\xff\xff\xff", "msgpack"),
    (b"\x81\xa1a" + b"\x91" * 2000, "msgpack"),
    (b"\x06\x0e\x2b\x34", "klv"),
    (platform(1)[:-1], "klv"),
    (platform(1) + b"\x00", "klv"),
    (b"", None),
    (b"hello", None),
    (b"\xff\xff", None),
]


@each_case(("payload", "form"), FAULTY_DOCUMENTS)
def test_malformed_documents_are_refused(payload, form):
    """With a DecodeError, whatever the format."""
    with pytest.raises(DecodeError):
        Restorer().restore(payload, format=form)


def test_an_unknown_format_is_refused():
    """The error lists those that there are."""
    with pytest.raises(ConfigError, match="json, cbor, msgpack, klv, compact"):
        Restorer().restore(b"{}", format="text/plain")


@pytest.mark.parametrize(
    ("form", "content_type"),
    [
        ("json", "application/json; charset=utf-8"),
        ("json", "application/x-ndjson"),
        ("cbor", "application/cbor"),
        ("msgpack", "application/msgpack"),
        ("klv", "application/smpte336m"),
        ("compact", "application/vnd.klvrelay.compact+cbor"),
        ("compact", "application/vnd.klvrelay.compact+cbor+zstd"),
    ],
)
def test_a_content_type_names_the_format(form, content_type):
    """The same as without: each format is recognised by its first bytes."""
    message = ReferenceOutput(form).message([record(1), record(2)])

    named = Restorer().restore(message, format=content_type, stream="uav1")
    assert [one["items"]["platform_tail_number"] for one in named] == ["tail-1", "tail-2"]
    assert Restorer().restore(message, stream="uav1") == named


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMS), st.randoms(use_true_random=False), st.booleans())
def test_damaged_messages_raise_nothing_else(form, rng, named):
    """Bytes of good messages are changed, removed and added."""
    output, restorer = ReferenceOutput(form, 4), Restorer()
    for batch in ([record(1)], [record(2), security(3)], [targets(4, 2), record(5), record(6)]):
        message = bytearray(output.message(batch))
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(message))
            message[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        with pytest.raises(DecodeError) if not message else _only_decode_errors():
            restorer.restore(bytes(message), stream="a", format=form if named else None)


class _only_decode_errors:
    def __enter__(self):
        return self

    def __exit__(self, kind, fault, trace):
        return kind is not None and issubclass(kind, DecodeError)


# ---- CBOR ----

JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 64), (1 << 64) - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text() | st.integers(-99, 99), inner, max_size=5),
    max_leaves=30,
)


@settings(max_examples=100, deadline=None)
@given(JSON_LIKE, st.booleans())
def test_cbor_is_read_as_by_another_reader(value, canonical):
    """Of all types of JSON, byte strings and integer keys; floats of 16, 32 and 64 bits."""
    data = cbor2.dumps(value, canonical=canonical)

    reader = CborReader(data)
    assert repr(reader.value()) == repr(cbor2.loads(data))
    assert reader.ended


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xbf\x61a\x01\x61b\x9f\x01\x02\xff\xff", {"a": 1, "b": [1, 2]}),
        (b"\x7f\x61a\x62bc\xff", "abc"),
        (b"\x5f\x41a\x42bc\xff", b"abc"),
        (b"\x9f\xff", []),
        (b"\xf7", None),
    ],
)
def test_cbor_of_indefinite_length_is_read(data, value):
    """RFC 8949, 3.2."""
    assert CborReader(data).value() == value == cbor2.loads(data) or value is None


def test_the_depth_of_cbor_is_bounded():
    """One array more is refused."""
    assert CborReader(b"\x81" * DEPTH_MOST + b"\x01").value()
    for data in (b"\x81" * (DEPTH_MOST + 1) + b"\x01", b"\x9f" * (DEPTH_MOST + 1), b"\xbf\x01" * 5000):
        with pytest.raises(DecodeError):
            CborReader(data).value()


# ---- limits ----


def test_the_number_of_streams_is_bounded():
    """The stream unused for longest is forgotten: its partial records are skipped until a full one."""
    restorer = Restorer()
    for number in range(STREAMS_MOST + 1):
        restorer.restore(compact(full(0, t5=b"\x01\x02")), stream=f"uav{number}")

    assert len(restorer._known) == STREAMS_MOST
    assert restorer.restore(compact({0: 1}), stream="uav0") == []
    assert (restorer.skipped, restorer.waits_for("uav0")) == (1, "a full record")
    assert restorer.restore(compact({0: 1}), stream=f"uav{STREAMS_MOST}")


def test_the_number_of_sets_is_bounded():
    """Packets of many sets."""
    restorer = Restorer()
    for number in range(100):
        key = bytes.fromhex("060e2b34020b01010e010301010000") + bytes([number])
        restorer.restore(compact({**full(number), -1: ["b", key, None, None, None, None]}), stream="a")

    with restorer._known.using("compact", "a") as stream:
        assert len(stream.sets) == SETS_MOST
        assert stream.size == known.STREAM_OCTETS + sum(one.size for one in stream.sets.values())


@pytest.mark.parametrize("form", FORMS)
def test_the_bytes_kept_are_bounded(form):
    """Streams of large sets; sets that are too large are not kept."""
    restorer = Restorer()
    restorer._known = KnownStreams(most := TOTAL_MOST // 8)
    for number in range(80):
        large = record(0, f"uav{number}", raw=wide(60_000 if number else CONTENT_MOST))
        assert restorer.restore(ReferenceOutput(form).message([large]), stream=f"uav{number}")
        assert restorer._known.size <= most
    assert restorer._known.size > most - 2 * CONTENT_MOST
    assert Restorer()._known.most == TOTAL_MOST


def wide(size):
    """A packet of ST 0601 with one large unknown item."""
    from packet_wrapping import local_set, packet

    half = size // 2 if size < 61_000 else size
    return packet("ST0601", local_set([(2, TIME), (65, b"\x13"), (150, bytes(half))]), checksum=True)


@pytest.mark.parametrize("form", ["compact", "json"])
def test_what_a_message_restores_to_is_bounded(form):
    """Tiny partial records of a large set."""
    restorer = Restorer()
    output = ReferenceOutput(form, 1 << 30)
    restorer.restore(output.message([record(0, raw=wide(40_000))]), stream="a")
    partial = {0: 1} if form == "compact" else {**partial_document(), "stream": "a"}
    entries = [partial if form == "compact" else {**partial, "seq": n} for n in range(1, 5000)]
    message = compact(*entries) if form == "compact" else b"\n".join(map(orjson.dumps, entries))

    tracemalloc.start()
    with pytest.raises(DecodeError, match="more than"):
        restorer.restore(message, stream="a", format=form)
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def partial_document():
    return {"full": False, "boot": "5f2c9a", "set": "ST0601", "items": {}}


def test_a_payload_that_is_too_large_is_refused():
    """Before it is read."""
    with pytest.raises(DecodeError, match="more than 1000 bytes"):
        Restorer(most=1000).restore(b'{"a":"' + b"x" * 1000 + b'"}')


def test_too_many_records_in_a_message_are_refused():
    """Empty ones too."""
    for message in (b"{}\n" * 20_000, b"\xa0" * 20_000, compact(*[{0: 1}] * 20_000)):
        with pytest.raises(DecodeError, match="records"):
            Restorer().restore(message)


def test_what_is_returned_belongs_to_the_caller():
    """A change of a document changes no later one."""
    output, restorer = ReferenceOutput("json"), Restorer()
    (first,) = restorer.restore(output.message([targets(1, 2)]))
    first["items"].clear()

    (second,) = restorer.restore(output.message([targets(2, 2)]))
    second["items"]["total_num_targets_detected"] = 9
    (third,) = restorer.restore(output.message([targets(3, 2)]))
    assert third["items"]["total_num_targets_detected"] == 2


def test_a_stream_can_be_forgotten():
    """For a consumer that knows of a new run of the relay."""
    restorer = Restorer()
    restorer.restore(compact(full(0)), stream="a")
    restorer.forget("a")

    assert restorer.restore(compact({0: 1}), stream="a") == []


def test_documents_of_other_outputs_pass_unchanged():
    """Without `full` a document is complete in itself."""
    document = orjson.loads(record(3).json())

    assert Restorer().restore(record(3).json()) == [document]
    assert Restorer().restore(msgpack.packb(document)) == [document]
    assert Restorer().restore(cbor2.dumps(document)) == [document]
