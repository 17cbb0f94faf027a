"""Impairments: their effect on units, reproducibility by the seed, and error messages."""

from __future__ import annotations

import pytest
from cases import each_case

from klvrelay.errors import ConfigError
from klvrelay.sending.impair import Impairer, Impairment, Tally

UNITS = [number.to_bytes(4) * 47 for number in range(5000)]


def through(wish: str, units: list[bytes] = UNITS) -> tuple[list[bytes], Tally]:
    impairer = Impairer(Impairment.parse(wish))
    came = [data for unit in units for _, data in impairer.push(unit)]
    return came + [data for _, data in impairer.rest()], impairer.tally


def numbers(came: list[bytes]) -> list[int]:
    return [int.from_bytes(unit[:4]) for unit in came]


@pytest.mark.parametrize(
    "wish",
    ["loss=10%", "loss=10%,burst=4", "reorder=5%,by=3", "duplicate=5%,apart=2", "flip=1%,bits=3", "delay=5,jitter=20"],
)
def test_the_same_seed_does_the_same_damage(wish: str) -> None:
    """Byte for byte, delay for delay; another seed does other damage."""

    def delayed(seed: int) -> list[tuple[float, bytes]]:
        impairer = Impairer(Impairment.parse(f"{wish},seed={seed}"))
        return [pair for unit in UNITS for pair in impairer.push(unit)] + list(impairer.rest())

    assert delayed(7) == delayed(7)
    assert delayed(7) != delayed(8)


@each_case("share", [0.01, 0.05, 0.2, 0.9])
@each_case("burst", [1, 2, 10])
def test_the_requested_fraction_is_lost(share: float, burst: int) -> None:
    """Even in bursts; the others arrive in order and unchanged."""
    lost = 0
    for seed in range(20):
        came, tally = through(f"loss={share * 100}%,burst={burst},seed={seed}")
        assert came == [UNITS[number] for number in numbers(came)]
        assert numbers(came) == sorted(numbers(came))
        assert tally.lost == len(UNITS) - len(came)
        lost += tally.lost
    wanted = 20 * len(UNITS) * share
    assert lost == pytest.approx(wanted, rel=4 * (burst / wanted) ** 0.5)


def test_losses_in_bursts_are_in_a_row() -> None:
    """Each gap is as long as a burst, or several that touch."""
    came, tally = through("loss=2%,burst=5,seed=1")
    gaps = [later - sooner - 1 for sooner, later in zip(numbers(came), numbers(came)[1:], strict=False)]
    assert {gap % 5 for gap in gaps if gap} == {0}
    assert sum(gap > 0 for gap in gaps) > 10
    assert tally.lost > 50


@pytest.mark.parametrize("by", [1, 2, 7])
def test_a_reordered_unit_follows_so_many_others(by: int) -> None:
    """It is late by that, and by those that were late with it; nothing is lost or changed."""
    came, tally = through(f"reorder=1%,by={by},seed=3")
    assert sorted(came) == UNITS
    late = [place - number for place, number in enumerate(numbers(came)) if place > number]
    assert len(late) == tally.reordered > 20
    assert max(set(late), key=late.count) == by


@pytest.mark.parametrize("apart", [0, 1, 5])
def test_a_duplicate_follows_so_many_later(apart: int) -> None:
    """Directly after the first, or after so many others."""
    came, tally = through(f"duplicate=1%,apart={apart},seed=3")
    order = numbers(came)
    first = {number: order.index(number) for number in set(order)}
    again = [place - first[number] - 1 for place, number in enumerate(order) if place != first[number]]
    assert len(again) == tally.duplicated > 20
    assert max(set(again), key=again.count) == apart


