"""Writes the report as one JSON document with stable keys."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from klvrelay.json_output import dumps
from klvrelay.probe.output.room import Room, fitted, picked
from klvrelay.probe.report import SCHEMA, KlvStream, PidCount, Program, Report, Transport

LIMIT = 1 << 20
"""Maximum size of the document in bytes."""
ROOM = Room(programs=64, streams=128, pids=1024, klv=32, items=512, remarks=512, findings=512, strips=0)
_OMITTED = {"plots"}


def document(report: Report) -> bytes:
    """The report as UTF-8 JSON with a final newline, at most LIMIT bytes, keys in the order of the fields. `left_out`
    counts the list entries omitted to stay within the limit.
    """
    return fitted(lambda room: _written(report, room), ROOM, LIMIT)


def _written(report: Report, room: Room) -> bytes:
    shown = _shown(report, room)
    values = {field.name: getattr(shown, field.name) for field in fields(shown) if field.name not in _OMITTED}
    whole, left = _lengths(report), _lengths(shown)
    values["left_out"] = {name: whole[name] - left[name] for name in whole}
    return dumps({"schema": SCHEMA, **values}, indented=True)


def _shown(report: Report, room: Room) -> Report:
    """The report with lists shortened to the limits in `room`."""
    return replace(
        report,
        findings=report.findings[: room.findings],
        transport=None if report.transport is None else _transport(report.transport, room),
        klv=tuple(_stream(stream, room) for stream in report.klv[: room.klv]),
        frames=tuple(replace(frames, beside=frames.beside[: room.klv]) for frames in report.frames[: room.klv]),
    )


def _transport(transport: Transport, room: Room) -> Transport:
    programs = picked(transport.programs, room.programs, program_weight)
    pids = picked(transport.pids, room.pids, pid_weight)
    return replace(transport, programs=tuple(_program(each, room) for each in programs), pids=tuple(pids))


def _program(program: Program, room: Room) -> Program:
    return replace(program, streams=tuple(picked(program.streams, room.streams, lambda each: each.packets)))


def _stream(stream: KlvStream, room: Room) -> KlvStream:
    return replace(
        stream,
        versions=stream.versions[: room.remarks],
        nested={name: found[: room.remarks] for name, found in stream.nested.items()},
        items=stream.items[: room.items],
        remarks=stream.remarks[: room.remarks],
        specials=stream.specials[: room.remarks],
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
