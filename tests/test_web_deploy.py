"""`deploy/`: the Grafana dashboard and the Prometheus rules use only metrics and labels that the relay has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from full_board import full_observed
from prometheus_client.parser import text_string_to_metric_families

from klvrelay.web.metrics.collect import exposition

DEPLOY = Path(__file__).parents[1] / "deploy"
RULES = yaml.safe_load((DEPLOY / "prometheus" / "klvrelay.rules.yml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana" / "klvrelay.json").read_text())
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds."""
Known = dict[str, dict[str, set[str]]]
"""The values of the labels of each metric."""


def rules() -> list[dict[str, Any]]:
    return [rule for group in RULES["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def targets() -> list[dict[str, Any]]:
    return [target for panel in panels() for target in panel["targets"]]


def expressions() -> list[str]:
    notes = [note["expr"] for note in DASHBOARD["annotations"]["list"]]
    texts = [*(rule["expr"] for rule in rules()), *(target["expr"] for target in targets()), *notes]
    return [text.replace("$__rate_interval", "5m") for text in texts]


@pytest.fixture
async def known() -> Known:
    """All metrics of a full board, those of the recording rules, and `up`, which Prometheus makes."""
    found: Known = {"up": {}}
    async with full_observed() as observed:
        text = (await exposition(observed.board, [observed.more_families])).decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                values.setdefault(label, set()).add(value)
    return found | {rule["record"]: {"stream": set(), "sink": set()} for rule in rules() if "record" in rule}


def selectors(expression: Any) -> Iterator[Any]:
    """All vector selectors in an expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for name in ("lhs", "rhs", "expr", "args", "param", "vector_selector", "vs", "vector"):
        inner = getattr(expression, name, None)
        for one in inner if isinstance(inner, list) else [inner]:
            if one is not None:
                yield from selectors(one)


def grouped(text: str) -> set[str]:
    """The labels in `by (...)` and `on (...)`."""
    return {label for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", text) for label in re.split(r",\s*", labels)}


def faults(text: str, known: Known) -> list[str]:
    """What an expression uses that there is not."""
    found = list(selectors(promql_parser.parse(text)))
    wrong = [] if found else ["no metric"]
    labels = set(SCRAPED)
    for selector in found:
        if selector.name not in known:
            return [f"unknown metric {selector.name}"]
        labels |= known[selector.name].keys()
        wrong += _wrong_matchers(selector, known[selector.name])
    return wrong + [f"unknown label {label}" for label in grouped(text) - labels]


def _wrong_matchers(selector: Any, labels: dict[str, set[str]]) -> list[str]:
    wrong = []
    for matcher in selector.matchers.matchers:
        if matcher.name in SCRAPED:
            continue
        if matcher.name not in labels:
            wrong.append(f"{selector.name} has no label {matcher.name}")
        elif not matcher.value.startswith("$"):
            wrong += [f"{matcher.name} is never {value}" for value in matcher.value.split("|")
                      if value not in labels[matcher.name]]  # fmt: skip
    return wrong


@pytest.mark.parametrize("text", expressions())
def test_each_expression_uses_metrics_and_labels_of_the_relay(text: str, known: Known):
    """It parses; each metric, each label and each fixed value of a label exists."""
    assert faults(text, known) == []


@pytest.mark.parametrize(
    "text",
    [
        "klvrelay_no_such_metric", 'rate(klvrelay_stream_records_total{sink="x"}[5m])', "1",
        'klvrelay_stream_state{state="dead"}', "sum by (colour) (klvrelay_streams)",
        "klvrelay_streams / rate(klvrelay_x[5m])", 'klvrelay_sink_state{state=~"up|gone"}', "abs(-(klvrelay_y))",
    ],
)  # fmt: skip
def test_the_check_finds_what_there_is_not(text: str, known: Known):
    """Otherwise it would prove nothing."""
    assert faults(text, known) != []


def test_the_rules_have_the_form_that_prometheus_reads():
    """Names are unique, alerts have a severity, a time, a summary and advice."""
    assert set(RULES) == {"groups"}
    names = [rule.get("record") or rule.get("alert") for rule in rules()]
    assert len(names) == len(set(names)) > 20
    for rule in rules():
        if "record" in rule:
            assert set(rule) == {"record", "expr"}
            assert re.fullmatch(r"klvrelay:[a-z_0-9]+:[a-z_0-9]+", rule["record"])
            continue
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"Klvrelay[A-Za-z]+", rule["alert"])
        assert re.fullmatch(r"\d+[smh]", rule["for"])
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}


def shown_labels(text: str) -> set[str]:
    return set(re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", text))


def labels_of(text: str, known: Known) -> set[str]:
    """The labels that the result of an expression can have."""
    found = (known[one.name].keys() for one in selectors(promql_parser.parse(text)))
    every = SCRAPED.union(*found)
    return every & grouped(text) if text.startswith(("sum by", "histogram_quantile")) else every


async def test_titles_and_legends_name_labels_that_the_results_have(known: Known):
    """A legend with another label is empty."""
    for target in targets():
        text = target["expr"].replace("$__rate_interval", "5m")
        assert shown_labels(target["legendFormat"]) <= labels_of(text, known), target
    for rule in rules():
        if "alert" in rule:
            assert shown_labels(rule["annotations"]["summary"]) <= labels_of(rule["expr"], known), rule


def test_the_dashboard_has_the_form_that_grafana_imports():
    """Panels with unique ids in a grid of 24 columns, none on another; every target names the data source variable."""
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids)) > 30
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        own = {(x, y) for x in range(place["x"], place["x"] + place["w"])
               for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not own & cells, panel["title"]
        cells |= own
    assert all(target["datasource"]["uid"] == "${datasource}" for target in targets())
    assert {"uid", "title", "schemaVersion", "templating", "time"} <= set(DASHBOARD)


def test_the_variables_of_the_dashboard_are_those_that_it_uses(known: Known):
    """And their values come from labels that exist."""
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(DASHBOARD)))
    assert used == set(variables)
    for name, variable in variables.items():
        if name != "datasource":
            found = re.fullmatch(r"label_values\((\w+)(\{.*\})?, (\w+)\)", variable["definition"])
            assert found is not None
            assert found[3] in known[found[1]].keys() | SCRAPED
