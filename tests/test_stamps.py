"""The time stamp in a video frame (ST 0603, ST 0604): every codec, both forms of units, all special cases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import stamped
from cases import each_case, each_of
from hypothesis import assume, given
from hypothesis import strategies as st

from klvrelay import Stamp
from klvrelay.frames.frame_times import find

LINES = (Path(__file__).parent / "vectors" / "stamps.jsonl").read_text(encoding="utf-8").splitlines()
VECTORS = [json.loads(line) for line in LINES]
STAMPED = [vector for vector in VECTORS if vector["expected"]]
CODECS = ["h264", "hevc", "mpeg2video"]
TIME = 1340977512123456

by_name = each_of(VECTORS, itemgetter("what"))
times = st.integers(0, 10**17)
statuses = st.integers(0, 255)
codecs = st.sampled_from(CODECS)
# Start codes and emulation prevention consist of zeros, ones and threes.
nasty = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 3, 4, 0x80, 0xFF]), max_size=600).map(bytes)
payloads = st.binary(max_size=40) | nasty


def found(vector: dict[str, Any], size: int | None = None) -> dict[str, Any] | None:
    stamp = find(bytes.fromhex(vector["hex"])[:size], vector["codec"])
    return stamp and stamp._asdict()


@by_name
def test_a_frame_has_its_time(vector: dict[str, Any]):
    """The time in the vector, and None where there is no stamp."""
    assert found(vector) == vector["expected"]


@by_name
def test_a_truncated_frame_has_the_same_time_or_none(vector: dict[str, Any]):
    """At every cut; and the time is found as soon as its last byte is there."""
    times = [found(vector, size) for size in range(len(bytes.fromhex(vector["hex"])) + 1)]

    assert [each for each in times if each not in (None, vector["expected"])] == []
    assert times == sorted(times, key=lambda each: each is not None), "it is not forgotten again"


@each_of(STAMPED, itemgetter("what"))
def test_a_frame_in_a_buffer_of_any_kind(vector: dict[str, Any]):
    """libav's buffers need not be copied."""
    data = bytes.fromhex(vector["hex"])

    assert find(memoryview(data), vector["codec"]) == find(bytearray(data), vector["codec"]) == Stamp(
        **vector["expected"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "locked", "discontinuity", "reverse"),
    [(0x1F, True, False, False), (0x9F, False, False, False), (0x5F, True, True, False), (0x7F, True, True, True)],
)
def test_the_status_says_whether_the_clock_is_locked_and_jumped(status, locked, discontinuity, reverse):
    """Bits 7, 6 and 5 (ST 0603)."""
    stamp = find(stamped.frame("h264", TIME, status), "h264")

    assert stamp is not None
    assert (stamp.status, stamp.locked, stamp.discontinuity, stamp.reverse) == (status, locked, discontinuity, reverse)


def test_the_time_is_a_datetime_in_utc():
    """To the microsecond; None past the year 9999, which microseconds may reach."""
    stamp = find(stamped.frame("hevc", TIME), "hevc")

    assert stamp is not None
    assert stamp.time == datetime(2012, 6, 29, 13, 45, 12, 123456, UTC)
    assert stamp._replace(time_us=10**18).time is None


@given(times, statuses, codecs)
def test_every_time_can_be_read_back(time: int, status: int, codec: str):
    """Microseconds in each codec, with any status; a start code among them would end the user data of MPEG-2."""
    assume(codec != "mpeg2video" or b"\0\0\1" not in stamped.body(time, status))
    assert find(stamped.frame(codec, time, status), codec) == Stamp(time, None, status, False, False)


