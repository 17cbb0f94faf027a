"""The tests that the security page names exist."""

from __future__ import annotations

import re

from conftest import HERE, ROOT


def test_every_test_that_the_page_names_exists():
    """Each by file and function; `::name` alone is in the file named before it."""
    text = (ROOT / "docs" / "security.md").read_text()
    files = {str(path.relative_to(HERE)): path.read_text() for path in HERE.rglob("test_*.py")}
    named, file = [], ""
    for found in re.finditer(r"`([\w/]+\.py)?::(\w+)`", text):
        file = found[1] or file
        named.append((file, found[2]))

    missing = [one for one in named if f"def {one[1]}(" not in files.get(one[0], "")]

    assert len(named) > 40
    assert not missing
