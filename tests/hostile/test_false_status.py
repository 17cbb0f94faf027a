"""A compromised process may report anything about its source: it ends no stream and affects no other stream."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing

import orjson
import pytest
from isolated_cases import TAPE, fake, until
from scripted_ends import Tape, live
from test_relay import Ear, quick, running  # noqa: F401  # a fixture

from klvrelay.core import Counters
from klvrelay.json_output import MOST
from klvrelay.link_stats import LinkStats
from klvrelay.relay.relay import Relay
from klvrelay.relay.stream import Stream
from klvrelay.relay.stream_input import StreamInput
from klvrelay.relay.supervise import is_retryable, standing_of
from klvrelay.sources.isolated.checked_status import CheckedStatus
from klvrelay.sources.isolated.messages import Status
from klvrelay.sources.open import open_source
from klvrelay.sources.web.resume import Resume

pytestmark = pytest.mark.usefixtures("no_process_is_left")

ALWAYS_LIVE = ["udp://127.0.0.1:5000", "rtp://127.0.0.1:5000", "tcp://127.0.0.1:5", "rtsp://h/x", "rtsps://h/x"]
ENDS = {
    "a clean end": "pack_end(None)",
    "no media": "pack_end(NotMedia('it is a web page'))",
    "a wrong setting": "pack_end(ConfigError('demux: give native'))",
}
ALL_COUNTS = f"""
from klvrelay.link_stats import figures_of
def highest(kind):
    return kind(**{{name: highest(type(v)) if isinstance(v, Counters) else {MOST}
                   for name in figures_of(kind) for v in [getattr(kind(), name)]
                   if v is not None}})
say(pack_status(Status(True, True, {MOST}, highest(LinkStats))))
say(*pack(Packet(b"G" * 188, 5)))
"""


def pipeline(*opened: Callable[[], object], sink: Ear) -> Relay:
    """A relay of streams whose sources are opened by these functions."""
    feeds = [StreamInput(f"uav{number}", one, "somewhere") for number, one in enumerate(opened, 1)]
    return Relay(feeds, [("ear", sink)], boot="5f2c9a")


@pytest.mark.parametrize("url", ALWAYS_LIVE)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_live_source_is_not_ended_by_its_process(url, end):
    """Whatever the process reports and however it ends, the relay opens it again."""
    script = f"say(pack_status(Status(False, True, 0, LinkStats())), {end})"
    source = fake(script, url)
    fault = None
    try:
        async with aclosing(source.packets()) as packets:
            async for _ in packets:
                pass
    except Exception as found:  # noqa: BLE001  # whatever it raises
        fault = found

    assert source.live
    assert fault is None or is_retryable(fault, standing_of(source.url.scheme, live=source.live, read=True))


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_relay_reopens_it_repeatedly(end, said):
    """And logs why, in the process's words, on one line."""
    script = f"say(pack_status(Status(False, False, 0, LinkStats())), {end})"
    relay = pipeline(lambda: fake(script), sink=Ear())

    async with running(relay):
        await until(lambda: relay.streams[0].health.openings >= 3, 10)

    assert relay.streams[0].failed is None
    assert not any("internal error" in line for line in said())


async def test_the_highest_counts_of_many_processes_are_still_json():
    """Counts are summed over all openings; each document is valid JSON, and no number exceeds 2^53 - 1."""
    ear = Ear()
    relay = pipeline(lambda: fake(ALL_COUNTS), sink=ear)

    async with running(relay):
        await until(lambda: relay.streams[0].health.openings >= 4, 10)
    stream = relay.streams[0]
    stream.count()

    documents = [orjson.loads(notice.document) for notice in ear.published if notice.kind == "link"]
    assert documents
    assert documents[-1]["link"]["bytes"] == stream.health.dropped == MOST
    assert all(abs(number) <= MOST for document in documents for number in numbers(document))
    assert str(MOST) in relay.summary()


def numbers(document: object) -> list[float]:
    if isinstance(document, dict | list):
        return [n for inner in (document.values() if isinstance(document, dict) else document) for n in numbers(inner)]
    return [document] if isinstance(document, int | float) else []


