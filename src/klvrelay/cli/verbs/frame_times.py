"""`decode --frame-times`: prints the time stamps embedded in the video frames of a file."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

# Loaded here with all that libav needs, because a signal must not raise KeyboardInterrupt during an import.
import av.subtitles.stream  # noqa: F401
import orjson  # noqa: F401

from klvrelay.cli.verbs.decode import write_all
from klvrelay.config.names import stream_name
from klvrelay.config.url import Url
from klvrelay.errors import NoKlv
from klvrelay.exports.csv_cells import line_of
from klvrelay.frames.frame_times import FrameTime, frame_times
from klvrelay.json_output import Numbers, dumps, safe

SCHEMA = "klvrelay/frame-time/1"
HEAD = (
    "stream", "pid", "codec", "pts", "time", "time_us", "nanoseconds", "locked", "discontinuity", "reverse", "flags",
)  # fmt: skip
"""CSV columns."""


def decode_frame_times(source: str | Url, form: str, pids: Collection[int] = (), numbers: Numbers = "exact") -> int:
    """Print each stamped frame of these PIDs (none: all) as JSON or CSV. Returns their number; raises NoKlv if none."""
    url = Url.parse(source)
    stream, count = stream_name(url), 0
    others: set[int] = set()
    for frame in frame_times(url):
        if pids and frame.pid not in pids:
            others.add(frame.pid)
            continue
        count += 1
        line = document(frame, stream)
        if form == "csv":
            write_all(line_of(HEAD) if count == 1 else b"")
            write_all(line_of(cells(line)))
        else:
            write_all(dumps(safe(line) if numbers == "safe" else line) + b"\n")
    if not count:
        raise NoKlv(f"{url}: {_none_found(pids, others)}")
    return count


def _none_found(pids: Collection[int], others: Collection[int]) -> str:
    """Why no frame was printed. `others`: PIDs with time stamps that were not selected."""
    if not pids:
        return "no video frame carries a time stamp (ST 0604)"
    selected, found = (", ".join(f"PID {pid:#x}" for pid in sorted(some)) for some in (pids, others))
    hint = f"they are on {found}" if found else "no other PID has any"
    return f"no video frame with a time stamp (ST 0604) on {selected}; {hint}"


def document(frame: FrameTime, stream: str) -> dict[str, Any]:
    """A frame's time as a JSON object."""
    stamp, time = frame.stamp, frame.time
    return {
        "schema": SCHEMA,
        "stream": stream,
        "pid": frame.pid,
        "codec": frame.codec,
        "pts": frame.pts,
        "time": time and f"{time:%Y-%m-%dT%H:%M:%S.%fZ}",
        "time_us": stamp.time_us,
        "nanoseconds": None if stamp.time_ns is None else stamp.time_ns % 1000,
        "status": {"locked": stamp.locked, "discontinuity": stamp.discontinuity, "reverse": stamp.reverse},
        "flags": flags(frame),
    }


def flags(frame: FrameTime) -> list[str]:
    """Flags of a frame's time."""
    odd = {
        "nanoseconds_in_microsecond_field": frame.stamp.nanoseconds,
        "odd_body": frame.stamp.odd,
        "damaged": frame.damaged,
    }
    return [name for name, is_so in odd.items() if is_so]


def cells(line: dict[str, Any]) -> list[Any]:
    """The same as a CSV row: booleans as in the CSV of records, flags separated by spaces."""
    flat = line | {name: str(value).lower() for name, value in line["status"].items()}
    return [flat[name] for name in HEAD[:-1]] + [" ".join(line["flags"])]
