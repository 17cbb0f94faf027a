"""Fixtures: the recordings whose exports are read by other programs' readers."""

from __future__ import annotations

from pathlib import Path

import pytest
from exported import ORBIT, Tape, tape

NAMES = {"osh": "osh_sample_stream.ts", "aphill": "aphill_klv_10s.ts"}
"""ST 0601 with corner offsets, and EG 0104."""


@pytest.fixture(scope="module", params=["orbit", *NAMES])
def recording(request: pytest.FixtureRequest) -> Tape:
    """One recording after another."""
    if request.param == "orbit":
        return tape(ORBIT)
    shared: Path = request.getfixturevalue("shared")
    return tape(shared / "data" / NAMES[request.param])
