"""Reads the lines of a text file in any usual encoding, bounded in length."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from klvrelay.errors import ConfigError, SourceError

LINE_MOST = 1 << 16
"""Maximum characters of a line; the rest is discarded."""
LOOKED_AT = 1 << 20
"""Bytes by which the encoding is recognised."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class TextLine(NamedTuple):
    """A line without its end: its number from 1, and whether it was longer than LINE_MOST."""

    number: int
    text: str
    is_cut: bool


def text_lines(path: Path) -> Iterator[TextLine]:
    """The lines of a file: UTF-8, UTF-16 with or without a byte order mark, otherwise Latin-1.

    Raises ConfigError for a name that is no file, SourceError for an empty file, binary data or a failing disk.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: {'not a file' if path.exists() else 'no such file'}; give a file of telemetry")
    try:
        with path.open("rb") as file:
            encoding = _encoding_of(file, path)
            with io.TextIOWrapper(file, encoding, errors="replace", newline=None) as text:
                yield from _lines(text)
    except OSError as fault:
        raise SourceError(f"{path}: can't be read ({fault.strerror or fault})") from fault


def _lines(text: io.TextIOWrapper) -> Iterator[TextLine]:
    number = 0
    while line := text.readline(LINE_MOST + 1):
        number += 1
        is_cut = len(line) > LINE_MOST and not line.endswith("\n")
        rest = line
        while rest and not rest.endswith("\n"):
            rest = text.readline(LINE_MOST)
        yield TextLine(number, line[:LINE_MOST].rstrip("\n"), is_cut)


def _encoding_of(file: BinaryIO, path: Path) -> str:
    """The encoding by the beginning of the file, which stays at its start."""
    head = file.read(LOOKED_AT)
    file.seek(0)
    if not head.strip(b"\0 \r\n\t"):
        raise SourceError(f"{path} is empty: it holds no telemetry")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        return _wide_encoding(head, path)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _wide_encoding(head: bytes, path: Path) -> str:
    """UTF-16 without a mark, by the zero bytes of its ASCII characters. Raises SourceError for binary data."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > 0.4 * len(head) / 2 and min(even, odd) < 0.05 * len(head) / 2:
        return "utf-16-be" if even > odd else "utf-16-le"
    raise SourceError(
        f"{path} is not a text file: give the telemetry (.srt, .csv) first, and the video with --video; subtitles"
        " inside a video: ffmpeg -i VIDEO OUT.srt"
    )
