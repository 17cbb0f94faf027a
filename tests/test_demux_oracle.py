"""The two demultiplexers are compared with each other and with what was sent; each difference has a known reason.

The C core must never be wrong: a unit that arrived intact is valid, in order, with its PID and PTS; nothing else is.
libav may differ for the reasons in `Why`, each of which the sent data and the damage prove; a difference without one
fails.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

import pytest
from damaged_tapes import Piece, Tape, by_libav, by_native, damaged, of_recording, tape, whole_units
from test_lane import ASYNC, KLVA, NULL, SYNC, Wire, cell, klv_packet, raws

from klvrelay.record import Record

FAST, LONG = 800, 20_000


class Why(Enum):
    """Why libav differs from what was sent, or from the C core."""

    DOUBLED = "a TS packet that comes twice (allowed: 2.4.3.3) is taken as a loss, and its payload twice"
    BEHIND = "a unit behind one that is not whole, or that came twice in part, is flagged with that one's gap"
    HELD = "a unit without a PES length is held until the next one begins, and suffers what happens meanwhile"
    RESYNC = "up to three TS packets behind bytes that are missing or too many are passed over in the search for a beat"
    SPOILT = "it refuses a unit of which a TS packet was damaged, though the KLV in it was not"
    TOUCHED = "the core refuses a unit of which a TS packet was damaged, though the KLV in it was not"
    TORN = "the core refuses a unit whose TS packets did not follow each other in step, though nothing of it is missing"
    CHANCE = "a byte that looks like a sync byte, just where the step was lost, costs the core a packet: 1 in 256"
    WAITED = "the core refuses a unit without a checksum behind which, within 16 TS packets or a unit, one was lost"
    FALSE = "it passes as good what nobody sent, or what was sent once twice"


class Wrong(AssertionError):
    """The core erred, or a difference has no known reason."""


def compared(sent: Tape, native: Sequence[Record], libav: Sequence[Record]) -> Counter[Why]:
    """The reasons for which the two differ; raises Wrong for an unexplained difference, or an error of the core."""
    whole = whole_units(sent)
    found = Counter({Why.CHANCE: judge(sent, whole, native)})
    place = {unit.raw: number for number, unit in enumerate(sent.units)}
    ours, theirs = ({place.get(r.raw, -1): r for r in records if r.good} for records in (native, libav))
    for number in ours.keys() - theirs.keys() - {-1}:
        found[lost_by_libav(sent, whole, number)] += 1
    for number in theirs.keys() - ours.keys() - {-1}:
        found[refused_by_core(sent, whole, number)] += 1
    for number in theirs.keys() & whole:
        if (theirs[number].pid, theirs[number].pts) != (sent.units[number].pid, sent.units[number].pts):
            raise Wrong(f"libav gives unit {number} as {theirs[number].pid}, {theirs[number].pts}")
    false = Counter(r.raw for r in libav if r.good)
    false.subtract(r.raw for r in native if r.good)
    found[Why.FALSE] += sum(1 for raw, times in false.items() if times > 0 and (raw not in place or times > 1))
    return +found


def judge(sent: Tape, whole: set[int], native: Sequence[Record]) -> int:
    """The core compared with the sent data: all intact units are valid, unchanged, in order; nothing else is.

    Returns how many units it lacks by mere chance.
    """
    place = {unit.raw: number for number, unit in enumerate(sent.units)}
    good = [(place.get(r.raw, -1), r) for r in native if r.good]
    missing = whole - {number for number, _ in good}
    flagged = {place.get(r.raw, -1) for r in native if r.checksum == "absent" and r.transport == "damaged"}
    doubted = {n for n in missing & flagged if is_followed_badly(sent, n) or is_last_before_loss(sent, whole, n)}
    explained = doubted | {n for n in missing if near_break(sent, n, 4)}
    if found := missing - explained:
        raise Wrong(f"the core has not unit {found}")
    for number, record in good:
        if number < 0 and hits_inside(sent, record.pid) < (1 if record.checksum == "absent" else 2):
            raise Wrong(f"the core passes what nobody sent: {record.raw[:20].hex()}")
        if number in whole and (record.pid, record.pts) != (sent.units[number].pid, sent.units[number].pts):
            raise Wrong(f"the core gives unit {number} as {record.pid}, {record.pts}")
    came = [number for number in arrival(sent) if number in whole - missing]
    if [number for number, _ in dict.fromkeys((n, 0) for n, _ in good) if number in whole] != came:
        raise Wrong("the core gives units in another order than they came in")
    again = Counter(number for number, _ in good if number >= 0)
    if twice := {number for number, times in again.items() if times > 1 and not repeated(sent, number)}:
        raise Wrong(f"the core gives unit {twice} twice")
    return len(missing)


def is_last_before_loss(sent: Tape, whole: set[int], number: int) -> bool:
    """The next unit of its PID is not intact: a longer step of the PTS shows it."""
    behind = [n for n in range(number + 1, len(sent.units)) if sent.units[n].pid == sent.units[number].pid]
    return behind != [] and behind[0] not in whole


def is_followed_badly(sent: Tape, number: int) -> bool:
    """Of the TS packets after a unit, one is damaged, or not the next one of its PID."""
    last = max(at for at, piece in enumerate(sent.pieces) if piece.unit == number)
    counters = dict[int, int]()
    for at, piece in enumerate(sent.pieces[: last + 17]):
        packet = piece.data[sent.lead :][:188]
        if len(packet) < 188 or broken(sent, piece):
            if at > last:
                return True
            continue
        pid, counter = int.from_bytes(packet[1:3]) & 0x1FFF, packet[3] & 15
        due = counters.get(pid, counter - 1) + 1 & 15
        if packet[3] & 0x10 and pid != 0x1FFF:
            if at > last and (counter != due or not piece.whole):
                return True
            counters[pid] = counter
    return False


def hits_inside(sent: Tape, pid: int | None) -> int:
    """How many TS packets of the PID differ from those sent.

    No counter shows that, so a checksum must. Where the key or the length is hit there may be none; and two flips may
    cancel out in the sum.
    """
    return sum(p.what == "klv" and sent.units[p.unit].pid == pid and not p.whole for p in sent.pieces)


def arrival(sent: Tape) -> list[int]:
    """Units in the order in which the first of their last TS packets arrived."""
    ends = (p.unit for p in sent.pieces if p.what == "klv" and p.whole and p.place + 1 == sent.units[p.unit].packets)
    return list(dict.fromkeys(ends))


def repeated(sent: Tape, number: int) -> bool:
    """Every TS packet of the unit arrived at least twice."""
    times = Counter(piece.place for piece in sent.pieces if piece.unit == number and piece.what == "klv")
    return min(times.values()) > 1


def of_pid(sent: Tape, number: int) -> list[Piece]:
    """What arrived on the PID of a unit."""
    pid = sent.units[number].pid
    return [piece for piece in sent.pieces if piece.what == "klv" and sent.units[piece.unit].pid == pid]


def came_twice(sent: Tape, number: int) -> bool:
    return sum(piece.unit == number for piece in sent.pieces) > sent.units[number].packets


def broken(sent: Tape, piece: Piece) -> bool:
    """No longer a TS packet: a receiver may lose synchronisation."""
    return len(piece.data) != sent.stride or piece.data[sent.lead] != 0x47


def lost_by_libav(sent: Tape, whole: set[int], number: int) -> Why:
    """Why a unit that is valid from the core is missing or flagged from libav."""
    line = of_pid(sent, number)
    first = next(at for at, piece in enumerate(line) if piece.unit == number)
    earlier = [n for n in range(number) if sent.units[n].pid == sent.units[number].pid]
    if came_twice(sent, number):
        return Why.DOUBLED
    if first > 0 and (not earlier or line[first - 1].unit != earlier[-1] or earlier[-1] not in whole):
        return Why.BEHIND
    if first > 0 and came_twice(sent, earlier[-1]):
        return Why.BEHIND
    if held(sent, number):
        return Why.HELD
    if near_break(sent, number):
        return Why.RESYNC
    if any(piece.unit == number and not piece.whole for piece in sent.pieces):
        return Why.SPOILT
    return unclassified(sent, number, "libav")


def near_break(sent: Tape, number: int, before: int = 3) -> bool:
    """Bytes are missing or inserted in the unit, or up to so many TS packets before it."""
    mine = [at for at, piece in enumerate(sent.pieces) if piece.unit == number]
    return any(broken(sent, piece) for piece in sent.pieces[max(0, mine[0] - before) : mine[-1]])


def held(sent: Tape, number: int) -> bool:
    """Its PES packet had no length, and the data up to the next one differs from what was sent."""
    if sent.sized:
        return False
    mine = [at for at, piece in enumerate(sent.pieces) if piece.unit == number]
    behind = sent.pieces[mine[-1] + 1 :]
    pid = sent.units[number].pid
    nexts = [n for n in range(number + 1, len(sent.units)) if sent.units[n].pid == pid]
    for piece in behind:
        if broken(sent, piece):
            return True
        if piece.what == "klv" and sent.units[piece.unit].pid == pid:
            return not (piece.unit == nexts[0] and piece.place == 0 and piece.whole)
        if not piece.whole:
            return True
    return bool(nexts)


def refused_by_core(sent: Tape, whole: set[int], number: int) -> Why:
    """Why a unit that is valid from libav is not from the core."""
    if number in whole:
        if is_followed_badly(sent, number) or is_last_before_loss(sent, whole, number):
            return Why.WAITED
        return Why.CHANCE if near_break(sent, number, 4) else unclassified(sent, number, "the core")
    mine = [piece for piece in sent.pieces if piece.unit == number]
    return Why.TORN if all(piece.whole for piece in mine) else Why.TOUCHED


def unclassified(sent: Tape, number: int, who: str) -> Why:
    raise Wrong(f"{who} has not unit {number} of {len(sent.units)}, and no known reason is there")


TAPES = {
    "async": tape(),
    "sync": tape(kinds=(SYNC,)),
    "three PIDs": tape(kinds=(ASYNC, SYNC, ASYNC)),
    "no PES length": tape(sized=False),
    "no PES length, sync": tape(kinds=(SYNC,), sized=False),
    "192 bytes": tape(stride=192),
    "204 bytes, sync": tape(kinds=(SYNC,), stride=204),
    "PTS wrap": tape(first_pts=(1 << 33) - 9000),
    "no PTS": tape(first_pts=None),
    "one TS packet each": tape(sizes=(0,)),
    "long": tape(kinds=(ASYNC, ASYNC), sizes=(2400, 0, 1000), video=7),
}


async def differences(sent: Tape) -> Counter[Why]:
    return compared(sent, by_native(sent.ts), await by_libav(sent.ts))


async def survey(tapes: dict[str, Tape], seeds: range) -> Counter[Why]:
    """Damaged variants of the tapes, one per seed; an error names its seed."""
    found = Counter[Why]()
    for seed in seeds:
        chance = random.Random(seed)
        name = chance.choice(list(tapes))
        sent, faults = damaged(tapes[name], chance, chance.randrange(1, 4))
        try:
            found += await differences(sent)
        except Wrong as wrong:
            pytest.fail(f"seed {seed}, {name}, {faults}: {wrong}", pytrace=False)
    return found


@pytest.mark.parametrize("name", TAPES)
async def test_both_output_what_was_sent(name: str):
    """Of a clean stream: each unit once, in order, valid, with its PID and PTS."""
    sent = TAPES[name]
    assert whole_units(sent) == set(range(len(sent.units)))
    wanted = [(unit.raw, unit.pid, unit.pts) for unit in sent.units]

    for records in (by_native(sent.ts), await by_libav(sent.ts)):
        assert all(record.good for record in records)
        assert sorted((r.raw, r.pid, r.pts or 0) for r in records) == sorted((a, b, c or 0) for a, b, c in wanted)
        for pid in {unit.pid for unit in sent.units}:
            assert [r.raw for r in records if r.pid == pid] == [raw for raw, of, _ in wanted if of == pid]
    assert await differences(sent) == Counter()


async def test_damaged_streams_differ_for_known_reasons_only():
    """Some hundred seeded variants: lost, swapped, repeated, flipped, cut; the core is never wrong."""
    found = await survey(TAPES, range(FAST))
    assert {Why.DOUBLED, Why.BEHIND, Why.HELD, Why.RESYNC, Why.TORN, Why.TOUCHED, Why.SPOILT} <= set(found), found


@pytest.mark.long
async def test_thousands_of_damaged_streams_differ_for_known_reasons_only():
    """The same at scale: every listed reason occurs."""
    found = await survey(TAPES, range(FAST, FAST + LONG))
    assert set(found) == set(Why), found
    assert found[Why.CHANCE] < LONG / 1000


RECORDINGS = ("osh_sample_stream.ts", "aphill_klv_10s.ts", "h264_klv.ts")


@pytest.mark.parametrize("name", RECORDINGS)
async def test_both_output_the_klv_of_a_real_recording(name: str, shared: Path):
    """Each PES packet of the KLV PID, extracted by a few lines of Python, is a record of both, with its PTS."""
    sent = of_recording((shared / "data" / name).read_bytes())
    assert len(sent.units) > 10
    assert await differences(sent) == Counter()
    for records in (by_native(sent.ts), await by_libav(sent.ts)):
        assert [(r.raw, r.pid, r.pts) for r in records] == [(u.raw, u.pid, u.pts) for u in sent.units]


async def test_damaged_real_recordings_differ_for_known_reasons_only(shared: Path):
    """Real cameras, real multiplexers, ten faults in each variant."""
    found = Counter[Why]()
    for name in RECORDINGS:
        clean = of_recording((shared / "data" / name).read_bytes()[: 188 * 2500])
        for seed in range(12):
            sent, faults = damaged(clean, random.Random(seed), 10)
            try:
                found += await differences(sent)
            except Wrong as wrong:
                pytest.fail(f"{name}, seed {seed}, {faults}: {wrong}", pytrace=False)
    assert found


# ---- what libav cannot deliver ----


async def both(ts: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The valid KLV packets from the core and from libav."""
    data = b"".join(ts)
    return raws(r for r in by_native(data) if r.good), raws(r for r in await by_libav(data) if r.good)