@given(st.integers(10**17 + 1, 2**64 - 1), codecs)
def test_no_microseconds_are_past_the_year_5138(time: int, codec: str):
    """Larger values are nanoseconds in a field of microseconds, and reported as such."""
    assert find(stamped.frame(codec, time), codec) == Stamp(time // 1000, time, 0x1F, True, False)


@given(st.integers(0, 2**64 - 1), codecs)
def test_nanoseconds_by_their_identifier(time: int, codec: str):
    """All values of 64 bits, without loss, without a flag."""
    stamp = stamped.NANOSECONDS + stamped.body(time)
    if codec == "mpeg2video":
        frame = stamped.picture(stamp)
    else:
        frame = stamped.by_codes(stamped.units(codec, stamped.sei(codec, [stamped.message(5, stamp)])))

    assert find(frame, codec) == Stamp(time // 1000, time, 0x1F, False, False)


@given(
    st.sampled_from(CODECS[:2]),
    times,
    statuses,
    st.lists(st.tuples(st.integers(0, 600).filter(lambda kind: kind != 5), payloads), max_size=4),
    st.lists(st.tuples(st.integers(0, 600), payloads), max_size=2),
    st.booleans(),
)
def test_any_messages_may_be_around_it(codec, time, status, before, behind, one_unit):
    """In its unit or in separate units, full of bytes that need emulation prevention."""
    stamp = stamped.message(5, stamped.IDENTIFIERS[codec] + stamped.body(time, status))
    messages = [stamped.message(*each) for each in before] + [stamp] + [stamped.message(*each) for each in behind]
    seis = [stamped.sei(codec, messages)] if one_unit else [stamped.sei(codec, [each]) for each in messages]
    units = stamped.units(codec, *seis)

    expected = Stamp(time, None, status, False, False)
    assert find(stamped.by_codes(units), codec) == expected
    assert find(stamped.by_codes(units, b"\0\0\1"), codec) == expected
    assert find(stamped.by_lengths(units), codec) == expected


@each_case("codec", CODECS[:2])
@each_case("size", [1, 254, 255, 256, 257, 262, 511, 512, 65536, 65792])
def test_a_length_that_looks_like_a_start_code_is_a_length(codec: str, size: int):
    """00 00 01 xx before a unit of 256 to 511 bytes, 00 00 00 01 before one of one byte, and similar ones."""
    first = stamped.message(4, bytes(range(1, 256)) * 300)[:size]
    stamp = stamped.sei(codec, [stamped.message(5, stamped.IDENTIFIERS[codec] + stamped.body(TIME))])

    found = find(stamped.by_lengths([b"\x0c" + first[1:], *stamped.units(codec, stamp)]), codec)

    assert found is not None
    assert found.time_us == TIME


@pytest.mark.parametrize("codec", CODECS[:2])
def test_a_start_code_that_looks_like_a_length_is_a_start_code(codec: str):
    """00 00 01 09 in a frame of 269 bytes, which a unit of 265 bytes would fill; and in frames of other sizes."""
    stamp = stamped.sei(codec, [stamped.message(5, stamped.IDENTIFIERS[codec] + stamped.body(TIME))])
    frames = [
        stamped.by_codes([*stamped.units(codec, stamp), b"\x01" + b"\x77" * size], b"\0\0\1") for size in range(400)
    ]

    assert {4 + int.from_bytes(frame[:4], "big") for frame in frames} <= {len(frame) for frame in frames}
    assert {find(frame, codec) for frame in frames} == {Stamp(TIME, None, 0x1F, False, False)}


@given(st.binary(max_size=300) | nasty, st.sampled_from([*CODECS, "mpeg1video", "vp9", ""]))
def test_no_bytes_raise_an_error(data: bytes, codec: str):
    """Whatever they are: None, unless they hold an identifier."""
    assert find(data, codec) is None


@given(st.data(), codecs)
def test_no_damage_raises_an_error(data, codec: str):
    """A stamped frame with bytes changed, lost or repeated gives a stamp or none."""
    frame = bytearray(stamped.frame(codec, TIME))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(frame) - 1))
        frame[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not frame:
            break

    stamp = find(frame, codec)

    assert stamp is None or 0 <= stamp.time_us < 2**64
    assert stamp is None or stamp.time_ns is None or stamp.time_ns // 1000 == stamp.time_us


@given(payloads)
def test_emulation_prevention_is_removed(payload: bytes):
    """A body of any bytes after the identifier is read as before escaping."""
    data = (payload + bytes(12))[:12]
    unit = stamped.sei("h264", [stamped.message(5, stamped.MICROSECONDS + data)])
    time = int.from_bytes(data[1:3] + data[4:6] + data[7:9] + data[10:12], "big")

    stamp = find(stamped.by_codes(stamped.units("h264", unit)), "h264")

    assert stamp is not None
    assert stamp.time_us == (time if time <= 10**17 else time // 1000)
    assert stamp.status == data[0]
    assert stamp.odd is (data[3::3] != b"\xff\xff\xff")
