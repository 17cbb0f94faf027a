"""The report as JSON: one document, whose keys stay as they are; next door, `report.py` has the fields."""

from __future__ import annotations

from dataclasses import fields

from klvrelay.documents import dumps
from klvrelay.probe.report import SCHEMA, Report

_NOT_TOLD = {"plots"}


def document(report: Report) -> bytes:
    """UTF-8 with a line end; the order of the keys is that of the fields."""
    told = {field.name: getattr(report, field.name) for field in fields(report) if field.name not in _NOT_TOLD}
    return dumps({"schema": SCHEMA, **told}, indented=True)
