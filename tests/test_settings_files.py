"""Files, folders, programs and libraries of the settings: what `run` cannot use, `check` refuses, with key and line."""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest
from settings_file import written
from test_cli_check import GOOD, run

from klvrelay.cli import main as cli
from klvrelay.relay.settings_checks import check_state

SQUARE = [[7.0, 47.0], [7.1, 47.0], [7.1, 47.1], [7.0, 47.0]]


def area(tmp_path: Path, ring: list[list[float]] = SQUARE, **properties: float) -> str:
    """A GeoJSON file with one area."""
    path = tmp_path / "zones.geojson"
    geometry = {"type": "Polygon", "coordinates": [ring]}
    path.write_text(json.dumps({"type": "Feature", "properties": properties, "geometry": geometry}))
    return str(path)


def fence(file: str, more: str = "") -> str:
    return f'[[geofence]]\nname = "a"\nfile = "{file}"\n{more}'


def refused(capfd: pytest.CaptureFixture[str], tmp_path: Path, table: str, line: int, text: str) -> None:
    """Both verbs refuse these settings, in the same words; `line`: of the table."""
    path = written(tmp_path, GOOD + table)
    code, _, said = run(capfd, path)
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith(f"klvrelay: {path}: line {GOOD.count(chr(10)) + line}: {text}"), said
    assert cli.main(["run", "-c", path]) == 2
    assert text in capfd.readouterr().err


def test_a_geofence_without_a_usable_file_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Missing, no GeoJSON, a ring that is not closed."""
    refused(capfd, tmp_path, fence("/none.geojson"), 3, "geofence.file: can't be read: No such file or directory")
    (tmp_path / "text").write_text("no")
    refused(capfd, tmp_path, fence(str(tmp_path / "text")), 3, "geofence.file: ")
    refused(capfd, tmp_path, fence(area(tmp_path, SQUARE[:3])), 3, "geofence.file: ")


def test_a_geofence_whose_values_do_not_fit_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """With the key that does not fit."""
    file = area(tmp_path, max_altitude=500)
    refused(capfd, tmp_path, fence(file, 'when = "altitude"\nof = ["target"]'), 5, "geofence.of: ")
    refused(capfd, tmp_path, fence(file, 'when = "looks_at"\nof = ["frame_centre"]'), 4, "geofence.when: ")


@pytest.mark.parametrize(
    ("library", "table", "line", "text"),
    [
        ("shapely", 'when = "inside"\nof = ["footprint"]', 5, "geofence.of: "),
        ("apprise", '[[notify]]\nname = "a"\napprise = "json://h"', 3, "notify.apprise: needs the Apprise library"),
    ],
)
def test_a_missing_library_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, library: str, table: str,
    line: int, text: str,
):  # fmt: skip
    """With the extra that has it."""
    monkeypatch.setitem(sys.modules, library, None)
    table = table if library == "apprise" else fence(area(tmp_path), table)
    refused(capfd, tmp_path, table, line, text)


@pytest.mark.parametrize("program", ["/none/page", "no-such-program", "/etc/passwd"])
def test_a_program_that_cannot_be_run_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], program: str):
    """One that is missing, not in PATH, or not executable."""
    table = f'[[notify]]\nname = "a"\ncommand = ["{program}", "-x"]'
    refused(capfd, tmp_path, table, 3, f"notify.command: {program} is not a program that can be run")


def test_a_state_directory_that_cannot_be_used_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """In a file system without files, or a file."""
    refused(capfd, tmp_path, '[relay]\nstate = "/proc/x"', 2, "relay.state: /proc/x cannot be used: ")
    (tmp_path / "file").touch()
    for name in ("file", "file/state"):
        refused(capfd, tmp_path, f'[relay]\nstate = "{tmp_path / name}"', 2, "relay.state: ")


def test_a_spool_that_cannot_be_made_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """As it would be when it is opened."""
    refused(capfd, tmp_path, '[spool]\npath = "/proc/x"', 2, "spool.path: /proc/x: cannot be used as a spool: ")


def test_a_full_disk_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The relay starts with it, and writes when there is space."""

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    check_state(tmp_path / "state")


def test_a_log_file_that_cannot_be_opened_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Its folder is missing, or it is a folder."""
    for file in (tmp_path / "none" / "log", tmp_path):
        refused(capfd, tmp_path, f'[log]\nfile = "{file}"', 2, f"log.file: can't open {file}: ")


def test_a_check_makes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """State directory, log file and their folders: `run` makes them."""
    folder = tmp_path / "there"
    folder.mkdir()
    tables = f'[relay]\nstate = "{folder}/a/b"\n[log]\nfile = "{folder}/log"\n'
    path = written(
        tmp_path, GOOD + tables + fence(area(tmp_path)) + f'[[notify]]\nname = "a"\ncommand = ["{sys.executable}"]'
    )
    code, _, said = run(capfd, path)
    assert (code, said) == (0, "")
    assert os.listdir(folder) == []
