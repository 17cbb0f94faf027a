"""The C tables of `native/tables.c`: rows name their members, and an omitted member is zero."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from native.generate.c_rows import WIDTH, ZEROS, array, members, wrapped

NATIVE = Path(__file__).parent.parent / "native"
TABLES = (NATIVE / "tables.c").read_text(encoding="utf-8")
STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def test_every_row_names_its_members():
    """No value is given by its position, except the bytes of a key."""
    rows = re.sub(r"/\*.*?\*/|#[^\n]*", "", STRING.sub('""', TABLES), flags=re.DOTALL)
    rows = re.sub(r"\{(?:0x[0-9a-f]{2},?\s*)+\}", "0", rows)

    positional = re.findall(r"[{,]\s*(?![.{}\s]|\[\d+\] = \{|KEY\()[^,{}]+", rows)

    assert positional == []
    assert rows.count(".label = ") > 100


def test_no_line_is_too_wide():
    """120 columns, as in other source files."""
    assert [line for line in TABLES.splitlines() if len(line) > WIDTH] == []


def test_an_omitted_member_is_zero_in_c(tmp_path):
    """The generator omits a member whose enumerator is one of `ZEROS`: each of them is the 0 of its enum."""
    names = sorted(zero for zero in ZEROS if zero.isidentifier())
    checks = "".join(f'_Static_assert({name} == 0, "{name}");\n' for name in names)
    source = tmp_path / "zeros.c"
    source.write_text(f'#include "table.h"\n{checks}int zeros;\n', encoding="utf-8")

    cc = shlex.split(os.environ.get("CC") or shutil.which("gcc") or "cc")
    subprocess.run([*cc, "-std=c11", "-I", NATIVE, "-c", source, "-o", tmp_path / "zeros.o"], check=True, timeout=60)

    assert {"K_NONE", "OLD_NONE", "O_NONE"} <= set(names)


def test_members_that_are_zero_are_left_out():
    """Numbers, enumerators and pointers alike; the others keep their order."""
    assert members(kind="K_UINT", flags=0, cells="C_INT", min="0.0", codes="", len_min=2) == [
        ".kind = K_UINT",
        ".len_min = 2",
    ]


def test_a_long_row_is_broken_after_commas_and_never_inside_a_string():
    """Each piece keeps its text; the comma in the label does not separate."""
    label = '"' + ", ".join(["a label, with commas"] * 4) + '"'
    row = "{" + ", ".join([".code = 1", f".label = {label}", ".key = " + "k" * 60]) + "}"

    lines = wrapped(row, 8).splitlines()

    assert len(lines) == 2
    assert lines[0].endswith(f"{label},")
    assert " ".join(line.strip() for line in lines) == row
    assert array("static const int x[]", ["1", "2"]) == "static const int x[] = {\n    1,\n    2,\n};"
