"""Bursts of lost packets make no false record of sets without a checksum where anything shows the loss.

The long test states how many records are false where nothing shows it.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from burst_losses import BESIDE, TIMES, VIDEO_PID, Sent, left_by, sixteen_of_klv, streams, two_bursts
from cases import each_case
from impaired_streams import Verdict, judged
from packet_wrapping import item, local_set, packet
from test_lane import ASYNC, KLV_PID, KLVA, Wire, decoded

Loss = Callable[[Sent, random.Random], set[int]]
LOSSES: dict[str, Loss] = {"two bursts": two_bursts, "sixteen of KLV": sixteen_of_klv}


def over(loss: Loss, beside: str, times: str, *, arrival: bool, seeds: int) -> tuple[int, Verdict]:
    """The number of streams, and the summed verdict."""
    total, count = Verdict(), 0
    for sent in streams(beside, times):
        for seed in range(seeds):
            verdict = left_by(sent, loss(sent, random.Random(f"{sent.name}{seed}")), arrival=arrival)
            total.add(verdict)
            count += 1
    return count, total


def shows(beside: str, times: str) -> bool:
    """Does anything besides the KLV counter show the loss: time stamps, other packets? Arrival times usually do."""
    return times != "no PTS" or "audio" in beside


@each_case("arrival", [True, False], ids=["live", "file"])
@each_case("times", TIMES)
@each_case("beside", BESIDE)
@each_case("loss", LOSSES)
def test_bursts_make_no_false_record(loss: str, beside: str, times: str, arrival: bool) -> None:
    """Seven streams each: most records that were not lost are valid, and some of the losses are detected."""
    count, verdict = over(LOSSES[loss], beside, times, arrival=arrival, seeds=1)
    assert count == 7
    if shows(beside, times):
        assert [raw[:20].hex() for raw in verdict.false] == []
    assert verdict.good < verdict.sent
    assert verdict.damaged > 0 or loss == "two bursts"
    assert verdict.good > verdict.sent * (1 if loss == "two bursts" else 3) // 4
    assert verdict.damaged < verdict.sent // 10
    assert (verdict.twice, verdict.late) == (0, 0)


@pytest.mark.parametrize("arrival", [True, False], ids=["live", "file"])
@pytest.mark.parametrize("beside", BESIDE)
def test_records_of_streams_without_losses_are_good(beside: str, arrival: bool) -> None:
    """Every record, in order, whatever its set and times."""
    for times in TIMES:
        for sent in streams(beside, times):
            verdict = left_by(sent, set(), arrival=arrival)
            assert (verdict.good, verdict.damaged, verdict.late) == (len(sent.klv), 0, 0), sent.name


ORDERS = {"even": (0, 0, 0, 0), "as decoded": (0, 2, -1, -1), "back at a splice": (0,) * 4}
STEPS: dict[str, Callable[[random.Random], int]] = {
    "each frame": lambda _: 1,
    "of random length": lambda chance: 1 + int(chance.expovariate(1 / 3)),
    "a long one in 30": lambda chance: 1 if chance.random() < 0.97 else 10,
}


@each_case("step", STEPS)
@each_case("order", ORDERS)
@each_case("change", [1, 4], ids=["same items", "other items now and then"])
def test_a_usual_irregularity_of_a_stream_is_no_fault(step: str, order: str, change: int) -> None:
    """KLV at an uneven rate, PTS in decoding order, items in changing order: it costs a few records at first, then
    none.
    """
    wire, chance, ts, sent, frame = Wire(), random.Random(step + order), list[bytes](), list[bytes](), 0
    sets = [random.Random(number).sample(range(1, 60), 12) for number in range(change)]
    for number in range(600):
        tags = sets[chance.randrange(change)] if chance.random() < 0.1 else sets[0]
        sent.append(packet("ST0102", local_set([(tag, chance.randbytes(40)) for tag in tags])))
        pts = 3600 * (frame % 150 if "splice" in order else frame + ORDERS[order][number % 4]) + 9000
        frame += STEPS[step](chance)
        ts += wire.tables((ASYNC, KLV_PID, KLVA)) if number % 5 == 0 else []
        ts += wire.pes(sent[-1], pts=pts) + wire.carry(VIDEO_PID, chance.randbytes(1840))
    verdict = judged(decoded(ts), sent)
    assert (verdict.good + verdict.damaged, verdict.false, verdict.late) == (600, [], 0)
    assert verdict.damaged <= 20


@pytest.mark.parametrize("pauses", ["now and then", "at random"])
def test_sets_sent_on_demand_are_good(pauses: str) -> None:
    """Targets sent when they are found, beside continuous video: a long step of the PTS is no loss there."""
    chance, wire, sent, pts = random.Random(5), Wire(), [], 900_000
    ts = wire.tables((ASYNC, KLV_PID, KLVA), (0x1B, 0x100, b""))
    for number in range(200):
        frames = 1 + round(chance.expovariate(0.1)) if pauses == "at random" else 1 if number % 10 else 30
        ts += wire.carry(0x100, chance.randbytes(600 * frames))
        pts += 3000 * frames
        text = chance.choices(range(65, 91), k=chance.randrange(180, 900))
        sent.append(packet("ST0903", item(4, b"\x06") + item(10, bytes(text))))
        ts += wire.pes(sent[-1], pts=pts, sid=0xFC)
    records = decoded(ts)
    assert [(record.raw, record.good) for record in records] == [(one, True) for one in sent]


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("loss", LOSSES)
def test_thousands_of_streams_with_bursts(loss: str) -> None:
    """Of 6,720 streams: false records only where nothing shows the loss, and no more than stated."""
    false, seen = {True: 0, False: 0}, 0
    for beside in BESIDE:
        for times in TIMES:
            for arrival in (True, False):
                count, verdict = over(LOSSES[loss], beside, times, arrival=arrival, seeds=40)
                false[shows(beside, times)] += len(verdict.false)
                seen += count
    assert seen == 6720
    assert false[True] <= FALSE[loss][0]
    assert false[False] <= FALSE[loss][1]


FALSE = {"two bursts": (4, 20), "sixteen of KLV": (40, 250)}
"""Streams in which something shows a loss, and those in which nothing does."""
