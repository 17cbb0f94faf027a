"""klvrelay: decodes the KLV metadata of drone video (MISB ST 0601 and related standards) in C, and relays it to MQTT.

    klvrelay.decode(data)            all records of a buffer, as a list
    klvrelay.json_lines(data)        all records of a buffer as JSON Lines, in one call into C
    klvrelay.columns(data, items)    items of all records as numpy arrays, in one call into C
    klvrelay.open(source)            iterate over the records of a file or stream
    klvrelay.stream(source)          the same for `async for`
    klvrelay.select(key, ...)        a selection of items for `record.json(items=...)`
    klvrelay.encode(record)          encode records or items to bytes
    klvrelay.views(items)            apply segments and amends (ST 1607)
    klvrelay.Restorer()              full records of the payloads of any output: compact, partial, compressed, ...
    klvrelay.frame_times(source)     time stamps embedded in video frames (ST 0604)
    from klvrelay import geo         positions: frame centre, footprint, track and targets, reported or derived
"""

from klvrelay.encode import encode  # not lazily: the package of that name would replace it later

TYPE_CHECKING = False
"""Avoids the import of `typing`. Loading must be short: a Ctrl-C before the command starts prints a traceback."""
if TYPE_CHECKING:
    from typing import Any

    from klvrelay.api import columns, open, stream
    from klvrelay.core.selection import Selection, select
    from klvrelay.decoder import decode, json_lines
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
    from klvrelay.frames.frame_times import FrameTime, Stamp, frame_times
    from klvrelay.record import Record
    from klvrelay.shape.restoring.restore import Restorer
    from klvrelay.standards.amends import View, views

__all__ = [
    "ConfigError",
    "DecodeError",
    "EncodeError",
    "FrameTime",
    "KlvrelayError",
    "NoKlv",
    "NotMedia",
    "Record",
    "Restorer",
    "Selection",
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
    "select",
    "stream",
    "views",
]

__version__ = "0.1.0"

_HOMES = {
    "errors": (
        "ConfigError", "DecodeError", "EncodeError", "KlvrelayError", "NoKlv", "NotMedia", "SinkDown", "SinkError",
        "SinkRefused", "SourceDown", "SourceError",
    ),
    "decoder": ("decode", "json_lines"),
    "api": ("columns", "open", "stream"),
    "record": ("Record",),
    "shape.restoring.restore": ("Restorer",),
    "standards.amends": ("View", "views"),
    "core.selection": ("Selection", "select"),
    "frames.frame_times": ("FrameTime", "Stamp", "frame_times"),
}  # fmt: skip
"""The module of each name, imported on first use, so that a command loads only what it needs."""


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"klvrelay.{home}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
