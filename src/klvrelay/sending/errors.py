"""Errors of destinations."""

from __future__ import annotations

from klvrelay.errors import SourceDown


class ReceiverDisconnected(SourceDown):
    """The far end was connected and has disconnected; another may connect."""
