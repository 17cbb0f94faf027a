"""What klvrelay promises under faults: a mark for the tests that prove it, and the table that `make long` prints.

A pytest plugin, loaded by `conftest.py`.

    @pytest.mark.promise(6)
    async def test_...(proof):
        proof("0 of 14,400 records missing")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import ports
import pytest

PROMISES = {
    6: ("A broker outage loses nothing and keeps the order of each stream",
        "0 missing; duplicates <= window x outages"),
    7: ("Lost acknowledgements, half-open connections, resets and a slow broker lose nothing",
        "0 missing; a stall is noticed within 1.5 x keep-alive"),
    8: ("kill -9 of the relay loses no record on disk", "0 missing; publishing again within 2 s"),
    9: ("A power loss loses no record on disk", "10,000 histories, 0 missing"),
    10: ("Damage on disk costs only what it touches", "only touched records lost, and counted"),
    11: ("A full or failing disk stops no live record", "all live records delivered; normal again within 5 s"),
    12: ("One slow or dead sink affects no other", "p99 of the others <= 1.2 x; memory + <= 8 MiB"),
    15: ("1,000 forced disconnects lose nothing and leak nothing; many relays connect again at different times",
         "0 missing; descriptors constant; of 200 relays at most 50 within 0.1 s"),
    16: ("An hour of outages lets neither memory nor disk grow", "memory + <= 4 MiB after minute 10"),
    17: ("A clock that is wrong, or is set, loses nothing, changes no order and no state, and is reported",
         "0 missing; no age below zero; one log line for each step"),
    18: ("A bad configuration is refused with key and line", "exit code 2, no traceback"),
    19: ("A secret never leaves", "0 occurrences"),
    21: ("A stop under load ends cleanly", "exit code 0 within 5 s; accepted = delivered + on disk"),
    22: ("A relay that is stuck is restarted by systemd",
         "no sign of life within 30 s after the loop blocks, or a thread of a source hangs"),
    24: ("Nothing is sent to a broker that TLS does not verify", "all refused, no credential byte sent"),
    25: ("A refused topic, or a record that is too large, costs itself only", "all others delivered once, in order"),
    27: ("Each record is accounted for",
         "numbered = delivered + rejected + shed + left out + waiting"),
}  # fmt: skip
"""Number: (promise, target)."""

ELSEWHERE = {
    9: ("test_spool_histories.py", "test_spool_segments.py"),
    10: (
        "test_spool_disk.py::test_a_flipped_bit_costs_the_record_that_it_is_in",
        "test_spool_disk.py::test_a_segment_that_is_cut_anywhere_keeps_what_is_whole",
        "test_spool_disk.py::test_a_torn_cursor_leaves_the_one_before",
    ),
    11: ("test_spool_disk.py::test_a_full_disk_stops_no_live_record",),
    15: ("test_mqtt_cuts.py", "test_delivery_cuts.py"),
    17: ("test_wrong_clocks.py",),
    18: ("hostile/test_settings_files.py",),
    19: ("hostile/test_canaries.py", "hostile/test_canaries_check.py"),
    21: ("test_shutdown.py", "test_relay_stop.py"),
    22: (
        "test_systemd_service.py::test_a_blocked_loop_is_not_fed",
        "test_systemd_process.py::test_a_process_whose_loop_is_blocked_is_not_fed",
        "test_systemd_service.py::test_a_source_whose_thread_hangs_is_not_fed",
        "test_systemd_service.py::test_every_time_limit_of_a_source_is_below_30_s",
    ),
    24: ("test_mqtt_tls.py",),
    25: ("test_mqtt_refusals.py", "test_mqtt_breaking.py", "test_mqtt_twice.py", "test_mqtt_sizes.py"),
    27: ("test_sums.py",),
}
"""Modules, and tests of modules, that prove a promise without its mark."""


@dataclass(slots=True)
class _Row:
    results: list[str] = field(default_factory=list)
    passed: int = 0
    failed: int = 0


@pytest.fixture
def proof(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Note a result of this test for the table."""
    return lambda result: record_property("proof", result)


@pytest.fixture
def eight_ports() -> Iterator[list[int]]:
    """Ports for eight streams."""
    with ExitStack() as stack:
        yield [stack.enter_context(ports.reserved()) for _ in range(8)]


class Table:
    """Collects the results of the tests that are marked with a promise."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._rows: dict[int, _Row] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        properties = dict(report.user_properties)
        if report.when != "call" and not report.failed:
            return
        for number in properties.get("promises", ()):  # type: ignore[attr-defined]
            row = self._rows.setdefault(number, _Row())
            row.passed += report.passed
            row.failed += report.failed
            row.results += [str(text) for key, text in report.user_properties if key == "proof"]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._shown and self._rows:
            terminalreporter.section("promises")
            terminalreporter.write_line("| # | Promise | Target | Result |\n|---|---|---|---|")
            for number, row in sorted(self._rows.items()):
                terminalreporter.write_line(f"| {number} | {' | '.join(PROMISES[number])} | {_result(row)} |")


def _result(row: _Row) -> str:
    verdict = f"**{row.failed} failed**, {row.passed} passed" if row.failed else f"{row.passed} passed"
    return "; ".join([verdict, *dict.fromkeys(row.results)])


def _proved_by(item: pytest.Item) -> set[int]:
    """The promises that a test proves, by its marks and by its place."""
    module, _, test = item.nodeid.removeprefix("tests/").partition("::")
    places = {module, f"{module}::{test.partition('[')[0]}"}
    marked = {number for mark in item.iter_markers("promise") for number in mark.args}
    return marked | {number for number, tests in ELSEWHERE.items() if places & set(tests)}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(number, ...): proves a promise; see tests/support/promises.py")
    config.pluginmanager.register(Table(shown="promise" in config.getoption("markexpr")), "promise-table")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what proves a promise, before tests are selected by marks."""
    for item in items:
        numbers = sorted(_proved_by(item))
        assert set(numbers) <= set(PROMISES), f"{item.nodeid}: unknown promise"
        if numbers:
            item.add_marker(pytest.mark.promise(*numbers))
            item.user_properties.append(("promises", numbers))
