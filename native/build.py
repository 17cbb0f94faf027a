"""Builds the C core into `klvrelay.core._core` with cffi in API mode; setuptools calls it, `make core` runs it.

cffi reads the part of each header between its two marker comments unchanged, so that no declaration is written
twice.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from cffi import FFI

NATIVE = Path(__file__).parent
HEADERS = ["klv.h", "output.h", "rtp.h", "copies.h", "receiver.h", "receivers.h"]
SOURCES = [
    "klv.c", "sum.c", "value.c", "columns.c",
    "text.c", "string.c", "float.c", "note.c", "miis.c", "sdcc.c", "array.c", "pack.c", "linear.c", "scalar.c",
    "keys.c", "set.c", "select.c", "json.c",
    "grid.c", "base.c", "thin.c", "compact.c", "document.c", "shape.c", "marking.c",
    "usual.c", "hold.c", "wait.c", "pes.c", "psi.c", "check.c", "clock.c", "lane.c", "rtp.c", "copies.c",
    "stamp.c",
    "tables.c",
]  # fmt: skip
"""The pure core."""
SYSTEM = ["receiver.c", "receivers.c"]
"""The files that make system calls."""

_MARKED = re.compile(r"/\* cffi: begin \*/(.*?)/\* cffi: end \*/", re.DOTALL)


def declarations(header: str) -> str:
    """The marked part of a header, including comments."""
    marked = _MARKED.findall((NATIVE / header).read_text(encoding="utf-8"))
    if not marked:
        raise ValueError(f"{header} has no part marked for cffi")
    return "\n".join(marked)


def builder(root: Path, *flags: str) -> FFI:
    """The extension with its sources below `root`: relative for setuptools, absolute for a build in place."""
    ffi = FFI()
    for name in HEADERS:
        ffi.cdef(declarations(name))
    ffi.set_source(
        "klvrelay.core._core",
        "\n".join(f'#include "{name}"' for name in HEADERS),
        sources=[str(root / "native" / name) for name in [*SOURCES, *SYSTEM]],
        include_dirs=[str(root / "native")],
        extra_compile_args=["-std=c11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra", *flags],
        extra_link_args=[flag for flag in flags if flag == "--coverage"],
        libraries=["m"],
        py_limited_api=True,
    )
    return ffi


def build(package: Path, scratch: str, *flags: str) -> None:
    """Compile the core and replace it in `package` atomically: processes that have loaded the old one keep it."""
    built = builder(NATIVE.parent, *flags).compile(tmpdir=scratch, verbose=True)
    home = package / Path(built).name
    shutil.copy(built, home.with_suffix(".new"))
    home.with_suffix(".new").replace(home)


ffibuilder = builder(Path())

if __name__ == "__main__":
    if len(sys.argv) == 3:  # PACKAGE OBJECTS: for `make coverage`, with a count for every branch
        build(Path(sys.argv[1]), sys.argv[2], "-O0", "--coverage")
    else:
        with tempfile.TemporaryDirectory() as folder:
            build(NATIVE.parent / "src" / "klvrelay" / "core", folder)
