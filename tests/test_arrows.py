"""Keeps the arrows of the house: who may import whom inside `src/klvrelay`.

A room is a module or a package of the first level. Next door: `test_core_purity.py` does the same for C.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "klvrelay"

# A room and the rooms it may import. None: knows all of them.
ARROWS: dict[str, set[str] | None] = {
    "shown": set(),
    "errors": {"shown"},
    "documents": set(),
    "prctl": set(),
    "mistyped": {"errors"},
    "parameters": {"shown"},
    "url": {"errors", "mistyped", "parameters", "shown"},
    "small_file": {"errors", "mistyped"},
    "credentials": {"errors", "shown", "small_file", "url"},
    "places": {"credentials", "errors", "log", "shown", "url"},
    "redaction": {"errors", "mistyped", "parameters", "shown", "url"},
    "log": {"shown"},
    "stopping": {"log"},
    "loading": set(),
    "contents": set(),
    "standard": {"errors", "shown"},
    "diagnosis": {"wire"},
    "spec": set(),
    "clauses": set(),
    "items": {"spec", "clauses"},
    "names": {"errors", "mistyped", "parameters", "shown", "url"},
    "tls": {"errors", "small_file"},
    "wire": {"documents", "errors", "integers", "_core"},
    "inlet": {"wire", "_core"},
    "integers": {"documents"},
    "selection": {"errors", "spec", "wire"},
    "record": {"integers", "link", "selection", "wire"},
    "link": {"integers", "wire"},
    "elementary": {"log", "names", "wire"},
    "klv": {"elementary", "integers", "names", "record", "wire", "errors", "spec"},
    "stamps": {"contents", "record", "wire", "names", "errors", "sources"},  # of the sources: how libav is opened
    # of the wire: what an entry may hold
    "sources": {
        "contents", "credentials", "errors", "inlet", "integers", "klv", "link", "mistyped", "names", "prctl", "record",
        "tls", "wire",
    },
    "sending": {"contents", "sources", "record", "names", "errors"},
    "sinks": {
        "documents", "errors", "integers", "mistyped", "names", "record", "shown", "small_file", "tls", "url",
    },
    "spool": {"record"},
    "latest": {"documents", "record"},
    "segments": set(),
    "reading": {"sources", "elementary", "klv", "record", "names", "errors", "wire"},
    "broker": {"errors"},
    "backoff": set(),
    "repeats": {"backoff"},
    "supervise": {"backoff", "errors"},
    "health": {"diagnosis", "documents", "record", "repeats", "wire", "names"},
    "toml_reader": {"errors", "mistyped", "shown"},
    "login_reader": {"credentials", "errors", "shown", "toml_reader", "url"},
    # of the sinks: their settings
    "config": {
        "credentials", "elementary", "errors", "login_reader", "mistyped", "names", "shown", "sinks", "small_file",
        "toml_reader", "url", "wire",
    },
    "encode": {"errors", "record", "spec", "wire"},
    "sample": {"encode", "errors"},
    "recording": {"backoff", "errors", "names", "record", "repeats", "sources", "supervise"},
    "probe": {
        "contents", "diagnosis", "documents", "elementary", "errors", "names", "record", "klv", "wire", "spec",
        "stamps", "sources", "__version__",
    },
    "outlet": {"backoff", "errors", "health", "record", "sinks", "spool", "supervise"},
    "channel": {"health", "latest", "outlet", "record", "sinks"},
    "feed": {"elementary", "health", "sources", "wire"},
    "oversize": set(),
    "patience": {"health"},
    "totals": {"integers", "record", "sources"},
    "intake": {
        "backoff", "channel", "errors", "feed", "health", "klv", "outlet", "oversize", "patience", "record", "sources",
        "supervise", "totals",
    },
    "relay": None,
    "options": {"commands", "__version__"},
    "commands": None,
    "verbs": None,
    "cli": None,
    "__init__": None,
    "__main__": {"cli", "loading"},
}


def room_of(path: Path) -> str:
    """The room that a file belongs to."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Every module of klvrelay that a file imports, at its top or inside a function, as `klvrelay.a.b`."""
    package = ["klvrelay", *path.relative_to(SOURCE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def rooms_imported(path: Path) -> set[str]:
    names = (name.split(".") for name in imported(path))
    return {(name[1] if len(name) > 1 else "__init__") for name in names if name[0] == "klvrelay"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_room_imports_only_the_rooms_it_may_know(path):
    """The way through the house is one way: no room knows of one further down the corridor."""
    room = room_of(path)
    assert room in ARROWS, f"a new room: say in ARROWS what {room} may import"
    allowed = ARROWS[room]

    known = rooms_imported(path) - {room}

    assert allowed is None or known <= allowed, f"{room} must not know {', '.join(sorted(known - allowed))}"


def test_only_the_wire_and_the_inlet_call_the_compiled_core():
    """One module stands between Python and the pure core, one between it and the sockets."""
    callers = {room_of(path) for path in modules() if "_core" in rooms_imported(path)}

    assert callers <= {"wire", "inlet"}


@pytest.mark.parametrize(
    ("line", "rooms"),
    [
        ("from klvrelay.record import Record", {"record"}),
        ("from klvrelay import wire", {"wire"}),
        ("import klvrelay.klv as k", {"klv"}),
        ("from ..relay import Relay", {"relay"}),
        ("from .udp import UdpSource", {"sources"}),
        ("def later():\n    from .. import spool", {"spool"}),
        ("import asyncio", set()),
    ],
)
def test_each_way_to_write_an_import_is_seen(line, rooms, tmp_path, monkeypatch):
    """Absolute, relative and late imports count alike."""
    monkeypatch.setattr(f"{__name__}.SOURCE", tmp_path)
    file = tmp_path / "sources" / "file.py"
    file.parent.mkdir()
    file.write_text(line, encoding="utf-8")

    assert rooms_imported(file) == rooms
