"""Writes the findings as SARIF 2.1.0 (OASIS), for code scanning and build servers."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from klvrelay.json_output import dumps
from klvrelay.probe.report import Finding, KlvStream, Report
from klvrelay.probe.rules import all_rules
from klvrelay.probe.rules.rule import Rule, at_stream

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST = 512
"""Findings written."""
_URI = "/:?#[]@!$&'()*+,;=~"


def sarif(report: Report) -> bytes:
    """The document, UTF-8: every rule, and a result for each finding."""
    rules = all_rules()
    places = {rule.id: number for number, rule in enumerate(rules)}
    driver = {"name": "klvrelay", "version": report.klvrelay, "rules": [_rule(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "artifacts": [{"location": {"uri": uri_of(report.source)}}],
        "invocations": [{"executionSuccessful": True, "exitCode": report.verdict.exit_code}],
        "results": [_result(finding, places[finding.id], report) for finding in report.findings[:MOST]],
        "properties": {"verdict": report.verdict.text, "seconds": report.seconds},
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indented=True)


def uri_of(source: str) -> str:
    """The source as a URI reference: of a file its path, relative as it was given."""
    if "://" in source:
        return quote(source, safe=_URI)
    path = quote(PurePosixPath(source).as_posix())
    return f"file://{path}" if path.startswith("/") else path


def _rule(rule: Rule) -> dict[str, Any]:
    clause = {"clause": rule.clause} if rule.clause else {}
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.id.replace("_", " ")},
        "help": {"text": rule.hint},
        "defaultConfiguration": {"level": rule.severity},
        "properties": clause,
    }


def _result(finding: Finding, rule: int, report: Report) -> dict[str, Any]:
    artifact = {"uri": uri_of(report.source), "index": 0}
    location = {
        # Code scanning requires a line, which a recording does not have.
        "physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}},
        "logicalLocations": [{"name": finding.where, "kind": "resource"}],
    }
    return {
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": f"{finding.where}: {finding.what}. {finding.hint}"},
        "locations": [location],
        "occurrenceCount": max(1, finding.count),
        "partialFingerprints": {"klvrelay/1": f"{finding.id} {finding.where}"},
        "properties": {"clause": finding.clause, **_extent(finding, report.klv)},
    }


def _extent(finding: Finding, streams: tuple[KlvStream, ...]) -> dict[str, float]:
    """First and last second of implausible records."""
    for stream in streams:
        for found in stream.implausible:
            if found.id == finding.id and at_stream(stream) == finding.where:
                return {"first": found.first, "last": found.last}
    return {}
