"""klvrelay: the KLV metadata of drone video (MISB ST 0601 and its company), decoded in C, relayed to MQTT.

    klvrelay.decode(data)            every record in a buffer, as a list
    klvrelay.json_lines(data)        the same as JSON Lines, in one call into C
    klvrelay.columns(data, items)    the same as numpy arrays, in one call into C
    klvrelay.open(source)            records of a file or stream, in a plain loop
    klvrelay.stream(source)          the same in an async loop
    klvrelay.encode(record)          the way back: records or items to bytes
"""

from klvrelay.encode import encode
from klvrelay.errors import (
    ConfigError,
    DecodeError,
    EncodeError,
    KlvrelayError,
    NoKlv,
    NotMedia,
    SinkDown,
    SinkError,
    SinkRefused,
    SourceDown,
    SourceError,
)
from klvrelay.klv import decode, json_lines
from klvrelay.reading import columns, open, stream
from klvrelay.record import Record

__all__ = [
    "ConfigError",
    "DecodeError",
    "EncodeError",
    "KlvrelayError",
    "NoKlv",
    "NotMedia",
    "Record",
    "SinkDown",
    "SinkError",
    "SinkRefused",
    "SourceDown",
    "SourceError",
    "columns",
    "decode",
    "encode",
    "json_lines",
    "open",
    "stream",
]

__version__ = "0.1.0"
