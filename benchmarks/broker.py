"""Starts mosquitto with the configuration in `samples`, and a subscriber that logs the arrival of each message."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks import process, skip
from benchmarks.process import run_process

_SAMPLE = Path(__file__).parent.parent / "samples" / "mosquitto.conf"
_LINE = re.compile(rb'^(\d+\.\d+) \{"schema":"klvrelay/1","stream":"([^"]*)".{0,200}?"time_us":(\d+)')

Arrival = tuple[str, int, float]
"""(stream, item 2 in microseconds, arrival in seconds since 1970)."""


@contextmanager
def mosquitto(folder: Path, *, core: int | None = None) -> Iterator[tuple[int, process.Pid]]:
    """Start mosquitto on a loopback port. Yields the port and the process id."""
    program = skip.program("mosquitto", "mosquitto")
    port = process.free_tcp_port()
    text = re.sub(r"(?m)^listener \d+", f"listener {port}", _SAMPLE.read_text(encoding="utf-8"))
    settings = folder / "mosquitto.conf"
    settings.write_text(f"user root\npersistence_location {folder}/\n{text}", encoding="utf-8")
    log = folder / "mosquitto.log"
    with log.open("wb") as err, run_process([program, "-c", str(settings)], err=err, core=core) as broker:
        process.wait_until(lambda: _answers(port), "mosquitto listens")
        yield port, broker.pid


@contextmanager
def subscriber(port: int, path: Path, *, core: int | None = None) -> Iterator[process.Pid]:
    """Start mosquitto_sub, which writes each telemetry message with its arrival time to `path`."""
    program = skip.program("mosquitto_sub", "mosquitto-clients")
    command = [program, "-p", str(port), "-q", "1", "--nodelay", "-t", "klvrelay/+/telemetry", "-F", "%U %p"]
    with path.open("wb") as out, run_process(command, out=out, core=core) as reader:
        yield reader.pid


def arrivals(path: Path) -> Iterator[Arrival]:
    """The arrivals that a subscriber wrote."""
    with path.open("rb") as lines:
        for line in lines:
            if found := _LINE.match(line):
                yield found[2].decode(), int(found[3]), float(found[1])


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
