"""Subjects of topics: levels joined by dots, with all that has a meaning in a subject percent-encoded."""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[.*>%\s]|[^\x21-\x7e]+")
_KEPT = re.compile(r"%[0-9A-F]{2}")


def subject_of(topic: str) -> str:
    """klvrelay/uav1/telemetry -> klvrelay.uav1.telemetry; a dot in a level becomes %2E."""
    return ".".join(map(_token, topic.split("/")))


def _token(level: str) -> str:
    """A level as a token. The percent-encoding that names have in topics stays."""
    parts, at = [], 0
    for kept in _KEPT.finditer(level):
        parts += [_UNSAFE.sub(_percent, level[at : kept.start()]), kept[0]]
        at = kept.end()
    return "".join((*parts, _UNSAFE.sub(_percent, level[at:])))


def _percent(unsafe: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in unsafe[0].encode("utf-8", "surrogatepass"))


def all_below(prefix: str) -> str:
    """The subjects below a prefix: klvrelay.>"""
    return f"{subject_of(prefix)}.>"


def default_stream_name(prefix: str) -> str:
    """The name of the JetStream stream of a prefix: only letters, digits, - and _."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", prefix)[:255]
