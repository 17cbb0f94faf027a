"""Writes everything that follows from `native/spec/*.csv`; run it after a change there: `make tables`.

    native/tables.c                     the C core's tables
    src/klvrelay/spec.py                the Python item table
    src/klvrelay/record.schema.json     the JSON Schema of a record
    native/spec/ITEMS.md                the page of items

`python native/generate.py --check` writes nothing and fails where a file is not what the csv says.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from native.c_tables import Tables, string  # noqa: E402
from native.items_page import items_page  # noqa: E402
from native.schema import schema  # noqa: E402
from native.spec import facts  # noqa: E402


def _number(value):
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def python_table() -> str:
    """`src/klvrelay/spec.py`: every decoded set's items, the universal keys and the code tables."""
    lines = [
        '"""The items of the decoded sets. Made by native/generate.py from native/spec/*.csv: do not edit."""',
        "",
        "from typing import NamedTuple",
        "",
        "",
        "class Item(NamedTuple):",
        '    """One item of a local set; lengths in bytes (0 = no maximum), range in `units`."""',
        "",
        "    tag: int",
        "    key: str",
        "    name: str",
        "    units: str",
        "    kind: str",
        "    len_min: int",
        "    len_max: int",
        "    min: float | None",
        "    max: float | None",
        "    mapping: str",
        "",
        "",
        "SETS: dict[str, dict[int, Item]] = {",
    ]
    for name in facts.DECODED:
        lines.append(f'    "{name}": {{')
        for i in facts.items(name):
            values = (
                i.tag,
                i.key,
                i.name,
                i.units,
                i.kind,
                i.len_min,
                i.len_max,
                _number(i.min),
                _number(i.max),
                i.mapping,
            )
            lines.append(f"        {i.tag}: Item({', '.join(quoted(v) for v in values)}),")
        lines.append("    },")
    lines += ["}", "", "UNIVERSAL_KEYS: dict[str, bytes] = {"]
    lines += [f'    "{key.set}": bytes.fromhex("{key.key.hex()}"),' for key in facts.universal_keys()]
    lines += ["}", "", "# (set, tag, field) -> code -> label", "CODES: dict[tuple[str, int, str], dict[int, str]] = {"]
    grouped: dict[tuple[str, int, str], dict[int, str]] = {}
    for code in facts.codes():
        if code.code_type == "value":
            grouped.setdefault((code.set, code.tag, code.field), {})[code.code] = code.label
    for (set_, tag, field), labels in grouped.items():
        inner = ", ".join(f"{number}: {quoted(label)}" for number, label in labels.items())
        lines.append(f'    ("{set_}", {tag}, "{field}"): {{{inner}}},')
    return "\n".join([*lines, "}", ""])


def quoted(value) -> str:
    return string(value) if isinstance(value, str) else repr(value)


def outputs() -> dict[str, str]:
    """Path below the repository -> what it must hold."""
    return {
        "native/tables.c": Tables().text(),
        "native/spec/ITEMS.md": items_page(),
        "src/klvrelay/record.schema.json": schema(),
        "src/klvrelay/spec.py": python_table(),
    }


def main() -> int:
    stale = []
    for name, text in outputs().items():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(("stale: " if "--check" in sys.argv else "wrote ") + name)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
