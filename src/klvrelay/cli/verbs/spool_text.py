"""The listing of a spool, for people and as a JSON document (`klvrelay/spool/1`)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from klvrelay.cli.verbs.ages import age
from klvrelay.cli.verbs.printout import Listing, Printout
from klvrelay.config.units import size_text
from klvrelay.record import utc
from klvrelay.spool.disk.reader import Damage, SpoolReader
from klvrelay.spool.disk.survey import SegmentPart, SinkPart, SpoolSurvey, StreamPart
from klvrelay.text import printable

SCHEMA = "klvrelay/spool/1"
PLACES_MOST = 1000
"""Maximum number of damaged places in a printout."""


def printout(path: str, reader: SpoolReader, survey: SpoolSurvey, *, verify: bool) -> Printout:
    """The listing; with `verify`, also where the damage is."""
    title = f"{printable(path)}: {_counted(survey.records, 'record')} in {_counted(len(survey.segments), 'segment')}"
    tables = [_streams(survey), _sinks(survey), _segments(survey)]
    if verify and survey.damage:
        tables.append(_damage(survey.damage))
    return Printout(title, list(_lines(reader, survey, verify=verify)), [table for table in tables if table.rows],
                    list(_hints(reader, survey, verify=verify)))  # fmt: skip


def _lines(reader: SpoolReader, survey: SpoolSurvey, *, verify: bool) -> Iterator[tuple[str, str]]:
    relay = reader.identity.relay
    yield "topic prefix", "unknown" if relay is None else printable(relay) or "none"
    yield "in use", "by a running relay" if reader.in_use else "no"
    yield "size", size_text(survey.size)
    yield "damage", _damage_text(survey.damage) if survey.damage else "none"
    if verify:
        yield "verified", f"{size_text(survey.size)}, {_counted(survey.records, 'record')}"


def _damage_text(damage: list[Damage]) -> str:
    known = [one.lost for one in damage if one.lost is not None]
    lost = f", at most {_counted(sum(known), 'record')} lost" if known else ""
    return f"{_counted(len(damage), 'damaged place')}{lost}"


def _streams(survey: SpoolSurvey) -> Listing:
    rows = [_stream_row(part) for part in _sorted(survey)]
    columns = ("stream", "boot", "records", "waiting", "seq", "first", "last", "size")
    return Listing(columns, rows, "streams", spare=3)


def _sorted(survey: SpoolSurvey) -> list[StreamPart]:
    """By stream; the runs of each in order of their first record."""
    return sorted(survey.streams.values(), key=lambda part: part.stream)


def _stream_row(part: StreamPart) -> tuple[str, ...]:
    boot = "-" if part.boot is None else printable(part.boot)
    seqs = f"{part.first_seq} to {part.last_seq}"
    return (printable(part.stream), boot, f"{part.records:,}", f"{part.waiting:,}", seqs, _second(part.first_us),
            _second(part.last_us), size_text(part.size))  # fmt: skip


def _sinks(survey: SpoolSurvey) -> Listing:
    now = time.time()
    rows = [_sink_row(part, now) for part in survey.sinks.values()]
    return Listing(("sink", "waiting", "size", "oldest", "age"), rows, "sinks: what each has yet to deliver", spare=2)


def _sink_row(part: SinkPart, now: float) -> tuple[str, ...]:
    waited = "-" if part.oldest_us is None else age(now - part.oldest_us / 1e6)
    return printable(part.name), f"{part.records:,}", size_text(part.size), _second(part.oldest_us), waited


def _segments(survey: SpoolSurvey) -> Listing:
    rows = [_segment_row(part) for part in survey.segments]
    return Listing(("segment", "records", "waiting", "size", "begun"), rows, "segments, oldest first", spare=1)


def _segment_row(part: SegmentPart) -> tuple[str, ...]:
    return part.file, f"{part.records:,}", f"{part.waiting:,}", size_text(part.size), _second(part.created_us)


def _damage(damage: list[Damage]) -> Listing:
    rows = [_damage_row(one) for one in damage[:PLACES_MOST]]
    return Listing(("file", "offset", "bytes", "records lost", "what"), rows, "damage")


def _damage_row(one: Damage) -> tuple[str, ...]:
    lost = "-" if one.lost is None else f"at most {one.lost}"
    return printable(one.file), str(one.offset), str(one.size), lost, printable(one.what)


def _hints(reader: SpoolReader, survey: SpoolSurvey, *, verify: bool) -> Iterator[str]:
    if reader.in_use:
        yield "the newest records are in the memory of the relay until its commit interval ends"
    if survey.changed:
        yield f"{_counted(survey.changed, 'segment')} delivered and used again by the relay meanwhile: not listed"
    if survey.damage and not verify:
        yield "--verify shows where the damage is"
    if survey.damage and verify:
        yield "the relay skips damaged records and delivers the others: start it as usual; then check the disk"
        if len(survey.damage) > PLACES_MOST:
            yield f"{len(survey.damage) - PLACES_MOST} more damaged places: --json shows all"


def _counted(count: int, noun: str) -> str:
    """`1 record`, `1,000 records`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _second(us: int | None) -> str:
    """A time in UTC, to the second."""
    moment = utc(us)
    return "-" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%SZ")


def document(path: str, reader: SpoolReader, survey: SpoolSurvey) -> dict[str, Any]:
    """The listing with every figure."""
    return {
        "schema": SCHEMA,
        "path": printable(path),
        "version": reader.identity.version,
        "relay": reader.identity.relay,
        "in_use": reader.in_use,
        "records": survey.records,
        "bytes": survey.size,
        "streams": [_stream_document(part) for part in _sorted(survey)],
        "sinks": [
            {"name": part.name, "waiting": part.records, "bytes": part.size, "oldest": _iso(part.oldest_us)}
            for part in survey.sinks.values()
        ],
        "segments": [
            {"file": part.file, "records": part.records, "waiting": part.waiting, "bytes": part.size,
             "begun": _iso(part.created_us)}
            for part in survey.segments
        ],
        "damage": [
            {"file": one.file, "offset": one.offset, "bytes": one.size, "lost": one.lost, "what": one.what}
            for one in survey.damage
        ],
    }  # fmt: skip


def _stream_document(part: StreamPart) -> dict[str, Any]:
    return {
        "stream": part.stream, "boot": part.boot, "records": part.records, "waiting": part.waiting,
        "bytes": part.size, "seq": [part.first_seq, part.last_seq],
        "received": [_iso(part.first_us), _iso(part.last_us)],
    }  # fmt: skip


def _iso(us: int | None) -> str | None:
    moment = utc(us)
    return None if moment is None else moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
