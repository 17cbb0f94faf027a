"""Faults of an isolated source's process, and that they affect no other stream."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from itertools import pairwise
from pathlib import Path

import feed
import pytest
from descriptors import open_files
from isolated_cases import HONEST, children, fake, isolated, records, until
from test_relay import Ear, quick, relay, running  # noqa: F401  # a fixture

from klvrelay.errors import NotMedia, SourceDown
from klvrelay.sources.isolated import process as process_module
from klvrelay.sources.isolated import source as isolated_module
from klvrelay.sources.isolated import stderr as stderr_module
from klvrelay.sources.isolated.source import IsolatedSource
from klvrelay.sources.isolated.stderr import LINES
from klvrelay.sources.open import open_source
from klvrelay.sources.parts import PART

TAPE_SIZE = 32
"""Records of a tape: a number with which the continuity counters continue into the next one."""
@pytest.fixture
def impatient(monkeypatch):
    """A process counts as hung after 0.3 s without a message."""
    monkeypatch.setattr(isolated_module, "SILENT_LEAST", 0.3)


async def fault_of(source) -> str:
    """The text of SourceDown; nothing is left of the process then."""
    files = open_files()
    async with asyncio.timeout(10):
        with pytest.raises(SourceDown) as fault:
            await records(source)
    assert open_files() <= files
    assert not children()
    return str(fault.value)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGILL, signal.SIGBUS], ids=lambda number: number.name)
async def test_a_crash_is_reported(number):
    """With the signal that ended the process."""
    fault = await fault_of(fake(f"os.kill(os.getpid(), {int(number)})"))

    assert fault == f"rtsp://***@127.0.0.1/live: its process was killed by {number.name}"


@pytest.mark.parametrize(
    ("number", "why"),
    [(signal.SIGKILL, "(out of memory?)"), (signal.SIGABRT, "(out of memory? its limit is 256 MiB)")],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_a_kill_from_outside_or_an_abort_may_be_for_want_of_memory(number, why):
    fault = await fault_of(fake(f"os.kill(os.getpid(), {int(number)})"))

    assert fault.endswith(f"its process was killed by {number.name} {why}")


@pytest.mark.parametrize(
    ("script", "end"),
    [
        ("sys.exit(3)", "its process ended with status 3"),
        ("sys.exit(0)", "its process ended without a message"),
        ("raise ValueError", "its process ended with status 1"),
        ("line.close(); time.sleep(60)", "its process closed its connection without a message"),
    ],
)
async def test_a_silent_end_is_reported(script, end, monkeypatch):
    monkeypatch.setattr(process_module, "SIGKILL_WAIT", 0.2 if "sleep" in script else 1.0)

    assert (await fault_of(fake(script))).endswith(end)


@pytest.mark.parametrize(
    "script",
    ["time.sleep(60)", "say(status[:7]); time.sleep(60)", "os.kill(os.getpid(), 19)", "while True: pass"],
    ids=["asleep", "in the midst of a word", "stopped", "busy"],
)
async def test_a_process_that_sends_nothing_is_killed(script, impatient):
    """In whatever state it is, and at once."""
    begun = time.monotonic()

    fault = await fault_of(fake(script))

    assert fault.endswith("its process hung and was killed: no message for 0.3 s")
    assert time.monotonic() - begun < 3


async def test_the_process_gets_every_option():
    """And the log level; none of them is an argument. The relay keeps the position of earlier processes."""
    names = inspect.signature(open_source).parameters.keys() - {"url", "isolate", "resume"}
    source = isolated("udp://127.0.0.1:5000", timeout=7.5, sender="10.1.2.3")
    source._command = [sys.executable, "-c", HONEST + "say(pack_end(SourceDown(received.decode())))"]

    fault = json.loads((await fault_of(source)).removesuffix("\\n"))

    assert fault["options"].keys() == names
    assert (fault["options"]["timeout"], fault["options"]["sender"]) == (7.5, "10.1.2.3")
    assert fault["url"]["port"] == 5000


async def test_a_process_that_never_begins_is_killed(monkeypatch):
    monkeypatch.setattr(process_module, "BEGIN", 0.2)
    source = IsolatedSource(open_source("x.ts"), {}, command=[sys.executable, "-c", "import time; time.sleep(60)"])

    assert (await fault_of(source)).endswith("its process hung and was killed: no message for 0.2 s")


async def test_a_process_that_is_slow_to_start_does_not_count_as_hung(impatient):
    """The start of its interpreter, on a busy machine, does not reduce the time of its source."""
    script = "import time; time.sleep(1)" + HONEST + "time.sleep(0.1); say(*pack(Packet(b'G' * 188, 5)))"
    plain = open_source("rtsp://127.0.0.1/live")
    source = IsolatedSource(plain, {"timeout": 0.2}, command=[sys.executable, "-c", script])

    async with asyncio.timeout(10), aclosing(source.packets()) as packets:
        assert (await anext(packets)).data == b"G" * 188


async def test_a_reader_that_hangs_is_killed_though_its_process_is_alive(impatient):
    """The loop of the process runs and reports, and no data arrives: a thread is blocked in libav."""
    fault = await fault_of(fake("while True: say(status); time.sleep(0.05)"))

    assert fault.endswith("its process was killed: its reader hung, no data for 0.9 s")


@pytest.mark.parametrize(
    ("url", "script"),
    [
        ("udp://127.0.0.1:5000", "while True: say(status); time.sleep(0.05)"),
        (
            "rtsp://127.0.0.1/live",
            "n = 0\nwhile True: n += 1; say(pack_status(Status(True, True, 0, LinkStats(size=n)))); time.sleep(0.05)",
        ),
        (
            "http://127.0.0.1/film.mp4",
            "while True: say(pack_status(Status(False, True, 0, LinkStats()))); time.sleep(0.05)",
        ),
    ],
    ids=["it only listens", "bytes come", "not live"],
)
async def test_a_quiet_source_does_not_count_as_hung(url, script, impatient, monkeypatch):
    """A silent port; video without KLV; a file with much video between two packets of KLV."""
    monkeypatch.setattr(process_module, "REQUEST_WAIT", 0.05)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.5):
            await records(fake(script, url))


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("say(b'HTTP/1.1 200 OK\\r\\n\\r\\n'); time.sleep(60)", "a message of unknown kind or size"),
        ("say(b'P' + b'\\xff' * 4); time.sleep(60)", "a message of unknown kind or size (4294967295 octets)"),
        ("import pickle; say(b'S' + (9).to_bytes(4, 'little') + b'\\x80\\x04' + bytes(7)); time.sleep(60)", "not JSON"),
        ("say(os.urandom(1 << 20)); time.sleep(60)", "it sent "),
    ],
)
async def test_an_invalid_message_ends_the_process(script, what):
    """It is not tried to make sense of it."""
    fault = await fault_of(fake(script))

    assert what in fault
    assert ": its process was killed: it sent " in fault


async def test_packets_before_the_error_are_yielded(tmp_path):
    """Then the error is raised, without a secret, whatever the process wrote there."""
    script = (
        "say(*pack(Packet(b'G' * 188, 5)), pack_end(NotMedia('rtsp://pilot:c4n4ry@127.0.0.1: \\x1b[31m no')))\n"
        "time.sleep(60)"
    )
    packets = fake(script).packets()

    found = await anext(packets)
    with pytest.raises(NotMedia) as fault:
        await anext(packets)

    assert found == (b"G" * 188, 5, "ts", None, None, False, None, 0)
    assert str(fault.value) == "rtsp://pilot:***@127.0.0.1: \\x1b[31m no"


async def test_the_counters_are_summed_over_all_processes():
    """Transport counters since the source was made, including the last report of each process."""
    script = """
