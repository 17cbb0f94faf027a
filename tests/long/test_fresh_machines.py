"""Both commands of the README on bare Debian machines: `../../.ci/fresh` builds them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FRESH = Path(__file__).parents[2] / ".ci" / "fresh"


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("apt-get"), reason="needs root on a Debian or Ubuntu")
@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_the_commands_of_the_readme_pass_on_a_bare_debian(release: str):
    """The machine has no compiler, no Python and no server before; `make demo` shows records and `make test` passes."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen([FRESH, release], **pipes) as process:
        try:
            said = process.communicate(timeout=3500)[0].decode("utf-8", "replace")
        finally:
            process.terminate()  # SIGTERM lets it clean up; SIGKILL would not

    assert process.returncode == 0, said[-20_000:]
    assert "make demo passed" in said
    assert "make test passed" in said
