"""Publishing in a separate process: prints CPU seconds and delays per record as a line of JSON.

    PYTHON publishing.py json BATCH COUNT             creates the JSON of records, and publishes nothing
    PYTHON publishing.py CLIENT BATCH COUNT [PORT]    the MQTT sink delivers records to a broker on PORT, at QoS 1

CLIENT: `native`, `aiomqtt`, or `default`. It uses only functions that older versions also have. `publish.py` starts it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence

from klvrelay import sample
from klvrelay.config.mqtt import MqttSettings
from klvrelay.decoder import decode
from klvrelay.record import Record
from klvrelay.sinks.mqtt.sink import MqttSink

WARM_UP = 200
"""Records before the measurement."""
STREAMS = 8


def main(client: str, batch: str, count: str, port: str = "0") -> None:
    records = records_of_streams(int(count) + WARM_UP)
    batches = [records[n : n + int(batch)] for n in range(0, len(records), int(batch))]
    warm = WARM_UP // int(batch)
    if client == "json":
        print(json.dumps(_json_only(batches[warm:])))
    else:
        print(json.dumps(asyncio.run(_published(client, int(port), batches, warm))))


def records_of_streams(count: int) -> list[Record]:
    """Records of several streams in turn."""
    packets = sample.packets(seconds=1)
    streams = [decode(next(packets), stream=f"uav{n}", boot="5f2c9a")[0] for n in range(STREAMS)]
    return [streams[n % STREAMS]._replace(seq=n) for n in range(count)]


def _json_only(batches: Sequence[Sequence[Record]]) -> dict[str, float]:
    begin = time.process_time()
    for batch in batches:
        for record in batch:
            record.json()
    return {"cpu": (time.process_time() - begin) / sum(map(len, batches)), "p50": 0.0, "p99": 0.0}


async def _published(client: str, port: int, batches: Sequence[Sequence[Record]], warm: int) -> dict[str, float]:
    more = {} if client == "default" else {"client": client}
    async with MqttSink(MqttSettings(host="127.0.0.1", port=port, **more), boot="5f2c9a") as sink:
        for batch in batches[:warm]:
            await sink.deliver(batch)
        delays, cpu = [], time.process_time()
        for batch in batches[warm:]:
            begin = time.perf_counter()
            await sink.deliver(batch)
            delays.append(time.perf_counter() - begin)
        cpu = time.process_time() - cpu
    delays.sort()
    count = sum(map(len, batches[warm:]))
    return {"cpu": cpu / count, "p50": delays[len(delays) // 2], "p99": delays[int(len(delays) * 0.99)]}


if __name__ == "__main__":
    main(*sys.argv[1:])