async def test_libav_never_outputs_a_pid_that_appears_late():
    """KLV that a later PMT announces: all of it from the core, none from libav."""
    wire, sent = Wire(), [klv_packet(number, 100) for number in range(40)]
    ts = wire.tables((ASYNC, 0x101, KLVA)) + [p for s in sent[:10] for p in wire.pes(s, 0x101)]
    ts += [NULL] * 1000  # more than libav inspects before it is open
    ts += wire.tables((ASYNC, 0x101, KLVA), (ASYNC, 0x202, KLVA), version=1)
    for number, packet in enumerate(sent[10:]):
        ts += wire.pes(packet, (0x101, 0x202)[number % 2])

    native, libav = await both(ts)

    assert native == sent
    assert libav == sent[:10] + sent[10::2]


async def test_libav_loses_klv_that_moves_to_another_pid():
    """A PMT moves the KLV: the core follows, libav keeps reading the old PID."""
    wire, sent = Wire(), [klv_packet(number, 100) for number in range(40)]
    ts = wire.tables((ASYNC, 0x101, KLVA)) + [p for s in sent[:10] for p in wire.pes(s, 0x101)] + [NULL] * 1000
    ts += wire.tables((ASYNC, 0x202, KLVA), version=1) + [p for s in sent[10:] for p in wire.pes(s, 0x202)]

    native, libav = await both(ts)

    assert native == sent
    assert libav == sent[:10]


