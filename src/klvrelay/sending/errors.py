"""What a line raises when its receiver has gone; next door, `tcp.py` and `srt.py` raise it."""

from __future__ import annotations

from klvrelay.errors import SourceDown


class ReceiverGone(SourceDown):
    """The far end was there, and broke the connection off: another may come."""
