"""Methods of receiving live streams, each in a separate process: `python -m benchmarks.readers METHOD PORT COUNT`.

Each reads COUNT consecutive ports, counts the KLV packets, and prints the counts when it ends. `streams.py` compares
them.

    klvrelay    klvrelay's sources: one C call per wake-up, complete KLV packets
    asyncio     asyncio's datagram protocol, each datagram passed to the same C code
    PyAV        libav's udp:// in one thread per stream, all but the data stream discarded
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections import Counter
from contextlib import aclosing
from typing import Any

METHODS = ("klvrelay", "asyncio", "PyAV")

_QUICK = {"probesize": "32768", "analyzeduration": "0", "fifo_size": "100000", "buffer_size": str(4 << 20)}


def main(method: str, port: int, count: int) -> None:
    seen: Counter[int] = Counter()
    ports = range(port, port + count)
    if method == "PyAV":
        _by_pyav(ports, seen)
    else:
        asyncio.run(_until_stopped(_by_klvrelay(ports, seen) if method == "klvrelay" else _by_asyncio(ports, seen)))
    print(json.dumps(seen), flush=True)
    os._exit(0)  # libav's threads cannot be stopped


async def _until_stopped(reading: Any) -> None:
    task = asyncio.ensure_future(reading)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.wait({task})


async def _by_klvrelay(ports: range, seen: Counter[int]) -> None:
    from klvrelay.record import Units
    from klvrelay.sources.open import open_source

    async def read(port: int) -> None:
        async with aclosing(open_source(f"udp://127.0.0.1:{port}", demux="native").packets()) as packets:
            async for units in packets:
                if isinstance(units, Units):
                    seen[port] += len(units.entries)

    await asyncio.gather(*map(read, ports))


async def _by_asyncio(ports: range, seen: Counter[int]) -> None:
    from klvrelay.core import Lane

    class Reader(asyncio.DatagramProtocol):
        def __init__(self, port: int) -> None:
            self._port = port
            self._lane = Lane(ts=True)

        def datagram_received(self, data: bytes, addr: object) -> None:
            if found := self._lane.packets(data):
                seen[self._port] += len(found)

    loop = asyncio.get_running_loop()
    for port in ports:
        await loop.create_datagram_endpoint(lambda port=port: Reader(port), ("127.0.0.1", port))  # type: ignore[misc]
    await asyncio.Event().wait()


def _by_pyav(ports: range, seen: Counter[int]) -> None:
    import av
    from av.stream import Discard

    def read(port: int) -> None:
        with av.open(f"udp://127.0.0.1:{port}", format="mpegts", options=_QUICK) as container:
            for stream in container.streams:
                if stream.type != "data":
                    stream.discard = Discard.all  # type: ignore[attr-defined]
            for packet in container.demux(*container.streams.data):
                seen[port] += packet.size > 16

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    for port in ports:
        threading.Thread(target=read, args=(port,), daemon=True).start()
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
