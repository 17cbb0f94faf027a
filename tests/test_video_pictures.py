"""The pictures of a video stream as viewers show them, and their times."""

from __future__ import annotations

import logging

import pytest
from cases import each_case
from filmed import FIRST_PTS, FRAME_TICKS, Coded, coded, decoded, in_colour
from stamped import encoded

from klvrelay.video.access_units import AccessUnit
from klvrelay.video.clock import PTS_RANGE, PictureClock
from klvrelay.video.pictures import FIRST, MOST_HELD, PictureStream, VideoPicture
from klvrelay.video.units import ParameterSets, nal_units

AT_SECOND = 90_000


def unit(one: Coded, codec: str = "h264", damaged: bool = False) -> AccessUnit:
    return AccessUnit(one.data, codec, FIRST_PTS + one.number * FRAME_TICKS, 0x100, None, damaged, None)


def shown(units: list[AccessUnit]) -> tuple[list[VideoPicture], int]:
    """The pictures of a stream, and how many it left out."""
    stream = PictureStream(units[0].codec)
    found = [picture for one in units for picture in stream.take(one)] + list(stream.rest())
    return found, stream.left_out


def numbers(found: list[VideoPicture]) -> list[int]:
    return [((picture.pts or 0) - FIRST_PTS) // FRAME_TICKS for picture in found]


def forms(found: list[VideoPicture]) -> set[str]:
    return {picture.form for picture in found}


def test_access_units_are_unchanged():
    """H.264 without B-frames."""
    found, left_out = shown([unit(one) for one in coded()])
    assert [picture.data for picture in found] == [one.data for one in coded()]
    assert (forms(found), left_out) == ({"h264"}, 0)


@each_case("count", [1, FIRST - 1, FIRST, FIRST + 1])
def test_short_videos_are_complete(count: int):
    """The decision does not wait for pictures that do not come."""
    found, _ = shown([unit(one) for one in coded()[:count]])
    assert numbers(found) == list(range(count))


def test_a_video_begins_with_its_first_key_frame():
    """What is before it cannot be decoded."""
    found, left_out = shown([unit(one) for one in coded()[5:]])
    assert (numbers(found)[0], left_out) == (15, 10)


def test_b_frames_are_noticed_late_too(caplog: pytest.LogCaptureFixture):
    """From the next key frame on the pictures are JPEG."""
    caplog.set_level(logging.INFO, "klvrelay.video")
    plain, reordered = coded(), coded(b_frames=2)
    later = [one._replace(number=one.number + 60) for one in reordered]
    found, _ = shown([unit(one) for one in (*plain, *later)])
    kinds = [picture.form for picture in found]
    assert kinds[:60] == ["h264"] * 60
    assert kinds[-40:] == ["jpeg"] * 40
    assert kinds == sorted(kinds)
    assert "cause=B-frames" in caplog.text


def test_a_clock_that_jumps_is_not_a_b_frame():
    """Presentation times may begin again, or step back once."""
    units = [unit(one) for one in coded()]
    for back in (FRAME_TICKS // 2, 5 * AT_SECOND):
        jumped = [one._replace(pts=(one.pts or 0) - back - FRAME_TICKS) for one in units[30:]]
        assert forms(shown(units[:30] + jumped)[0]) == {"h264"}


def test_pictures_between_presentation_times_have_one_too():
    """A PES packet may hold several access units, and has one time."""
    units = [unit(one) if one.number % 3 == 0 else unit(one)._replace(pts=None) for one in coded()]
    found, left_out = shown(units)
    assert [picture.pts for picture in found[3:]] == [FIRST_PTS + number * FRAME_TICKS for number in range(3, 60)]
    assert (len(found), left_out) == (60, 0)


def test_video_without_key_frames_becomes_jpeg():
    """Viewers begin at key frames only; a decoder can begin where the intra refresh has gone round."""
    refreshed = coded(count=MOST_HELD + 30, refresh=True)
    assert forms(shown([unit(one) for one in refreshed])[0]) == {"h264"}
    found, _ = shown([unit(one) for one in refreshed[1:]])
    assert forms(found) == {"jpeg"}
    assert numbers(found)[-100:] == list(range(MOST_HELD - 70, MOST_HELD + 30))


def test_mpeg_2_becomes_jpeg():
    """No viewer decodes it."""
    pictures = [Coded(number, data, number == 0) for number, data in enumerate(encoded("mpeg2video", 10))]
    found, left_out = shown([unit(one, "mpeg2video") for one in pictures])
    assert (numbers(found), forms(found), left_out) == (list(range(10)), {"jpeg"}, 0)
    assert all(len(in_colour("mjpeg", [picture.data])) == 1 for picture in found)


@each_case("codec", ["h264", "mpeg2video"])
def test_a_broken_access_unit_spoils_only_itself(codec: str):
    """Bytes that are no picture are left out, and the next key frame is as before."""
    if codec == "h264":
        pictures = [unit(one) for one in coded()]
    else:
        data = encoded(codec, 30)
        pictures = [unit(Coded(number, one, False), codec) for number, one in enumerate(data)]
    broken = pictures[:]
    broken[20] = broken[20]._replace(data=b"\0\0\1\x09" + bytes(range(4, 200)))
    found, _ = shown(broken)
    assert numbers(found) == [number for number in range(len(pictures)) if number != 20]


def test_a_damaged_access_unit_is_left_out():
    """And counted."""
    units = [unit(one, damaged=one.number == 20) for one in coded()]
    found, left_out = shown(units)
    assert (numbers(found), left_out) == ([number for number in range(60) if number != 20], 1)


# ---- units ----


@each_case("code", [b"\0\0\1", b"\0\0\0\1"])
def test_units_are_found_between_start_codes(code: bytes):
    """Without the zeros before the next one."""
    data = b"".join(code + unit for unit in (b"\x67abc", b"\x68d", b"\x65ef"))
    found = [(kind, data[begin:end]) for kind, begin, end in nal_units(data, "h264")]
    assert found == [(7, b"\x67abc"), (8, b"\x68d"), (5, b"\x65ef")]


@each_case("data", [b"", b"\0\0\1", b"\0\0\0", b"abc", b"\0\0\1\0\0\1"])
def test_bytes_without_a_unit_are_no_picture(data: bytes):
    """They are left out."""
    assert ParameterSets("h264").complete(data) is None


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_key_frame_gets_the_newest_parameter_sets(codec: str):
    """Those of the last key frame that had them, so that a decoder can begin there."""
    first, second = [one for one in coded(codec)[:16] if one.is_key][:2]
    name = "hevc" if codec == "h265" else codec
    sets = ParameterSets(name)
    assert sets.complete(first.data) == (first.data, True)
    kinds = range(1, 6) if codec == "h264" else range(32)
    bare = b"".join(
        b"\0\0\1" + second.data[begin:end] for kind, begin, end in nal_units(second.data, name) if kind in kinds
    )
    complete = sets.complete(bare)
    assert complete is not None
    assert decoded(codec, [complete[0]]) == decoded(codec, [second.data])
    assert ParameterSets(name).complete(bare) is None, "not known: it cannot be decoded"


# ---- times ----

CLOCKS = {
    "at a record": (9_000, 1_100_000),
    "between two": (4_500, 1_050_000),
    "before the first": (PTS_RANGE - 9_000, 900_000),
    "after the last": (99_000, 2_100_000),
    "far away": (61 * AT_SECOND * 2, None),
}


@each_case("name", CLOCKS)
def test_the_klv_gives_the_time_of_a_picture(name: str):
    """By the nearest record, up to a minute away; presentation times begin again after 33 bits."""
    pts, time_us = CLOCKS[name]
    clock = PictureClock()
    for number in range(11):
        clock.note(number * 9_000, 1_000_000 + number * 100_000)
    assert clock.time_us(pts, None) == time_us


def test_a_time_stamp_counts_unless_its_clock_is_not_set():
    """It is that of the picture itself."""
    clock = PictureClock()
    assert clock.time_us(None, 5) == 5
    assert clock.time_us(0, None) is None
    clock.note(0, 1_700_000_000_000_000)
    assert clock.time_us(0, 1_700_000_000_040_000) == 1_700_000_000_040_000
    assert clock.time_us(0, 5) == 1_700_000_000_000_000


def test_times_follow_a_jump_of_the_presentation_times():
    """As where two recordings were joined."""
    clock = PictureClock()
    for pts, time_us in ((900_000, 10), (903_000, 20), (0, 500_000_000), (3_000, 500_033_333)):
        clock.note(pts, time_us)
    assert clock.time_us(903_000, None) == 20
    assert clock.time_us(3_000, None) == 500_033_333
