"""Prints the uid and type of each event that PyTAK receives: `python pytak_receiver.py COT_URL`.

    COT_URL   tcp://host:port of a TAK server, or udp+ro://group:port
"""

from __future__ import annotations

import asyncio
import sys
import warnings
import xml.etree.ElementTree as ET
from configparser import ConfigParser

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # libraries for what is not used here are missing
    import pytak


class PrintingWorker(pytak.QueueWorker):  # type: ignore[misc]
    """Prints what the receiver has queued."""

    async def handle_data(self, data: bytes) -> None:
        event = ET.fromstring(data)
        print(event.get("uid"), event.get("type"), flush=True)

    async def run(self, _: int = -1) -> None:
        while True:
            await self.handle_data(await self.queue.get())


async def main(url: str) -> None:
    config = ConfigParser()
    config["pytak"] = {"COT_URL": url, "PYTAK_MULTICAST_LOCAL_ADDR": "127.0.0.1", "TAK_PROTO": "0"}
    reader, _ = await pytak.protocol_factory(config["pytak"])
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    print("ready", flush=True)
    await asyncio.gather(
        pytak.RXWorker(queue, config["pytak"], reader).run(), PrintingWorker(queue, config["pytak"]).run()
    )


asyncio.run(main(sys.argv[1]))
