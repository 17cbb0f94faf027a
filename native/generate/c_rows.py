"""C text: rows as designated initialisers, at most 120 columns wide. A member whose value is zero is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

WIDTH = 120
# The enumerators of table.h that are 0: the value of a member that a row omits.
ZEROS = {"", "0", "0.0", "K_NONE", "OLD_NONE", "C_INT", "O_NONE", "U_LOCAL", "SUM_NONE", "PLACE_NONE"}


def members(**values: object) -> list[str]:
    """`.name = value` of each member that is not zero."""
    return [f".{name} = {value}" for name, value in values.items() if str(value) not in ZEROS]


def braced(parts: Iterable[str]) -> str:
    return "{" + ", ".join(parts) + "}"


def string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quoted_json(text: str) -> str:
    """A C string of a JSON string."""
    return string(string(text))


def octets(key: bytes) -> str:
    return braced(f"0x{octet:02x}" for octet in key)


def array(declaration: str, rows: Iterable[str]) -> str:
    """`static const struct code codes_x[]` and its rows, each on separate lines."""
    return "\n".join([f"{declaration} = {{", *(wrapped(f"    {row},", 8) for row in rows), "};"])


def wrapped(line: str, indent: int) -> str:
    """The line, broken after commas if it is too long; the next lines are indented by `indent` columns."""
    lines = [""]
    for piece in _pieces(line):
        if len(lines[-1]) + len(piece.rstrip()) > WIDTH and lines[-1].strip():
            lines.append(" " * indent)
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def _pieces(line: str) -> Iterator[str]:
    """The line in parts, each of which ends after a comma outside of strings and the blanks that follow."""
    return (found.group() for found in re.finditer(r'(?:"(?:\\.|[^"\\])*"|[^",])+,?\s*|,\s*', line))
