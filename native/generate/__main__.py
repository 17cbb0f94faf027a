"""Generates all files that depend on `native/spec/*.csv`, and those that describe the settings of the relay. Run it
after a change of either: `make tables`.

    native/tables.c                      the C core's tables
    src/klvrelay/standards/spec.py       Python tables of items, packs, labels and keys
    src/klvrelay/standards/clauses.py    other details that `klvrelay items` shows: documents, clauses, notes
    src/klvrelay/record.schema.json      the JSON Schema of a record
    native/spec/ITEMS.md                 the page of items
    docs/configuration.md                the page of settings
    samples/relay.schema.json            the JSON Schema of the settings file

`python -m native.generate --check` writes nothing and fails if a file is not up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from native.generate.c_tables import Tables
from native.generate.clauses import clauses
from native.generate.items_page import items_page
from native.generate.python_table import python_table
from native.generate.schema import schema

ROOT = Path(__file__).parents[2]


def outputs() -> dict[str, str]:
    """Path in the repository -> required content."""
    from klvrelay.config.reference import reference  # here, since it needs the compiled core
    from klvrelay.config.schema import settings_schema

    return {
        "native/tables.c": Tables().text(),
        "native/spec/ITEMS.md": items_page(),
        "src/klvrelay/record.schema.json": schema(),
        "src/klvrelay/standards/spec.py": python_table(),
        "src/klvrelay/standards/clauses.py": clauses(),
        "docs/configuration.md": reference(),
        "samples/relay.schema.json": settings_schema(),
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
