"""The consumers in docs/formats.md work as they stand: the Python one at a broker, the JavaScript one in Node."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from brokers import Mosquitto, until
from conftest import ROOT
from records import record
from reference_output import ReferenceOutput

import klvrelay
from klvrelay.shape.encoding.compression import Compressor
from klvrelay.shape.encoding.dictionary import DictionaryTrainer

PAGE = (ROOT / "docs" / "formats.md").read_text()
FORMS = ("json", "cbor", "msgpack", "klv", "compact")


def block(language: str) -> str:
    """The only code of this language on the page."""
    (code,) = re.findall(rf"(?ms)^```{language}\n(.*?)^```", PAGE)
    return code


def consumer() -> Any:
    names: dict[str, Any] = {"aiomqtt": aiomqtt, "klvrelay": klvrelay}
    exec(block("python"), names)
    return names["follow"]


def messages(form: str) -> tuple[bytes, list[bytes]]:
    """A dictionary, and compressed messages of twelve records."""
    output, trainer = ReferenceOutput(form, 5), DictionaryTrainer()
    for seq in range(1000, 1100):
        trainer.add(ReferenceOutput(form).message([record(seq)]))
    dictionary = trainer.train()
    assert dictionary is not None
    compressor = Compressor(dictionary)
    return dictionary, [compressor.compress(output.message([record(seq)])) for seq in range(12)]


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("form", FORMS)
async def test_the_consumer_in_python_restores_all_records(mosquitto: Mosquitto, form: str):
    """It joins after the dictionary was published; a malformed message is reported, and the next ones are read."""
    dictionary, sent = messages(form)
    found: list[dict[str, Any]] = []
    faults: list[str] = []
    async with (
        aiomqtt.Client("127.0.0.1", mosquitto.port, protocol=aiomqtt.ProtocolVersion.V5) as relay,
        aiomqtt.Client("127.0.0.1", mosquitto.port, protocol=aiomqtt.ProtocolVersion.V5) as client,
    ):
        await relay.publish("klvrelay/uav1/dictionary", dictionary, qos=1, retain=True)
        task = asyncio.create_task(consumer()(client, found.append, faults.append))
        while not faults:  # until it is subscribed
            await relay.publish("klvrelay/uav1/telemetry", b"malformed", qos=1)
            await asyncio.sleep(0.01)
        for message in sent:
            await relay.publish("klvrelay/uav1/telemetry", message, qos=1)
        await until(lambda: len(found) == len(sent) or task.done())
        task.cancel()

    assert [one["items"]["platform_tail_number"] for one in found] == [f"tail-{seq}" for seq in range(12)]
    assert set(faults) == {f"klvrelay/uav1/telemetry: {faults[0].partition(': ')[2]}"}
    assert len(block("python").splitlines()) <= 15


MQTT = """\
import { readFileSync } from "node:fs";
const lines = readFileSync(process.argv[2], "utf-8").trim().split("\\n").map((line) => JSON.parse(line));
let heard;
export default {
  connect: () => ({
    on: (event, call) => {
      if (event === "message") heard = call;
      if (event === "connect") setImmediate(call);
    },
    subscribe: () => { for (const [topic, payload] of lines) heard(topic, Buffer.from(payload, "hex")); },
  }),
};
"""
ZSTD = """\
import { readFileSync } from "node:fs";
const answers = JSON.parse(readFileSync(process.argv[3], "utf-8"));
export const init = async () => {};
export const createDCtx = () => 1;
const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const decompressUsingDict = (context, frame, dictionary) =>
  Buffer.from(answers[`${hex(frame)} ${hex(dictionary)}`], "hex");
"""


@pytest.mark.needs("node")
@pytest.mark.parametrize("form", ["json", "cbor", "klv", "compact"])
def test_the_consumer_in_javascript_restores_all_records(tmp_path: Path, form: str):
    """With packages in place of `mqtt` and of zstd that replay messages, and know the frames with their dictionary."""
    dictionary, sent = messages(form)
    output = ReferenceOutput(form, 5)
    plain = [output.message([record(seq)]) for seq in range(12)]
    lines = [["klvrelay/uav1/dictionary", dictionary.hex()], ["klvrelay/uav1/telemetry", b"malformed".hex()]]
    lines += [["klvrelay/uav1/telemetry", message.hex()] for message in sent]
    (tmp_path / "lines").write_text("\n".join(map(json.dumps, lines)))
    answers = {f"{one.hex()} {dictionary.hex()}": two.hex() for one, two in zip(sent, plain, strict=True)}
    (tmp_path / "answers").write_text(json.dumps(answers))
    for name, code in (("mqtt", MQTT), ("@bokuweb/zstd-wasm", ZSTD)):
        package = tmp_path / "node_modules" / name
        package.mkdir(parents=True)
        (package / "package.json").write_text('{"type":"module","main":"index.js"}')
        (package / "index.js").write_text(code)
    (tmp_path / "consumer.mjs").write_text(block("js"))
    shutil.copy(ROOT / "docs" / "examples" / "restore.mjs", tmp_path)

    run = subprocess.run(["node", "consumer.mjs", "lines", "answers"], cwd=tmp_path, capture_output=True, timeout=50)
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert [items["platform_tail_number"] for items in found] == [f"tail-{seq}" for seq in range(12)]
    assert run.stderr.decode().count("\n") == 1
    assert run.returncode == 0
