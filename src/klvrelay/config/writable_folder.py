"""Can files be made in a folder that is written to later, before anything is made there?"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def check_writable(folder: Path) -> None:
    """Raise OSError if no file can be made in a folder, or the folder itself cannot be made. Nothing stays there."""
    found = Path(os.path.abspath(folder))
    while not os.path.lexists(found):
        found = found.parent
    with tempfile.TemporaryFile(dir=found):
        pass
