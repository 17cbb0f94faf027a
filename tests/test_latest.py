"""The state of a stream, as published to late subscribers."""

from __future__ import annotations

import random

import orjson
import pytest
from records import damaged, packet, platform, record, security, spoilt, targets

from klvrelay.decoder import decode
from klvrelay.shape import state as limits
from klvrelay.shape.state import MOST, UNKNOWN_BYTES, UNKNOWN_MOST, StreamState

LATITUDE, FRAME_LATITUDE, MISSION, UNKNOWN = 13, 23, 3, 2000


def state_of(*records):
    latest = StreamState()
    for each in records:
        latest.add(each)
    document = latest.document()
    assert document is not None
    return orjson.loads(document)


def with_items(seq, *items):
    return record(seq, raw=platform(seq, *items))


def test_the_state_of_one_record_is_that_record():
    """Same form, same values, schema klvrelay/1."""
    only = record(7)

    assert state_of(only) == orjson.loads(only.json())


def test_an_item_keeps_its_latest_value_when_later_records_lack_it():
    """Senders omit unchanged items; the state has all of them."""
    state = state_of(with_items(0, (MISSION, b"OP 1")), with_items(1, (MISSION, b"OP 2")), record(2))

    assert state["items"]["mission_id"] == "OP 2"
    assert state["items"]["platform_tail_number"] == "tail-2"
    assert (state["seq"], state["time_us"]) == (2, orjson.loads(record(2).json())["time_us"])


def test_without_new_records_there_is_no_document():
    """None before the first record, and again until the next one."""
    latest = StreamState()
    assert latest.document() is None

    latest.add(record(0))
    assert latest.document() is not None
    assert latest.document() is None

    latest.add(record(1))
    assert latest.document() is not None


@pytest.mark.parametrize("bad", [spoilt(1), damaged(1)])
def test_a_record_that_is_not_good_changes_nothing(bad):
    """A wrong checksum or a transport loss: not even the sequence number changes."""
    latest = StreamState()
    latest.add(record(0))
    latest.document()

    latest.add(bad)

    assert latest.document() is None


def test_a_stand_alone_security_set_is_merged_where_the_nested_one_is():
    """A stand-alone ST 0102 set goes under security_local_set; time and version stay those of ST 0601."""
    state = state_of(record(0), security(1, classification=1), security(2, classification=4))

    assert state["items"]["security_local_set"]["security_classification"] == "Secret"
    assert state["items"]["platform_tail_number"] == "tail-0"
    first = orjson.loads(record(0).json())
    assert (state["seq"], state["set"]) == (2, "ST0601")
    assert (state["time"], state["version"]) == (first["time"], first["version"])


def test_stand_alone_targets_are_merged_where_the_nested_ones_are():
    """A stand-alone ST 0903 set goes under vmti_local_set."""
    state = state_of(record(0), targets(1, total=3), record(2), targets(3, total=5))

    assert state["items"]["vmti_local_set"]["total_num_targets_detected"] == 5
    assert state["items"]["platform_tail_number"] == "tail-2"


def test_a_stream_without_st_0601_has_a_state_too():
    """The head is then that of its last record."""
    state = state_of(targets(0, total=1), targets(1, total=2))

    assert (state["seq"], state["set"], state["version"]) == (
        1,
        "ST0601",
        orjson.loads(targets(1, 2).json())["version"],
    )
    assert set(state["items"]) == {"vmti_local_set"}


def test_unknown_items_are_merged_like_known_ones():
    """Each tag keeps its latest bytes."""
    state = state_of(with_items(0, (UNKNOWN, b"\x01")), with_items(1, (UNKNOWN + 1, b"\x02")), record(2))

    assert state["items"]["unknown"] == {"2000": "01", "2001": "02"}


def test_the_reason_for_a_null_lasts_as_long_as_the_null():
    """A special value keeps its reason until the item has a value again."""
    special = with_items(0, (LATITUDE, b"\x80\x00\x00\x00"), (FRAME_LATITUDE, b"\x80\x00\x00\x00"))
    cured = with_items(2, (LATITUDE, b"\x10\x00\x00\x00"))
    before = state_of(special, record(1))
    after = state_of(special, record(1), cured)

    assert before["items"]["sensor_latitude"] is None
    assert set(before["quality"]["special"]) == {"sensor_latitude", "frame_center_latitude"}
    assert isinstance(after["items"]["sensor_latitude"], float)
    assert set(after["quality"]["special"]) == {"frame_center_latitude"}


