"""klvrelay: the KLV metadata of drone video (MISB ST 0601 and its company), decoded in C, relayed to MQTT.

    klvrelay.decode(data)            every record in a buffer, as a list
    klvrelay.json_lines(data)        the same as JSON Lines, in one call into C
    klvrelay.columns(data, items)    the same as numpy arrays, in one call into C
    klvrelay.open(source)            records of a file or stream, in a plain loop
    klvrelay.stream(source)          the same in an async loop
    klvrelay.encode(record)          the way back: records or items to bytes
    klvrelay.views(items)            segments and amends with their rules applied (ST 1607)
    klvrelay.frame_times(source)     the times that video frames carry in themselves (ST 0604)
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
from klvrelay.segments import View, views
from klvrelay.stamps import FrameTime, Stamp, frame_times

__all__ = [
    "ConfigError",
    "DecodeError",
    "EncodeError",
    "FrameTime",
    "KlvrelayError",
    "NoKlv",
    "NotMedia",
    "Record",
    "SinkDown",
    "SinkError",
    "SinkRefused",
    "SourceDown",
    "SourceError",
    "Stamp",
    "View",
    "columns",
    "decode",
    "encode",
    "frame_times",
    "json_lines",
    "open",
    "stream",
    "views",
]

__version__ = "0.1.0"
