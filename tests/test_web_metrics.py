"""`/metrics`: what Prometheus reads, in its format, under names by its conventions."""

from __future__ import annotations

import re

from full_board import full_board, full_observed
from metrics_page import PAGE, table, with_table
from prometheus_client.parser import text_string_to_metric_families
from served_relay import board_of, connected, flown, serving

from klvrelay.health import StreamHealth
from klvrelay.health.board import Board
from klvrelay.health.report import counter_names
from klvrelay.web.metrics.collect import exposition, families
from klvrelay.web.metrics.exposition import LABEL_MOST, labels, lines_of
from klvrelay.web.metrics.family import Family, Sample
from klvrelay.web.observed import Observed

UNITS = ("seconds", "bytes", "hertz", "ratio", "total", "info", "records", "topics", "streams", "fds", "threads",
         "incidents", "alerts")  # fmt: skip
NO_UNIT = ("_state", "_failing", "_ratio", "_step", "_lag_longest_seconds")


async def parsed(board: Board) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """The values by name and labels, as the official parser reads them."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families((await exposition(board)).decode()):
        for sample in family.samples:
            values = found.setdefault(sample.name, {})
            place = tuple(sorted(sample.labels.items()))
            assert place not in values, f"{sample.name}{place} occurs twice"
            values[place] = sample.value
    return found


async def test_the_official_parser_reads_what_the_relay_counts():
    """Of a stream and of a sink."""
    found = await parsed(full_board())
    assert found["klvrelay_stream_records_total"] == {(("stream", "uav1"),): 3}
    assert found["klvrelay_stream_state"][("state", "live"), ("stream", "uav1")] == 1
    assert sum(found["klvrelay_stream_state"].values()) == 1
    assert found["klvrelay_sink_records_total"][("outcome", "delivered"), ("sink", "mqtt")] == 2
    assert found["klvrelay_sink_waiting_records"] == {(("sink", "mqtt"),): 1}
    lead = {dict(place)["le"]: count for place, count in found["klvrelay_lead_time_seconds_bucket"].items()}
    assert (lead["0.001"], lead["0.01"], lead["1"], lead["2.2"], lead["+Inf"]) == (0, 1, 1, 2, 2)
    assert found["klvrelay_lead_time_seconds_count"] == {(("sink", "mqtt"), ("stream", "uav1")): 2}
    assert found["klvrelay_spool_failing"] == {(): 0}


async def all_families() -> list[Family]:
    """All metrics that there are."""
    async with full_observed() as observed:
        found = families(observed.board, [observed.more_families])
        return [family._replace(samples=list(family.samples)) for family in found]


async def test_each_name_follows_the_conventions():
    """Counters end in _total, others in their unit; each has a text."""
    for family in await all_families():
        _check_name(family)


def _check_name(family: Family) -> None:
    assert re.fullmatch(r"(klvrelay|process)_[a-z0-9_]+", family.name)
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert family.help[0].isupper() or family.help[0].isdigit()
    assert "\n" not in family.help
    if family.kind == "gauge" and not family.name.endswith(NO_UNIT):
        assert family.name.rpartition("_")[2] in UNITS, family.name


async def test_no_metric_occurs_twice():
    """The names of all are different; and a full board has a value of each."""
    found = await all_families()
    names = [family.name for family in found]
    assert len(names) == len(set(names)) > 50
    assert [name for name, family in zip(names, found, strict=True) if not list(lines_of(family))] == []


def test_each_counter_of_link_is_a_metric():
    """Under its own name, or in base units."""
    names = " ".join(family.name for family in families(full_board()))
    renamed = {"bytes": "received_bytes", "dropped": "dropped_packets", "srt_rtt_ms": "srt_round_trip_seconds"}
    for name in counter_names():
        assert re.search(rf"klvrelay_stream_{renamed.get(name, name.removesuffix('_us'))}(_total|_seconds)?\b", names)


async def test_a_hostile_name_stays_in_its_label():
    """Whatever a stream is called, it makes no line and no label."""
    name = 'a"} 1\nklvrelay_stream_records_total{stream="b\\'
    found = await parsed(board_of([flown(name)]))
    assert found["klvrelay_stream_records_total"] == {(("stream", name),): 3}


def test_a_label_is_bounded_and_utf_8():
    """A name that is not UTF-8 is shown as far as it can be."""
    assert len(labels(stream="x" * 1000)) == len('{stream=""}') + LABEL_MOST
    assert labels(stream="\udc80é") == '{stream="?é"}'
    assert labels(stream=None) == ""


def test_numbers_are_written_as_the_format_wants():
    """Also those that JSON does not have."""
    values = (1, 0.1, True, None, float("inf"), float("-inf"), float("nan"), 2**60, 1e-9)
    text = "".join(lines_of(Family("x", "gauge", "X", [Sample("", value) for value in values])))
    assert text.split("\n", 2)[2].split() == [
        "x", "1", "x", "0.1", "x", "1", "x", "+Inf", "x", "-Inf", "x", "NaN", "x", str(2**60), "x", "1e-09"
    ]  # fmt: skip


def test_a_metric_without_values_is_left_out():
    """Its name alone would say nothing."""
    assert not list(lines_of(Family("x", "gauge", "X", [Sample("", None)])))


def test_a_stream_that_nobody_expects_is_left_out_until_it_has_records():
    """As on the topics."""
    quiet = StreamHealth("quiet", "udp://:5000", expected=False)
    text = "".join(line for family in families(board_of([quiet])) for line in lines_of(family))
    assert "quiet" not in text


async def test_the_page_has_the_content_type_of_the_format():
    """Without a ledger and alerts, their metrics are left out."""
    async with serving(Observed(full_board())) as served:
        response = await served.ask("/metrics")
        text = await response.text()
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "incidents" not in text
    assert "alerts" not in text


async def test_counters_are_those_of_the_moment():
    """Not those of the last report, which may be ten seconds old."""
    stream = flown()
    board = board_of([stream])

    def refresh(part: int = 0, parts: int = 1) -> None:
        stream.dropped = 7

    board.refresh = refresh
    found = await parsed(board)
    assert found["klvrelay_stream_dropped_packets_total"] == {(("stream", "uav1"),): 7}


async def test_the_page_lists_all_metrics():
    """With type, labels and meaning. `python tests/support/metrics_page.py` writes the table."""
    page = PAGE.read_text()
    assert page == with_table(page, await table())


async def test_ages_are_rounded_to_milliseconds():
    """More digits are noise."""
    text = (await exposition(board_of([flown()], [connected()]))).decode()
    ages = [line.rpartition(" ")[2] for line in text.splitlines() if re.match(r"klvrelay_\w+_age_seconds\{", line)]

    assert len(ages) >= 3
    assert all(len(age.partition(".")[2]) <= 3 for age in ages)
