"""How many records are offered at once after connections broke, and which record is set aside."""

from __future__ import annotations

import itertools

import pytest
from records import record

from klvrelay.record import Record
from klvrelay.relay.halving import ALONE, ANSWERS, DOUBTS_MOST, SILENT, SILENT_MORE, STEADY, STEADY_MOST, Halving


def batch(count: int) -> list[Record]:
    return [record(seq) for seq in range(count)]


def suspicious(count: int) -> Halving:
    """Two connections in a row broke with so many records in flight."""
    halving = Halving()
    for _ in range(2):
        assert halving.most is None
        assert not halving.lost(batch(count))
    return halving


def failures(halving: Halving, each: Record, answers: int = 1) -> int:
    """Connections that this record breaks before it must be set aside, each after so many answers to others."""
    return next(number for number in itertools.count(1) if halving.lost([each], answers=answers))


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 1), (7, 3), (20, 10), (21, 10), (1000, 10)])
def test_two_broken_connections_in_a_row_halve_the_batch(count: int, most: int):
    """Half of a batch at most, and at least one."""
    assert suspicious(count).most == most


def test_an_answer_between_two_broken_connections_clears_the_suspicion():
    """They are not consecutive then."""
    halving = Halving()
    for _ in range(5):
        assert not halving.lost([record(0), record(1)])
        halving.answered(batch(1))
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
    assert failures(halving, record(0)) == ALONE + DOUBTS_MOST


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
        halving.answered(batch(halving.most))
    assert sizes == [10, 20, 20, 20, 20, 20]


def test_each_further_broken_connection_halves_again():
    """Down to one record."""
    halving = suspicious(1000)
    sizes = [halving.most]
    while halving.most != 1:
        assert halving.most is not None
        halving.lost(batch(halving.most))
        sizes.append(halving.most)
    assert sizes == [10, 5, 2, 1]


def test_only_the_same_record_is_set_aside():
    """Three failures over three records prove nothing against any of them."""
    halving = suspicious(2)
    others = [record(0), record(1), record(0), record(1)]
    assert not any(halving.lost([each], answers=1) for each in others)
    assert failures(halving, record(7)) == ALONE


def test_the_next_culprit_needs_as_many_failures_as_the_first():
    """The result for one record says nothing about another."""
    halving = suspicious(2)
    assert failures(halving, record(0)) == failures(halving, record(1)) == ALONE
    halving.answered(batch(1))
    assert halving.most is None


def test_an_answer_restarts_the_count_of_failures():
    """The record that broke two connections is accepted: its count is cleared."""
    halving = suspicious(2)
    assert not any(halving.lost([record(0)], answers=1) for _ in range(2))
    halving.answered(batch(1))
    assert halving.most == 2
    halving.lost([record(1), record(2)])
    assert halving.most == 1
    assert failures(halving, record(1)) == ALONE


def test_the_answer_to_the_last_suspect_ends_it():
    """All records in flight at the failure were accepted: the cause was something else."""
    halving = suspicious(20)
    halving.answered(batch(10))
    assert halving.most == 20
    halving.answered(batch(10))
    assert halving.most is None


def alone(*suspects: Record) -> Halving:
    """These records broke one connection each, alone."""
    halving = suspicious(2)
    for each in suspects:
        assert not halving.lost([each])
    return halving


def test_the_stream_of_a_suspect_is_withheld_until_the_connection_has_lasted_with_answers():
    """More than before the last loss, as long as these may still come."""
    halving = alone(record(0))
    assert halving.withheld == {"uav1"}
    assert halving.must_control(STEADY - 0.1, ANSWERS)
    assert halving.must_control(STEADY, 0)
    assert not halving.must_control(STEADY, 1)
    assert not halving.must_control(SILENT, 0)
    assert not halving.lost([record(0)], answers=4)
    assert halving.must_control(STEADY, 4)
    assert not halving.must_control(STEADY, 5)
    assert not halving.lost([record(0, "uav2")], answers=100)
    assert not halving.must_control(STEADY, ANSWERS)


def test_a_record_that_broke_connections_without_answers_to_others_needs_more():
    """Nothing shows that these would have lasted."""
    assert failures(suspicious(2), record(0), answers=0) == ALONE + SILENT_MORE


def test_answers_to_other_streams_clear_no_suspect():
    """Its own does."""
    halving = alone(record(0))
    halving.answered([record(5, "uav2")])
    assert (halving.most, halving.withheld) == (1, {"uav1"})
    halving.answered([record(0)])
    assert (halving.most, halving.withheld) == (2, frozenset())


def test_a_control_that_is_lost_makes_a_second_suspect_and_another_lost_one_clears_both():
    """Three records of three streams: the connection is the cause."""
    halving = alone(record(0), record(0, "uav2"))
    assert halving.withheld == {"uav1", "uav2"}
    assert not halving.lost([record(0, "uav3")], answers=1)
    assert halving.withheld == frozenset()
    assert failures(halving, record(0)) == ALONE + 1


def test_two_suspects_of_which_each_is_a_cause():
    """Both are found if the connection lasts without them."""
    halving = alone(record(0), record(0, "uav2"))
    halving.end_control(1)
    assert failures(halving, record(0)) == ALONE - 1
    assert failures(halving, record(0, "uav2")) == ALONE - 1


def test_of_two_suspects_none_is_the_cause_if_nothing_else_can_be_sent():
    """Until this has happened so often that it is no chance."""
    halving = suspicious(2)
    for _ in range(DOUBTS_MOST):
        halving.lost([record(0)])
        halving.lost([record(0, "uav2")])
        halving.end_control(0)
        assert halving.withheld == frozenset()
    halving.lost([record(0)])
    halving.lost([record(0, "uav2")])
    halving.end_control(0)
    assert halving.withheld == {"uav1", "uav2"}
