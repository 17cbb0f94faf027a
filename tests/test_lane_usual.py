"""The usual items of a stream's sets without a checksum, and one that differs: `native/usual.c`.

`test_lane_checks.py` has the counters of lane and tables, `test_lane_states.py` the waits.
"""

from __future__ import annotations

from collections.abc import Sequence

from packet_wrapping import local_set, packet
from test_lane import klv_packet
from test_lane_waits import CONFIRMATIONS, Feed

LEARNT = 16  # ordered sets before any is compared
COMPARED = 24  # tags whose order is compared
TOLERATED = 3  # unlike sets, each damaged, before the stream counts as irregular


def of_tags(tags: Sequence[int]) -> bytes:
    """A set without a checksum, of several TS packets."""
    return packet("ST0102", local_set([(tag, bytes([tag]) * 20) for tag in tags]))


def verdicts(sets: Sequence[Sequence[int]]) -> list[str]:
    """The verdicts on sets with these tags, in a row."""
    feed, found = Feed(), []
    for number, tags in enumerate(sets):
        found += feed.verdicts(*feed.wire.pes(of_tags(tags), pts=3000 * number), *feed.video(CONFIRMATIONS))
    return [verdict for _, verdict in found + feed.rest()]


def swapped(tags: Sequence[int], place: int) -> list[int]:
    """The same with two neighbours swapped."""
    made = list(tags)
    made[place], made[place + 1] = made[place + 1], made[place]
    return made


def test_an_order_of_items_that_is_unusual_makes_a_set_damaged() -> None:
    """Among the first tags of the set; later ones are not compared."""
    usual = list(range(101, 101 + COMPARED + 4))
    for place, verdict in ((0, "damaged"), (COMPARED - 2, "damaged"), (COMPARED + 1, "ok")):
        assert verdicts([usual] * LEARNT + [swapped(usual, place), usual]) == ["ok"] * LEARNT + [verdict, "ok"], place


def test_a_new_item_may_be_anywhere() -> None:
    """A tag that the last set did not have does not show a loss."""
    usual = list(range(101, 111))
    assert verdicts([usual] * LEARNT + [[50, *usual], usual]) == ["ok"] * (LEARNT + 2)


def test_a_stream_whose_order_changes_all_the_time_loses_only_a_few_sets() -> None:
    """Then the stream counts as irregular."""
    usual = list(range(101, 111))
    changing = [usual[turn:] + usual[:turn] for turn in range(1, 9)]
    assert verdicts([usual] * LEARNT + changing) == ["ok"] * LEARNT + ["damaged"] * TOLERATED + ["ok"] * 5


def test_a_key_counts_as_damaged_only_where_the_stream_has_sets_of_the_correct_one() -> None:
    """A private set may end in the checksum for another key, by chance or by design."""
    summed = klv_packet(1)
    private = summed[:15] + b"\x01" + summed[16:]
    feed = Feed()
    assert feed.verdicts(*feed.wire.pes(private)) == [(private, "ok")]
    assert feed.verdicts(*feed.wire.pes(summed)) == [(summed, "ok")]
    assert feed.verdicts(*feed.wire.pes(private)) == [(private, "damaged")]
