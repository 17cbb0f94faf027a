"""The version of a server, for the log."""

from __future__ import annotations

import re


def version_of(text: str) -> str:
    """The version that a server names, for the log; "" if it is no number: it might be what the server was sent."""
    return text if re.fullmatch(r"\d{1,3}(\.\d{1,5}){1,3}", text, re.ASCII) else ""
