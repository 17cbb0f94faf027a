"""The probe of live sources: its duration, what ends it, and sources that are unreachable."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import time
from contextlib import asynccontextmanager
from pathlib import Path

import feed
import orjson
import pytest
from brokers import until
from probe_streams import KLVA, Mux, asynchronous, findings_of, noted, record
from test_cli import COMMAND, ENVIRONMENT
from test_relay_process import klvrelay

from klvrelay.errors import SourceDown
from klvrelay.probe import Report, analyse
from klvrelay.sources.open import open_source


@asynccontextmanager
async def sending(data: bytes, port: int, *, rate: float = 200.0):  # type: ignore[no-untyped-def]
    """Send datagrams one after the other, from the moment that the port is open, until the block ends."""

    sent: list[bytes] = []

    async def send() -> None:
        await feed.listening(port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            while True:
                for datagram in feed.datagrams(data):
                    sock.sendto(datagram, ("127.0.0.1", port))
                    sent.append(datagram)
                    await asyncio.sleep(1 / rate)

    task = asyncio.create_task(send())
    try:
        yield sent
    finally:
        task.cancel()
        await asyncio.wait([task])


async def looked(port: int, seconds: float, kind: str = "udp") -> Report:
    return await analyse(open_source(f"{kind}://127.0.0.1:{port}"), seconds=seconds)


async def test_a_live_stream_is_probed_for_the_requested_time(free_port: int):
    """Arrival is the clock; the records' time is compared with the system clock."""
    async with sending(Mux(count=300).bytes(), free_port):
        begin = time.monotonic()
        report = await looked(free_port, 0.8)
        took = time.monotonic() - begin

    assert 0.8 <= took < 3
    assert (report.live, report.ended, report.clock) == (True, "time", "arrival")
    assert report.klv[0].records > 5
    assert "time_off_wall" in findings_of(report)
    assert any(against.clock == "wall clock" for against in report.klv[0].times.references)


