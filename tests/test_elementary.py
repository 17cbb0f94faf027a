"""The stream of a record: names, numbers, PIDs and programs are the same from both demultiplexers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from cases import each_case
from several_programs import FIRST, SECOND, Air, aircraft, mixed, two
from test_lane import ASYNC, KLVA, NULL

import klvrelay
from klvrelay.cli.verbs.decode import decode_source
from klvrelay.config.choice import EVERYTHING, Choice
from klvrelay.config.url import Url
from klvrelay.decoder import Decoder
from klvrelay.elementary_streams import assignment
from klvrelay.record import Packet, Record

WAYS = [{}, {"demux": "libav"}, {"isolate": True}, {"demux": "libav", "isolate": True}]
ID3 = b"ID3\x04\x00\x00\x00\x00\x00\x0fTIT2 no KLV in it"


def decoded(ts: Sequence[bytes] | bytes, choice: Choice = EVERYTHING, cut: int = 1 << 30) -> list[Record]:
    data = ts if isinstance(ts, bytes) else b"".join(ts)
    decoder = Decoder("cam", "5f2c9a", choice=choice)
    found = [r for at in range(0, len(data), cut) for r in decoder.feed(Packet(data[at : at + cut]))]
    return found + decoder.flush()


def lines(ts: Sequence[bytes] | bytes, cut: int = 1 << 30) -> bytes:
    data = ts if isinstance(ts, bytes) else b"".join(ts)
    decoder = Decoder("cam", "5f2c9a")
    text = b"".join(decoder.lines(Packet(data[at : at + cut])) for at in range(0, len(data), cut))
    return text + decoder.flush_lines()


def who(records: Sequence[Record]) -> dict[str, str]:
    """The aircraft of each stream; each stream has one, and is numbered without a gap."""
    found: dict[str, set[str]] = {}
    for record in records:
        found.setdefault(record.stream, set()).add(record.items["mission_id"])
    for name in found:
        numbers = [record.seq for record in records if record.stream == name]
        assert numbers == list(range(len(numbers)))
    assert all(len(names) == 1 for names in found.values()), found
    return {stream: names.pop() for stream, names in found.items()}


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("program", [1, 2])
@pytest.mark.parametrize("higher_first", [False, True])
def test_each_pid_is_a_stream_with_both_demultiplexers(
    way: dict[str, Any], program: int, higher_first: bool, tmp_path: Path
) -> None:
    """The lowest PID is the first stream, whichever arrives first; each record has its PID and its program."""
    path = tmp_path / "cam.ts"
    path.write_bytes(two(program=program, higher_first=higher_first))
    records = list(klvrelay.open(path, **way))
    assert who(records) == {"cam": "ALPHA", "cam.513": "BRAVO"}
    assert Counter((r.stream, r.pid, r.program) for r in records) == {
        ("cam", FIRST, 1): 20, ("cam.513", SECOND, program): 20,
    }  # fmt: skip


def test_the_document_has_pid_and_program() -> None:
    """Both after the PTS, null where unknown; the same from a record and directly from C."""
    text = lines(two(program=2)).splitlines()
    first, second = (orjson.loads(line) for line in text[:2])
    assert list(first)[6:11] == ["time_us", "pts", "pid", "program", "set"]
    assert [(d["stream"], d["pid"], d["program"]) for d in (first, second)] == [("cam", 257, 1), ("cam.513", 513, 2)]
    bare = orjson.loads(klvrelay.json_lines(aircraft("ALPHA", 1)))
    assert (bare["pid"], bare["program"]) == (None, None)


@each_case("cut", [188, 1316, 1000, 1 << 20])
@each_case("ts", [two(), two(program=2, higher_first=True), two(sync=True)], ids=["1", "2", "sync"])
def test_cutting_does_not_matter_and_text_is_that_of_the_records(ts: bytes, cut: int) -> None:
    """Names and numbers depend on the bytes alone."""
    whole = decoded(ts)
    assert sorted(decoded(ts, cut=cut)) == sorted(whole)
    text = sorted(lines(ts, cut).splitlines())
    assert text == sorted(record.json() for record in whole)


def test_a_private_stream_has_its_program() -> None:
    """Private data that no descriptor calls KLV is listed like any other."""
    air = Air()
    ts = air.map(p7=[(ASYNC, FIRST, b"")]) + mixed(air.flight(FIRST, "ALPHA", 3))
    assert [(r.pid, r.program) for r in decoded(ts)] == [(FIRST, 7)] * 3


@pytest.mark.parametrize("others", [(0x15, 0x99, b""), (ASYNC, 0x99, b""), (ASYNC, 0x99, KLVA)], ids=str)
def test_a_lower_pid_with_other_data_gets_no_name(others: tuple[int, int, bytes]) -> None:
    """Timed ID3, subtitles, or text labelled as KLV: the first record does not wait for them."""
    air = Air()
    ts = air.map(p1=[others, FIRST]) + air.pes(ID3, 0x99) + mixed(air.flight(FIRST, "ALPHA", 3))
    decoder = Decoder("cam", None)
    records = decoder.feed(Packet(b"".join([*ts, *[NULL] * 8])))
    assert [(r.stream, r.pid) for r in records] == [("cam", FIRST)] * 3


@pytest.mark.parametrize("hz", [30, 2])
def test_a_lower_pid_that_stays_silent_is_waited_for_two_seconds(hz: float) -> None:
    """Then the first to arrive is the first stream; nothing is lost, and the order stays."""
    air = Air()
    ts = air.map(p1=[0x99, FIRST]) + mixed(air.flight(FIRST, "ALPHA", int(4 * hz), hz=hz))
    decoder = Decoder("cam", None)
    records, waited = [], 0
    for at in range(0, len(ts)):
        found = decoder.feed(Packet(ts[at]))
        waited += not records and not found
        records += found
    records += decoder.flush()
    assert who(records) == {"cam": "ALPHA"}
    assert [r.items["unknown"]["150"] for r in records] == [f"{n:04x}" for n in range(int(4 * hz))]
    assert 2 * hz <= waited <= 3 * hz + 8


@pytest.mark.parametrize("begin", [0.4, 1.5])
def test_a_lower_pid_that_appears_late_is_still_the_first(begin: float) -> None:
    """Within two seconds: data of the other one waited so long."""
    air = Air()
    ts = air.map(p1=[FIRST, SECOND])
    ts += mixed(air.flight(SECOND, "BRAVO", 60), air.flight(FIRST, "ALPHA", 30, begin=begin))
    assert who(decoded(ts)) == {"cam": "ALPHA", "cam.513": "BRAVO"}


@pytest.mark.parametrize("listed_still", [False, True])
@pytest.mark.parametrize("way", WAYS[:1] + WAYS[2:3], ids=str)
def test_klv_that_moves_to_another_pid_is_the_same_stream(
    listed_still: bool, way: dict[str, Any], tmp_path: Path
) -> None:
    """Of one program and set: its PMT drops the old PID, or that falls silent. Name and numbers continue."""
    air = Air()
    ts = air.map(p1=[FIRST, 0x105]) if listed_still else air.map(p1=[FIRST])
    ts += mixed(air.flight(FIRST, "ALPHA", 60))
    ts += [] if listed_still else air.map(p1=[0x105])
    ts += mixed(air.flight(0x105, "ALPHA", 60, begin=2.0))
    path = tmp_path / "cam.ts"
    path.write_bytes(b"".join(ts))
    records = list(klvrelay.open(path, **way))
    assert who(records) == {"cam": "ALPHA"}
    assert [r.pid for r in records] == [FIRST] * 60 + [0x105] * 60


def test_bare_klv_followed_by_a_transport_stream_is_the_same_stream(said: Callable[[], list[str]]) -> None:
    """In both directions: a rewritten file, or a sender that switches to MPEG-TS. No PID has moved."""
    decoder, found = Decoder("cam", "5f2c9a"), []
    for turn, pid in enumerate((None, FIRST, None, 0x105)):
        air = Air()
        ts = b"".join(air.map(p1=[pid]) + mixed(air.flight(pid, "ALPHA", 8))) if pid else b""
        bare = b"".join(aircraft("ALPHA", number) for number in range(8))
        found += decoder.feed(Packet(ts + NULL * 8) if pid else Packet(bare, carriage="klv"))
        assert len(found) >= 8 * turn + 7
        found += decoder.feed(Packet(b"")) if turn % 2 else []
    assert who(found) == {"cam": "ALPHA"}
    assert [r.pid for r in found] == [None] * 8 + [FIRST] * 8 + [None] * 8 + [0x105] * 8
    assert said() == []


def test_two_streams_that_both_move_stay_apart() -> None:
    """A PMT lists two others instead: the lower one continues as the lower."""
    air = Air()
    ts = air.map(p1=[FIRST, SECOND]) + mixed(air.flight(FIRST, "ALPHA", 30), air.flight(SECOND, "BRAVO", 30))
    ts += air.map(p1=[0x111, 0x211])
    moved = {"begin": 1.0, "count": 90}
    ts += mixed(air.flight(0x111, "ALPHA", **moved), air.flight(0x211, "BRAVO", **moved))
    assert who(decoded(ts)) == {"cam": "ALPHA", "cam.513": "BRAVO"}


@pytest.mark.parametrize("rates", [(30, 1), (1, 30), (0.5, 0.5), (30, 0.2)], ids=str)
def test_streams_of_different_rates_stay_apart(rates: tuple[float, float]) -> None:
    """A slow one counts neither as ended nor as moved."""
    air = Air()
    flights = [air.flight(pid, name, int(20 * hz), hz=hz, begin=0.01)
               for (pid, name), hz in zip(((FIRST, "ALPHA"), (SECOND, "BRAVO")), rates, strict=True)]  # fmt: skip
    records = decoded(air.map(p1=[FIRST, SECOND]) + mixed(*flights))
    assert sorted(who(records).values()) == ["ALPHA", "BRAVO"]
    assert len(records) == sum(len(flight) for flight in flights)


@pytest.mark.parametrize("other", ["set", "program"])
def test_klv_of_another_set_or_program_is_another_stream(other: str) -> None:
    """Only the same KLV continues under the name."""
    air = Air()
    ts = air.map(p1=[FIRST]) + mixed(air.flight(FIRST, "ALPHA", 30))
    ts += air.map(p1=[SECOND]) if other == "set" else air.map(p2=[SECOND])
    ts += mixed(air.flight(SECOND, "BRAVO", 60, begin=9.0, set_="ST0903" if other == "set" else "ST0601"))
    records = decoded(ts)
    assert Counter(r.stream for r in records) == {"cam": 30, "cam.513": 60}


def test_several_sets_on_one_pid_are_one_stream() -> None:
    """ST 0601 and VMTI in turn: one name, one count."""
    air = Air()
    flights = [air.flight(FIRST, "ALPHA", 10, set_=name, begin=at) for name, at in (("ST0601", 0), ("ST0903", 0.01))]
    records = decoded(air.map(p1=[FIRST]) + mixed(*flights) + [NULL] * 9)
    assert [(r.stream, r.seq) for r in records] == [("cam", n) for n in range(20)]
    assert {r.set for r in records} == {"ST0601", "ST0903"}


def test_names_of_the_settings() -> None:
    """A PID has its configured name; the first of the others has that of the source."""
    ts = two()
    assert who(decoded(ts, Choice(names={SECOND: "uav2"}))) == {"cam": "ALPHA", "uav2": "BRAVO"}
    assert who(decoded(ts, Choice(names={FIRST: "uav1"}))) == {"uav1": "ALPHA", "cam": "BRAVO"}
    assert who(decoded(ts, Choice(names={SECOND: "cam"}))) == {"cam": "BRAVO", "cam.257": "ALPHA"}
    assert who(decoded(ts, Choice(taken=frozenset(("cam.513", "cam.513-2"))))) == {"cam": "ALPHA", "cam.513-3": "BRAVO"}


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_choice_of_pid_or_program(way: dict[str, Any], tmp_path: Path) -> None:
    """Other records are left out, and the first of the rest has the name."""
    path = tmp_path / "cam.ts"
    path.write_bytes(two(program=2))
    for choice in ({"pid": SECOND}, {"pid": [SECOND, 0x300]}, {"program": 2}, {"pid": SECOND, "program": 2}):
        assert who(list(klvrelay.open(path, **way, **choice))) == {"cam": "BRAVO"}
    for choice in ({"pid": 0x300}, {"program": 3}, {"pid": FIRST, "program": 2}):
        assert list(klvrelay.open(path, **way, **choice)) == []


def test_a_choice_of_a_buffer() -> None:
    """`decode`, `json_lines` and `columns` select alike."""
    ts = two(program=2)
    assert who(klvrelay.decode(ts, stream="cam", pid=SECOND)) == {"cam": "BRAVO"}
    assert len(klvrelay.json_lines(ts, program=2).splitlines()) == 20
    assert len(klvrelay.columns(ts, ["precision_time_stamp"], pid=[FIRST])["precision_time_stamp"]) == 20
    assert klvrelay.decode(aircraft("ALPHA", 1), pid=FIRST) == []


def test_pmts_with_other_pids_each_time_make_few_streams() -> None:
    """Hostile tables: at most 16 streams per source; data of more streams is counted and uses no memory."""
    air, decoder, records = Air(), Decoder("cam", None), []
    for number in range(100):
        ts = air.map(**{f"p{number + 1}": [0x120 + number]})
        ts += mixed(air.flight(0x120 + number, f"N{number}", 2, begin=number))
        records += decoder.feed(Packet(b"".join([*ts, *[NULL] * 5])))
    records += decoder.flush()
    assert len({r.stream for r in records}) == assignment.MOST
    assert len(records) + decoder.streams.refused == 200
    assert not decoder.streams.waiting


def test_waiting_data_is_bounded_in_bytes() -> None:
    """A PID that cannot be assigned yet is assigned before it takes much memory."""
    air = Air()
    decoder = Decoder("cam", None)
    raw = klvrelay.encode({"precision_time_stamp": 1, 150: bytes(60_000)})
    decoder.feed(Packet(b"".join(air.map(p1=[0x99, FIRST]))))
    held = 0
    for number in range(64):
        decoder.feed(Packet(b"".join(air.at(number / 1000, FIRST, raw))))
        held = max(held, sum(len(e[0]) for w in decoder.streams.waiting.values() for e in w.entries))
    assert 0 < held <= assignment.HELD_BYTES


def test_a_replayed_recording_keeps_its_names() -> None:
    """Round after round, and when a source is reopened: each PID keeps its name, also one that moved."""
    decoder = Decoder("cam", None)
    air = Air()
    moved = air.map(p1=[FIRST]) + mixed(air.flight(FIRST, "ALPHA", 30))
    moved += air.map(p1=[0x105]) + mixed(air.flight(0x105, "ALPHA", 30, begin=1.0))
    for data, names in ((b"".join(moved), {"cam"}), (two(), {"cam", "cam.513"})):
        decoder = Decoder("cam", None)
        records = []
        for _ in range(3):
            records += decoder.feed(Packet(data)) + decoder.feed(Packet(b""))
        assert set(who(records)) == names


def test_the_clocks_wrap() -> None:
    """33 bits of PTS: a stream whose last record came just before the wrap has not been silent for a day."""
    air, wrap = Air(), (1 << 33) / 90_000 - 2
    flights = [air.flight(pid, name, 60, begin=wrap) for pid, name in ((FIRST, "ALPHA"), (SECOND, "BRAVO"))]
    assert who(decoded(air.map(p1=[FIRST, SECOND]) + mixed(*flights))) == {"cam": "ALPHA", "cam.513": "BRAVO"}


def test_a_pid_that_returns_does_not_get_the_name_of_the_stream_that_moved() -> None:
    """The second aircraft moves from 0x201 to 0x211; data on 0x201 later is a third one."""
    air = Air()
    ts = air.map(p1=[FIRST, SECOND]) + mixed(air.flight(FIRST, "ALPHA", 30), air.flight(SECOND, "BRAVO", 30))
    ts += air.map(p1=[FIRST, 0x211])
    both = air.flight(FIRST, "ALPHA", 90, begin=1.0), air.flight(0x211, "BRAVO", 90, begin=1.0)
    ts += mixed(*both) + air.map(p1=[FIRST, SECOND, 0x211])
    flights = [air.flight(pid, name, 60, begin=4.0) for pid, name in ((FIRST, "ALPHA"), (0x211, "BRAVO"))]
    ts += mixed(*flights, air.flight(SECOND, "CHARLIE", 60, begin=4.0))
    assert who(decoded(ts)) == {"cam": "ALPHA", "cam.513": "BRAVO", "cam.513-2": "CHARLIE"}


def test_a_loss_does_not_end_a_stream() -> None:
    """Bytes lost by a slow reader do not end a stream: the wait for a lower PID continues."""
    air, decoder = Air(), Decoder("cam", None)
    ts = air.map(p1=[FIRST, SECOND]) + mixed(air.flight(SECOND, "BRAVO", 3))
    records = decoder.feed(Packet(b"".join(ts))) + decoder.feed(Packet(b"", damaged=True))
    ts = air.map(p1=[FIRST, SECOND]) + mixed(air.flight(FIRST, "ALPHA", 3), air.flight(SECOND, "BRAVO", 3, begin=0.1))
    records += decoder.feed(Packet(b"".join([*ts, *[NULL] * 8]))) + decoder.flush()
    assert who(records) == {"cam": "ALPHA", "cam.513": "BRAVO"}


@pytest.mark.parametrize("higher_first", [False, True])
async def test_text_by_libav_has_the_same_names(higher_first: bool, tmp_path: Path) -> None:
    """As in `decode --demux libav`: PIDs that arrive separately, directly to text."""
    path = tmp_path / "cam.ts"
    path.write_bytes(two(program=2, higher_first=higher_first))
    found: dict[str, list[str]] = {}
    for demux in ("native", "libav"):
        text: list[bytes] = []
        await decode_source(Url.parse(path), text.append, None, demux=demux)  # type: ignore[arg-type]
        documents = [orjson.loads(line) for line in b"".join(text).splitlines()]
        found[demux] = sorted(f"{d['stream']} {d['seq']} {d['pid']} {d['program']} {d['time']}" for d in documents)
    assert found["native"] == found["libav"]
    assert {line.split()[0] for line in found["libav"]} == {"cam", "cam.513"}


@pytest.mark.parametrize("wrong", [{"pid": "video"}, {"pid": 0x2000}, {"pid": [257, -1]}, {"program": 0}], ids=str)
def test_an_invalid_pid_or_program_is_refused(wrong: dict[str, Any]) -> None:
    """Before any byte is read."""
    with pytest.raises(klvrelay.ConfigError, match="give a number from"):
        klvrelay.decode(b"", **wrong)
