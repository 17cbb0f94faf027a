"""Analyses a stream: which KLV it holds, how the KLV is carried, and which faults it has.

    analysis.py          reads the source          transport/    transport stream: tables, PES, clocks, frames
    report_builder.py    builds the report         metadata/     records: items, rates, times
    report.py            the report                rules/        checks, each with its clause and a remedy
    transport_report.py  its transport stream      output/       verdict, terminal text, JSON, HTML page
    charts.py            data of the charts        selection.py  the selected KLV only
    allowance.py         limit on detailed inspection
"""

from klvrelay.probe.analysis import analyse
from klvrelay.probe.report import Report

__all__ = ["Report", "analyse"]
