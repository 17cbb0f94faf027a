"""The way back: records, their JSON or plain items to KLV bytes, from the tables that decoding uses.

    klvrelay.encode({"precision_time_stamp": 1340977512123456, "sensor_latitude": 34.72})     a packet of ST 0601
    klvrelay.encode(items, set="ST0903", checksum=False)                                      of another set
    klvrelay.encode(record)                                  the record's packet, from its decoded values
    klvrelay.encode(document, like=record)                   its values in the layout of another packet

A room of its own beside the corridor. `document.py` reads what was given, `packet.py` frames it; `layout.py` has the
order of items, `sets.py` and `keyed.py` write them; `packs.py`, `mdap.py` (with `patches.py`), `sdcc.py`, `miis.py`
and `userdata.py` write what has parts, `values.py`, `integers.py` and `texts.py` what has none; `numbers.py` and
`specials.py` have the codes, `vmti.py` knows which maps a VMTI set follows, `wire.py` has the framing. A `Place` goes
along everywhere: errors and special codes are told by it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, which takes long to load
if TYPE_CHECKING:
    from klvrelay.record import Record

__all__ = ["encode", "encode_item"]


def encode(
    what: object, *, set: str | None = None, checksum: bool | None = None, like: Record | bytes | None = None
) -> bytes:
    """One KLV packet: key, BER length, items, checksum (SMPTE ST 336, ST 0601, ST 0107).

    `what` is a `Record`; a record's JSON document as a mapping; or items by key, or by tag where no table has them,
    as a mapping or as pairs (`set` says which, ST 0601 by default). Values are what `record.items` shows: numbers in
    the item's unit, labels or codes, mappings for sets, packs and bit fields, lists for series, lists and items that
    repeat. `None` is length 0; bytes are taken as they are; {"special": name}, an infinity or NaN is the code for it.

    Time goes first and the checksum last, the rest as given; an SDCC-FLP goes behind the items it names. `like`, an
    earlier packet of the set, gives its layout instead: order, widths and forms, never values. A record is its own.
    `checksum`: whether there is one; None = as the layout or document has it, else yes.

    Numbers of a record, a document, or with `like`, become the nearest code; others by IMAPB are rounded down (ST
    1201). What a table leaves open: IMAPB 4 bytes, integers as few as hold them, floats 4 bytes where exact, else 8.
    Raises EncodeError, which names the item, for what can't be written.
    """
    # Here, since the tables take 50 ms that a relay has no use for.
    from klvrelay.encode.document import document_of
    from klvrelay.encode.packet import earlier, write_packet
    from klvrelay.errors import EncodeError
    from klvrelay.record import Record

    document = document_of(what, set)
    layout = what if like is None and isinstance(what, Record) else like
    if isinstance(layout, Record):
        layout = layout.raw
    if layout is not None and not isinstance(layout, bytes | bytearray | memoryview):
        raise EncodeError("like", layout, "a KLV packet, or the record of one, is wanted")
    return write_packet(document, None if layout is None else earlier(bytes(layout)), checksum)


def encode_item(set: str, key: str | int, value: object, *, like: bytes = b"") -> bytes:
    """The value bytes of one item; `like`, an earlier value, gives width and form. Raises EncodeError."""
    from klvrelay.encode.packet import item_bytes

    return item_bytes(set, key, value, like)