say(pack_status(Status(True, True, 2, LinkStats(size=10, srt_rtt_ms=7.0, lane=Counters(ts_packets=3)))))
say(*pack(Packet(b"G" * 188, 5)))
line.recv(1)
link = LinkStats(size=15, srt_rtt_ms=9.0, lane=Counters(ts_packets=4))
say(pack_status(Status(True, True, 3, link)), pack_end(None))
"""
    source = fake(script)

    for _ in range(2):
        async with aclosing(source.packets()) as packets:
            await anext(packets)

    assert (source.dropped, source.link.size, source.link.lane.ts_packets) == (6, 30, 8)
    assert source.link.srt_rtt_ms == 9.0


async def test_a_process_is_stopped_in_three_steps(tmp_path):
    """One that ends when its socket is closed is not killed; one that ignores signals is, within about a second."""
    mark = tmp_path / "ended"
    polite = fake(f"say(*pack(Packet(b'G', 5))); line.recv(1); open({str(mark)!r}, 'w').close()")
    stubborn = fake(
        "import signal; signal.signal(15, signal.SIG_IGN); say(*pack(Packet(b'G', 5)))\nwhile True: time.sleep(60)"
    )
    took = []

    for source in polite, stubborn:
        async with aclosing(source.packets()) as packets:
            await anext(packets)
            begun = time.monotonic()
        took.append(time.monotonic() - begun)

    assert mark.exists()
    assert took[0] < 0.6
    assert 0.9 < took[1] < 1.8


async def test_children_of_the_process_die_with_it(tmp_path, impatient):
    """A child does not outlive a killed process."""
    pid_file = tmp_path / "pid"
    script = f"""
