"""What is published about metrics is true: the table for people, the exporter's mapping, the dashboard."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from projops.metrics import catalog
from projops.metrics.catalog import METRICS, Kind, Metric

ROOT = Path(__file__).parents[4]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "monitoring/grafana/project-operations-sync.json").read_text())
MAPPING: dict[str, Any] = yaml.safe_load((ROOT / "monitoring/statsd-exporter/mapping.yaml").read_text())
PANELS = [each for each in DASHBOARD["panels"] if each["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
SERIES = {Kind.COUNTER: ("",), Kind.GAUGE: ("",), Kind.TIMER: ("_bucket", "_count", "_sum")}


def exported(name: str) -> tuple[str, dict[str, str]]:
    """Read a name of StatsD as the exporter does: the first mapping whose stars fit its parts."""
    for each in MAPPING["mappings"]:
        stars = re.fullmatch(re.escape(each["match"]).replace(r"\*", "([^.]*)"), name)
        if stars:
            labels = each.get("labels", {}).items()
            return each["name"], {label: stars.group(int(place[1:])) for label, place in labels}
    raise AssertionError(f"no mapping reads {name}")


def series() -> Iterator[tuple[str, frozenset[str]]]:
    """Names of time series in Prometheus, with their labels."""
    for metric in METRICS:
        name, _ = exported(f"airflow.{metric.name}")
        for suffix in SERIES[metric.kind]:
            yield name + suffix, frozenset({*metric.tags, *(["le"] if suffix == "_bucket" else [])})


def test_every_metric_is_in_the_list_once() -> None:
    defined = [each for each in vars(catalog).values() if isinstance(each, Metric)]
    assert sorted(each.name for each in METRICS) == sorted(each.name for each in defined)
    assert len({each.name for each in METRICS}) == len(METRICS)


def test_the_table_for_people_is_the_list() -> None:
    lines = (ROOT / "docs/metrics.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| `projops.")]
    tags = [", ".join(f"`{tag}`" for tag in each.tags) or "none" for each in METRICS]
    assert rows == [
        f"| `{each.name}` | {each.kind} | {told} | {each.meaning} |"
        for each, told in zip(METRICS, tags, strict=True)
    ]


@pytest.mark.parametrize("metric", METRICS, ids=lambda each: each.name)
def test_the_exporter_reads_both_forms_of_a_name(metric: Metric) -> None:
    values = [f"v{number}" for number in range(len(metric.tags))]
    tagged, none = exported(f"airflow.{metric.name}")
    name, labels = exported(".".join(["airflow", metric.name, *values]))
    assert (name, labels) == (tagged, dict(zip(metric.tags, values, strict=True)))
    assert none == {}
    assert re.fullmatch(r"[a-z_]+", name)
    assert name.endswith("_total") == (metric.kind is Kind.COUNTER)


def test_timers_become_histograms_of_seconds() -> None:
    assert MAPPING["defaults"]["observer_type"] == "histogram"
    names = {exported(f"airflow.{each.name}")[0] for each in METRICS if each.kind is Kind.TIMER}
    assert {name.endswith("_seconds") for name in names} == {True}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_for_what_there_is(query: str) -> None:
    known = dict(series())
    asked = re.findall(r"airflow_\w+", query)
    assert asked
    assert set(asked) <= known.keys()
    labels = {tag for name in asked for tag in known[name]}
    grouped = [part.strip() for group in re.findall(r"by \(([^)]*)\)", query) for part in group.split(",")]
    assert {*grouped, *re.findall(r"[{,](\w+)=~?\"", query)} <= labels
    assert query.count("(") == query.count(")")


def test_every_metric_is_shown() -> None:
    shown = {name for query in QUERIES for name in re.findall(r"airflow_\w+", query)}
    for metric in METRICS:
        name, _ = exported(f"airflow.{metric.name}")
        assert {name + suffix for suffix in SERIES[metric.kind]} & shown, f"{metric.name} is on no panel"


def test_counters_are_shown_as_growth() -> None:
    counters = [exported(f"airflow.{each.name}")[0] for each in METRICS if each.kind is Kind.COUNTER]
    for query in QUERIES:
        for name in counters:
            assert query.count(name) == len(re.findall(rf"(?:increase|rate)\({name}", query))


def test_the_dashboard_names_no_source_of_its_own() -> None:
    variables = {each["name"]: each["type"] for each in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource": "datasource", "map": "query", "leg": "query"}
    sources = [panel["datasource"] for panel in PANELS]
    sources += [target["datasource"] for panel in PANELS for target in panel["targets"]]
    assert {json.dumps(each, sort_keys=True) for each in sources} == {
        '{"type": "prometheus", "uid": "${datasource}"}'
    }
    assert set(re.findall(r"\$(\w+)", " ".join(QUERIES))) == {"map", "leg", "__rate_interval"}


def test_panels_have_titles_and_do_not_lie_on_each_other() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    assert all(panel["title"] and panel["description"] for panel in PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
