"""Selects the charts of a record stream for the HTML page."""

from __future__ import annotations

from klvrelay.probe.drawn import Plots, Strip
from klvrelay.probe.output import svg
from klvrelay.text import printable


def pictures(plots: Plots, most: int) -> str:
    """All charts that have data, with item strips for at most `most` items."""
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
