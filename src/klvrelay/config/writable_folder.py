"""Can files be made in a folder that is written to later, before anything is made there?"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def check_writable(folder: Path) -> None:
    """Raise OSError if no file can be made in a folder, or the folder itself cannot be made. Nothing stays there.

    A full disk is no fault: it may have space later.
    """
    found = Path(os.path.abspath(folder))
    while not os.path.lexists(found):
        found = found.parent
    if not found.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    try:
        tempfile.TemporaryFile(dir=found).close()
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
