"""The unit in docs/systemd.md: systemd accepts it, and rates it as the page says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

PAGE = (ROOT / "docs" / "systemd.md").read_text()
UNIT = "".join(re.findall(r"(?ms)^```ini\n(.*?)^```", PAGE))


def analyzed(verb: str, path: Path, *options: str) -> str:
    """What `systemd-analyze` prints about the unit."""
    words = ["systemd-analyze", verb, *options, "--no-pager", str(path)]
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30).stdout


@pytest.mark.needs("systemd-analyze")
def test_systemd_knows_every_setting_of_the_unit(tmp_path: Path):
    """It reports nothing: unknown settings, and unknown groups of system calls, would have no effect."""
    path = tmp_path / "klvrelay.service"
    path.write_text(UNIT.replace("/opt/klvrelay/bin/klvrelay", str(shutil.which("true"))))

    assert [line for line in analyzed("verify", path).splitlines() if path.name in line] == []


@pytest.mark.needs("systemd-analyze")
def test_the_unit_is_hardened(tmp_path: Path):
    """At most 2 of 10 in every version of systemd that rates units; the lines of hardening make the difference."""
    path = tmp_path / "klvrelay.service"
    exposure = []
    for text in (UNIT, re.sub(r"(?ms)^# What it may not do.*?^$", "", UNIT)):
        path.write_text(text)
        found = re.search(r"exposure level for \S+: ([\d.]+)", analyzed("security", path, "--offline=true"))
        assert found is not None
        exposure.append(float(found[1]))

    assert exposure[0] <= 2
    assert exposure[1] > 6


def test_the_unit_allows_what_confines_sources():
    """Landlock and seccomp are system calls too."""
    assert "landlock_restrict_self" in UNIT
    assert "seccomp " in UNIT
