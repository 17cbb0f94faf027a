"""Selects the charts of a record stream for the HTML page."""

from __future__ import annotations

from klvrelay.probe.charts import ChartStrip, Plots
from klvrelay.probe.output import svg
from klvrelay.text import printable


def pictures(plots: Plots, most: int) -> str:
    """All charts that have data, with item strips for at most `most` items."""
    rows = [ChartStrip(printable(strip.name), strip.width, strip.counts) for strip in plots.strips[:most]]
    return "".join(
        (
            svg.curves("Records per second", [plots.rate], "", from_zero=True),
            svg.curves("Longest gap between records", [plots.gaps], "ms", scale=1e3, from_zero=True),
            svg.curves("Record time relative to other clocks, from the first record", plots.offsets, "ms", scale=1e3),
            svg.track("Positions of sensor and frame centre", plots.paths),
            svg.curves("Altitude", plots.altitudes, "m"),
            svg.strips("Items over time", plots.records, rows),
        )
    )
