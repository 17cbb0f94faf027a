"""The metrics of the relay itself, of its process and of its spool."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from klvrelay.health.board import Board
from klvrelay.health.loop import LoopHealth
from klvrelay.health.relay import process_figures
from klvrelay.web.metrics.exposition import labels
from klvrelay.web.metrics.family import Family, MetricKind, Sample, Value

_PROCESS: tuple[tuple[str, str, MetricKind, str], ...] = (
    ("cpu_s", "process_cpu_seconds_total", "counter", "Processor time of the relay"),
    ("memory", "process_resident_memory_bytes", "gauge", "Resident memory of the relay"),
    ("open_files", "process_open_fds", "gauge", "Open file descriptors of the relay"),
    ("threads", "process_threads", "gauge", "Threads of the relay"),
)
"""Figures of the process under the names that Prometheus clients use."""


def families_of_relay(board: Board) -> Iterator[Family]:
    """All metrics that are not those of a stream or a sink."""
    build = labels(version=version("klvrelay"), boot=board.boot)
    yield Family("klvrelay_build_info", "gauge", "Version and run of the relay; always 1", [Sample(build, 1)])
    began = board.relay.began_us / 1e6
    yield _one("process_start_time_seconds", "gauge", "Start of the relay, seconds since 1970", began)
    figures = process_figures()
    for key, name, kind, text in _PROCESS:
        yield _one(name, kind, text, figures[key])
    yield _one("klvrelay_streams", "gauge", "Number of streams", sum(one.reported for one in board.streams()))
    if board.loop is not None:
        yield from _loop(board.loop)
    if board.has_spool:
        yield from _spool(board)


def _loop(loop: LoopHealth) -> Iterator[Family]:
    yield _one("klvrelay_loop_lag_seconds", "gauge", "Delay of the event loop at its last heartbeat", loop.lag_s)
    yield _one("klvrelay_loop_lag_longest_seconds", "gauge", "Longest delay of the last minute", loop.lag_longest_s)
    yield _one("klvrelay_system_clock_steps_total", "counter", "Steps of the system clock", loop.wall.steps)


def _spool(board: Board) -> Iterator[Family]:
    spool = board.spool
    yield _one("klvrelay_spool_failing", "gauge", "1 if the spool cannot be written", spool.fault is not None)
    yield _one("klvrelay_spool_failed_writes_total", "counter", "Failed writes of the spool", spool.failures)
    yield _one("klvrelay_spool_unreadable_segments_total", "counter",
               "Failed reads of segments, whose records are lost", spool.unreadable)  # fmt: skip
    yield _one("klvrelay_spool_unwritten_records", "gauge", "Records only in memory during a fault", spool.waiting)
    yield _one("klvrelay_spool_unwritten_bytes", "gauge", "Bytes of these records", spool.size)


def _one(name: str, kind: MetricKind, text: str, value: Value) -> Family:
    return Family(name, kind, text, [Sample("", value)])