async def test_beside_processes_that_lie_another_stream_loses_nothing(tmp_path):
    """One stream's process reports another lie at each opening; a valid stream is read meanwhile."""
    lies = [
        ALL_COUNTS,
        "say(b'S' + (9).to_bytes(4, 'little') + b'{\"live\":1}')",
        "say(pack_status(Status(True, True, 1 << 60, LinkStats())))",
        "say(pack_status(Status(False, True, 0, LinkStats(size=-5))))",
        "say(b'M' + (1 << 20).to_bytes(4, 'little'))",
        "say(pack_end(SourceDown('\\x1b]0;owned\\x07' * 200, wait=0)))",
        "os.kill(os.getpid(), 11)",
    ]
    path = tmp_path / "tape.ts"
    path.write_bytes(TAPE.ts)
    ear, turn = Ear(), iter(lies * 100)
    relay = pipeline(lambda: fake(next(turn)), lambda: open_source(str(path), speed=2.0), sink=ear)

    async with running(relay):
        await until(lambda: relay.streams[1].health.records == len(TAPE.klv), 15)
        await until(lambda: relay.streams[0].health.openings > len(lies), 15)

    assert [record.raw for record in ear.records if record.stream == "uav2"] == TAPE.klv


FLOODS = {
    "status": "flood = status * 2000",
    "marks": "flood = pack_position(bytes(60000)) * 10",
    "packets": "flood = b''.join(pack(Packet(b'G' * 188, 5))) * 2000",
    "large packets": "flood = b''.join(pack(Packet(bytes(1 << 20), 5), 256 << 10))",
    "empty packets": "flood = b''.join(pack(Packet(b'', 5))) * 5000",
    "tiny units": "unit = b'\\6' * 16 + b'\\0', 0, 256, 'unknown', 'absent', 'ok', 5, 0, 1, 0\n"
                  "flood = b''.join(pack(Units([unit] * 3000)))",
}  # fmt: skip


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_a_flood_leaves_the_loop_to_others(flood):
    """Of any kind of message: other tasks have their turns, and the relay's memory does not grow."""
    ear = Ear()
    relay = pipeline(lambda: fake(flood + "\nwhile True: say(flood)", timeout=5), sink=ear)
    turns = 0

    async with running(relay):
        await until(lambda: relay.streams[0].health.openings == 1 and relay.streams[0]._source.link is not None)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(25):
            await asyncio.sleep(0.01)
            turns += 1
            async with asyncio.timeout(2):
                await asyncio.sleep(0)

    assert turns == 25
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 << 10


async def test_a_stream_that_floods_displaces_no_record_of_another():
    """However small the limit: a stream that sends thousands sheds its own records."""
    ear, piece = Ear(), TAPE.bare * 20
    flood = StreamInput("flood", lambda: live(*[piece] * 5, hang=True), "somewhere")
    calm = StreamInput("calm", lambda: live(*TAPE.klv, hang=True), "somewhere")
    relay = Relay([calm, flood], [("ear", ear)], boot="5f2c9a", waiting=3 * len(TAPE.klv))

    async with running(relay):
        await until(lambda: relay.streams[1].health.records == 100 * len(TAPE.klv))
        await until(lambda: not relay.sink_tasks[0].cursor.waiting)

    assert ear.seqs("calm") == list(range(len(TAPE.klv)))


