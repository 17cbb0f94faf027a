"""The probe: what is in a stream, how it is carried, and what is wrong with it, for a tired operator.

A room beside the corridor: the same sources and decoder as the relay, and eyes of its own for the transport.

    inquiry.py    reads the source             survey.py     the transport stream as it passes
    framer.py     bytes to TS packets          pids.py       counters of all PIDs
    tables.py     PAT, PMT                     codes.py      what their numbers mean
    pes.py        PES heads, AU cells          pcr.py        the stream's clock
    frames.py     times inside the video       telemetry.py  the records, items.py their items
    clocks.py     clocks against each other    series.py     endless numbers in bounded memory
    outcome.py    tallies to the report        report.py     the report, drawn.py its curves
    rules/        what is judged               verdict.py    the first lines, the exit code
    carriage.py   how KLV is carried           words.py      the report in rows
    text.py       for a terminal or a pipe     page.py       HTML; style.py its looks, plots.py and svg.py its pictures
"""

from klvrelay.probe.inquiry import inquire
from klvrelay.probe.report import Report

__all__ = ["Report", "inquire"]