@pytest.mark.parametrize("nested_first", [False, True])
def test_stand_alone_targets_and_nested_ones_stay_apart(nested_first):
    """The nested set keeps its key, and the other has its own name: they share no item."""
    inside = bytes.fromhex("0501aa")  # item 5, total number of targets: only in the nested one
    nested = [with_items(seq, (74, inside)) for seq in (0, 4)]
    alone = [targets(1, total=3), targets(5, total=7)]
    state = state_of(*(nested[:1] + alone + nested[1:] if nested_first else alone + nested + alone[1:]))

    assert state["items"]["vmti_local_set"] == {"total_num_targets_detected": 0xAA}
    assert state["items"]["st0903"]["total_num_targets_detected"] == 7
    assert state["items"]["st0903"]["vmti_ls_version"] == 6


def test_the_reason_for_a_null_moves_with_its_set():
    """The reason for a stand-alone set moves to its new key."""
    latest = StreamState()
    latest.add(record(0, raw=packet("ST0903", [(11, bytes.fromhex("c800"))], checksum=True), set="ST0903"))
    before = orjson.loads(latest.document() or b"")
    latest.add(with_items(1, (74, bytes.fromhex("0501aa"))))
    after = orjson.loads(latest.document() or b"")
    (path,) = before["quality"]["special"]
    assert path.startswith("vmti_local_set.")
    assert list(after["quality"]["special"]) == [path.replace("vmti_local_set", "st0903")]


def test_the_state_does_not_depend_on_how_often_it_is_read():
    """Records processed together give the same result as one by one: the last with the same items."""
    records = [with_items(seq, (MISSION, b"OP %d" % seq)) if seq % 3 else record(seq) for seq in range(29)]
    latest = StreamState()
    for each in records:
        latest.add(each)
        one_by_one = latest.document()

    assert one_by_one is not None
    assert state_of(*records) == orjson.loads(one_by_one)
    assert latest.document() is None


def test_a_key_sent_with_other_items_has_its_latest_value():
    """Records of two kinds alternate and share a key: the last one counts, whichever its kind."""
    more = (MISSION, b"OP 1")
    state = state_of(with_items(0), with_items(1, more), with_items(2))

    assert state["seq"] == 2
    assert state["items"]["platform_tail_number"] == "tail-2"
    assert state["items"]["mission_id"] == "OP 1"


def test_of_records_that_share_an_item_the_last_one_counts():
    """Even where the same items came before other ones: A, B, A has the value of the second A."""
    first, other = ((MISSION, b"OP 1"),), ((MISSION, b"OP 2"), (UNKNOWN, b"\x01"))
    state = state_of(with_items(0, *first), with_items(1, *other), with_items(2, (MISSION, b"OP 3")))

    assert state["items"]["mission_id"] == "OP 3"


def unknown_sets(count, size, seed=1):
    """Packets with unknown keys, all different."""
    rng = random.Random(seed)
    length = bytes([size]) if size < 128 else b"\x83" + size.to_bytes(3, "big")
    for _ in range(count):
        raw = bytes.fromhex("060e2b34020b0101") + rng.randbytes(8) + length + rng.randbytes(size)
        (found,) = decode(raw)
        yield found._replace(seq=rng.getrandbits(60))


def test_the_oldest_unknown_item_is_dropped_first():
    """As many as the limit stay; one more replaces the one that was not seen for longest."""
    latest = StreamState()
    for seq in range(UNKNOWN_MOST):
        latest.add(with_items(seq, (UNKNOWN + seq, b"\x01")))
    full = orjson.loads(latest.document())["items"]["unknown"]
    latest.add(with_items(70, (UNKNOWN, b"\x02")))
    latest.add(with_items(71, (UNKNOWN + 500, b"\x03")))
    after = orjson.loads(latest.document())["items"]["unknown"]

    assert len(full) == len(after) == UNKNOWN_MOST
    assert set(full) - set(after) == {str(UNKNOWN + 1)}
    assert (after[str(UNKNOWN)], after[str(UNKNOWN + 500)]) == ("02", "03")


