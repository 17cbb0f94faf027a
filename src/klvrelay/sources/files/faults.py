"""What went wrong with reading a file, in words that say what to do."""

from __future__ import annotations

import os

from klvrelay.config.url import Url
from klvrelay.errors import NotMedia, SourceDown


def explain(url: Url, fault: OSError) -> SourceDown | NotMedia:
    """The fault of a read or an opening, as the error of a source."""
    match fault:
        case FileNotFoundError():
            return SourceDown(f"{url}: no such file; a network source begins with udp://, rtsp://, ...")
        case IsADirectoryError():
            return NotMedia(f"{url} is a folder: give a file in it")
        case PermissionError():
            return SourceDown(f"{url}: no permission to read it")
        case _:
            return SourceDown(f"{url}: can't be read: {os.strerror(fault.errno or 0)}")
