"""Segments and amendments after the rules of ST 1607 for inheriting and deleting are applied."""

from __future__ import annotations

from typing import Any

from packet_wrapping import local_set, packet

from klvrelay import decode, views

TAIL, CALL_SIGN, HEADING, SUBSTREAM = 4, 59, 5, 143
SEGMENT, AMEND = 100, 101


def items(*parts: tuple[int, bytes]) -> dict[str, Any]:
    """The items of a record of ST 0601."""
    (record,) = decode(packet("ST0601", local_set(list(parts)), checksum=True))
    return record.items


def test_a_segment_inherits_adds_and_overrides() -> None:
    """A segment has its parent's items except those that it sends itself; its id is beside them."""
    inner = local_set([(SUBSTREAM, b"\x01"), (TAIL, b"two"), (CALL_SIGN, b"KITE")])

    (view,) = views(items((TAIL, b"one"), (HEADING, b"\x00\x00"), (SEGMENT, inner)))

    assert view.kind == "segment"
    assert view.substream == {"local_id": 1}
    assert view.items == {"platform_tail_number": "two", "platform_heading_angle": 0.0, "platform_call_sign": "KITE"}


def test_an_item_sent_empty_is_unknown_in_a_segment_and_deleted_by_an_amend() -> None:
    """Length 0 means unknown in a segment; in an amendment it removes the item."""
    emptied = local_set([(SUBSTREAM, b"\x01"), (TAIL, b"")])

    (unknown,) = views(items((TAIL, b"one"), (CALL_SIGN, b"KITE"), (SEGMENT, emptied)))
    (deleted,) = views(items((TAIL, b"one"), (CALL_SIGN, b"KITE"), (AMEND, emptied)))

    assert unknown.items == {"platform_tail_number": None, "platform_call_sign": "KITE"}
    assert deleted.items == {"platform_call_sign": "KITE"}


def test_an_unknown_item_of_the_parent_is_not_deleted() -> None:
    """An amendment deletes what it names itself, and nothing else."""
    inner = local_set([(SUBSTREAM, b"\x01"), (CALL_SIGN, b"KITE")])

    (view,) = views(items((TAIL, b""), (AMEND, inner)))

    assert view.items == {"platform_tail_number": None, "platform_call_sign": "KITE"}


def test_segments_within_segments_inherit_from_their_own_parent() -> None:
    """The order is depth first; siblings do not see each other."""
    leaf = local_set([(SUBSTREAM, b"\x03"), (CALL_SIGN, b"LEAF")])
    first = local_set([(SUBSTREAM, b"\x01"), (TAIL, b"first"), (SEGMENT, leaf)])
    second = local_set([(SUBSTREAM, b"\x02")])

    found = views(items((TAIL, b"root"), (SEGMENT, first), (SEGMENT, second)))

    assert [(view.substream, view.items) for view in found] == [
        ({"local_id": 1}, {"platform_tail_number": "first"}),
        ({"local_id": 3}, {"platform_tail_number": "first", "platform_call_sign": "LEAF"}),
        ({"local_id": 2}, {"platform_tail_number": "root"}),
    ]


def test_an_amend_corrects_earlier_records() -> None:
    """Items that still apply are passed in; those of the record override them, and the amendment's override both."""
    inner = local_set([(SUBSTREAM, b"\x01"), (CALL_SIGN, b"KITE"), (201, b"\x07")])
    earlier = {"platform_call_sign": "HAWK", "platform_tail_number": "old", "mission_id": "M1"}
    earlier_unknown = {"unknown": {"200": "01"}}

    (view,) = views(items((TAIL, b"new"), (AMEND, inner)), earlier | earlier_unknown)

    assert view.items == {
        "platform_call_sign": "KITE",
        "platform_tail_number": "new",
        "mission_id": "M1",
        "unknown": {"200": "01", "201": "07"},
    }


def test_an_empty_segment_gives_no_items() -> None:
    """An empty segment, and a record without any."""
    assert views(items((TAIL, b"one"), (SEGMENT, b""))) == []
    assert views(items((TAIL, b"one"))) == []
