"""The JavaScript reader of the documentation restores what `klvrelay.Restorer` restores. Run in Node."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from random import Random

import cbor2
import orjson
import pytest
from javascript_items import rows
from packet_wrapping import keyed_set, packet
from records import BOOT, TIME_US, record, targets
from reference_output import ReferenceOutput, codes_of
from test_restore import flight

import klvrelay
from klvrelay import Restorer
from klvrelay.standards.spec import SETS

EXAMPLE = Path(__file__).parents[1] / "docs/examples/restore.mjs"
IN_NODE = Path(__file__).parent / "support/restore_in_node.mjs"
KEYS = {item.key: item for item in SETS["ST0601"].values()}
TIME_KEY = bytes.fromhex("060e2b34010101030702010101050000")
HEADING_KEY = bytes.fromhex("060e2b34010101070701100106000000")
HEAD = ("schema", "stream", "boot", "seq", "received", "pts", "pid", "program")


def in_javascript(messages):
    """The answers of the reader to messages (stream, payload), in order."""
    lines = [orjson.dumps({"stream": stream, "payload": payload.hex()}) for stream, payload in messages]
    command = ["node", str(IN_NODE), str(EXAMPLE)]
    run = subprocess.run(command, input=b"\n".join(lines), capture_output=True, check=True, timeout=50)
    return [orjson.loads(line) for line in run.stdout.splitlines()]


def test_the_table_is_that_of_the_standard():
    """Keys, kinds, lengths and ranges: the expected text is in `rows()`."""
    text = EXAMPLE.read_text()
    begin = text.index("// ST 0601: tag")

    assert text[begin : text.index("];", begin) + 2] == rows()


@pytest.mark.needs("node")
@pytest.mark.parametrize("form", ["json", "cbor"])
def test_documents_are_restored_alike(form):
    """Full and partial ones, several in a message, with losses."""
    rng, output, restorer = Random(5), ReferenceOutput(form, 7), Restorer()
    sent = [targets(seq, seq % 3) if seq % 4 == 0 else record(seq) for seq in range(60)]
    messages = [output.message(sent[at : at + 2]) for at in range(0, 60, 2)]
    received = [("uav1", message) for message in messages if rng.randrange(8)]

    expected = [[restorer.restore(message, stream=stream), restorer.skipped] for stream, message in received]
    assert in_javascript(received) == orjson.loads(orjson.dumps(expected))
    assert 0 < restorer.skipped < 60


@pytest.mark.needs("node")
@pytest.mark.parametrize("form", ["compact", "klv"])
def test_codes_are_restored_alike(form):
    """The bytes of every item, and the values of numbers, texts and labels within one raw step."""
    rng, restorer = Random(11), Restorer()
    sent, received = [], []
    outputs = {name: ReferenceOutput(form, 7) for name in ("uav1", "uav2")}
    for pair in zip(flight(rng, 120), flight(rng, 120, stream="uav2"), strict=True):
        for each in pair:
            message = outputs[each.stream].message([each])
            if form == "klv" or rng.randrange(10):
                received.append((each.stream, message))
                sent.append(each)

    answers = in_javascript(received)
    compared = 0
    for (stream, message), (found, _), each in zip(received, answers, sent, strict=True):
        expected = restorer.restore(message, stream=stream)
        assert len(found) == len(expected)
        for one, two in zip(found, expected, strict=True):
            assert {key: one[key] for key in HEAD} == {key: two[key] for key in HEAD}
            assert {int(tag): codes for tag, codes in one["codes"].items() if tag != "1"} == {
                tag: [code.hex() for code in codes] for tag, codes in codes_of(each.raw).items() if tag != 1
            }
            assert one["set"] in (two["set"], each.raw[:16].hex())
            compared += sum(same_value(key, one["items"], value) for key, value in two["items"].items())
            assert one["time_us"] == two["time_us"] or each.set not in ("ST0601", "ST0903")
    assert answers[-1][1] == restorer.skipped
    assert (restorer.skipped > 5) == (form == "compact")
    assert compared > 200


def same_value(key, items, value):
    """True if the value was compared: it is a number, a text or a label of ST 0601."""
    item = KEYS.get(key)
    if item is None or key not in items:
        return False
    found = items[key]
    if isinstance(value, str):
        assert found == value or "\ufffd" in value
    elif value is None or item.min is None or item.mapping == "raw":
        assert found == value or str(found) == str(value)
    else:
        assert math.isclose(found, value, abs_tol=(item.max - item.min) / 2 ** (8 * item.len_min - 1), rel_tol=0)
    return True


@pytest.mark.needs("node")
@pytest.mark.parametrize("form", ["klv", "compact"])
def test_a_universal_set_has_the_bytes_of_its_items(form):
    """EG 0104: its items have whole keys, and it is sent as it is."""
    items = [(TIME_KEY, TIME_US.to_bytes(8, "big")), (HEADING_KEY, b"\x42\x20\0\0"), (HEADING_KEY, b"\1\2")]
    each = record(4, raw=packet("ST0104", keyed_set(items)), set="ST0104")
    head = [BOOT, each.raw[:16], None, None, None, None]
    message = each.raw if form == "klv" else cbor2.dumps([{0: 4, -1: head, -3: each.raw}])
    expected = [] if form == "klv" else Restorer().restore(message, stream="uav1")

    ((found,), skipped), again = in_javascript([("uav1", message)] * 2)
    assert (found["set"], found["version"], found["time_us"], skipped) == (each.raw[:16].hex(), None, TIME_US, 0)
    assert found["codes"] == {
        TIME_KEY.hex(): [items[0][1].hex()], HEADING_KEY.hex(): [items[1][1].hex(), items[2][1].hex()]
    }  # fmt: skip
    assert [one["time_us"] for one in expected] == [TIME_US] * len(expected)
    assert len(again[0]) == 1


@pytest.mark.needs("node")
def test_a_real_flight_is_restored_within_one_raw_step():
    """The orbit of `klvrelay sample`: all numbers, texts and labels."""
    data = (EXAMPLE.parents[2] / "samples/orbit.ts").read_bytes()
    sent = klvrelay.decode(data, stream="orbit", boot="5f2c9a")[:100]
    output, restorer = ReferenceOutput("compact", 30), Restorer()
    messages = [("orbit", output.message(sent[at : at + 3])) for at in range(0, 99, 3)]

    found = [one for answer in in_javascript(messages) for one in answer[0]]
    expected = [one for _, message in messages for one in restorer.restore(message, stream="orbit")]
    assert len(found) == len(expected) == 99
    for one, two in zip(found, expected, strict=True):
        assert (one["time"], one["version"]) == (two["time"], two["version"])
        compared = [key for key, value in two["items"].items() if same_value(key, one["items"], value)]
        assert {"sensor_latitude", "sensor_longitude", "platform_heading_angle"} <= set(compared)
        assert len(compared) > 30


@pytest.mark.needs("node")
def test_malformed_payloads_are_refused():
    """With an error, and the reader continues."""
    good = ReferenceOutput("compact").message([record(1)])
    faulty = [good[:-1], good[:20], b"\x81\xa1\x00\xc0", b"\x9b" + b"\xff" * 8, b"\x06\x0e\x2b\x34"]
    faulty += [b"", b"hello", b"{", b"\xbf\x61a", b"\xa1\x61a" + b"\x81" * 500, b"\x28\xb5\x2f\xfd"]

    answers = in_javascript([*(("uav1", payload) for payload in faulty), ("uav1", good)])
    assert all("error" in answer for answer in answers[:-1])
    assert answers[-1][0][0]["items"]["platform_tail_number"] == "tail-1"
