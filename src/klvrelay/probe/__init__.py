"""Analyses a stream: which KLV it holds, how the KLV is carried, and which faults it has.

    inquiry.py    reads the source            transport/    transport stream: tables, PES, clocks, frames
    outcome.py    builds the report           metadata/     records: items, rates, times
    report.py     the report                  rules/        checks, each with its clause and a remedy
    drawn.py      data of the charts          output/       verdict, terminal text, JSON, HTML page
    selection.py  the selected KLV only       allowance.py  limit on detailed inspection
"""

from klvrelay.probe.inquiry import inquire
from klvrelay.probe.report import Report

__all__ = ["Report", "inquire"]
