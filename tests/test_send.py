"""`send`: the sent bytes, their timing, and the results at real receivers."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import feed
import pytest

from klvrelay import decode
from klvrelay.cli.verbs.send import bits_a_second
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, NotMedia, SourceDown
from klvrelay.recordings import ts_clock
from klvrelay.sending.datagrams import HOLD, Packetizer
from klvrelay.sending.impair import Impairment
from klvrelay.sending.pacing import Pacer, Transmission
from klvrelay.sending.playback import Playback

TAPE = feed.recording(count=30, hz=30, filler=60)


class Bench:
    """A far end that stores what it receives, with the times."""

    url = Url.parse("udp://127.0.0.1:5000")
    lossy = True
    waits = False
    troubles = 0

    def __init__(self) -> None:
        self.took: list[tuple[float, bytes]] = []
        self.dues: list[float] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def frame(self, payload: bytes, seconds: float) -> bytes:
        self.dues.append(seconds)
        return payload

    async def send(self, datagram: bytes) -> None:
        self.took.append((time.monotonic(), datagram))

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.took)


def tape(folder: Path, data: bytes, name: str = "flight.ts") -> Playback:
    path = folder / name
    path.write_bytes(data)
    return Playback(Url.parse(path))


async def sent(reel: Playback, wish: str | None = None, *, speed: float = 50.0, **options: object) -> Bench:
    bench = Bench()
    impairment = None if wish is None else Impairment.parse(wish)
    await Transmission(reel, speed=speed, impairment=impairment, **options).run(bench)  # type: ignore[arg-type]
    return bench


async def test_the_bytes_are_those_of_the_file(tmp_path: Path) -> None:
    """Each once, in order; whole TS packets, at most seven per datagram."""
    bench = await sent(tape(tmp_path, TAPE.ts))
    assert bench.data == TAPE.ts
    sizes = [len(data) for _, data in bench.took]
    assert {size % 188 for size in sizes} == {0}
    assert max(sizes) == 1316
    assert sizes.count(1316) >= len(sizes) - 1


@pytest.mark.parametrize("size", [188, 1000, 1316, 9000])
async def test_a_datagram_has_the_requested_size(size: int, tmp_path: Path) -> None:
    """In whole TS packets."""
    bench = await sent(tape(tmp_path, TAPE.ts), pkt_size=size)
    assert bench.data == TAPE.ts
    assert max(len(data) for _, data in bench.took) == size // 188 * 188


@pytest.mark.parametrize("speed", [1.0, 2.0])
async def test_sending_takes_the_duration_of_the_recording(
    speed: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No datagram is early; most are hardly late, and the last is sent when it is due."""
    reel, pacer = tape(tmp_path, TAPE.ts), Pacer(speed)
    monkeypatch.setattr("klvrelay.sending.pacing.Pacer", lambda _: pacer)
    bench = await sent(reel, speed=speed)
    begun = pacer._start  # the first may be late too
    assert begun is not None
    late = sorted(at - begun - due / speed for (at, _), due in zip(bench.took, bench.dues, strict=True))
    assert late[0] > -0.001
    assert late[len(late) // 2] < 0.01
    assert bench.dues[-1] == pytest.approx(1.0, abs=0.04)
    assert bench.dues == sorted(bench.dues)
    took = bench.took[-1][0] - bench.took[0][0]
    assert 0.9 / speed < took < 0.9 / speed + 1


async def test_datagrams_are_spread_evenly(tmp_path: Path) -> None:
    """At some 3 Mbit/s each has a separate time: no bursts."""
    bench = await sent(tape(tmp_path, TAPE.ts), speed=2)
    steps = [later - sooner for sooner, later in pairwise(bench.dues)]
    each = 1 / len(bench.dues)
    assert sum(0.5 * each < step < 1.5 * each for step in steps) > 0.9 * len(steps)


async def test_a_long_delay_is_not_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short delay is caught up; after more than a second it continues from the current position."""
    now = [100.0]
    monkeypatch.setattr("klvrelay.sending.pacing.time.monotonic", lambda: now[0])
    waited: list[float] = []
    monkeypatch.setattr("klvrelay.sending.pacing._sleep", waited.append)
    pacer = Pacer(1.0)
    await pacer.until(0.0)
    now[0] += 0.5
    await pacer.until(0.1)
    assert (waited, pacer.behind) == ([], 0)
    now[0] += 5
    await pacer.until(0.2)
    assert pacer.behind == pytest.approx(5.3)
    now[0] += 0.099
    await pacer.until(0.3)
    assert waited == [pytest.approx(0.001)]


async def test_a_loop_keeps_its_timing(tmp_path: Path) -> None:
    """Round after round the bytes of the file, with continuing time and without drift."""
    bench = Bench()
    job = Transmission(tape(tmp_path, TAPE.ts), speed=20, loop=True)
    task = asyncio.create_task(job.run(bench))
    while len(bench.data) < 3 * len(TAPE.ts) + 5000:
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.wait([task])
    assert bench.data[: 3 * len(TAPE.ts)] == TAPE.ts * 3
    assert bench.dues == sorted(bench.dues)
    again = [due for due, (_, data) in zip(bench.dues, bench.took, strict=False) if data == bench.took[0][1]]
    assert again == [pytest.approx(again[0] + number * again[1], abs=0.04) for number in range(len(again))]
    assert job.seconds == pytest.approx(bench.dues[-1], abs=0.02)


async def test_a_slow_stream_does_not_wait_for_a_full_datagram(tmp_path: Path) -> None:
    """KLV once a second, three TS packets each: they are sent in short datagrams rather than seconds late."""
    slow = feed.recording(count=4, hz=1)
    bench = await sent(tape(tmp_path, slow.ts), speed=200)
    assert bench.data == slow.ts
    assert len(bench.took) >= 4


def test_a_datagram_waits_no_longer_than_its_limit() -> None:
    """The cutter alone: packets that are far apart do not share a datagram."""
    packet = b"\x47" + bytes(187)
    cutter = Packetizer("ts", 1316)
    out = [slice_ for number in range(6) for slice_ in cutter.push(number * HOLD * 0.6, packet)]
    out += list(cutter.end())
    assert [len(data) // 188 for _, data in out] == [2, 2, 2]
    assert [due for due, _ in out] == [pytest.approx(HOLD * at) for at in (0.6, 1.8, 3.0)]


@pytest.mark.parametrize(("before", "behind"), [(4, 0), (0, 16)], ids=["192", "204"])
@pytest.mark.parametrize("rate", [None, 50e6])
async def test_packets_of_other_sizes_are_sent_as_188(before: int, behind: int, rate: float | None, tmp_path: Path):
    """A receiver does not need a recorder's time codes and check bytes."""
    data = b"".join(bytes(before) + packet + bytes(behind) for packet in feed.datagrams(TAPE.ts, 188))
    reel = tape(tmp_path, data)
    reel = Playback(reel.url, rate=rate)
    assert (await sent(reel)).data == TAPE.ts


async def test_damage_in_a_file_is_sent_unchanged(tmp_path: Path) -> None:
    """Bytes between packets too: a recorded fault must be reproducible. Packets then begin datagrams."""
    junk = random.Random(5).randbytes(77).replace(b"\x47", b"\x48")
    at = 188 * 500
    bench = await sent(tape(tmp_path, TAPE.ts[:at] + junk + TAPE.ts[at:]))
    assert bench.data == TAPE.ts[:at] + junk + TAPE.ts[at:]
    odd = [data for _, data in bench.took if len(data) % 188 or data[:1] != b"\x47"]
    assert len(odd) == 1


async def test_a_folder_of_segments_is_one_stream(tmp_path: Path) -> None:
    """In the order of their names, cut anywhere; other files are ignored."""
    cuts = [0, 100_000, 200_001, len(TAPE.ts)]
    folder = tmp_path / "tape"
    folder.mkdir()
    for number, (begin, end) in enumerate(pairwise(cuts)):
        (folder / f"2026-01-0{number + 1}T000000Z.ts").write_bytes(TAPE.ts[begin:end])
    (folder / "notes.txt").write_text("no stream")
    (folder / "aside").mkdir()
    bench = await sent(Playback(Url.parse(folder)))
    assert bench.data == TAPE.ts


async def test_bare_klv_is_sent_by_its_time_stamps(tmp_path: Path) -> None:
    """One packet per datagram, each at the time in its item 2."""
    bench = await sent(tape(tmp_path, TAPE.bare, "flight.klv"))
    assert [data for _, data in bench.took] == TAPE.klv
    assert bench.dues == [pytest.approx(number / 30, abs=0.001) for number in range(30)]


async def test_a_rate_replaces_a_clock(tmp_path: Path) -> None:
    """A stream whose packets carry no PCR, evenly at so many bits a second."""
    null = b"\x47\x1f\xff\x10" + bytes(184)
    reel = Playback(tape(tmp_path, null * 1400).url, rate=bits_a_second("10M"))
    bench = await sent(reel)
    assert bench.data == null * 1400
    assert bench.dues[-1] == pytest.approx(1400 * 188 * 8 / 10e6)
    assert len(bench.took) == 200


async def test_a_stream_without_a_time_is_sent_at_a_fixed_rate(tmp_path: Path, said) -> None:
    """It is not sent in a flood; one line says so, and which option to use."""
    null = b"\x47\x1f\xff\x10" + bytes(184)
    reel = tape(tmp_path, null * 700)
    bench = await sent(reel)
    assert bench.data == null * 700
    assert bench.dues[-1] == pytest.approx(700 * 188 * 8 / ts_clock.RATE)
    assert said() == [f"{reel.url}: no time in it that goes on: paced at a fixed rate; --rate gives another"]


@pytest.mark.parametrize("text", ["", "0", "fast", "5Mbit", "-1M", "1e9", "10"])
def test_a_wrong_rate_is_refused(text: str) -> None:
    """With an example of a correct one."""
    with pytest.raises(ConfigError, match="such as 5M"):
        bits_a_second(text)


async def test_an_unsendable_source_is_refused(tmp_path: Path) -> None:
    """Before anything is opened where possible; each with what to do."""
    with pytest.raises(NotMedia, match=r"neither MPEG-TS nor KLV.*ffmpeg -i"):
        await sent(tape(tmp_path, b"\0\0\0\x20ftypisom" + bytes(2000), "clip.mp4"))
    with pytest.raises(SourceDown, match="no such file"):
        await sent(Playback(Url.parse(tmp_path / "none.ts")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotMedia, match=r"without a \.ts or \.klv file"):
        await sent(Playback(Url.parse(tmp_path / "empty")))
    with pytest.raises(ConfigError, match="a file, a folder of segments, or -"):
        Playback(Url.parse("udp://127.0.0.1:5000"))
    with pytest.raises(ConfigError, match="speed 0"):
        Transmission(tape(tmp_path, TAPE.ts), speed=0)
    with pytest.raises(ConfigError, match="pkt_size 100"):
        Transmission(tape(tmp_path, TAPE.ts), pkt_size=100)
    with pytest.raises(ConfigError, match="cannot be sent in a loop"):
        Transmission(Playback(Url.parse("-")), loop=True)
    with pytest.raises(ConfigError, match="no TS packets for"):
        await sent(tape(tmp_path, TAPE.bare, "flight.klv"), "loss=1%,level=ts")
    with pytest.raises(ConfigError, match="leave out the rate"):
        await sent(Playback(tape(tmp_path, TAPE.bare, "flight.klv").url, rate=1e6))


@pytest.mark.parametrize("level", ["datagram", "ts"])
async def test_it_is_impaired_reproducibly(level: str, tmp_path: Path) -> None:
    """The same seed gives the same bytes, whenever they are sent; and the damage is reported."""
    reel = tape(tmp_path, TAPE.ts)
    wish = f"loss=5%,reorder=5%,duplicate=5%,level={level},seed=11"
    once, again = await sent(reel, wish), await sent(reel, wish)
    assert [data for _, data in once.took] == [data for _, data in again.took]
    assert once.data != TAPE.ts
    packets = feed.datagrams(TAPE.ts, 188)
    assert set(feed.datagrams(once.data, 188)) <= set(packets)
    job = Transmission(reel, speed=50, impairment=Impairment.parse(wish))
    await job.run(Bench())
    assert job.tally.units == (len(packets) if level == "ts" else -(-len(packets) // 7))
    assert min(job.tally.lost, job.tally.reordered, job.tally.duplicated) > 0


async def test_each_datagram_may_be_late_by_another_time(tmp_path: Path) -> None:
    """A jitter larger than the interval: datagrams overtake each other, none is lost, none is early."""
    bench = await sent(tape(tmp_path, TAPE.ts), "delay=20,jitter=40,seed=3", speed=1)
    order = [data for _, data in bench.took]
    plain = [data for _, data in (await sent(tape(tmp_path, TAPE.ts))).took]
    assert sorted(order) == sorted(plain)
    assert order != plain


async def test_standard_input_is_sent_as_it_arrives(free_port: int, tmp_path: Path) -> None:
    """`klvrelay send - udp://...` at the end of a pipe."""
    from test_relay_process import COMMAND, ENVIRONMENT

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(("127.0.0.1", free_port))
        sock.setblocking(False)
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "send", "-", f"udp://127.0.0.1:{free_port}", "--speed", "10", "-q", env=ENVIRONMENT,
            stdin=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await process.communicate(TAPE.ts)
        assert process.returncode == 0
        came = b""
        while len(came) < len(TAPE.ts):
            came += sock.recv(2048)
    assert came == TAPE.ts
    assert [record.raw for record in decode(came)] == TAPE.klv


def test_a_packet_of_another_size_in_between_is_left_alone() -> None:
    """`plain` changes aligned packets, and nothing else."""
    clock = ts_clock.RateClock(1e6)
    list(clock.cut((bytes(4) + b"\x47" + bytes(187)) * 8))
    assert clock.plain(bytes(4) + b"\x47" + bytes(187)) == b"\x47" + bytes(187)
    assert clock.plain(bytes(192)) == bytes(192)
    assert clock.plain(b"\x47" * 191) == b"\x47" * 191
