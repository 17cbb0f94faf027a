"""Some streams are withheld while a message is suspected to break the connection. The others go on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from brokers import until
from oracle_broker import OracleBroker
from records import BOOT, record

from klvrelay.config.mqtt import MqttSettings
from klvrelay.gap import Item
from klvrelay.outcome import Outcome
from klvrelay.sinks.mqtt.sink import MqttSink

SUSPECT = record(0, "uav1")
BATCH = [SUSPECT, *(record(seq, stream) for seq in range(1, 5) for stream in ("uav1", "uav2"))]
OTHERS = 4
"""Records of the stream that is not withheld."""


def released(oracle: OracleBroker) -> list[bytes]:
    """Each record as often as the broker handed it on."""
    payloads = (each.payload for each in oracle.released if each.topic.endswith("/telemetry"))
    return [line for payload in payloads for line in payload.splitlines()]


def suspect(sink: MqttSink) -> None:
    """A connection has ended at this record, so the next ones begin without it."""
    sink._breaking.control.lost(sink._messages.of_item(SUSPECT)[0], enough=4)
    sink._breaking.control.begin()


async def cancelled_while_waiting(sink: MqttSink, oracle: OracleBroker, batch: Sequence[Item]) -> None:
    """Deliver, and cancel once the records of the other stream are answered."""
    delivering = asyncio.create_task(sink.deliver(batch), name="delivering")
    session = sink._session
    await until(lambda: len(released(oracle)) == OTHERS and not (session._sent or session._taken))
    delivering.cancel()
    await asyncio.wait({delivering}, timeout=5)
    assert delivering.cancelled()


@pytest.mark.parametrize("batch", [None, 0.01], ids=["alone", "joined"])
@pytest.mark.parametrize("reconnects", [False, True])
async def test_a_delivery_cancelled_while_a_stream_is_withheld_repeats_nothing(
    oracle: OracleBroker, reconnects: bool, batch: float | None
):
    """The broker has answered for the other stream: at QoS 2 these records are not sent again."""
    sink = MqttSink(MqttSettings(host="127.0.0.1", port=oracle.port, timeout=4.0, qos=2), boot=BOOT, batch=batch)
    async with sink:
        suspect(sink)
        await cancelled_while_waiting(sink, oracle, BATCH)
        if not reconnects:
            sink._breaking.control.clear()
            assert await sink.deliver(BATCH) == Outcome(delivered=len(BATCH))
    if reconnects:
        sink._breaking.control.clear()
        async with sink:
            assert await sink.deliver(BATCH) == Outcome(delivered=len(BATCH))
    assert len(released(oracle)) == len(set(released(oracle))) == len(BATCH)