async def test_libav_destroys_the_headers_of_fragments():
    """KLV cut over the cells of several PES packets: libav removes each first cell's header with its number.

    So where two middle fragments are swapped it outputs a packet that was never sent: their sum is the same.
    """
    wire, sent = Wire(), [klv_packet(number, 760) for number in range(6)]
    ts = wire.tables((SYNC, 0x101, KLVA))
    for number, packet in enumerate(sent):
        parts = ((packet[:200], 2), (packet[200:400], 0), (packet[400:600], 0), (packet[600:], 1))
        cells = [cell(part, 4 * number + place, fragment) for place, (part, fragment) in enumerate(parts)]
        if number == 3:
            cells[1], cells[2] = cells[2], cells[1]
        ts += [p for one in cells for p in wire.pes(one, pts=9, sid=0xFC)]

    native, libav = await both(ts)

    assert native == sent[:3] + sent[4:]
    assert len(libav) == len(sent)
    assert libav[:3] + libav[4:] == native
    assert libav[3] not in sent


async def test_several_cells_of_one_pes_packet_are_complete_from_both():
    """libav leaves the headers of later cells in the KLV; the framer skips them."""
    wire, sent = Wire(), [klv_packet(number, 100) for number in range(12)]
    ts = wire.tables((SYNC, 0x101, KLVA))
    for at in range(0, 12, 3):
        ts += wire.pes(b"".join(cell(s, at + n) for n, s in enumerate(sent[at : at + 3])), pts=9, sid=0xFC)

    native, libav = await both(ts)

    assert native == libav == sent


