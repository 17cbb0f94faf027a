"""The probe: what is in a stream, how it is carried, and what is wrong with it, for a tired operator.

A room beside the corridor: the same sources and decoder as the relay, and eyes of its own for the transport.

    inquiry.py    reads the source       transport/    the transport stream as it passes: tables, PES, clocks, frames
    outcome.py    tallies to the report  metadata/     the records: items, rates, times
    report.py     the report, drawn.py   rules/        what is judged, by which clause, and what to do about it
                  its curves             tell/         the verdict, for a terminal, a pipe, a program or a page
    allowance.py  how much is looked at closely
"""

from klvrelay.probe.inquiry import inquire
from klvrelay.probe.report import Report

__all__ = ["Report", "inquire"]
