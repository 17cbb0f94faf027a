"""Which pictures the page has of a stream of records; next door, `svg.py` draws them."""

from __future__ import annotations

from klvrelay.probe.drawn import Plots, Strip
from klvrelay.probe.output import svg
from klvrelay.text import printable


def pictures(plots: Plots, most: int) -> str:
    """All that there is something to draw for; of so many items when they came."""
    rows = [Strip(printable(strip.name), strip.width, strip.counts) for strip in plots.strips[:most]]
    return "".join(
        (
            svg.curves("Records a second", [plots.rate], "", from_zero=True),
            svg.curves("Longest gap between records", [plots.gaps], "ms", scale=1e3, from_zero=True),
            svg.curves("The records' time against other clocks, from the first one on", plots.offsets, "ms", scale=1e3),
            svg.track("Where the sensor and the middle of its picture were", plots.paths),
            svg.curves("Altitude", plots.altitudes, "m"),
            svg.strips("Which item came when", plots.records, rows),
        )
    )
