"""Where a record or a notice goes: topic names in which nothing from outside can make a level or a wildcard."""

from __future__ import annotations

from functools import lru_cache

from klvrelay.config.names import safe_level

LEAVES = ("availability", "link")
"""Topics of a stream that say whether it is there."""


@lru_cache(maxsize=4096)
def stream_topic(prefix: str, stream: str, leaf: str) -> str:
    """`{prefix}/{stream}/{leaf}` with the stream made safe."""
    return f"{prefix}/{safe_level(stream)}/{leaf}"


def status_topic(prefix: str) -> str:
    """Where the relay says whether it is there, and its last will says that it is not."""
    return f"{prefix}/status"


def split_topic(topic: str, prefix: str) -> tuple[str | None, str]:
    """Level of the stream and leaf of `{prefix}/{level}/{leaf}`; no level for another topic."""
    begin, _, rest = topic.partition(f"{prefix}/")
    level, _, leaf = rest.partition("/")
    return (level or None if not begin and leaf in LEAVES and is_topic(level) else None), leaf


def is_topic(text: str) -> bool:
    """May it be published to? No broker that keeps to the protocol sends another (MQTT 5, 1.5.4 and 3.3.2.1)."""
    return text.isprintable() and not set("+#") & set(text)
