"""Errors of reading a file, with a remedy."""

from __future__ import annotations

import os

from klvrelay.config.url import Url
from klvrelay.errors import NotMedia, SourceDown


def explain(url: Url, fault: OSError) -> SourceDown | NotMedia:
    """The source error for a failed open or read."""
    match fault:
        case FileNotFoundError():
            return SourceDown(f"{url}: no such file; a network source begins with udp://, rtsp://, ...")
        case IsADirectoryError():
            return NotMedia(f"{url} is a folder: give a file in it")
        case PermissionError():
            return SourceDown(f"{url}: no permission to read it")
        case _:
            return SourceDown(f"{url}: can't be read: {os.strerror(fault.errno or 0)}")
