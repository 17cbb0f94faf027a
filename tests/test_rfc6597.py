"""RFC 6597 without a network: payloads and time stamps in, units out."""

from __future__ import annotations

from random import Random

import feed
import pytest

from klvrelay.sources.libav.rfc6597 import LIMIT, Track, Unit

SET = bytes.fromhex("060e2b34020301010e01030302000000")
ITEM = bytes.fromhex("060e2b34010101010702010101050000")
A, B, C = (feed.klv_packet(number, feed.FIRST_TIME + number, padding=100) for number in range(3))


def unit(content: bytes, key: bytes = SET) -> bytes:
    """A KLV unit without a checksum, so that nothing in it would show a mixture."""
    return key + b"\x82" + len(content).to_bytes(2) + content


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def given_out(payloads) -> list[Unit]:
    track = Track()
    return [found for payload, ticks in payloads for found in track.units(payload, ticks)] + track.rest()


def good(payloads) -> list[bytes]:
    return [found.data for found in given_out(payloads) if not found.damaged]


def test_a_unit_in_one_payload_is_output_at_once():
    """It needs no marker and no next payload."""
    assert Track().units(A, 10) == [Unit(A, 10)]


@pytest.mark.parametrize("size", [1, 3, 4, 16, 17, 18, 50, 100, 1000])
def test_fragments_are_joined_at_the_last_one(size):
    """Cut anywhere, even inside key and length: the unit is complete when its length has arrived."""
    track = Track()
    *first, last = cut(A, size)

    assert [found for payload in first for found in track.units(payload, 5)] == []
    assert track.units(last, 5) == [Unit(A, 5)]
    assert track.rest() == []


def test_several_units_share_a_time_stamp():
    """In one payload, in several, and with a cut in the second of them."""
    assert good([(A + B + C, 1)]) == [A, B, C]
    assert good([(A, 1), (B, 1), (C, 1)]) == [A, B, C]
    assert good([(A + B[:40], 1), (B[40:] + C, 1)]) == [A, B, C]


@pytest.mark.parametrize(
    "lost", [[0], [1], [2], [0, 1], [1, 2], [0, 2]], ids=lambda lost: "+".join(map(str, lost))
)
def test_a_unit_hit_by_loss_is_discarded_as_a_whole(lost):
    """Head, middle or tail: the rest is output as damaged, and its neighbours are valid."""
    pieces = [(piece, 2) for number, piece in enumerate(cut(B, 60)) if number not in lost]
    assert pieces

    found = given_out([(A, 1), *pieces, (C, 3)])

    assert [one.data for one in found if not one.damaged] == [A, C]
    assert b"".join(one.data for one in found if one.damaged) == b"".join(piece for piece, _ in pieces)
    assert all(one.ticks == 2 for one in found if one.damaged)


def test_the_head_of_one_and_the_tail_of_another_make_no_unit():
    """Their lengths add up, but their time stamps differ."""
    a, b = unit(b"a" * 200), unit(b"b" * 200)

    found = given_out([(a[:100], 1), (b[100:], 2), (C, 3)])

    assert found == [Unit(a[:100], 1, True), Unit(b[100:], 2, True), Unit(C, 3)]


def test_a_unit_that_ends_inside_a_payload_before_no_other_is_refused():
    """Its length is reached, but by parts of two units: no other one begins after it."""
    a, b = unit(b"a" * 200), unit(b"b" * 240)

    assert good([(a[:100], 1), (b[100:], 1), (C, 2)]) == [C]


def test_after_a_loss_the_rest_of_the_time_stamp_is_refused_up_to_a_set():
    """An item's key may be anywhere inside a set; the key of a set begins a unit."""
    items = unit(b"x", ITEM) * 8

    assert good([(items[5:], 1), (items[:42], 1), (C, 1)]) == [C]


def test_a_stream_with_a_constant_time_stamp_recovers_after_a_loss():
    """Without time stamps there is only the length; a set after the loss begins a unit."""
    a, b = cut(unit(b"a" * 220), 100), cut(unit(b"b" * 220), 100)

    assert good([(a[0], None), *((piece, None) for piece in b), (A, None), (B, None)])[-2:] == [A, B]


@pytest.mark.parametrize(
    "head", [b"\x80", b"\x89" + bytes(9), b"\x84" + (LIMIT + 1).to_bytes(4), b"\x88" + b"\xff" * 8]
)
def test_an_impossible_length_costs_one_refusal(head):
    """Indefinite, too long, or above the limit: nothing waits for it."""
    bad = SET + head + bytes(50)
    track = Track()

    assert track.units(bad, 1) == [Unit(bad, 1, True)]
    assert track.rest() == []
    assert track.units(C, 2) == [Unit(C, 2)]


def test_padding_after_a_unit_does_not_damage_it():
    """A camera may pad its payloads."""
    assert good([(A + bytes(7), 1), (B, 2)]) == [A, B]


@pytest.mark.parametrize("size", [25, 60, 120])
def test_no_loss_makes_a_false_unit(size):
    """Units without a checksum, any of their fragments lost: each valid one was sent, once and in order."""
    lost = 0
    for seed in range(200):
        rng = Random(seed)
        units = [unit(bytes([number]) + rng.randbytes(2 * rng.randrange(1, 120))) for number in range(12)]
        payloads = [(piece, ticks) for ticks, one in enumerate(units) for piece in cut(one, size)]
        kept = [rng.random() > 0.2 for _ in payloads]
        hit = {ticks for (_, ticks), came in zip(payloads, kept, strict=True) if not came}

        found = good([payload for payload, came in zip(payloads, kept, strict=True) if came])

        assert found == [one for ticks, one in enumerate(units) if ticks not in hit], f"seed {seed}"
        lost += len(hit)
    assert lost > 200
