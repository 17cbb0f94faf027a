"""The probe's transport counts compared with a slow and obvious count; and the bound of its memory."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from cases import each_case
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_streams import Mux, asynchronous, pcr, record
from test_lane import Wire

from klvrelay.decoder import Decoder
from klvrelay.frames.frame_times import Stamp
from klvrelay.probe.metadata import series
from klvrelay.probe.metadata.clocks import PtsLine, TimeTally, iso, unit_of
from klvrelay.probe.metadata.items import ItemTable, brief
from klvrelay.probe.metadata.telemetry import Telemetry
from klvrelay.probe.transport.framer import Framer
from klvrelay.probe.transport.frames import REMEMBERED, FrameTally
from klvrelay.probe.transport.pes import head_of, pts_difference
from klvrelay.probe.transport.survey import Survey
from klvrelay.record import Packet

STREAM = Mux(count=40).bytes()


def cuts(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(edges)]


def surveyed(pieces: list[bytes]) -> tuple[Survey, bytes]:
    survey, through = Survey(), b""
    for piece in pieces:
        through += b"".join(bytes(part.data) for part in survey.feed(piece))
    return survey, through + b"".join(bytes(part.data) for part in survey.finish())


def facts(survey: Survey) -> object:
    """All counters, for comparison."""
    counts = survey.counts
    found = {
        pid: (f.pes, f.with_pts, f.cells, f.bare, f.continued, f.cell_gaps, f.on_frame, dict(f.stream_ids))
        for pid, f in survey.found.items()
    }
    per_pid = [tuple(array[array.nonzero()].tolist()) for array in (counts.packets, counts.gaps, counts.lost,
                                                                    counts.duplicates, counts.scrambled)]  # fmt: skip
    clocks = {pid: (stats.count, stats.jumps) for pid, stats in survey.clock.stats.items()}
    frames = {pid: tally.frames for pid, tally in survey.videos.frames.items()}
    tables = [survey.tables.pat.freeze(), *(map_.pace.freeze() for map_ in survey.tables.programs.values())]
    return survey.packets, survey.framer.losses, survey.framer.skipped, per_pid, found, clocks, frames, tables


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
@settings(max_examples=40, deadline=None)
def test_the_pieces_do_not_affect_the_counts(places: list[int]):
    """The same counts, and every byte is passed to the decoder, in order."""
    whole, through = surveyed([STREAM])
    parts, again = surveyed(cuts(STREAM, places))

    assert through == again == STREAM
    assert facts(parts) == facts(whole)
    assert parts.seconds == pytest.approx(whole.seconds, abs=0.01)


def test_datagrams_give_the_same_as_a_file():
    """Seven packets at a time, as in UDP."""
    pieces = [STREAM[at : at + 1316] for at in range(0, len(STREAM), 1316)]
    assert facts(surveyed(pieces)[0]) == facts(surveyed([STREAM])[0])


@pytest.mark.parametrize("size", [188, 1316, 5000, 65536, 1 << 18])
def test_table_intervals_are_the_same_in_pieces_of_any_size(size: int):
    """In a stream with unevenly spaced PCRs: a piece that ends between two of them changes no interval."""
    data = uneven(60)
    whole, parts = surveyed([data])[0], surveyed([data[at : at + size] for at in range(0, len(data), size)])[0]

    assert facts(parts) == facts(whole)
    pat = parts.tables.pat.freeze()
    assert (pat.count, pat.late) == (60, 0)
    assert pat.longest == pytest.approx(0.065, abs=0.001)


def uneven(count: int) -> bytes:
    """PAT, PMT and a PCR 20 times a second, with few or many video packets between."""
    wire, ts = Wire(), []
    for number in range(count):
        tick = number * 90_000 // 20
        ts += wire.tables((0x1B, 0x100, b""))
        ts.append(pcr(tick, wire.counters.get(0x100, -1) & 15, 0x100))
        ts += wire.carry(0x100, b"v" * 184 * (3 if number % 5 else 60))
    return b"".join(ts)


def slow_gaps(packets: list[bytes]) -> tuple[dict[int, int], dict[int, int]]:
    """Gaps and duplicates by PID, one packet after the other."""
    last: dict[int, int] = {}
    gaps: dict[int, int] = {}
    duplicates: dict[int, int] = {}
    for packet in packets:
        pid, counter = int.from_bytes(packet[1:3]) & 0x1FFF, packet[3] & 15
        if packet[1] & 0x80 or not packet[3] & 0x10 or pid == 0x1FFF:
            continue
        announced = packet[3] & 0x20 and packet[4] and packet[5] & 0x80
        step = (counter - last.get(pid, counter - 1)) & 15
        if step == 0 and not announced:
            duplicates[pid] = duplicates.get(pid, 0) + 1
        elif step > 1 and not announced:
            gaps[pid] = gaps.get(pid, 0) + 1
        last[pid] = counter
    return gaps, duplicates


@pytest.mark.parametrize("seed", range(8))
def test_continuity_is_that_of_a_slow_count(seed: int):
    """Packets lost, repeated, marked, on several PIDs, in blocks of any size."""
    noise = random.Random(seed)
    packets = [STREAM[at : at + 188] for at in range(0, len(STREAM), 188)]
    odd: list[bytes] = []
    for packet in packets:
        match noise.randrange(40):
            case 0:
                continue
            case 1:
                odd += [packet, packet]
            case 2:
                odd.append(packet[:1] + bytes([packet[1] | 0x80]) + packet[2:])
            case _:
                odd.append(packet)
    data = b"".join(odd)

    survey, _ = surveyed(cuts(data, [noise.randrange(len(data)) for _ in range(10)]))

    gaps, duplicates = slow_gaps(odd)
    counts = survey.counts
    assert {pid: int(counts.gaps[pid]) for pid in counts.gaps.nonzero()[0].tolist()} == gaps
    assert {pid: int(counts.duplicates[pid]) for pid in counts.duplicates.nonzero()[0].tolist()} == duplicates


@each_case("size", [188, 192, 204])
@each_case("junk", [0, 1, 100, 1000])
def test_packets_of_each_size_after_junk(size: int, junk: int):
    """All packets, and the junk is counted."""
    noise = random.Random(junk)
    lead = 4 if size == 192 else 0
    rows = [STREAM[at : at + 188] for at in range(0, len(STREAM), 188)]
    data = noise.randbytes(junk).replace(b"G", b"H")
    data += b"".join(bytes(lead) + row + bytes(size - 188 - lead) for row in rows)
    framer = Framer()
    block, run = framer.split(data)
    rest, more = framer.split(b"", last=True)

    assert block + rest == data
    assert sum(len(found.rows) for found in (run, more) if found is not None) == len(rows)
    assert (framer.size, framer.skipped) == (size, junk)


@given(st.binary(max_size=3000), st.lists(st.integers(0, 3000), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_passed_on_unchanged(data: bytes, places: list[int]):
    """Whatever they are."""
    assert surveyed(cuts(data, places))[1] == data


def test_every_record_has_its_second():
    """The passed data decodes to all records, each at the time of its PES packet."""
    survey, decoder, times = Survey(), Decoder("s", None), []
    for piece in [*survey.feed(asynchronous(count=40).bytes()), *survey.finish()]:
        times += [piece.at for _ in decoder.feed(Packet(piece.data))]

    assert len(times) == 40
    seconds = [at for at in times if at is not None]
    assert seconds == sorted(seconds)
    assert seconds[-1] - seconds[0] == pytest.approx(39 / 30, abs=0.06)


@given(st.binary(max_size=40), st.booleans())
def test_any_head_of_a_pes_packet_can_be_read(data: bytes, begins: bool):
    """Otherwise it is invalid: too short, or with another start."""
    data = b"\0\0\1" + data if begins else data
    head = head_of(data)

    assert (head is None) == (len(data) < 9 or data[:3] != b"\0\0\1")
    if head is not None:
        assert head.stream_id == data[3]
        assert data.endswith(head.payload)
        assert all(stamp is None or 0 <= stamp < 1 << 33 for stamp in (head.pts, head.dts))


@given(st.integers(0, (1 << 33) - 1), st.none() | st.integers(0, (1 << 33) - 1), st.integers(0, 9), st.integers(0, 50))
def test_the_head_of_a_pes_packet_has_the_written_values(pts: int, dts: int | None, stuffing: int, cut: int):
    """Stamps, size and payload, of which a truncated packet has no more than follows it."""
    stamps = [(2 if dts is None else 3, pts)] + ([] if dts is None else [(1, dts)])
    fields = b"".join(
        bytes([kind << 4 | (ticks >> 30) << 1 | 1])
        + ((ticks >> 15 & 0x7FFF) << 1 | 1).to_bytes(2)
        + ((ticks & 0x7FFF) << 1 | 1).to_bytes(2)
        for kind, ticks in stamps
    )
    optional, payload = fields + b"\xff" * stuffing, b"payload"
    flags = 0x80 if dts is None else 0xC0
    body = bytes([0x80, flags, len(optional)]) + optional + payload
    data = b"\0\0\1\xbd" + len(body).to_bytes(2) + body
    kept = max(9, len(data) - cut)
    head = head_of(data[:kept])

    assert head is not None
    assert (head.stream_id, head.size) == (0xBD, len(payload))
    assert head.payload == data[len(data) - len(payload) : kept]
    assert head.pts == (pts if kept >= 14 else None)
    assert head.dts == (dts if kept >= 19 else None)


def test_stamps_are_compared_by_the_shorter_distance():
    """33 bits wrap."""
    assert pts_difference(10, (1 << 33) - 90_000 + 10) == pytest.approx(1.0)
    assert pts_difference((1 << 33) - 90_000, 0) == pytest.approx(-1.0)


def test_pts_wraps_jumps_and_steps_back_are_distinguished():
    """Each is counted as its kind; the timeline continues."""
    line = PtsLine()
    wrap = (1 << 33) - 3000
    seen = [line.at(pts) for pts in (wrap, 0, 3000, 0, 9_000_000, None, 9_003_000)]

    assert (line.wraps, line.backwards, line.jumps, line.missing) == (1, 1, 1, 1)
    assert seen[2] == pytest.approx(2 / 30)


@pytest.mark.parametrize(
    ("stamp", "unit"),
    [(1_340_980_354_100_000, "us"), (1_340_980_354_100_000_000, "ns"), (1_340_980_354_100, "ms"), (1_340_980_354, "s"),
     (0, "?"), (1 << 63, "?"), (5, "?")],
)  # fmt: skip
def test_the_unit_of_a_time_is_known_by_its_size(stamp: int, unit: str):
    """In one unit only it is between 1990 and 2100."""
    assert unit_of(stamp) == unit


def test_a_time_past_the_year_9999_is_no_text():
    """And it breaks nothing."""
    assert iso(1 << 63) is None
    tally = TimeTally()
    for stamp in (0, (1 << 64) - 1, 5, 1 << 63):
        tally.add(stamp, None, 0.0, None, None)
    assert tally.freeze().unit == "?"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_a_spread_of_a_few_numbers_is_exact(numbers: list[float]):
    """Minimum, maximum, mean, median."""
    spread = series.Spread()
    for number in numbers:
        spread.add(number)
    frozen = spread.freeze()

    assert (frozen.low, frozen.high, frozen.count) == (min(numbers), max(numbers), len(numbers))
    assert frozen.median == sorted(numbers)[len(numbers) // 2]
    assert frozen.mean == pytest.approx(sum(numbers) / len(numbers))


def test_series_have_a_bound():
    """A day of records at 30 a second: no curve, path or spread exceeds its bound, and none loses a count."""
    counts, curve, path, spread = series.Counts(), series.Curve("c"), series.PathSeries(), series.Spread()
    number = 100_000
    for place in range(number):
        at = place * 86_400 / number
        counts.add(at)
        curve.add(at, place)
        path.add(place, place)
        spread.add(place)

    assert sum(counts.counts) == number
    assert len(counts.counts) <= series.BINS
    assert len(curve.line().mean) <= series.BINS
    assert curve.line().high[-1] == number - 1
    assert len(path.points) <= series.POINTS
    assert spread.freeze().median == pytest.approx(number / 2, rel=0.01)


def test_histograms_of_other_widths_are_added():
    """One has seen an hour, and one a minute."""
    long, short = series.Counts(), series.Counts()
    for second in range(3600):
        long.add(second)
    for second in range(60):
        short.add(second)
    long.merge(short)

    assert sum(long.counts) == 3660
    assert sum(long.counts[: int(60 / long.width) + 1]) >= 120


def test_a_slope_is_found():
    """3 per second, exactly."""
    slope = series.Slope()
    for place in range(20):
        slope.add(place, 7 + 3 * place)
    fit = slope.fit()
    assert fit is not None
    assert fit == pytest.approx((3, 0), abs=1e-6)


def test_items_are_counted_by_record():
    """Two layouts in turn: counts, gaps and last values of each item, those of nested sets too."""
    table = ItemTable("ST0601")
    for place in range(10):
        sometimes = {"vmti_local_set": {"frame_width": place}} if place % 3 == 0 else {}
        table.add(float(place), {"mission_id": place, **sometimes, "unknown": {"150": f"{place:02x}"}}, {})
    rows = {item.path: item for item in table.freeze(10, 1.0)}

    assert (rows["mission_id"].count, rows["mission_id"].longest, rows["mission_id"].last) == (10, 1.0, "9")
    assert (rows["vmti_local_set"].count, rows["vmti_local_set"].longest) == (4, 3.0)
    assert (rows["vmti_local_set.frame_width"].last, rows["vmti_local_set.frame_width"].tag) == ("9", 8)
    assert (rows["unknown.150"].count, rows["unknown.150"].tag) == (10, 150)
    assert [strip.name for strip in table.strips(0.05)] == ["3 Mission ID", "74 VMTI Local Set", "150 in no table"]


def test_the_memory_of_items_and_remarks_has_a_bound():
    """A sender that makes up keys and layouts without end."""
    table = ItemTable("ST0601")
    for place in range(3000):
        table.add(float(place), {f"key{place}": 1, f"other{place % 7}": 2}, {f"path{place}": "odd"})
    rows = table.freeze(3000, 1.0)

    assert len(rows) <= 512
    assert sum(item.count for item in rows if item.path.startswith("other")) == 3000


def test_the_kinds_of_records_have_a_bound():
    """Ever new keys: the first ones are listed, the others counted."""
    telemetry, decoder = Telemetry(), Decoder("s", None)
    for number in range(100):
        key = bytes.fromhex("060e2b34020b01010e0103017f0000") + bytes([number])
        for made in decoder.feed(Packet(record(number) + key + b"\x01\x00", None, "klv")):
            telemetry.add(made, 0.0, None)

    assert len(telemetry.streams) <= 32
    assert telemetry.left_out > 50


def frames_of(*times: int) -> FrameTally:
    """Frames with these times and equal PTS."""
    tally = FrameTally(0x100, "H.264 video", "h264", lambda start, codec: Stamp(int(start), None, 0, False, False))
    for time_us in times:
        tally.frame(str(time_us).encode(), time_us)
    return tally


def test_records_and_frames_find_each_other_in_any_order():
    """A frame before its record, and after it; each KLV stream has its own count."""
    tally = frames_of(1, 2)
    for time_us in (1, 2, 3, 9):
        tally.record((0x101, "ST0601"), time_us, time_us)
    tally.record((0x201, "ST0601"), 2_000_002, 2)
    tally.frame(b"3", 3)

    found = {pair.pid: pair for pair in tally.freeze(1.0).beside}
    assert (found[0x101].compared, found[0x101].matched, found[0x101].against.count) == (4, 3, 3)
    assert (found[0x201].compared, found[0x201].matched, found[0x201].against.median) == (1, 0, 2.0)


def test_times_without_a_counterpart_are_dropped():
    """A time without its counterpart is not kept."""
    tally = frames_of(*range(3 * REMEMBERED))
    for time_us in (0, 3 * REMEMBERED - 1):
        tally.record((0x101, "ST0601"), time_us, None)

    assert tally.freeze(1.0).matched == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "unknown"), (True, "yes"), (1.5, "1.5"), ([1], "1"), ([1, 2], "2 of them"), ({"a": 1, "b": [1]}, "a 1"),
     ({"b": [1]}, "1 parts"), ("\x1b[2J", r"\x1b[2J"), ("x" * 200, "x" * 77 + "...")],
)  # fmt: skip
def test_a_last_value_is_short_and_printable(value: object, text: str):
    """One line, whatever it is."""
    assert brief(value) == text


def test_a_universal_key_of_digits_is_no_tag():
    """32 decimal digits are a key, and too large a number for JSON."""
    table = ItemTable("ST0104")
    keys = {"01010103070102010204020008404314": "00", "060e2b34010101010101200100000000": "01"}
    table.add(0.0, {"unknown": keys}, {})

    assert [item.tag for item in table.freeze(1, 1.0)] == [None, None]
