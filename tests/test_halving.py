"""How many records are offered at once after connections broke, and which record is set aside."""

from __future__ import annotations

import pytest
from records import record

from klvrelay.relay.halving import ALONE, DOUBTS_MOST, STEADY, STEADY_MOST, Halving


def suspicious(count: int) -> Halving:
    """Two connections in a row broke with so many records in flight."""
    halving = Halving()
    for _ in range(2):
        assert halving.most is None
        assert not halving.lost([record(seq) for seq in range(count)])
    return halving


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 1), (7, 3), (20, 10), (21, 10), (1000, 10)])
def test_two_broken_connections_in_a_row_halve_the_batch(count: int, most: int):
    """Half of a batch at most, and at least one."""
    assert suspicious(count).most == most


def test_an_answer_between_two_broken_connections_clears_the_suspicion():
    """They are not consecutive then."""
    halving = Halving()
    for _ in range(5):
        assert not halving.lost([record(0), record(1)])
        halving.answered(1)
    assert halving.most is None


def test_a_broken_connection_with_nothing_in_flight_clears_the_record():
    """Connections break without it too: it must then break one more in a row than before."""
    halving = Halving()
    for _ in range(5):
        assert not halving.lost([])
    assert halving.most is None
    halving = suspicious(1)
    for _ in range(5):
        assert not halving.lost([record(0)])
        assert not halving.lost([])
    assert [halving.lost([record(0)]) for _ in range(ALONE + DOUBTS_MOST)] == [False] * (ALONE + 4) + [True]


def test_the_steady_period_is_longer_than_the_last_connection():
    """Connections that all last equally long do not end at the same record again and again."""
    halving = suspicious(1)
    halving.lost([])
    pauses = []
    for lasted in (0.2, 2.0, 60.0):
        halving.lost([record(0)], lasted)
        pauses.append(halving.pause)
    assert pauses == [STEADY, 3.0, STEADY_MOST]


def test_batches_grow_again_but_not_beyond_a_full_one_until_all_suspects_were_answered():
    """One of a thousand is the cause: until it is found, the others do not fill the window."""
    halving = suspicious(100)
    sizes = []
    while halving.most is not None:
        sizes.append(halving.most)
        halving.answered(halving.most)
    assert sizes == [10, 20, 20, 20, 20, 20]


def test_each_further_broken_connection_halves_again():
    """Down to one record."""
    halving = suspicious(1000)
    sizes = [halving.most]
    while halving.most != 1:
        assert halving.most is not None
        halving.lost([record(seq) for seq in range(halving.most)])
        sizes.append(halving.most)
    assert sizes == [10, 5, 2, 1]


def test_only_the_same_record_is_set_aside():
    """Three failures over three records prove nothing against any of them."""
    halving = suspicious(2)
    others = [record(0), record(1), record(0), record(0, "uav2"), record(0), record(1)]
    assert not any(halving.lost([each]) for each in others)
    assert [halving.lost([record(7)]) for _ in range(3)] == [False, False, True]


def test_the_next_culprit_needs_as_many_failures_as_the_first():
    """The result for one record says nothing about another."""
    halving = suspicious(2)
    assert [halving.lost([record(0)]) for _ in range(3)] == [False, False, True]
    assert [halving.lost([record(1)]) for _ in range(3)] == [False, False, True]
    halving.answered(1)
    assert halving.most is None


def test_an_answer_restarts_the_count_of_failures():
    """The record that broke two connections is accepted: its count is cleared."""
    halving = suspicious(2)
    assert not any(halving.lost([record(0)]) for _ in range(2))
    halving.answered(1)
    assert halving.most == 2
    halving.lost([record(1), record(2)])
    assert halving.most == 1
    assert [halving.lost([record(1)]) for _ in range(3)] == [False, False, True]


def test_the_answer_to_the_last_suspect_ends_it():
    """All records in flight at the failure were accepted: the cause was something else."""
    halving = suspicious(20)
    halving.answered(10)
    assert halving.most == 20
    halving.answered(10)
    assert halving.most is None
