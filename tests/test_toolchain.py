"""The tools keep their contract: make's targets, the set-up, CI, and the content of a package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROMISED = {"help", "demo", "test", "long", "bench", "tables", "check-tables", "core", "lint", "clean"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program with only this environment."""
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=55)


@pytest.fixture
def machine(tmp_path) -> Path:
    """A folder of commands that is the whole PATH of a machine without a compiler and Python.

    Its user is not root, and its apt-get prints that it was called.
    """
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("bash", "env", "cat", "sha256sum", "mktemp", "rm", "mkdir", "tail", "sed", "tee", "grep"):
        (commands / name).symlink_to(str(shutil.which(name)))
    command(commands, "id", "echo 1000")
    command(commands, "apt-get", "echo apt-get was called; exit 1")
    return commands


def command(commands: Path, name: str, script: str) -> None:
    file = commands / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A copy of the files that the set-up reads, in a path with a space."""
    copy = tmp_path / "a checkout"
    for name in (".ci", "native"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "Makefile"):
        shutil.copy(ROOT / name, copy)
    return copy


def test_make_without_a_target_lists_every_target():
    """One line per target, and nothing else."""
    listed = run("make", cwd=ROOT, PATH=os.environ["PATH"]).stdout.splitlines()

    assert all(re.fullmatch(r"  make [a-z-]+ +\S.*", line) for line in listed)
    assert {line.split()[1] for line in listed} >= PROMISED


@pytest.mark.parametrize("script", [".ci/setup", ".ci/run", ".ci/fresh", ".ci/fuzz", ".ci/coverage"])
def test_the_scripts_are_executable_and_valid_bash(script):
    """Both are executable, and bash finds no syntax error."""
    assert os.access(ROOT / script, os.X_OK)
    assert run("bash", "-n", ROOT / script, cwd=ROOT, PATH=os.environ["PATH"]).returncode == 0


def test_ci_runs_the_command_of_the_readme_and_requires_every_program():
    """CI tries what the README tells a newcomer to type."""
    script = text(".ci/run")

    assert re.search(r"^timeout \d+ make test\b", script, re.MULTILINE)
    assert "export KLVRELAY_NO_SKIP=1" in script
    assert "make test" in text("README.md")


def test_a_user_who_is_not_root_gets_the_one_line_to_run(machine, checkout):
    """Without a compiler and Python, set-up stops before it does anything, with a line to copy."""
    done = run(checkout / ".ci/setup", "demo", cwd=checkout, PATH=str(machine))

    assert done.returncode == 1
    line = "  sudo apt-get update && sudo apt-get install -y gcc libc6-dev"
    assert done.stderr.splitlines()[-1].startswith(line)
    assert "was called" not in done.stdout + done.stderr
    assert not (checkout / ".venv").exists()


def test_missing_programs_for_some_tests_are_named_and_optional(machine, checkout):
    """`make test` says which programs are missing and how to get them, before it continues."""
    done = run(checkout / ".ci/setup", "test", cwd=checkout, PATH=str(machine))

    assert "Not installed: " in done.stderr
    named = done.stderr.partition("Not installed: ")[2].partition(". ")[0].split()
    assert {"mosquitto-clients", "ffmpeg", "srt-tools", "faketime"} <= set(named)
    there = shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin") is not None
    assert ("mosquitto" in named) is not there
    assert "skipped" in done.stderr


def test_a_failing_apt_is_shown_and_ends_the_set_up(machine, checkout):
    """The output of apt is printed, and then what it was called for."""
    command(machine, "id", "echo 0")

    done = run(checkout / ".ci/setup", "demo", cwd=checkout, PATH=str(machine))

    assert done.returncode == 1
    assert "apt-get was called" in done.stderr
    assert "apt could not install: gcc libc6-dev" in done.stderr.splitlines()[-1]


def test_an_unsuitable_interpreter_is_refused_by_name(machine, checkout):
    """PYTHON= that is too old or missing stops at once and installs nothing."""
    command(machine, "id", "echo 0")

    done = run(checkout / ".ci/setup", "demo", cwd=checkout, PATH=str(machine), PYTHON="python2.7")

    assert done.returncode == 1
    assert done.stderr == "klvrelay set-up: PYTHON=python2.7 is no Python 3.11 or later\n"


@pytest.mark.parametrize(("version", "untested"), [((3, 14), False), ((3, 15), True)])
def test_a_newer_interpreter_is_accepted_as_untested(machine, checkout, version, untested):
    """A later Python is not refused; a user with trouble there has read why."""
    name = "python{}.{}".format(*version)
    pretends = f"import sys; sys.version_info = {(*version, 0)}; exec(sys.argv.pop(1))"
    command(machine, name, f'shift; exec {sys.executable} -c "{pretends}" "$@"')

    done = run(checkout / ".ci/setup", "demo", cwd=checkout, PATH=str(machine), PYTHON=name)

    said = "Python 3.15 is untested here: known to work are 3.11 to 3.14. Trying it\n"
    assert done.stderr.startswith(said) is untested
    assert "missing: gcc" in done.stderr, "it went on to what is to be installed"


def test_every_imported_package_is_a_dependency():
    """The imports of `src` are Python's own (`compression` from 3.14), in the dependencies, or in an extra."""
    project = tomllib.loads(text("pyproject.toml"))["project"]
    names = ("alerts", "demo", "geofence", "mcap", "msgpack", "nats", "parquet", "redis", "web", "zstd")
    extras = (project["optional-dependencies"][name] for name in names)
    packages = {re.split(r"[<>=\[.]", line)[0] for line in chain(project["dependencies"], *extras)}
    lines = (line for file in (ROOT / "src").rglob("*.py") for line in text(str(file)).splitlines())
    found = (re.match(r"\s*(?:from|import) ([a-z_A-Z0-9]+)", line) for line in lines)
    imported = {match[1] for match in found if match} - {*sys.stdlib_module_names, "compression"}

    others = {"paho", "nats", "nkeys"}  # of paho-mqtt and nats-py[nkeys]
    assert imported - {"klvrelay", "_cffi_backend"} <= packages | others


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_source_package_builds_one_wheel_for_every_python(tmp_path):
    """The sdist has the C core's source; its wheel the core for CPython 3.11 and later, and the data."""
    run_python("-c", f"from setuptools import build_meta as b; b.build_sdist({str(tmp_path)!r})", cwd=ROOT)
    subprocess.run(["tar", "-xf", next(tmp_path.glob("*.tar.gz"))], cwd=tmp_path, check=True)
    tree = next(path for path in tmp_path.iterdir() if path.is_dir())
    assert {"klv.h", "klv.c", "build.py", "spec"} <= {path.name for path in (tree / "native").iterdir()}

    run_python("-c", f"from setuptools import build_meta as b; b.build_wheel({str(tmp_path)!r})", cwd=tree)

    wheel = next(tmp_path.glob("*.whl"))
    assert re.fullmatch(r"klvrelay-[0-9.]+-cp311-abi3-linux_\w+\.whl", wheel.name)
    held = zipfile.ZipFile(wheel).namelist()
    assert {"klvrelay/core/_core.abi3.so", "klvrelay/py.typed", "klvrelay/record.schema.json"} <= set(held)
    assert [name for name in held if name.endswith(".data/scripts/klvrelay")], "the command"
    assert not [name for name in held if name.startswith(("native", "tests", "setup"))]


def run_python(*arguments: str, cwd: Path) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
