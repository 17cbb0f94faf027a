"""The bandwidth of outputs on a real connection to mosquitto: what the kernel has counted of it (TCP_INFO).

It counts all that is sent: payloads, MQTT, and the headers of TCP and IP, with segments that only acknowledge.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.broker import mosquitto
from benchmarks.show import Goal, table
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.outputs import output_of
from klvrelay.errors import ConfigError
from klvrelay.record import Record
from klvrelay.shape.encoding.compression import zstd_module
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.transports.tcp_info import TcpInfo, tcp_info

_ZSTD = "zstd"
_SECONDS = 10  # one interval of full records


class _Case(NamedTuple):
    """An output, the recording that it publishes, and its goal in kbit/s."""

    what: str
    recording: str
    most: float
    output: dict[str, object]


_CASES = (
    _Case("all on change", "osh", 64, {"format": "compact", "on_change": True}),
    _Case("with dead bands, batch = 3", "orbit", 64,
          {"format": "compact", "on_change": True, "dead_band": True, "batch": 3}),
    _Case("the same with zstd", "orbit", 64,
          {"format": "compact", "on_change": True, "dead_band": True, "batch": 3, "compression": _ZSTD}),
    _Case("everything at 1 Hz", "orbit", 9.6, {"format": "compact", "rate": 1}),
)  # fmt: skip
_MQTT: dict[str, dict[str, object]] = {
    "MQTT 5, QoS 1": {},
    "MQTT 5, QoS 0": {"qos": 0},
    "MQTT 3.1.1, QoS 0": {"qos": 0, "protocol": 4},
}


class _Sent(NamedTuple):
    bytes: int
    payload: int
    segments: int


def measure(flights: Mapping[str, Sequence[Record]], rate: int) -> list[Goal]:
    """Publish the recordings at this rate, all cases at once; prints what was sent, and returns the goals."""
    left_out = None if _has_zstd() else _ZSTD
    chosen = [case for case in _CASES if case.recording in flights and left_out not in case.output.values()]
    cases = [(case, mqtt) for case in chosen for mqtt in _MQTT]
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as (port, _):
        sent = asyncio.run(_publish_all(cases, flights, rate, port))
    rows, found = [], []
    for (case, mqtt), one in zip(cases, sent, strict=True):
        kbit = one.bytes * 8 / 1000 / _SECONDS
        name = f"{case.recording}: {case.what}"
        rows.append((name, mqtt, f"{one.payload * 8 / 1000 / _SECONDS:.1f}", str(one.segments), f"{kbit:.1f}"))
        found.append(Goal(f"{name}; {mqtt}", case.most, kbit, "kbit/s", at_most=True))
    head = ("compact output", "connection", "kbit/s of TCP payload", "segments", "kbit/s in all")
    table(f"Sent at {rate} Hz for {_SECONDS} s", head, rows, note="counted by the kernel, with headers of TCP and IP")
    return found


def _has_zstd() -> bool:
    try:
        zstd_module()
    except ConfigError:
        return False
    return True


async def _publish_all(
    cases: Sequence[tuple[_Case, str]], flights: Mapping[str, Sequence[Record]], rate: int, port: int
) -> list[_Sent]:
    sinks, sockets = [], []
    async with AsyncExitStack() as stack:
        for case, mqtt in cases:
            before = _connections(port)
            settings = MqttSettings(host="127.0.0.1", port=port, **_MQTT[mqtt])  # type: ignore[arg-type]
            shaper = Shaper([output_of({"name": "telemetry", **case.output})])
            sink = MqttSink(settings, boot="5f2c9a", shaper=shaper, client_id=f"uplink{len(sinks)}")
            sinks.append(await stack.enter_async_context(sink))
            (new,) = _connections(port) - before
            sockets.append(stack.enter_context(socket.socket(fileno=os.dup(new))))
        begun = [_count(sock) for sock in sockets]
        await asyncio.gather(
            *(_publish(sink, case, flights[case.recording], rate) for sink, (case, _) in zip(sinks, cases, strict=True))
        )
        ended = [_count(sock) for sock in sockets]
    return [
        _Sent(after.on_wire - before.on_wire, after.sent - before.sent, after.segments - before.segments)
        for before, after in zip(begun, ended, strict=True)
    ]


async def _publish(sink: MqttSink, case: _Case, records: Sequence[Record], rate: int) -> None:
    """Deliver records in time, as many at once as a message has."""
    begin, several = time.monotonic(), int(str(case.output.get("batch", 1)))
    for first in range(0, _SECONDS * rate, several):
        await asyncio.sleep(begin + (first + several) / rate - time.monotonic())
        now = time.time_ns() // 1000
        await sink.deliver(
            [records[seq % len(records)]._replace(seq=seq, received_us=now) for seq in range(first, first + several)]
        )


def _connections(port: int) -> set[int]:
    """The file descriptors of this process that are connected to a port."""
    found = set()
    for fd in map(int, os.listdir("/proc/self/fd")):
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                with socket.socket(fileno=os.dup(fd)) as sock:
                    if sock.family == socket.AF_INET and sock.getpeername()[1] == port:
                        found.add(fd)
    return found


def _count(sock: socket.socket) -> TcpInfo:
    found = tcp_info(sock)
    assert found is not None, "Linux has it from 4.19 on"
    return found
