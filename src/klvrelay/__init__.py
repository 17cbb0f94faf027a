"""klvrelay: the KLV metadata of drone video (MISB ST 0601 and its company), decoded in C, relayed to MQTT.

    klvrelay.decode(data)            every record in a buffer, as a list
    klvrelay.json_lines(data)        the same as JSON Lines, in one call into C
    klvrelay.columns(data, items)    the same as numpy arrays, in one call into C
    klvrelay.open(source)            records of a file or stream, in a plain loop
    klvrelay.stream(source)          the same in an async loop
    klvrelay.select(key, ...)        items for `record.json(items=...)`, which writes these only
    klvrelay.encode(record)          the way back: records or items to bytes
    klvrelay.views(items)            segments and amends with their rules applied (ST 1607)
    klvrelay.frame_times(source)     the times that video frames carry in themselves (ST 0604)
"""

from __future__ import annotations

from importlib import import_module

from klvrelay.encode import encode  # at once: the package of that name would take its place later

TYPE_CHECKING = False
"""As `typing` has it, which loads for longer than the rest of this, while a Ctrl-C would show a traceback."""
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
    "standards.amends": ("View", "views"),
    "core.selection": ("Selection", "select"),
    "frames.frame_times": ("FrameTime", "Stamp", "frame_times"),
}  # fmt: skip
"""The module of each name: imported when the name is first used, so that a command starts with what it needs."""


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"klvrelay.{home}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
