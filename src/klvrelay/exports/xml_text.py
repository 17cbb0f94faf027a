"""Text in XML 1.0."""

from __future__ import annotations

import re
from html import escape

from klvrelay.json_output import STEERING

_FORBIDDEN = re.compile(f"[{STEERING}\ud800-\udfff\ufffe\uffff]")


def xml_text(text: str) -> str:
    """Text escaped for elements and attributes. Control and format characters, and what XML forbids, become U+FFFD."""
    return escape(_FORBIDDEN.sub("\ufffd", text))