async def test_neither_outputs_a_packet_that_a_swap_made_false():
    """Two swapped TS packets inside a KLV packet keep its sum; only the counter shows it, and both check it."""
    wire, sent = Wire(), [klv_packet(number, 560) for number in range(6)]
    ts = wire.tables((ASYNC, 0x101, KLVA)) + [p for s in sent for p in wire.pes(s, pts=9)]
    at = 2 + 4 * 2 + 1
    ts[at], ts[at + 1] = ts[at + 1], ts[at]

    native, libav = await both(ts)

    assert native == libav == sent[:2] + sent[3:]


def test_three_sync_bytes_by_chance_do_not_hide_four_correct_ones():
    """Where synchronisation was lost, two stray bytes and one sync byte are 204 bytes apart: the true packet size wins.
    """
    wire, sent = Wire(), [klv_packet(number) for number in range(3)]
    ts = wire.tables((ASYNC, 0x101, KLVA)) + wire.pes(sent[0], pts=9)
    behind = bytearray(b"".join([NULL] * 3 + wire.pes(sent[1], pts=9) + [NULL] * 9 + wire.pes(sent[2], pts=9)))
    for stray in (172, 172 + 3 * 204):  # the sync byte between them is that of the third packet
        behind[stray] = 0x47

    records = by_native(b"".join(ts) + NULL[:80] + bytes(behind))

    assert raws(records) == sent
