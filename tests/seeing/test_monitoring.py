"""Rules and dashboard ask for metrics that there are, in queries that Prometheus reads; each rule is explained."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from packit_worker import metrics
from packit_worker.web.metrics import NAMES

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "openshift" / "monitoring" / "alerts.yaml"
DASHBOARD = ROOT / "openshift" / "monitoring" / "dashboard.json"

RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
]
PANELS: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
#: What Grafana fills in.
VARIABLES = {"$__rate_interval": "5m"}


def queries() -> Iterator[Any]:
    for rule in RULES:
        yield pytest.param(rule["expr"], id=rule["alert"])
    for panel in PANELS:
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield pytest.param(expression, id=f"{panel['title']} {target['refId']}")


def asked(query: str) -> dict[str, set[str]]:
    """Metric -> the labels that a query matches it by, or groups by. Raises ValueError for what is no query."""
    found: dict[str, set[str]] = {}
    groups: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            groups.update(node.modifier.labels)
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            found.setdefault(node.name, set()).update(one.name for one in node.matchers.matchers)

    promql_parser.walk(promql_parser.parse(query), visit)
    return {name: labels | groups for name, labels in found.items()}


def there_are() -> dict[str, set[str]]:
    """Every metric with its labels."""
    found = {name: set() if name == "journal_up" else {"lane"} for name in NAMES}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            labels = set(metric._labelnames)
            if family.type == "histogram":
                found |= {f"{family.name}_count": labels, f"{family.name}_sum": labels}
                found[f"{family.name}_bucket"] = labels | {"le"}
            else:
                found[family.name + ("_total" if family.type == "counter" else "")] = labels
    return found


@pytest.mark.parametrize("query", list(queries()))
def test_queries_can_be_read_and_ask_for_what_there_is(query: str) -> None:
    found, known = asked(query), there_are()
    assert found and found.keys() <= known.keys()
    assert all(labels <= known[name] for name, labels in found.items())


def test_a_mistake_would_be_noticed() -> None:
    assert asked('sum by (b) (rate(nothing_total{a="c"}[5m])) > 1') == {"nothing_total": {"a", "b"}}
    assert "nothing_total" not in there_are()
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        asked("sum(rate(")


def test_every_metric_is_looked_at() -> None:
    looked_at = {name for query in queries() for name in asked(query.values[0])}
    part = re.compile(r"_(bucket|count|sum)$")
    assert {part.sub("", name) for name in there_are()} == {part.sub("", name) for name in looked_at}


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor in anchors(ROOT / page)


def test_the_links_of_the_runbook_lead_somewhere() -> None:
    page = ROOT / "docs" / "operator" / "alerts.md"
    for target in re.findall(r"\]\(([^)]*)\)", page.read_text()):
        file, _, anchor = target.partition("#")
        assert (page.parent / file).exists() if file else anchor in anchors(page), target
    alerts = {rule["annotations"]["runbook"].partition("#")[2] for rule in RULES}
    assert anchors(page) == alerts | {"alerts"}


def test_panels_do_not_lie_over_each_other() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in PANELS]
    assert len(set(places)) == len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)
