"""The input of a stream: its source, its name and its limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from klvrelay.config.choice import EVERYTHING, Choice
from klvrelay.core import LIMIT
from klvrelay.health.stream import STALL
from klvrelay.relay.source_recording import SourceRecording
from klvrelay.sources.contract import Source


class StreamInput(NamedTuple):
    """A source and how to read it.

    name           name of its first stream
    open           opens the source
    url            its address in messages, without secrets
    stall          seconds without bytes, or without KLV, after which the stream is stale
    open_isolated  opens the source in a separate process, after its reader hung
    hang_timeout   seconds without a byte after which a reader that has timeouts hangs
    packet_limit   maximum bytes of a KLV packet's value
    choice         the selected KLV, and the names of its streams
    recording      makes what writes its bytes to disk meanwhile; None: they are not
    """

    name: str
    open: Callable[[], Source]
    url: str
    stall: float = STALL
    open_isolated: Callable[[], Source] | None = None
    hang_timeout: float = 60.0
    packet_limit: int = LIMIT
    choice: Choice = EVERYTHING
    recording: Callable[[], SourceRecording] | None = None
