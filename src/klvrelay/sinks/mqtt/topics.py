"""Topic names. No stream name can add a level or a wildcard to them."""

from __future__ import annotations

from functools import lru_cache

from klvrelay.config.names import safe_level

LEAVES = ("availability", "link", "health", "alert")
"""Last levels of the topics that report the present state of a stream."""


@lru_cache(maxsize=4096)
def stream_topic(prefix: str, stream: str, leaf: str) -> str:
    """`{prefix}/{stream}/{leaf}`, with the stream name as a safe level."""
    return f"{prefix}/{safe_level(stream)}/{leaf}"


def value_topic(prefix: str, stream: str | None, leaf: str) -> str:
    """The topic of a latest value, of a stream or of the relay."""
    return f"{prefix}/{leaf}" if stream is None else stream_topic(prefix, stream, leaf)


def status_topic(prefix: str) -> str:
    """The topic of the relay's status and of its last will."""
    return f"{prefix}/status"


def split_topic(topic: str, prefix: str) -> tuple[str | None, str]:
    """Level and leaf of `{prefix}/{level}/{leaf}`. The level is None for any other topic."""
    begin, _, rest = topic.partition(f"{prefix}/")
    level, _, leaf = rest.partition("/")
    return (level or None if not begin and leaf in LEAVES and is_topic(level) else None), leaf


def is_topic(text: str) -> bool:
    """Is it valid in a PUBLISH (MQTT 5, 1.5.4 and 3.3.2.1)?"""
    return text.isprintable() and not set("+#") & set(text)


def matches(topic: str, wanted: list[str]) -> bool:
    """Does the topic match a subscription, split into levels (MQTT 5, 4.7)?"""
    levels = topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)]
    return len(levels) == len(wanted) and all(two in ("+", one) for one, two in zip(levels, wanted, strict=True))