child = subprocess.Popen(["sleep", "60"])
with open({str(pid_file)!r}, "w") as file: file.write(str(child.pid))
time.sleep(60)
"""
    await fault_of(fake(script))

    pid = int(pid_file.read_text())
    # Its parent is dead: the reaper of orphans takes it sooner or later.
    await until(lambda: not Path(f"/proc/{pid}").exists() or ") Z " in Path(f"/proc/{pid}/stat").read_text())


@pytest.fixture
def log(caplog, monkeypatch) -> Callable[[], list[str]]:
    monkeypatch.setattr(stderr_module, "_logged", set())
    caplog.set_level(logging.DEBUG)
    return lambda: [message for message in caplog.messages if "output of its process: " in message]


async def test_the_output_of_the_process_is_logged(log, caplog):
    """Line by line, on both its outputs, with its level, escaped, truncated, and without the password."""
    script = r"""
print("plain", flush=True)
sys.stderr.write("<10>quiet\n<40>loud \x1b[2J\xff c4n4ry\n\n" + "x" * 20000 + "\nlast")
sys.exit(1)
"""
    await fault_of(fake(script))

    start = "rtsp://***@127.0.0.1/live: output of its process: "
    assert log() == [
        f"{start}plain", f"{start}quiet", f"{start}loud \\x1b[2J\xff ***", f"{start}{'x' * 500} ...", f"{start}last"
    ]  # fmt: skip
    levels = [record.levelname for record in caplog.records if "output of its process: " in record.message]
    assert levels == ["WARNING", "DEBUG", "ERROR", "WARNING", "WARNING"]


async def test_a_message_of_klvrelay_in_each_process_is_logged_once(log):
    """A hint about the system is not repeated for each stream and each reconnect; messages of others are."""
    script = r"""sys.stderr.write("<30>small buffer\n<30>another\nlibav: no\n"); sys.exit(1)"""
    for _ in range(2):
        await fault_of(fake(script))

    lines = [line.partition("output of its process: ")[2] for line in log()]
    assert lines == ["small buffer", "another", "libav: no", "libav: no"]


async def test_messages_about_the_source_are_logged_as_without_isolation(log, caplog):
    """Each time, since each is an event: a loss, a refused transport. It may report nothing about another source."""
    script = r"""
sys.stderr.write("<30>rtsp://***@127.0.0.1/live: a segment is lost: count=1\nrtsp://***@127.0.0.1/live: no level\n"
                 "<30>udp://:5000: hijacked\n")