@pytest.mark.parametrize("bits", [1, 8])
def test_the_requested_fraction_of_units_has_a_flipped_bit(bits: int) -> None:
    """In so many units; the others are unchanged."""
    came, tally = through(f"flip=5%,bits={bits},seed=2")
    changed = [
        (int.from_bytes(a) ^ int.from_bytes(b)).bit_count() for a, b in zip(came, UNITS, strict=True) if a != b
    ]
    assert changed == [bits] * tally.flipped
    assert tally.flipped == pytest.approx(250, rel=0.3)


def test_delay_and_jitter_are_between_their_bounds() -> None:
    """20 ms at least, 30 at most, not all alike."""
    impairer = Impairer(Impairment.parse("delay=20ms,jitter=10ms,seed=1"))
    delays = [delay for unit in UNITS for delay, _ in impairer.push(unit)]
    assert min(delays) >= 0.02
    assert max(delays) <= 0.03
    assert max(delays) - min(delays) > 0.009


def test_the_same_units_are_lost_whatever_other_damage_is_requested() -> None:
    """Each kind of damage has separate random numbers."""
    alone, _ = through("loss=5%,seed=9")
    along, _ = through("loss=5%,flip=10%,delay=3,seed=9")
    assert numbers(alone) == sorted(numbers(alone))
    assert len(alone) == len(along)
    assert [a == b for a, b in zip(alone, along, strict=True)].count(False) < len(alone) // 5


def test_only_one_pid_is_hit() -> None:
    """With pid=, the TS packets of other PIDs are unchanged."""
    units = [bytes([0x47, 1, number % 2, 0x10]) + number.to_bytes(4) * 46 for number in range(2000)]
    came, tally = through("loss=50%,level=ts,pid=0x101,seed=1", units)
    assert [unit for unit in came if unit[2] == 0] == [unit for unit in units if unit[2] == 0]
    assert tally.units == 1000
    assert 400 < tally.lost < 600


def test_percent_and_fraction_are_the_same() -> None:
    """1% is 0.01, and times have units."""
    assert Impairment.parse("loss=1%,delay=20,seed=1") == Impairment.parse(" loss = 0.01 , delay=0.02s, seed=1")


def test_without_a_seed_it_gets_one_that_is_shown() -> None:
    """So that a result can be reproduced."""
    seeds = {Impairment.parse("loss=1%").seed for _ in range(5)}
    assert len(seeds) > 1
    assert 0 not in seeds


@each_case(
    ("wish", "said"),
    [
        ("", "no impairment specified"),
        ("los=1%", "unknown 'los=1%'.*valid keys: loss=1%"),
        ("loss", "unknown 'loss'"),
        ("loss=x", "loss=x: give a share such as 1% or 0.01"),
        ("loss=120%", "at most 100%"),
        ("loss=-1%", "give a share"),
        ("loss=1", "1% or 100%"),
        ("loss=nan", "give a share"),
        ("loss=1%,loss=2%", "loss is specified twice"),
        ("burst=3,flip=1%", "burst qualifies loss: give loss too"),
        ("by=3,loss=1%", "give reorder too"),
        ("apart=3,loss=1%", "give duplicate too"),
        ("bits=3,loss=1%", "give flip too"),
        ("loss=1%,burst=0", "a whole number from 1 to 100000"),
        ("delay=-1", "milliseconds such as 20"),
        ("delay=1h", "milliseconds such as 20"),
        ("delay=61s", "at most 60s"),
        ("delay=5,level=ts", "leave out level=ts"),
        ("loss=1%,level=packet", "datagram or ts"),
        ("loss=1%,pid=0x101", "give level=ts too"),
        ("loss=1%,level=ts,pid=9000", "from 0 to 8191"),
        ("loss=1%,seed=abc", "a whole number"),
        ("seed=7", "no impairment has an effect"),
        ("loss=1%,\x1b[31m=2", r"\\x1b"),
    ],
)
def test_a_wrong_impairment_is_one_clear_error(wish: str, said: str) -> None:
    """It names the key, and the valid ones."""
    with pytest.raises(ConfigError, match=f"(?s){said}"):
        Impairment.parse(wish)
