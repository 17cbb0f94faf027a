"""What a stream is made of, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from klvrelay.config.choice import EVERYTHING, Choice
from klvrelay.core import LIMIT
from klvrelay.health.stream import STALL
from klvrelay.sources.contract import Source


class Feed(NamedTuple):
    """What streams are made of: the name of the first, what opens their source, its address for messages.

    stall   seconds without bytes, or without KLV, after which it is stale
    apart   opens the same source in a process of its own, for one that hung
    packet_limit  bytes that the value of a KLV packet may have
    hung    seconds without a byte after which a source that libav reads, which has timeouts of its own, hangs
    choice  which of its KLV is wanted, and under which names
    """

    name: str
    open: Callable[[], Source]
    url: str
    stall: float = STALL
    apart: Callable[[], Source] | None = None
    hung: float = 60.0
    packet_limit: int = LIMIT
    choice: Choice = EVERYTHING
