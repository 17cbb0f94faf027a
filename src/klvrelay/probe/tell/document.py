"""The report as JSON: one document, whose keys stay as they are; next door, `report.py` has the fields."""

from __future__ import annotations

from dataclasses import fields

import orjson

from klvrelay.probe.report import SCHEMA, Report

_NOT_TOLD = {"plots"}


def document(report: Report) -> bytes:
    """UTF-8 with a line end; the order of the keys is that of the fields."""
    told = {field.name: getattr(report, field.name) for field in fields(report) if field.name not in _NOT_TOLD}
    return orjson.dumps({"schema": SCHEMA, **told}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