sys.exit(1)
"""
    for _ in range(2):
        await fault_of(fake(script))

    plain = [message for message in caplog.messages if "output of its process: " not in message]
    assert plain == ["rtsp://***@127.0.0.1/live: a segment is lost: count=1"] * 2
    assert [line.partition("output of its process: ")[2] for line in log()] == [
        "rtsp://***@127.0.0.1/live: no level", "udp://:5000: hijacked", "rtsp://***@127.0.0.1/live: no level",
    ]  # fmt: skip


async def test_a_process_that_floods_its_outputs_is_slowed_down(log):
    """The relay logs some of it, counts the rest, and its loop runs as fast as before."""
    flood = "while True: os.write(2, b'libav is very unhappy\\n' * 1000)"
    source = fake(f"say(*pack(Packet(b'G', 5)))\n{flood}", timeout=5)
    turns, started = [], time.monotonic()

    async with aclosing(source.packets()) as packets:
        await anext(packets)
        reading = asyncio.create_task(anext(packets))
        for _ in range(240):
            begun = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.005)
            turns.append((time.perf_counter() - begun[0], time.thread_time() - begun[1]))
        reading.cancel()
        await asyncio.wait([reading])

    assert LINES < len(log()) < (LINES + 1) * (time.monotonic() - started + 2)
    assert any("lines left out" in line for line in log())
    elapsed, used = map(sorted, zip(*turns, strict=True))
    assert used[-1] < 0.1  # of the processor, which other processes use too
    assert elapsed[len(elapsed) // 2] < 0.1


async def test_a_process_that_floods_with_packets_does_not_block_others():
    """Its data is read piece by piece: another task runs between any two of them."""
    source = fake("flood = b''.join(pack(Packet(b'G' * 188, 5))) * 1000\nwhile True: say(flood)", timeout=5)
    size, turns = 0, 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    async with aclosing(source.packets()) as packets:
        async for packet in packets:
            size += len(packet.data)
            if size > 20_000_000:
                break
    turning.cancel()

    assert turns > size // 65536


async def test_a_large_packet_of_a_process_is_decoded_in_parts():
    """Like that of a file: bare KLV of 256 KiB takes so long that other tasks run between its parts."""
    whole = bytes(range(200)) * 1000
    script = "say(*pack(Packet(bytes(range(200)) * 1000, 5, 'klv', damaged=True)), pack_end(None))"
    found, turns, turned = [], 0, []

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    async with asyncio.timeout(10), aclosing(fake(script).packets()) as packets:
        async for packet in packets:
            found.append(packet)
            turned.append(turns)
    turning.cancel()

    assert b"".join(packet.data for packet in found) == whole
    assert max(len(packet.data) for packet in found) == PART["klv"]
    assert [packet.damaged for packet in found] == [True] + [False] * (len(found) - 1)
    assert all(later > earlier for earlier, later in pairwise(turned))


async def test_a_live_source_drops_in_its_process_and_reports_it(free_port):
    """While its reader is busy: each datagram is either yielded or counted, and few wait."""
    source = isolated(f"udp://127.0.0.1:{free_port}?buffer_size=65536")
    datagram, count = b"G" + bytes(1315), 20_000  # 26 MB
    size = 0

    async def read_on() -> None:
        nonlocal size
        async for packet in packets:
            size += len(packet.data)

    async with asyncio.timeout(20), aclosing(source.packets()) as packets:
        first = asyncio.create_task(anext(packets))
        await feed.listening(free_port)
        feed.send_udp([datagram], free_port)
        size += len((await first).data)
        for _ in range(count // 100):
            feed.send_udp([datagram] * 100, free_port)
            await asyncio.sleep(0)
        reading = asyncio.create_task(read_on())
        await until(lambda: size // 1316 + source.dropped > count, 10)
        reading.cancel()
        await asyncio.wait([reading])

    assert size // 1316 + source.dropped == count + 1
    assert source.dropped > count // 4
    assert size < 14 << 20


async def test_a_process_that_can_not_be_started_is_a_source_that_is_down():
    """And it is retried: the system may have resources for one later."""
    source = IsolatedSource(open_source("udp://127.0.0.1:5000"), {}, command=["/nowhere/python"])

    fault = await fault_of(source)

    assert fault == "udp://127.0.0.1:5000: cannot start a process for it: No such file or directory"


async def send_tapes(port: int, stop: asyncio.Event) -> int:
    """Send tape after tape to a port, with one clock, a datagram each 5 ms, until the stop; returns how many were sent.
    """
    count = 0
    while not stop.is_set():
        tape = feed.recording(TAPE_SIZE, first_pcr=900_000 + count * TAPE_SIZE * 3000)
        for datagram in feed.datagrams(tape.ts):
            feed.send_udp([datagram], port)
            await asyncio.sleep(0.005)
        count += 1
    return count


async def test_a_process_that_is_killed_repeatedly_affects_no_other(free_port, said, monkeypatch):
    """Crashed and stopped in turn, it recovers each time; the other stream misses no record."""
    monkeypatch.setattr(isolated_module, "SILENT_LEAST", 0.3)
    other_port = free_port + 1 if free_port < 65535 else free_port - 1
    ear, stop = Ear(), asyncio.Event()
    hurt = isolated(f"udp://127.0.0.1:{free_port}", timeout=0.3)
    well = isolated(f"udp://127.0.0.1:{other_port}", timeout=0.3)
    killed = []

    async with running(relay(hurt, well, sink=ear)):
        await feed.listening(free_port)
        await feed.listening(other_port)
        sending = [asyncio.create_task(send_tapes(port, stop)) for port in (free_port, other_port)]
        await until(lambda: ear.seqs("uav1") and ear.seqs("uav2"))
        for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV) * 2:
            victim = _listener(free_port)
            assert victim
            os.kill(victim, number)
            killed.append(victim)
            await until(lambda: _listener(free_port) not in (0, killed[-1]))
            come = len(ear.seqs("uav1"))
            await until(lambda come=come: len(ear.seqs("uav1")) > come)
        stop.set()
        tapes = (await asyncio.gather(*sending))[1]
        await until(lambda: len(ear.seqs("uav2")) >= tapes * TAPE_SIZE - 1)

    assert len(set(killed)) == 6
    missions = [r.items["mission_id"] for r in ear.records if r.stream == "uav2" and r.good]
    assert missions == [str(number % TAPE_SIZE) for number in range(len(missions))]
    assert len(missions) >= tapes * TAPE_SIZE - 1
    fault = "\n".join(said())
    assert "its process was killed by SIGSEGV" in fault
    assert "its process hung and was killed" in fault


def _listener(port: int) -> int:
    """The child with the UDP port, or 0: only root may see whose it is, so its name identifies it."""
    rows = [row.split()[1] for row in Path("/proc/net/udp").read_text().splitlines()[1:]]
    if not any(local.endswith(f":{port:04X}") for local in rows):
        return 0
    for pid in children():
        with suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text() == f"klv udp:{port}\n":
                return pid
    return 0
