"""Runs taky, a TAK server: `python taky_program.py -c taky.conf`.

taky asks `pkg_resources` for its version, which newer setuptools no longer have.
"""

from __future__ import annotations

import sys
import types
from importlib.metadata import distribution

shim = types.ModuleType("pkg_resources")
shim.get_distribution = distribution  # type: ignore[attr-defined]
shim.DistributionNotFound = ModuleNotFoundError  # type: ignore[attr-defined]
sys.modules["pkg_resources"] = shim

from taky.cot.__main__ import main  # type: ignore[import-not-found]  # noqa: E402 (after the module that it imports)

sys.exit(main())
