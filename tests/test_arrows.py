"""The architecture as a test: which package may import which, without cycles and without private names across packages.
"""

from __future__ import annotations

import ast
import gc
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cases import each_case

import klvrelay
from klvrelay.cli.options import VERBS

ROOT = Path(klvrelay.__file__).parent

VALUES = "backoff errors gap json_output link_stats log outcome record text threads"
"""The data of the pipeline, and small helpers without input or output: every package may import these."""

MAY_IMPORT = {
    "errors": "outcome text",
    "outcome": "",
    "threads": "",
    "text": "",
    "log": "logs",
    "logs": "json_output text threads",
    "backoff": "",
    "json_output": "",
    "core": "errors json_output standards",
    "link_stats": "core json_output",
    "record": "core json_output link_stats",
    "gap": "json_output outcome record",
    "standards": "",
    "config": f"{VALUES} core shape",
    "amends": "",
    "elementary_streams": f"{VALUES} core config",
    "decoder": f"{VALUES} core config elementary_streams shape standards",
    "recordings": f"{VALUES} core config",
    "transports": f"{VALUES} config",
    "sources": f"{VALUES} core config recordings transports",
    "spool": f"{VALUES} core",
    "shape": f"{VALUES} core encode standards",
    "sinks": f"{VALUES} config core exports geo shape transports",
    "health": f"{VALUES} core",
    "alerts": f"{VALUES} config core geofences health plausibility sinks transports",
    "frames": f"{VALUES} core config recordings sources transports",
    "incidents": f"{VALUES} config health",
    "relay": f"{VALUES} alerts core config decoder elementary_streams health incidents recordings shape sinks"
    " sources spool transports",
    "systemd": f"{VALUES} health relay",
    "video": f"{VALUES} config frames sources",
    "api": f"{VALUES} core config decoder sources",
    "exports": f"{VALUES} core geo shape standards",
    "items": f"{VALUES} standards",
    "schema": f"{VALUES} alerts config core health incidents klvrelay shape sinks",
    "encode": f"{VALUES} core standards",
    "geo": VALUES,
    "plausibility": f"{VALUES} core geo standards",
    "geofences": f"{VALUES} config core geo",
    "multiplex": VALUES,
    "sample": f"{VALUES} encode multiplex",
    "importing": f"{VALUES} config core encode geo multiplex sources standards",
    "sending": f"{VALUES} config recordings sources transports",
    "recording": f"{VALUES} config health recordings relay sources transports",
    "probe": f"{VALUES} core config decoder frames health plausibility recordings sources standards klvrelay",
    "web": f"{VALUES} alerts config core health incidents schema",
    "cli": "*",
    "klvrelay": "*",
    "__main__": "cli",
}
"""The arrows of the pipeline, from left to right; a package that is not here fails the test."""


class Import(NamedTuple):
    """`module`, at `line`, imports `name` of `target` (None: the module itself)."""

    module: str
    line: int
    target: str
    name: str | None

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}" + (f".{self.name}" if self.name else "")


def modules() -> dict[str, Path]:
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def package_of(module: str) -> str:
    """The package, or the module in the root: `klvrelay.sinks.mqtt.sink` -> `sinks`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


@cache
def tree(path: Path) -> ast.Module:
    gc.disable()  # Python 3.11 fails if a collected object logs a traceback during it
    try:
        return ast.parse(path.read_text())
    finally:
        gc.enable()


def imports_of(module: str, path: Path) -> Iterator[Import]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (Import(module, node.lineno, a.name, None) for a in node.names if a.name.startswith("klvrelay"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: import by the whole name"
            if (node.module or "").split(".")[0] != "klvrelay":
                continue
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in MODULES:
                    yield Import(module, node.lineno, whole, None)
                else:
                    yield Import(module, node.lineno, str(node.module), alias.name)


@cache
def imports() -> list[Import]:
    """Those of all modules."""
    return [found for module, path in MODULES.items() for found in imports_of(module, path)]


def test_there_are_imports_to_check():
    """The other tests of this file do not pass on an empty list."""
    assert len(MODULES) > 150
    assert len(imports()) > 500


def test_each_package_imports_only_what_the_architecture_allows():
    """An import from right to left, or of a tool, is a mistake in the design."""
    wrong = [
        str(one)
        for one in imports()
        if (here := package_of(one.module)) != (there := package_of(one.target))
        and (allowed := MAY_IMPORT.get(here, "")) != "*"
        and there not in allowed.split()
        and not one.target.endswith("._core")
    ]
    assert wrong == []


def test_the_compiled_core_has_one_caller():
    """Nothing but `klvrelay.core` knows cffi."""
    callers = {package_of(one.module) for one in imports() if "_core" in (one.target.rpartition(".")[2], one.name)}
    assert callers == {"core"}


def test_no_private_name_is_imported_by_another_package():
    """A name that begins with `_` belongs to its package."""
    wrong = [
        str(one)
        for one in imports()
        if package_of(one.module) != package_of(one.target)
        and any(part.startswith("_") and not part.endswith("__") for part in (*one.target.split("."), one.name or ""))
    ]
    assert wrong == []


def cycles(arrows: dict[str, set[str]]) -> list[str]:
    """The nodes that reach themselves."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for there in arrows.get(waiting.pop(), set()) - seen:
                seen.add(there)
                waiting.append(there)
        return seen

    return sorted(node for node in arrows if node in reached(node))


def arrows_by(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in imports():
        here, there = one.module, one.target
        if name == "package":
            here, there = package_of(here), package_of(there)
        if here != there and "klvrelay" not in (here, there):  # the root offers names of all packages, imported on use
            found.setdefault(here, set()).add(there)
    return found


def test_a_cycle_is_found():
    """The check of the next two tests can fail."""
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]


def test_packages_import_each_other_in_no_cycle():
    """Imports point one way."""
    assert cycles(arrows_by("package")) == []


def test_modules_import_each_other_in_no_cycle():
    """Within a package too, whether the import is at the top or in a function."""
    assert cycles(arrows_by("module")) == []


def test_no_class_name_appears_twice():
    """A name identifies one class."""
    places: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_root_holds_about_a_dozen_files():
    """A newcomer sees the architecture first."""
    assert len([path for path in ROOT.iterdir() if path.suffix == ".py"]) <= 15


@cache
def maps() -> dict[Path, str]:
    """The docstrings of packages that list their modules."""
    found = {path.parent: ast.get_docstring(tree(path)) or "" for path in ROOT.rglob("__init__.py")}
    return {folder: text for folder, text in found.items() if len(re.findall(r"\b\w+\.py\b", text)) > 2}


@each_case("folder", sorted(maps()), ids=lambda folder: str(folder.relative_to(ROOT)))
def test_the_map_of_a_package_has_all_its_modules(folder: Path):
    """A module of `cli` that is named after its verb needs no entry."""
    listed = set(re.findall(r"\b(\w+)\.py\b", maps()[folder]))
    verbs = set(VERBS) if folder.is_relative_to(ROOT / "cli") else set()
    assert {path.stem for path in folder.glob("[!_]*.py")} - verbs <= listed
