"""Makes a file of a journal."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from itertools import chain
from typing import BinaryIO

from klvrelay.exports.contract import WriterOptions
from klvrelay.exports.formats import open_writer
from klvrelay.json_output import Numbers
from klvrelay.sinks.files.journal import records_in
from klvrelay.sinks.files.names import PART, TORN, ZSTD, built_of
from klvrelay.sinks.files.segment import FILE_MODE
from klvrelay.sinks.files.store import DIRECT, rename_new
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.sinks")

PIECE = 1 << 20


def build(journal: str, numbers: Numbers) -> None:
    """Make the file of a journal, and remove the journal. Raises OSError; then the journal stays.

    A journal without a whole record is removed.
    """
    final, form = built_of(journal)
    part = final + PART
    if not os.path.lexists(final):
        try:
            is_made = _make(journal, part, form, final.endswith(ZSTD), numbers)
            if is_made:
                rename_new(part, final)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise
    with suppress(FileNotFoundError):  # deleted meanwhile, since the disk is full
        os.unlink(journal)


def _make(journal: str, part: str, form: str, is_compressed: bool, numbers: Numbers) -> bool:
    """Write the file under its temporary name. Returns false, and leaves no file, if it would be empty."""
    with suppress(FileNotFoundError):
        os.unlink(part)
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    with open(fd, "wb") as out, open(journal, "rb") as file:
        made = _compressed(file, out) if form in DIRECT else _written(file, out, form, is_compressed, numbers)
        out.flush()
        os.fsync(out.fileno())
    if not made:
        os.unlink(part)
    return made


def _compressed(file: BinaryIO, out: BinaryIO) -> bool:
    from klvrelay.exports.zstd_file import ZstdFile

    compressed, size = ZstdFile(out), 0
    while piece := file.read(PIECE):
        size += compressed.write(piece)
    compressed.end_frame()
    return size > 0


def _written(file: BinaryIO, out: BinaryIO, form: str, is_compressed: bool, numbers: Numbers) -> bool:
    records = records_in(file)
    if (first := next(records, None)) is None:
        return False
    options = WriterOptions(
        name=first.stream, compress="zstd" if is_compressed else "none", numbers=numbers,
        folder=os.path.dirname(built_of(str(file.name))[0]),
    )  # fmt: skip
    writer = open_writer(form, out, options)
    try:
        for record in chain((first,), records):
            writer.write(record)
        writer.finish()
    except BaseException:
        writer.abandon()
        raise
    if writer.skipped:
        name = printable(os.path.basename(str(file.name)))
        LOG.info("records left out, which the format cannot hold: journal=%s records=%d", name, writer.skipped)
    return True


def set_aside(journal: str) -> None:
    """Rename a journal of which no file can be made, so that it is not tried again. Raises OSError."""
    os.rename(journal, built_of(journal)[0] + TORN)
