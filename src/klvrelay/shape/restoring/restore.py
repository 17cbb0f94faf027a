"""Restores the payloads of an output, of any format, to full documents."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import orjson

from klvrelay import core
from klvrelay.errors import DecodeError
from klvrelay.shape.encoding.compression import Decompressor, Unreadable
from klvrelay.shape.encoding.content_types import Format, named_format, recognised
from klvrelay.shape.restoring.compact import CompactRecord, FullHead, continued, read_compact
from klvrelay.shape.restoring.documents import DocumentParts, continue_document, parts_of, read_documents
from klvrelay.shape.restoring.known import STREAMS_MOST, KnownStream, KnownStreams
from klvrelay.shape.restoring.local_set import KEY_SIZE, ItemCodes, codes_of, facts_of, packet_of, packets_of

PAYLOAD_MOST = 4 << 20
"""Default maximum bytes of a payload after decompression, and of the records that it restores to."""

FULL_RECORD = "a full record"

Document = dict[str, Any]


class Restorer:
    """Restores payloads of one output to full documents of schema `klvrelay/1`, whatever their format and compression.

    dictionary   of zstd, as published on `{prefix}/{stream}/dictionary`; others follow with `learn`
    most         maximum bytes of a payload after decompression, and of the records that it restores to

    skipped    partial records that were not restored, since the record that they continue is not known
    unreadable payloads whose zstd dictionary is not known

    A restorer reads all streams of one output, i.e. of one topic level such as `telemetry`. Its memory is bounded: at
    most 1000 streams of 16 sets, 64 KiB a set and 16 MiB in all. Beyond that it forgets the stream unused for longest,
    and skips its partial records until its next full one.
    """

    def __init__(self, dictionary: bytes | None = None, *, most: int = PAYLOAD_MOST) -> None:
        self._most = most
        self._known = KnownStreams()
        self._decompressor = Decompressor(most)
        self._waits: OrderedDict[str, str] = OrderedDict()
        self._room = 0
        self.skipped = 0
        self.unreadable = 0
        if dictionary is not None:
            self.learn(dictionary)

    def learn(self, dictionary: bytes) -> None:
        """Add a zstd dictionary. The last 64 are kept. Raises DecodeError if it is none."""
        self._decompressor.learn(dictionary)

    def waits_for(self, stream: str = "") -> str:
        """What the last payload of a stream lacked: "a full record", "dictionary 1234", or empty."""
        return self._waits.get(stream, "")

    def forget(self, stream: str = "") -> None:
        """Forget a stream, for example since another run of the relay publishes it, until its next full record."""
        self._known.forget(stream)
        self._waits.pop(stream, None)

    def restore(self, payload: bytes, *, stream: str = "", format: str | None = None) -> list[Document]:
        """The full documents of one message; fewer than its records while something is missing: see `waits_for`.

        stream   name of the stream, from the topic; documents state it themselves, compact and KLV do not
        format   "json", "cbor", "msgpack", "klv", "compact", or the content type of the message; default: detect

        Each call returns new documents. Raises DecodeError if the payload is malformed or too large, and ConfigError
        for an unknown format, or if a package is missing that it needs.
        """
        wanted = None if format is None else named_format(format)
        try:
            plain = self._decompressor.plain(bytes(payload))
        except Unreadable as fault:
            self.unreadable += 1
            self._wait(stream, f"dictionary {fault.dictionary}")
            return []
        if len(plain) > self._most:
            raise DecodeError(f"a payload of more than {self._most} bytes")
        self._room = self._most
        return self._restored(plain, stream, wanted or recognised(plain))

    def _restored(self, plain: bytes, stream: str, form: Format) -> list[Document]:
        found: list[Document | None]
        if form == "compact":
            records = read_compact(plain)
            with self._known.using(form, stream) as known:
                found = [self._compact(record, stream, known) for record in records]
        elif form == "klv":
            packets = list(packets_of(plain))
            with self._known.using(form, stream) as known:
                found = [self._packet(packet, stream, known) for packet in packets]
        else:
            found = [self._document(document, stream, form) for document in read_documents(plain, form)]
        restored = [document for document in found if document is not None]
        self.skipped += len(found) - len(restored)
        if found:
            self._wait(stream, "" if found[-1] is not None else FULL_RECORD)
        return restored

    def _wait(self, stream: str, reason: str) -> None:
        """Note what a stream waits for; of those that wait, the last ones."""
        self._waits.pop(stream, None)
        if reason:
            self._waits[stream] = reason
            if len(self._waits) > STREAMS_MOST:
                self._waits.popitem(last=False)

    def _use_room(self, size: int) -> None:
        """Bound what a message restores to: a partial record of a few bytes gives a whole document."""
        self._room -= size
        if self._room < 0:
            raise DecodeError(f"a payload whose records have more than {self._most} bytes")

    # ---- compact ----

    def _compact(self, record: CompactRecord, stream: str, known: KnownStream) -> Document | None:
        if record.head is not None:
            return self._full(record, record.head, stream, known)
        mark = hash((record.seq, record.elapsed, record.removed, tuple(record.codes.items())))
        found = known.find(record.key, record.seq, record.after, mark)
        if found is None:
            return None
        head, earlier = found.content
        codes = continued(earlier, record)
        known.put(record.key, (head, codes), _size_of(codes), record.seq)
        return self._decoded(packet_of(record.key, codes), head, record.seq, stream)

    def _full(self, record: CompactRecord, head: FullHead, stream: str, known: KnownStream) -> Document:
        """A packet that is sent whole may be continued too."""
        known.begin(head.boot, record.seq)
        raw, codes = record.packet, record.codes
        if raw is None:
            raw = packet_of(record.key, codes)
        else:
            codes = (codes_of(raw) if facts_of(raw[:KEY_SIZE]) else None) or {}
        lasting = head._replace(received_us=None, pts=None)
        known.put(raw[:KEY_SIZE], (lasting, codes), _size_of(codes), record.seq)
        return self._decoded(raw, head, record.seq, stream)

    def _decoded(self, raw: bytes, head: FullHead, seq: int, stream: str) -> Document:
        self._use_room(len(raw))
        name = core.head(stream, head.boot)
        text = core.record_json(raw, name, seq, head.received_us, head.pts, False, head.pid, head.program)
        document: Document = orjson.loads(text)
        return document

    # ---- klv ----

    def _packet(self, raw: bytes, stream: str, known: KnownStream) -> Document | None:
        """A packet of ST 0601 without a version is partial; one with a wrong checksum changes nothing."""
        seq = known.count
        known.count += 1
        key = raw[:KEY_SIZE]
        facts = facts_of(key)
        if facts is not None and facts.version is not None:
            codes = _sound_codes(raw, facts.checksum)
            if codes is not None and facts.version not in codes:
                earlier = known.sets.get(key)
                if earlier is None:
                    return None
                codes = _changed(earlier.content, codes, facts.time)
                raw = packet_of(key, codes)
            if codes is None:
                known.drop(key)
            else:
                known.put(key, codes, _size_of(codes), None)
        return self._decoded(raw, FullHead(None, key, None, None, None, None), seq, stream)

    # ---- documents ----

    def _document(self, document: Document, stream: str, form: Format) -> Document | None:
        """A document without `full` is complete in itself."""
        full = document.pop("full", None)
        if full is None:
            return document
        name, boot, seq, after, removed = _identity(document)
        with self._known.using(form, stream or name) as known:
            if full:
                known.begin(boot, seq)
            elif not self._continue(document, known, (boot, seq, after, removed)):
                return None
            parts = parts_of(document)
            known.put(document.get("set"), parts, len(parts.items) + len(parts.special), seq)
        return document

    def _continue(self, document: Document, known: KnownStream, identity: tuple[Any, int, int, list[Any]]) -> bool:
        boot, seq, after, removed = identity
        if boot != known.boot:
            known.clear()
            return False
        found = known.find(document["set"], seq, after, hash(orjson.dumps(document)))
        if found is None:
            return False
        earlier: DocumentParts = found.content
        self._use_room(len(earlier.items))
        continue_document(document, earlier, removed)
        return True


def _changed(earlier: dict[int, ItemCodes], codes: dict[int, ItemCodes], time: int | None) -> dict[int, ItemCodes]:
    """The items after a partial packet: each has its own time stamp, and an item of length 0 is removed."""
    found = {**{tag: code for tag, code in earlier.items() if tag != time}, **codes}
    return {tag: code for tag, code in found.items() if code != (b"",)}


def _sound_codes(raw: bytes, checksum: int | None) -> dict[int, ItemCodes] | None:
    """The items of a packet; None if it is malformed, or if it has a checksum that is not right."""
    codes = codes_of(raw)
    if codes is None or (checksum in codes and core.whole(raw, core.LIMIT_MOST) is None):
        return None
    return codes


def _size_of(codes: dict[int, ItemCodes]) -> int:
    return sum(len(code) + 64 for values in codes.values() for code in values)


def _identity(document: Document) -> tuple[str, str | None, int, int, list[Any]]:
    """Stream, boot, seq, the seq that it continues, and the removed keys; the last two are taken out."""
    stream, boot, seq = document.get("stream"), document.get("boot"), document.get("seq")
    if not isinstance(stream, str) or not isinstance(seq, int) or not isinstance(boot, str | None):
        raise DecodeError("a record without stream, boot or seq")
    after, removed = document.pop("after", seq - 1), document.pop("removed", [])
    if not isinstance(after, int) or not isinstance(removed, list) or not isinstance(document.get("set"), str):
        raise DecodeError("a partial record whose `after`, `removed` or `set` is malformed")
    return stream, boot, seq, after, removed
