"""Files in a folder: each stream and output has files of a limited time and size.

    folder.py     the far end: two threads, and when records are confirmed
    store.py      the files that are being written      segment.py   one of them
    names.py      their names                           journal.py   records on their way to a file
    build.py      makes files of journals               recovery.py  what a killed relay left
    whole.py      how much of a file is whole           retention.py deletes the oldest files
    lock.py       one relay per folder                  disk.py      faults of the disk, and what it has free

A format that every prefix of a file fulfils (JSON Lines, KLV) is written directly, under a name that ends with `.part`.
For all others, and with compression, records go to a journal first: a file with an end, such as Parquet, cannot be read
without it. When the file is full, another thread makes it of the journal.
"""

from __future__ import annotations

import os

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.files import FilesSettings
from klvrelay.sinks.publishing.far_end import FarEnd


def check(settings: FarEndSettings) -> None:
    """Raise ConfigError if the package of the format is not installed."""
    from klvrelay.exports.contract import WriterOptions
    from klvrelay.exports.formats import open_writer

    assert isinstance(settings, FilesSettings)
    if settings.file_format not in ("jsonl", "klv") or settings.compress != "none":
        with open(os.devnull, "wb") as nothing:
            open_writer(settings.file_format, nothing, WriterOptions(compress=settings.compress)).abandon()


def far_end(settings: FarEndSettings) -> FarEnd:
    """The far end, not opened yet."""
    from klvrelay.sinks.files.folder import FilesFarEnd

    assert isinstance(settings, FilesSettings)
    return FilesFarEnd(settings)
