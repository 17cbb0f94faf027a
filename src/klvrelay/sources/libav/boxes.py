"""Check whether an mp4 or mov has its index: a recording that was cut off has none."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import Any

from klvrelay.config.url import Url
from klvrelay.recordings.sniff import MP4_BOXES

BOXES_MOST = 10_000
"""Maximum number of boxes examined."""


def lacks_index(file: Any, url: Url) -> bool:
    """Is it an mp4, mov or similar, complete except for the box that locates the samples (ISO/IEC 14496-12)?"""
    try:
        with open(url.path, "rb") if file is None and url.scheme == "file" else nullcontext(file) as boxes:
            if boxes is None or not hasattr(boxes, "seek"):
                return False
            return _walk(boxes) is False
    except (OSError, ValueError):
        return False


def _walk(boxes: Any) -> bool | None:
    """Is there a moov among the boxes? None: they are not boxes."""
    at, end = 0, boxes.seek(0, os.SEEK_END)
    for _ in range(BOXES_MOST):
        boxes.seek(at)
        head = boxes.read(16)
        if len(head) < 8:
            return False if at else None
        size, kind = int.from_bytes(head[:4]), head[4:8]
        if at == 0 and kind not in MP4_BOXES:
            return None
        if kind == b"moov":
            return True
        size = int.from_bytes(head[8:16]) if size == 1 else size or end - at
        if size < 8:
            return False
        at += size
    return None