async def test_thousands_of_records_in_one_piece_leave_the_loop_to_others(monkeypatch):
    """Other tasks run between them, and received records are kept when the relay stops meanwhile."""
    ear, turns, at, count = Ear(), 0, [], 50 * len(TAPE.klv)
    whole = Stream._count_record

    def take(self: Stream, record: object) -> bool:
        at.append(turns)
        return whole(self, record)

    monkeypatch.setattr(Stream, "_count_record", take)
    relay = pipeline(lambda: live(TAPE.bare * 50, hang=True), sink=ear)

    async with running(relay):
        while len(at) < count // 2:
            turns += 1
            await asyncio.sleep(0)

    assert at[count // 2] - at[0] > 10
    assert relay.streams[0].health.records == count
    assert ear.seqs("uav1") == list(range(count))


async def test_counts_do_not_go_back():
    """Neither does the description after the first packet; a value that is not a count may."""
    checked = CheckedStatus(open_source("http://h/x", isolate=False), Resume())
    checked.begin()
    lane = Counters(ts_packets=5, pcr_jitter_us=9)
    checked.update(Status(True, False, 7, LinkStats(size=10, srt_rtt_ms=5.0, lane=lane)))
    checked.confirm()
    later = Counters(ts_packets=1, pcr_jitter_us=2)
    checked.update(Status(False, True, 3, LinkStats(size=4, srt_rtt_ms=2.0, lane=later)))

    assert (checked.live, checked.fixed) == (True, False)
    assert (checked.dropped, checked.link.size, checked.link.lane.ts_packets) == (7, 10, 5)
    assert (checked.link.srt_rtt_ms, checked.link.lane.pcr_jitter_us) == (2.0, 2)


async def test_a_status_is_judged_once():
    """A status is checked once, although it is requested for each packet and arrives four times a second."""
    checked = CheckedStatus(open_source("http://h/x", isolate=False), Resume())
    checked.begin()
    statuses = [Status(True, False, 0, LinkStats(size=size)) for size in (10, 20)]
    links = []
    for status in statuses:
        for _ in range(2):
            checked.update(status)
            links.append(checked.link)

    assert links[0] is links[1]
    assert links[2] is links[3]
    assert links[3].size == 20


async def test_a_file_of_a_web_server_is_one_unless_it_was_live_before():
    """For http:// the response decides; a source that was live once never ends as a file."""
    resume = Resume()
    file = "say(pack_status(Status(False, False, 0, LinkStats())), *pack(Packet(b'G', 5)), pack_end(None))"
    ended = fake(file, "http://h/x", resume=resume)
    assert [packet.data async for packet in ended.packets()] == [b"G"]
    assert not ended.live

    live = fake("say(*pack(Packet(b'G', 5)), pack_end(None))", "http://h/x", resume=resume)
    assert [packet.data async for packet in live.packets()] == [b"G"]
    later = fake(file, "http://h/x", resume=resume)
    assert [packet.data async for packet in later.packets()] == [b"G"]

    assert live.live
    assert later.live


async def test_a_measure_without_a_fraction_is_one():
    """JSON numbers without a fraction are integers; two openings that report one are not added, and there is no error.
    """
    script = ("said = pack_status(Status(True, True, 0, LinkStats(srt_rtt_ms=5)))\n"
              "say(said, *pack(Packet(b'G' * 188, 5)), pack_end(None))")  # fmt: skip
    source = fake(script, "srt://127.0.0.1:5000")
    for _ in range(2):
        assert [packet.data async for packet in source.packets()] == [b"G" * 188]

    assert source.link.srt_rtt_ms == 5.0
    assert type(source.link.srt_rtt_ms) is float


async def test_an_internal_error_in_one_stream_is_logged_once_and_affects_no_other(monkeypatch, said):
    """At each check of a stream, at its latest values, at its end."""
    looks: Counter[str] = Counter()

    def breaks(name: str) -> None:
        whole = getattr(Stream, name)

        def broken(self: Stream) -> None:
            looks[self.name] += 1
            if self.name == "uav1":
                raise OverflowError("Integer exceeds 64-bit range")
            whole(self)

        monkeypatch.setattr(Stream, name, broken)

    for name in "check", "publish_state", "stop", "count":
        breaks(name)
    ear = Ear()
    relay = pipeline(lambda: live(*TAPE.klv, hang=True), lambda: live(*TAPE.klv, hang=True), sink=ear)

    async with running(relay):
        await until(lambda: looks["uav1"] > 200 and looks["uav2"] > 200, 10)
    relay.summary()

    faults = [line for line in said() if "internal error" in line]
    assert faults == [line for line in faults if line.startswith("uav1: ") and "OverflowError" in line]
    assert len(faults) == len(set(faults)) == 1
    assert ear.seqs("uav2") == list(range(len(TAPE.klv)))
    assert relay.streams[1].health.state == "ended"


async def test_an_internal_error_while_a_stream_is_supervised_affects_no_other(monkeypatch, said):
    """A live stream continues; a file has failed, and the relay goes on for the rest."""
    monkeypatch.setattr("klvrelay.backoff.PACE", 1.0)
    whole = Stream._close

    def settle(self: Stream, source: object) -> None:
        if self.name != "uav3":
            raise KeyError("unthinkable")
        whole(self, source)

    monkeypatch.setattr(Stream, "_close", settle)
    ear = Ear()
    opened: Counter[str] = Counter()

    def again() -> object:
        opened["live"] += 1
        return live(*TAPE.klv)

    relay = pipeline(again, lambda: Tape(TAPE.klv), lambda: live(*TAPE.klv, hang=True), sink=ear)
    async with running(relay):
        await until(lambda: opened["live"] > 3 and relay.streams[1].failed is not None, 10)

    assert "KeyError" in str(relay.streams[1].failed)
    assert ear.seqs("uav3") == list(range(len(TAPE.klv)))
    assert len([line for line in said() if "internal error" in line]) == 2
