"""The C core keeps its contract: no state, no allocation, no access out of bounds."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import corpus
import pytest

ROOT = Path(__file__).parent.parent
NATIVE = ROOT / "native"
HERE_NATIVE = Path(__file__).parent / "native"
HARNESS = HERE_NATIVE / "harness.c"
VECTORS = Path(__file__).parent / "vectors" / "vectors.jsonl"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
STRICT = ["-std=c11", *WARNINGS, "-I", str(NATIVE)]
SANITIZERS = ["-g1", "-O1", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
COUNTERS = ["-g", "-O0", "--coverage"]
# Disable the compiler's hardening, so that only the source's own calls are checked.
PLAIN = ["-O2", "-fno-pic", "-fno-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-fcf-protection=none"]

COLUMNS = 120
FROM_LIBC = re.compile("mem[a-z]+|str(?!dup|ndup)[a-z]+")
FROM_LIBM = re.compile(
    "ceil|copysign|cos|exp2|fabs|floor|fmod|frexp|ldexp|log10|log2|modf|nearbyint|pow|(l?l)?r(int|ound)|scalbn|sqrt|trunc"
)
WRITABLE = set("bBdDsSgGC")


def sources(named: str = "SOURCES") -> list[Path]:
    """The core's files, as named in `native/build.py`; "SYSTEM": those that call the system."""
    for node in ast.parse((NATIVE / "build.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == named:
            return [NATIVE / name for name in ast.literal_eval(node.value)]
    raise AssertionError(f"native/build.py has no list {named}")


# A leak check needs ptrace, which containers refuse; the core allocates nothing.
SETTINGS = {"ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1", "LC_ALL": "C"}


BUILD = 240  # seconds, on a busy machine
pytestmark = pytest.mark.timeout(2 * BUILD)


def run(*command: str | Path, timeout: float = BUILD) -> str:
    """Run a program to its end and return its output; its error output is the failure."""
    environment = {**os.environ, **SETTINGS}
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment)
    if done.returncode:
        pytest.fail(f"{command[0]} ended: {done.returncode}\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


@pytest.fixture(scope="module")
def cc() -> list[str]:
    return shlex.split(os.environ.get("CC") or shutil.which("gcc") or "cc")


def built(name: str, command: Sequence[str | Path]) -> Path:
    """What the command writes, whose last arguments are `-o` and a path. Built again only where the command, the
    compiler or a source changed: it takes longer than all the tests of it.
    """
    digest = hashlib.sha256("\0".join(map(str, (*command, run(command[0], "--version")))).encode())
    for path in sorted([*NATIVE.glob("*.[ch]"), *HERE_NATIVE.glob("*.[ch]")]):
        digest.update(path.read_bytes())
    folder = ROOT / "build" / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{digest.hexdigest()}-{name}"
    if not made.exists():
        for old in folder.glob(f"*-{name}"):
            old.unlink(missing_ok=True)
        part = folder / f"{os.getpid()}-{name}"
        run(*command, "-o", part)
        part.rename(made)  # at once: another process may build it too
    return made


@pytest.fixture(scope="module")
def core(cc) -> Path:
    """The core as one object: compiled as a single file, which takes half the time, with every warning an error."""
    whole = [option for source in sources() for option in ("-include", source)]
    return built("core.o", [*cc, *STRICT, *PLAIN, *whole, "-c", "-x", "c", os.devnull])


@pytest.fixture(scope="module")
def harness(cc) -> Path:
    """The harness and the core, built with ASan and UBSan; for `make coverage` with branch counters."""
    counted = os.environ.get("KLVRELAY_COVERAGE")
    flags = COUNTERS if counted else SANITIZERS
    command = [*cc, *STRICT, *flags, HARNESS, *sources(), "-lm"]
    if not counted:
        return built("harness", command)
    run(*command, "-o", Path(counted) / "harness")
    return Path(counted) / "harness"


def test_the_core_compiles_without_a_warning(core):
    """-Wall -Wextra -Wpedantic -Wconversion -Wshadow, each an error; the harness compiles each file with them too."""
    assert core.stat().st_size > 0


def test_every_external_name_has_a_prefix(core):
    """What the core exports to the linker begins with klv_, ts_ or rtp_, so that it collides with no host's names."""
    defined = {line.split()[-1] for line in run("nm", "-g", "--defined-only", core).splitlines()}

    assert [name for name in sorted(defined) if not name.startswith(("klv_", "ts_", "rtp_"))] == []
    assert {"klv_json", "ts_psi_init", "rtp_parse"} <= defined


def test_the_core_compiles_as_a_single_file(cc, core, tmp_path):
    """No name occurs twice, static or not: a host may compile it as one translation unit, as `core` does."""
    assert core.exists()
    whole = tmp_path / "whole.c"
    whole.write_text("".join(f'#include "{source}"\n' for source in sources()) * 2)
    with pytest.raises(pytest.fail.Exception, match="redefinition"):
        run(*cc, *STRICT, "-fsyntax-only", whole)


def test_the_core_calls_nothing_but_memory_string_and_mathematics(core):
    """No allocation, no I/O, no lock, no time: only mem*, str* and libm are imported."""
    called = set(run("nm", "-u", core).replace("U ", "").split())

    assert [name for name in called if not FROM_LIBC.fullmatch(name) and not FROM_LIBM.fullmatch(name)] == []
    assert "memcpy" in called, "the list of names is empty: nothing was looked at"


def test_the_core_holds_no_state(core):
    """The core has no writable variable: the caller owns all memory."""
    symbols = [line.split()[-2:] for line in run("nm", core).splitlines()]

    assert [name for kind, name in symbols if kind in WRITABLE] == []
    assert "klv_json" in {name for kind, name in symbols if kind == "T"}


@pytest.mark.parametrize(("most", "count"), [("KLV_SETS", "klv_set_count"), ("KLV_KEYED", "klv_keyed_count")])
def test_the_arrays_have_a_place_for_each_set_and_key(most, count):
    """The arrays for sets and 16-byte keys are no smaller than the tables."""
    places = re.search(rf"\b{most} = (\d+)", (NATIVE / "klv.h").read_text())
    rows = re.search(rf"\b{count} = (\d+)", (NATIVE / "tables.c").read_text())

    assert places
    assert rows
    assert int(rows[1]) <= int(places[1])


def test_no_line_of_the_core_is_longer_than_120_columns():
    """Including the generated tables: reviews show files side by side."""
    long = [
        f"{path.name}:{number}"
        for path in sorted(NATIVE.glob("*.[ch]"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > COLUMNS
    ]

    assert long == []


FROM_THE_SYSTEM = {
    "receiver.c": {"recvmmsg", "getsockopt", "setsockopt", "clock_gettime", "__errno_location"},
    "receivers.c": {"epoll_ctl", "epoll_wait", "timerfd_create", "timerfd_settime", "close", "__errno_location"},
}
PURE_HEADERS = {"stddef.h", "stdint.h", "string.h", "math.h", "float.h", "limits.h", "errno.h"}


@pytest.mark.parametrize("name", FROM_THE_SYSTEM)
def test_the_system_files_make_few_system_calls(cc, tmp_path, name):
    """receiver.c receives, receivers.c polls: no allocation, no sending, no waiting, no state."""
    assert [path.name for path in sources("SYSTEM")] == list(FROM_THE_SYSTEM)
    run(*cc, *STRICT, *PLAIN, "-c", NATIVE / name, "-o", tmp_path / "one.o")

    called = set(run("nm", "-u", tmp_path / "one.o").replace("U ", "").split())
    symbols = [line.split()[-2:] for line in run("nm", tmp_path / "one.o").splitlines()]

    ours = {name for name in called if name.startswith(("klv_", "rtp_")) or FROM_LIBC.fullmatch(name)}
    assert called - ours == FROM_THE_SYSTEM[name]
    assert [name for kind, name in symbols if kind in WRITABLE] == []


def test_no_other_file_includes_a_system_header():
    """Files of the core include only their own headers and C's standard library."""
    files = [path for path in NATIVE.glob("*.[ch]") if path.name not in FROM_THE_SYSTEM]
    included = {(path.name, name) for path in files for name in re.findall(r"#include <(.+?)>", path.read_text())}

    assert {name for _, name in included} <= PURE_HEADERS
    assert ("klv.h", "stdint.h") in included
    built = {path.name for path in (*sources(), *sources("SYSTEM"))}
    assert built == {path.name for path in NATIVE.glob("*.c")}, "a file that native/build.py does not name"


def steady() -> list[str]:
    """Without address randomisation where possible: some kernels use too much of it for older sanitizers."""
    command = ["setarch", "-R"]
    return command if subprocess.run([*command, "true"], capture_output=True).returncode == 0 else []


def drive(harness: Path, folder: Path, rounds: int, seed: int, timeout: float) -> dict[str, int]:
    """Run the harness over the corpus; its counts by name."""
    made = corpus.corpus_of(VECTORS)
    made.save(folder / "corpus")
    printed = run(*steady(), harness, folder / "corpus", str(rounds), str(seed), timeout=timeout)
    counts = {name: int(count) for name, count in re.findall(r"([a-z ]+?) (\d+)(?:, |$)", printed)}
    assert counts["inputs"] == len(made.bare) + len(made.transport)
    assert counts["transport packets"] == made.packets_in_transport
    return counts


def test_no_input_causes_an_access_out_of_bounds(harness, tmp_path):
    """Every vector and frame, whole and truncated everywhere, and 3,000 mutations: the same packets, no stray access.
    """
    counts = drive(harness, tmp_path, rounds=3_000, seed=20_120_629, timeout=BUILD)

    assert counts["bare packets"] > 900
    assert counts["stamps"] > 100
    assert counts["mutations"] == 3_000


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_no_mutation_causes_an_access_out_of_bounds(harness, tmp_path):
    """The same with 300,000 mutations."""
    drive(harness, tmp_path, rounds=300_000, seed=7, timeout=1100)