@pytest.mark.parametrize(("size", "kept"), [(UNKNOWN_BYTES // 2 - 16, 1), (UNKNOWN_BYTES // 2 - 15, 0)])
def test_unknown_items_share_a_limit_of_bytes(size, kept):
    """A single one may use all of it; a larger one is not kept, and replaces none."""
    (small,) = unknown_sets(1, 100, seed=2)
    (large,) = unknown_sets(1, size)
    state = state_of(large)["items"].get("unknown", {})
    beside = state_of(small, large)["items"]["unknown"]

    assert len(state) == kept
    assert len(beside) == 1
    assert (beside == state_of(small)["items"]["unknown"]) == (not kept)


@pytest.mark.parametrize("size", [4, 120, 8_000, 30_000])
def test_random_keys_do_not_make_the_state_grow(size):
    """However many a sender makes up, and however large: the known items are kept, and memory is bounded."""
    latest = StreamState()
    latest.add(record(0))
    for number, each in enumerate(unknown_sets(1000, size)):
        latest.add(each)
        assert len(latest._pending) <= limits.PENDING_MOST
        if number % 100 == 99:
            text = latest.document()
            assert len(text) < MOST
    state = orjson.loads(text)

    assert state["items"]["platform_tail_number"] == "tail-0"
    assert 1 <= len(state["items"]["unknown"]) <= UNKNOWN_MOST
    assert "left out" not in str(state["quality"])


def large_items(*sizes):
    """A record whose text items have so many characters: mission id, image source, ..."""
    items = [(tag, b"x" * size) for tag, size in zip((MISSION, 11, 12, 107, 70, 106), sizes, strict=False) if size]
    value = b"".join(bytes([tag, 0x83]) + len(data).to_bytes(3, "big") + data for tag, data in items)
    raw = packet("ST0601", [], checksum=False) + b""
    key = raw[:16]
    (found,) = decode(key + b"\x83" + len(value).to_bytes(3, "big") + value, packet_limit=1 << 20)
    return found._replace(checksum="ok")


def test_where_the_state_is_too_large_its_largest_items_are_left_out():
    """A warning names them, until they arrive again and fit; all others stay."""
    latest = StreamState()
    latest.add(record(0))
    latest.add(large_items(MOST - 20_000, 1_000, 19_500))
    text = latest.document()
    without = orjson.loads(text)
    latest.add(large_items(10, 1_000, 19_500))
    again = orjson.loads(latest.document())

    assert len(text) < MOST
    assert set(without["items"]) >= {"platform_tail_number", "image_source_sensor", "image_coordinate_system"}
    assert "mission_id" not in without["items"]
    (warning,) = [text for text in without["quality"]["warnings"] if "left out" in text]
    assert warning.endswith("left out: mission_id")
    assert again["items"]["mission_id"] == "x" * 10
    assert "left out" not in str(again["quality"])


def test_a_state_that_just_fits_is_whole():
    """Up to the limit nothing is left out; with one byte more the largest item is."""
    most = MOST - len(state_text(large_items(200_000))) + 200_000
    fits, over = (state_text(large_items(most + more)) for more in (0, 1))

    assert len(fits) == MOST
    assert b"mission_id" in fits
    assert b'"items":{}' in over


def state_text(*records):
    latest = StreamState()
    for each in records:
        latest.add(each)
    return latest.document()


def test_large_items_are_bounded_between_two_documents_too(monkeypatch):
    """A flood of large records within a second is bounded on arrival, not only when the document is made."""
    monkeypatch.setattr(limits, "PENDING_MOST", 1)
    monkeypatch.setattr(limits, "GROWTH", 100_000)
    latest = StreamState()
    for seq in range(64):
        sizes = [0] * (seq % 6) + [200_000]
        latest.add(large_items(*sizes))
        assert len(orjson.dumps(latest._items)) < 100_000 + MOST + 200_000

    assert len(latest.document()) <= MOST


def test_the_reason_for_a_null_is_left_out_with_its_item(monkeypatch):
    """No path of `quality.special` names a missing item."""
    state = state_of(with_items(0, (LATITUDE, b"\x80\x00\x00\x00")))
    assert state["quality"]["special"]
    monkeypatch.setattr(limits, "MOST", 10)

    smallest = state_of(with_items(0, (LATITUDE, b"\x80\x00\x00\x00")))

    assert smallest["items"] == {}
    assert "special" not in smallest["quality"]
