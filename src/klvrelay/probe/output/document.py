"""Writes the report as one JSON document with stable keys."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from klvrelay.json_output import dumps
from klvrelay.probe.output.list_limits import ListLimits, pick_largest, shorten_to_fit
from klvrelay.probe.report import SCHEMA, KlvStream, Report
from klvrelay.probe.transport_report import PidCount, Program, Transport

LIMIT = 1 << 20
"""Maximum size of the document in bytes."""
LIST_LIMITS = ListLimits(programs=64, streams=128, pids=1024, klv=32, items=512, remarks=512, findings=512, strips=0)
_OMITTED = {"plots"}


def document(report: Report) -> bytes:
    """The report as UTF-8 JSON with a final newline, at most LIMIT bytes, keys in the order of the fields. `left_out`
    counts the list entries omitted to stay within the limit.
    """
    return shorten_to_fit(lambda limits: _encode(report, limits), LIST_LIMITS, LIMIT)


def _encode(report: Report, limits: ListLimits) -> bytes:
    shown = _shorten(report, limits)
    values = {field.name: getattr(shown, field.name) for field in fields(shown) if field.name not in _OMITTED}
    whole, left = _lengths(report), _lengths(shown)
    values["left_out"] = {name: whole[name] - left[name] for name in whole}
    return dumps({"schema": SCHEMA, **values}, indented=True)


def _shorten(report: Report, limits: ListLimits) -> Report:
    """The report with lists shortened to the limits."""
    return replace(
        report,
        findings=report.findings[: limits.findings],
        transport=None if report.transport is None else _transport(report.transport, limits),
        klv=tuple(_stream(stream, limits) for stream in report.klv[: limits.klv]),
        frames=tuple(replace(frames, beside=frames.beside[: limits.klv]) for frames in report.frames[: limits.klv]),
    )


def _transport(transport: Transport, limits: ListLimits) -> Transport:
    programs = pick_largest(transport.programs, limits.programs, program_weight)
    pids = pick_largest(transport.pids, limits.pids, pid_weight)
    return replace(transport, programs=tuple(_program(each, limits) for each in programs), pids=tuple(pids))


def _program(program: Program, limits: ListLimits) -> Program:
    return replace(program, streams=tuple(pick_largest(program.streams, limits.streams, lambda each: each.packets)))


def _stream(stream: KlvStream, limits: ListLimits) -> KlvStream:
    return replace(
        stream,
        versions=stream.versions[: limits.remarks],
        nested={name: found[: limits.remarks] for name, found in stream.nested.items()},
        items=stream.items[: limits.items],
        remarks=stream.remarks[: limits.remarks],
        specials=stream.specials[: limits.remarks],
    )


def program_weight(program: Program) -> int:
    """Priority of a program: its packet count."""
    return sum(stream.packets for stream in program.streams)


def pid_weight(pid: PidCount) -> tuple[bool, int]:
    """Priority of a PID: PIDs with KLV first, then by packet count."""
    return pid.holds_klv, pid.packets


def _lengths(report: Report) -> dict[str, int]:
    """Length of each list."""
    programs: Any = report.transport.programs if report.transport is not None else ()
    return {
        "programs": len(programs),
        "streams": sum(len(program.streams) for program in programs),
        "pids": len(report.transport.pids) if report.transport is not None else 0,
        "klv": len(report.klv),
        "items": sum(len(stream.items) for stream in report.klv),
        "remarks": sum(len(stream.remarks) + len(stream.specials) for stream in report.klv),
        "findings": len(report.findings),
    }
