"""Makes the payloads of each format, and messages of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from klvrelay.core.compact import compact, compact_record
from klvrelay.core.document import transcode
from klvrelay.core.thinning import Thinned
from klvrelay.json_output import Numbers, dumps
from klvrelay.record import Record
from klvrelay.shape.encoding.cbor_parts import with_continuation, with_seq
from klvrelay.shape.encoding.content_types import CONTENT_TYPES, JSON_LINES, Format
from klvrelay.shape.items import key_of

TEXT = "text/plain"


class Continued(NamedTuple):
    """How a record of an output on change continues the one before it of the same stream and set.

    after      number of that record
    before_us  its time stamp as sent
    """

    after: int
    before_us: int | None


def payload_of(record: Record, thinned: Thinned, form: Format, numbers: Numbers, link: Continued | None) -> bytes:
    """The payload of a record, whose packet was thinned.

    link   of a record of an output on change; it counts only if the record is partial
    """
    if form == "klv":
        return thinned.raw
    if form == "compact":
        return _compact(record, thinned, link)
    made = record._replace(raw=thinned.raw)
    if link is not None:
        document = _linked(made.json(numbers=numbers), record, thinned, link)
        return document if form == "json" else transcode(document, form)
    if form == "cbor":
        return made.cbor(numbers=numbers)
    return made.msgpack(numbers=numbers) if form == "msgpack" else made.json(numbers=numbers)


def _linked(document: bytes, record: Record, thinned: Thinned, link: Continued) -> bytes:
    """A document with what readers need to continue the one before it."""
    if thinned.full:
        return document[:-1] + b',"full":true}'
    keys = [key_of(record.set, tag) for tag in thinned.removed]
    gone = b',"removed":' + dumps(keys) if keys else b""
    return b'%s,"full":false,"after":%d%s}' % (document[:-1], link.after, gone)


def _compact(record: Record, thinned: Thinned, link: Continued | None) -> bytes:
    """A record of a compact message, with its whole number."""
    made = compact_record(
        thinned,
        record.seq,
        boot=None if record.boot is None else record.boot.encode(),
        received_us=record.received_us,
        pts=record.pts,
        pid=record.pid,
        program=record.program,
        before_us=None if link is None else link.before_us,
    )
    if link is None or thinned.full or link.after == record.seq - 1:
        return made
    return with_continuation(made, record.seq - link.after)


def message_of(payloads: Sequence[bytes], seqs: Sequence[int], form: Format) -> tuple[bytes, str]:
    """The payload of a message of several records with these numbers, and its content type."""
    if form == "compact":
        steps = [seq - before for before, seq in zip((0, *seqs), seqs, strict=False)]
        return compact([with_seq(made, step) for made, step in zip(payloads, steps, strict=True)]), CONTENT_TYPES[form]
    if len(payloads) > 1 and form == "json":
        return b"\n".join((*payloads, b"")), JSON_LINES
    return b"".join(payloads), CONTENT_TYPES[form]

