"""Where a record or a notice goes: topic names in which nothing from outside can make a level or a wildcard."""

from __future__ import annotations

from functools import lru_cache

from klvrelay.names import safe_level


@lru_cache(maxsize=4096)
def stream_topic(prefix: str, stream: str, leaf: str) -> str:
    """`{prefix}/{stream}/{leaf}` with the stream made safe."""
    return f"{prefix}/{safe_level(stream)}/{leaf}"


def status_topic(prefix: str) -> str:
    """Where the relay says whether it is there, and its last will says that it is not."""
    return f"{prefix}/status"
