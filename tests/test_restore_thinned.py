"""What the C core thins and encodes is restored to the items of each record."""

from __future__ import annotations

from random import Random
from typing import Any

import cbor2
import orjson
import pytest
from records import record
from test_thinning import BANDS, LOCAL, SOME, history, recorded, sample, timed

import klvrelay
from klvrelay import Restorer
from klvrelay.core.compact import compact
from klvrelay.core.shaping import Shape
from klvrelay.core.thinning import Base, Thinning, thin
from klvrelay.standards.spec import SETS


class CompactOutput:
    """An output of one stream and set that publishes compact messages on change."""

    def __init__(self, thinning: Thinning) -> None:
        self.shape = Shape(thinning, "compact", on_change=True, snapshot=60.0)

    def message(self, each: klvrelay.Record, *, full: bool = False) -> bytes | None:
        """The message of a record; None: nothing is to be published."""
        if full:
            self.shape.reset()
        written = self.shape.write(each, 0)
        return None if written is None else compact([written])


def is_partial(message: bytes) -> bool:
    [found] = cbor2.loads(message)
    return -1 not in found


def lasting(items: dict[str, Any]) -> dict[str, Any]:
    """The items without the time stamp of a VMTI set, which alone is no change."""
    found = dict(items)
    if isinstance(vmti := found.get("vmti_local_set"), dict):
        found["vmti_local_set"] = {key: value for key, value in vmti.items() if key != "precision_time_stamp"}
    return found


@pytest.mark.parametrize("name", LOCAL)
def test_random_records_are_restored(name: str) -> None:
    """Of each local set: items that change, appear, repeat and disappear; some records are lost on the way."""
    skipped = restored = 0
    for seed in range(30):
        rng = Random(f"{name} {seed}")
        output, restorer = CompactOutput(Thinning(on_change=True)), Restorer()
        for seq, raw in enumerate(history(rng, name, 12)):
            each = record(seq, raw=raw, set=name)
            made = output.message(each, full=rng.randrange(6) == 0)
            if made is None or rng.randrange(10) == 0:
                continue
            for found in restorer.restore(made, stream="uav1"):
                assert lasting(found["items"]) == lasting(each.items)
                assert (found["seq"], found["time_us"]) == (seq, each.time_us)
                restored += 1
        skipped += restorer.skipped
    assert restored > 100
    assert skipped > 0


@pytest.mark.parametrize("some", [False, True])
@pytest.mark.parametrize("name", ["osh_sample_stream.ts", "orbit.ts"])
def test_a_recording_is_restored(name: str, some: bool, request: Any) -> None:
    """Exactly; with selected items those."""
    records = sample() if name == "orbit.ts" else recorded(request.getfixturevalue("shared"), name)
    output, restorer = CompactOutput(Thinning(SOME if some else None, on_change=True)), Restorer()

    partial = 0
    for each in records:
        if (made := output.message(each)) is None:
            continue
        [found] = restorer.restore(made, stream=each.stream)
        wanted = {key: value for key, value in each.items.items() if not some or key in SOME.keys}
        assert lasting(found["items"]) == lasting(wanted)
        assert (found["seq"], found["time_us"]) == (each.seq, each.time_us)
        assert found["version"] in (4, 19)
        partial += is_partial(made)
    assert partial > 100
    assert restorer.skipped == 0


@pytest.mark.parametrize("name", ["osh_sample_stream.ts", "orbit.ts"])
def test_a_recording_within_dead_bands_is_restored_within_them(name: str, request: Any) -> None:
    """Each number is at most its dead band, and one step, from that of the record."""
    records = sample() if name == "orbit.ts" else recorded(request.getfixturevalue("shared"), name)
    output, restorer = CompactOutput(Thinning(on_change=True, dead_bands=BANDS)), Restorer()
    items = {item.key: item for item in SETS["ST0601"].values()}

    size = 0
    for each in records:
        if (made := output.message(each)) is None:
            continue
        size += len(made)
        [found] = restorer.restore(made, stream=each.stream)
        for key, value in lasting(each.items).items():
            if isinstance(value, float) and key in BANDS:
                item = items[key]
                step = (item.max - item.min) / 2 ** (8 * item.len_min - 1) + 1e-6
                assert abs(found["items"][key] - value) <= BANDS[key] + step
            elif key not in BANDS:
                assert lasting(found["items"])[key] == value
    assert size < sum(len(each.raw) for each in records) / 2


@pytest.mark.parametrize("name", ["osh_sample_stream.ts", "orbit.ts"])
def test_marked_packets_of_a_recording_are_restored(name: str, request: Any) -> None:
    """A KLV output."""
    records = sample() if name == "orbit.ts" else recorded(request.getfixturevalue("shared"), name)
    thinning, base, restorer = Thinning(on_change=True, marked=True), Base(), Restorer()

    partial = 0
    for each in records:
        if (thinned := thin(each.raw, thinning, base)) is None:
            continue
        [found] = restorer.restore(thinned.raw, stream=each.stream)
        assert lasting(found["items"]) == lasting(each.items)
        assert found["time_us"] == each.time_us
        partial += not thinned.full
    assert partial > 100


def test_packets_that_are_sent_whole_are_restored_and_continued() -> None:
    """An item that refers to others in their order, one of an unknown tag, and packets without them."""
    plain = [(4, b"tail"), (5, b"\x71\xc2"), (65, b"\x13")]
    output, restorer = CompactOutput(Thinning(on_change=True)), Restorer()
    whole = 0
    for seq, more in enumerate([[], [(102, b"\1\x80\x10\0")], [], [(6, b"\1\1")], [(300, b"x")], [(6, b"\1\2")], []]):
        each = record(seq, raw=timed("ST0601", [*more, *plain], 1_700_000_000_000_000 + seq))
        made = output.message(each)
        assert made is not None
        [found] = restorer.restore(made, stream="uav1")
        assert (found["items"], found["time_us"]) == (each.items, each.time_us)
        whole += -3 in cbor2.loads(made)[0]
    assert whole >= 2


def test_a_klv_packet_with_a_wrong_checksum_is_restored_as_it_is() -> None:
    """What it continues, and what would continue it, is not certain: partial packets wait for the next full one."""
    full, partial = [(5, b"\x71\xc2"), (65, b"\x13")], [(6, b"\1\2")]
    restorer = Restorer()
    spoilt = bytearray(timed("ST0601", full, 5))
    spoilt[-1] ^= 1

    assert restorer.restore(timed("ST0601", full, 4), stream="a")
    [found] = restorer.restore(bytes(spoilt), stream="a")
    assert found["quality"]["checksum"] == "bad"
    assert restorer.restore(timed("ST0601", partial, 6), stream="a") == []
    assert restorer.restore(timed("ST0601", full, 7) + timed("ST0601", partial, 8), stream="a")[1]["items"] == {
        "platform_heading_angle": 159.974, "platform_pitch_angle": 0.1575
    }  # fmt: skip


@pytest.mark.parametrize("form", ["cbor", "msgpack"])
@pytest.mark.parametrize("name", ["osh_sample_stream.ts", "orbit.ts"])
def test_documents_that_the_core_writes_are_those_of_json(name: str, form: str, request: Any) -> None:
    """Alone and several in a message."""
    records = sample() if name == "orbit.ts" else recorded(request.getfixturevalue("shared"), name)
    written = [each.cbor() if form == "cbor" else each.msgpack() for each in records[:100]]
    wanted = [orjson.loads(each.json()) for each in records[:100]]

    assert [Restorer().restore(one)[0] for one in written] == wanted
    assert Restorer().restore(b"".join(written)) == wanted