@pytest.mark.parametrize(("ahead", "name"), [(0, ""), (29, "MISP time"), (37, "TAI"), (18, "GPS time")])
async def test_clocks_that_are_whole_seconds_ahead_are_named(ahead: int, name: str, free_port: int):
    """Leap seconds: a note, not a wrong clock."""

    def packets(number: int) -> bytes:
        return record(number, time_us=time.time_ns() // 1000 + ahead * 1_000_000)

    async with sending(asynchronous(count=48, packets=packets).bytes(), free_port):
        report = await looked(free_port, 0.3)

    notes = [finding for finding in report.findings if finding.id == "time_scale"]
    assert "time_off_wall" not in findings_of(report)
    assert [name in finding.what for finding in notes] == ([True] if name else [])


async def test_rtp_is_probed_too(free_port: int):
    """The same stream with RTP headers."""
    datagrams = feed.rtp_datagrams(feed.datagrams(Mux(count=60).bytes()))
    task = asyncio.create_task(looked(free_port, 0.5, "rtp"))
    await feed.listening(free_port)
    feed.send_udp(datagrams, free_port)
    report = await task

    assert report.klv[0].checksum_ok == 60
    assert report.transport is not None


async def test_a_silent_port_is_an_unreadable_source(free_port: int, monkeypatch: pytest.MonkeyPatch):
    """After a while, with what to check."""
    monkeypatch.setattr("klvrelay.probe.analysis.FIRST_DATA_WAIT", 0.2)
    with pytest.raises(SourceDown, match=r"nothing received for 0\.2 s"):
        await looked(free_port, 0.2)


async def test_noise_on_a_port_is_no_media(free_port: int):
    """Datagrams of another kind: one line, exit code 3."""
    command = await asyncio.create_subprocess_exec(
        *COMMAND, "probe", f"udp://127.0.0.1:{free_port}", "--seconds", "0.3", env=ENVIRONMENT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with sending(b"\x80noise" * 5000, free_port):
        out, said = await asyncio.wait_for(command.communicate(), 10)
    assert (command.returncode, out) == (3, b"")
    assert re.fullmatch(rb"klvrelay: udp://127\.0\.0\.1:\d+: \d+ bytes received, neither MPEG-TS nor KLV\n", said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_probe_with_the_report_so_far(number: signal.Signals, free_port: int, tmp_path: Path):
    """Ctrl-C: the whole report, JSON and page too, and the exit code is that of the findings."""
    html = tmp_path / "r.html"
    args = ("probe", f"udp://127.0.0.1:{free_port}", "--seconds", "60", "--json", "--html", str(html))
    async with klvrelay(*args) as command, sending(Mux(count=300, stream_id=0xBD).bytes(), free_port) as sent:
        await until(lambda: len(sent) > 150, 10)
        code, seconds = await command.stop(number)
        await until(lambda: command.printed.endswith("}\n"))
    report = orjson.loads(command.printed)

    assert (code, seconds < 5, command.said) == (6, True, "")
    assert report["ended"] == "stopped"
    assert report["klv"][0]["records"] > 3
    assert html.read_text(encoding="utf-8").endswith("</html>\n")


async def test_a_signal_before_any_data_is_reported(free_port: int):
    """Nothing to report: exit code 3, as where no data arrived in time."""
    async with klvrelay("probe", f"udp://127.0.0.1:{free_port}") as command:
        await feed.listening(free_port)
        code, _ = await command.stop(signal.SIGINT)
    assert (code, command.printed) == (3, "")
    assert command.said == (
        f"klvrelay: udp://127.0.0.1:{free_port}: stopped before any data was received: is the sender running,"
        " and sending to this address and port?\n"
    )


async def test_a_refused_connection_is_exit_code_3(free_port: int):
    """At once, in one line."""
    with pytest.raises(SourceDown, match="connection refused"):
        await analyse(open_source(f"tcp://127.0.0.1:{free_port}"))


async def test_a_connection_that_ends_is_a_report(free_port: int):
    """To its end, though the requested time is longer."""
    async with feed.tcp_server(Mux().bytes()) as port:
        report = await asyncio.wait_for(analyse(open_source(f"tcp://127.0.0.1:{port}")), 8)
    assert (report.ended, report.klv[0].records) == ("end", 60)


async def test_a_connection_that_falls_silent_is_a_report_too():
    """The data up to then, and a finding that it broke off."""
    async with feed.tcp_server(Mux().bytes(), hang=True) as port:
        report = await analyse(open_source(f"tcp://127.0.0.1:{port}", timeout=0.3))
    assert findings_of(report) == {"broke_off": "warning", "time_off_wall": "warning"}
    assert "sent nothing for 0.3 s" in report.ended


async def test_through_libav_only_the_klv_is_reported():
    """RTSP: no tables and no counters by PID, which a note says; the records are judged as usual."""
    payloads = [(number * 3000, record(number)) for number in range(40)]
    async with feed.RtspServer(payloads, feed.RtspServer.KLV, seconds=0.8) as server:
        report = await analyse(open_source(f"rtsp://127.0.0.1:{server.port}/x"), seconds=3)

    assert report.passage == "container"
    assert report.transport is None
    assert "through_libav" in noted(report)
    assert report.klv[0].records >= 30
    assert report.klv[0].checksum_bad == 0


@pytest.mark.parametrize("args", [(), ("--seconds", "1")])
async def test_standard_input_is_read_to_its_end(args: tuple[str, ...]):
    """`cat flight.ts | klvrelay probe -`"""
    command = await asyncio.create_subprocess_exec(
        *COMMAND, "probe", "-", *args, env=ENVIRONMENT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, said = await asyncio.wait_for(command.communicate(Mux().bytes()), 10)
    assert (command.returncode, said) == (0, b"")
    assert out.startswith(b"Good: 30.0 records/s")
    assert b"standard input" in out


async def test_a_reader_that_closes_is_no_error(tmp_path: Path):
    """`klvrelay probe ... | head -1`"""
    path = tmp_path / "a.ts"
    path.write_bytes(asynchronous(descriptors=KLVA).bytes())
    shell = f"{COMMAND[0]} -m klvrelay probe {path} | head -1"
    command = await asyncio.create_subprocess_shell(
        shell, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, said = await asyncio.wait_for(command.communicate(), 10)
    assert out.count(b"\n") == 1
    assert said == b""


def test_a_terminal_sees_a_progress_bar(tmp_path: Path):
    """The bar is on standard error, with the amount received; the report is on standard output."""
    path = tmp_path / "a.ts"
    path.write_bytes(Mux(count=30).bytes())
    main, terminal = os.openpty()
    with os.fdopen(main, "rb", 0) as screen:
        done = subprocess.run(
            [*COMMAND, "probe", path], stdout=subprocess.PIPE, stderr=terminal, timeout=20,
            env={**ENVIRONMENT, "TERM": "xterm"},
        )  # fmt: skip
        os.close(terminal)
        seen = screen.read(65536).decode()

    assert "Traceback" not in seen
    assert "KLV records" in seen
    assert b"records" in done.stdout
