"""Encodes records, their JSON documents or plain items to KLV, with the tables that the decoder uses.

    klvrelay.encode({"precision_time_stamp": 1340977512123456, "sensor_latitude": 34.72})     a packet of ST 0601
    klvrelay.encode(items, set="ST0903", checksum=False)                                      of another set
    klvrelay.encode(record)                                  the record's packet, from its decoded values
    klvrelay.encode(document, like=record)                   its values in the layout of another packet

    document.py   reads the input                packet.py      writes key, length and checksum
    layout.py     orders the items               sets.py        local sets; keyed.py: universal sets
    packs.py      packs                          mdap.py        ST 1303 arrays; patches.py: run lengths
    sdcc.py       SDCC-FLP                       miis.py        MIIS core identifier
    values.py     single values                  integers.py    integers; texts.py: text and bytes
    numbers.py    ranges and float codes         specials.py    special codes
    vmti.py       mappings of VMTI sets          userdata.py    RVT user data
    place.py      path and context of a value    ber.py         BER lengths and BER-OID numbers
"""

TYPE_CHECKING = False  # avoids the import of `typing`, which is slow
if TYPE_CHECKING:
    from klvrelay.record import Record

__all__ = ["encode", "encode_item"]


def encode(
    what: object, *, set: str | None = None, checksum: bool | None = None, like: "Record | bytes | None" = None
) -> bytes:
    """Encode one KLV packet: key, BER length, items, checksum (SMPTE ST 336, ST 0601, ST 0107).

    `what` is a `Record`; a record's JSON document as a mapping; or items as a mapping or as pairs, by key, or by tag if
    unknown (`set` names their set; default ST 0601). Values have the form of `record.items`: numbers in the unit of the
    item, labels or codes, mappings for sets, packs and bit fields, and lists for series, lists and repeated items.
    `None` is length 0; bytes are written unchanged; {"special": name}, an infinity or NaN is the special code for it.

    The time stamp is written first and the checksum last, other items in the given order; an SDCC-FLP follows the items
    it names. `like`, an earlier packet of the set, provides the layout instead: order, widths and forms, but no values.
    A record is its own layout. `checksum` selects whether to add one; None: as in the layout or document, else yes.

    Numbers of a record or document, or with `like`, become the nearest code; other IMAPB numbers are rounded down (ST
    1201). Widths that a table leaves open: IMAPB 4 bytes, integers the fewest bytes, floats 4 bytes if exact, else 8.
    Raises EncodeError, which names the item, for input that can't be encoded.
    """
    # Deferred, because loading the tables takes 50 ms and a relay does not need them.
    from klvrelay.encode.document import document_of
    from klvrelay.encode.packet import parse_earlier, write_packet
    from klvrelay.errors import EncodeError
    from klvrelay.record import Record

    document = document_of(what, set)
    layout = what if like is None and isinstance(what, Record) else like
    if isinstance(layout, Record):
        layout = layout.raw
    if layout is not None and not isinstance(layout, bytes | bytearray | memoryview):
        raise EncodeError("like", layout, "expected a KLV packet or its record")
    return write_packet(document, None if layout is None else parse_earlier(bytes(layout)), checksum)


def encode_item(set: str, key: str | int, value: object, *, like: bytes = b"") -> bytes:
    """Encode the value of one item; `like`, an earlier value, provides width and form. Raises EncodeError."""
    from klvrelay.encode.packet import item_bytes

    return item_bytes(set, key, value, like)
