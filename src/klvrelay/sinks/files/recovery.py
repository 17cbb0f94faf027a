"""Completes what a relay left that was killed, or could not write.

JSON Lines and KLV are cut after the last whole line or packet. Of a journal, the file is made, up to its last whole
record. Anything else that is not complete is named `.torn`.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress

from klvrelay.sinks.files.names import JOURNAL, PART, TORN, files_in
from klvrelay.sinks.files.store import rename_new
from klvrelay.sinks.files.whole import whole_size
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.sinks")


def recover(root: str) -> list[str]:
    """Complete the files of a folder. Returns its journals, of which files must still be made. Raises OSError."""
    found = sorted((entry.path, name.suffix) for entry, name in files_in(root) if not name.is_finished)
    journals = [path for path, _ in found if path.endswith(JOURNAL)]
    completed = 0
    for path, suffix in found:
        if path.endswith(PART):
            with suppress(FileExistsError):
                completed += _complete(path, suffix, journals)
    if completed:
        LOG.info("files of an earlier run completed: folder=%s files=%d", printable(root), completed)
    return journals


def _complete(path: str, suffix: str, journals: list[str]) -> bool:
    """Complete one file. Returns whether it is complete."""
    final = path.removesuffix(PART)
    if any(journal.startswith(f"{final}.") for journal in journals):
        os.unlink(path)  # it is made again
        return False
    if suffix not in (".jsonl", ".klv"):
        rename_new(path, final + TORN)
        LOG.warning("file cannot be completed: name=%s", printable(os.path.basename(final + TORN)))
        return False
    size = whole_size(path, suffix)
    if not size:
        os.unlink(path)
        return False
    os.truncate(path, size)
    rename_new(path, final)
    return True
