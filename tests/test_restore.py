"""What an output publishes on change is restored exactly, and a lost message never gives a wrong document."""

from __future__ import annotations

from random import Random

from cases import each_case
from random_packets import random_set
from records import BOOT, TIME_US, record
from reference_output import MATRIX, ReferenceOutput, codes_of_value, raw_of

from klvrelay import Restorer
from native.spec import facts

FORMS = ("json", "cbor", "msgpack", "klv", "compact")
NUMBERED = tuple(form for form in FORMS if form != "klv")
SETS_SENT = ("ST0601", "ST0601", "ST0601", "ST0903", "ST0102")


def flight(rng: Random, count: int, *, stream="uav1", boot=BOOT, first=0):
    """Records of several sets: each like the one before it of its set, with some items changed, new or gone."""
    codes = {}
    for seq in range(first, first + count):
        name = rng.choice(SETS_SENT)
        now = codes[name] = changed(rng, name, codes.get(name, {}))
        if name in facts.TIME:
            now.pop(facts.TIME[name], None)
        if name in facts.TIME and rng.randrange(9):
            now[facts.TIME[name]] = [(TIME_US + seq * 33_333 + rng.randrange(-2, 99_999)).to_bytes(8, "big")]
        if name == "ST0601":
            now[65] = [b"\x13"]
        place = {"pts": rng.choice([None, seq * 3000]), "pid": rng.choice([None, 257]), "program": 1}
        yield record(seq, stream, raw=raw_of(name, now), set=name, boot=boot, **place)


def changed(rng: Random, name: str, before):
    """Some of the items before, and some others."""
    fresh = codes_of_value(name, random_set(rng, name))
    fresh.pop(MATRIX, None)  # it needs its items directly before it
    return {tag: values for tag, values in {**before, **fresh}.items() if rng.randrange(8)}


def in_messages(rng: Random, records):
    """The records in messages of one to four."""
    at = 0
    while at < len(records):
        size = rng.choice([1, 1, 2, 4])
        yield records[at : at + size]
        at += size


def essence(document):
    """What is restored exactly: the identity and the items, with the meaning of those without a value."""
    return (
        document["stream"],
        document["set"],
        document["time_us"],
        document["version"],
        document["items"],
        document["quality"].get("special", {}),
    )


@each_case("form", FORMS)
@each_case("seed", range(12))
def test_every_record_of_a_whole_stream_is_restored_exactly(form, seed):
    """One or several records a message, sets in any order."""
    rng = Random(seed)
    output, restorer = ReferenceOutput(form, seed % 12 + 1), Restorer()
    records = list(flight(rng, 24))

    found = []
    for batch in in_messages(rng, records):
        found += restorer.restore(output.message(batch), stream="uav1")

    assert [essence(one) for one in found] == [essence(output.truth(each)) for each in records]
    assert (restorer.skipped, restorer.waits_for("uav1")) == (0, "")
    if form != "klv":
        assert (found[0]["boot"], found[0]["pid"], found[0]["pts"]) == (BOOT, records[0].pid, records[0].pts)
        assert [one["seq"] for one in found] == [each.seq for each in records]


@each_case("form", NUMBERED)
@each_case("seed", range(12))
def test_after_a_loss_no_wrong_document_is_restored(form, seed):
    """Records that the output leaves out by itself are no loss; messages are lost, repeated or begin late."""
    rng = Random(seed)
    output, restorer = ReferenceOutput(form, seed % 12 + 1), Restorer()
    sent = [each for each in flight(rng, 40) if rng.randrange(3)]
    truths = {each.seq: essence(output.truth(each)) for each in sent}
    received = [output.message(batch) for batch in in_messages(rng, sent)]

    found = []
    for at, message in enumerate(received):
        if rng.randrange(4) == 0:
            continue
        found += restorer.restore(message, stream="uav1")
        if rng.randrange(4) == 0:
            found += restorer.restore(received[max(0, at - rng.randrange(3))], stream="uav1")

    assert {one["seq"] for one in found} <= truths.keys()
    assert [essence(one) for one in found] == [truths[one["seq"]] for one in found]


@each_case("form", NUMBERED)
@each_case("seed", range(12))
def test_a_thinned_stream_without_loss_is_restored_whole(form, seed):
    """Holes of `seq` alone are no loss."""
    rng = Random(seed)
    output, restorer = ReferenceOutput(form, 10), Restorer()
    sent = [each for each in flight(rng, 40) if rng.randrange(3)]

    found = [one for each in sent for one in restorer.restore(output.message([each]), stream="uav1")]

    assert [one["seq"] for one in found] == [each.seq for each in sent]
    assert restorer.skipped == 0


@each_case("form", NUMBERED)
@each_case("seed", range(12))
def test_interleaved_streams_and_runs_are_kept_apart(form, seed):
    """Each stream has its own records; a new run of the relay begins with full ones, and its first ones may be lost."""
    rng, restorer = Random(seed), Restorer()
    found, truths = [], {}
    for boot in ("5f2c9a", "77aa01"):
        outputs = {name: ReferenceOutput(form, 6) for name in ("uav1", "uav2", "cam")}
        flights = {name: flight(rng, 15, stream=name, boot=boot) for name in outputs}
        for _ in range(15):
            for name, output in outputs.items():
                each = next(flights[name])
                truths[name, boot, each.seq] = essence(output.truth(each))
                message = output.message([each])
                if boot == "5f2c9a" or each.seq:
                    found += restorer.restore(message, stream=name)

    assert found
    assert [essence(one) for one in found] == [truths[one["stream"], one["boot"], one["seq"]] for one in found]


def test_a_message_that_arrives_again_changes_nothing():
    """QoS 1 repeats messages, alone or from the last full one on."""
    output, restorer = ReferenceOutput("compact", 10), Restorer()
    sent = list(flight(Random(7), 9))
    messages = [output.message([each]) for each in sent]
    for at in (0, 1, 2, 3, 2, 3, 3, 4, 0, 1, 2, 3, 4, 5, 3, 4, 5, 6, 7):
        restorer.restore(messages[at])

    (found,) = restorer.restore(messages[8])
    assert found["items"] == output.truth(sent[8])["items"]
