"""Builds the C core into `klvrelay._core` with cffi in API mode; setuptools calls it, `make core` runs it.

cffi reads the part of each header between its two marker comments as it stands, so that no declaration is
written twice.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from cffi import FFI

NATIVE = Path(__file__).parent
HEADERS = ["klv.h"]
SOURCES = [
    "klv.c", "value.c", "columns.c",
    "text.c", "note.c", "miis.c", "sdcc.c", "array.c", "pack.c", "scalar.c", "keys.c", "set.c", "json.c",
    "hold.c", "pes.c", "psi.c", "lane.c",
    "tables.c",
]  # fmt: skip

_MARKED = re.compile(r"/\* cffi: begin \*/(.*?)/\* cffi: end \*/", re.DOTALL)


def declarations(header: str) -> str:
    """The marked part of a header, comments and all."""
    marked = _MARKED.findall((NATIVE / header).read_text(encoding="utf-8"))
    if not marked:
        raise ValueError(f"{header} has no part marked for cffi")
    return "\n".join(marked)


def builder(root: Path) -> FFI:
    """The extension with its sources below `root`: relative for setuptools, absolute for a build on the spot."""
    ffi = FFI()
    for name in HEADERS:
        ffi.cdef(declarations(name))
    ffi.set_source(
        "klvrelay._core",
        "\n".join(f'#include "{name}"' for name in HEADERS),
        sources=[str(root / "native" / name) for name in SOURCES],
        include_dirs=[str(root / "native")],
        extra_compile_args=["-std=c11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra"],
        libraries=["m"],
        py_limited_api=True,
    )
    return ffi


ffibuilder = builder(Path())

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        built = builder(NATIVE.parent).compile(tmpdir=scratch, verbose=True)
        home = NATIVE.parent / "src" / "klvrelay" / Path(built).name
        shutil.copy(built, home.with_suffix(".new"))
        home.with_suffix(".new").replace(home)  # at once: a process that has the old one goes on with it
