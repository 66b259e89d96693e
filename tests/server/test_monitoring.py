"""The alerts and the dashboard that are shipped: whole, in a language that parses, and about metrics that there are."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from agent import yaml_io

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "agent" / "docs" / "monitoring"
PAGE = ROOT / "agent" / "docs" / "how-to" / "monitoring.md"
OF_THE_PROCESS = {"process_resident_memory_bytes": {"instance"}}


def told() -> dict[str, set[str]]:
    """Every metric as the agent words it, with its labels, read from where it is made."""
    found = {}
    trees = [ast.parse((ROOT / "agent/reconcile" / name).read_text()) for name in ("measures.py", "census.py")]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "family":
            kind, name, labels = (ast.literal_eval(node.args[place]) for place in (0, 1, 3))
            ends = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}[kind]
            for end in ends:
                found[f"datakeel_{name}{end}"] = {*labels.split(), *(["le"] if end == "_bucket" else [])}
    assert len(found) > 25
    return found


def alerts() -> list[dict[str, Any]]:
    loaded = yaml_io.load((FOLDER / "alerts.yaml").read_bytes(), yaml_io.CONFIG_BUDGET)
    assert not loaded.problems
    (document,) = loaded.documents
    assert isinstance(document.value, dict) and set(document.value) == {"groups"}
    (group,) = document.value["groups"]
    assert set(group) == {"name", "rules"}
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads((FOLDER / "dashboard.json").read_text())["panels"])


def expressions() -> Iterator[tuple[str, str]]:
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$target", "main")


def selectors(node: Any) -> Iterator[Any]:
    """Every choice of series in a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "args", "vector_selector", "vs", "param"):
        inner = getattr(node, name, None)
        for each in inner if isinstance(inner, list) else [inner]:
            if each is not None:
                yield from selectors(each)


@pytest.mark.parametrize(("title", "expression"), list(expressions()), ids=str)
def test_an_expression_is_of_the_language_and_of_metrics_that_there_are(title: str, expression: str) -> None:
    known = told() | OF_THE_PROCESS
    chosen = list(selectors(promql_parser.parse(expression)))
    assert chosen, expression
    for selector in chosen:
        assert selector.name in known, f"{title}: {selector.name} is not told"
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= known[selector.name], f"{title}: {labels - known[selector.name]}"
    grouped = {word for words in re.findall(r"by \(([^)]*)\)", expression) for word in words.split(", ")}
    assert grouped <= set().union(*known.values()), f"{title}: {grouped}"


def test_there_are_five_alerts_and_each_is_whole() -> None:
    rules = alerts()
    assert len(rules) == 5
    for rule in rules:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"Datakeel[A-Za-z]+", rule["alert"]) and re.fullmatch(r"[0-9]+[mh]", rule["for"])
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}
        labels = set(re.findall(r"\$labels\.([a-z]+)", json.dumps(rule["annotations"])))
        by = {word for words in re.findall(r"by \(([^)]*)\)", rule["expr"]) for word in words.split(", ")}
        assert labels <= by, f"{rule['alert']} tells {labels - by}, which its series do not have"
        assert rule["alert"] in PAGE.read_text()


def test_the_panels_are_told_apart_and_do_not_overlap() -> None:
    found = panels()
    assert len({panel["id"] for panel in found}) == len({panel["title"] for panel in found}) == len(found)
    cells: set[tuple[int, int]] = set()
    for panel in found:
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not mine & cells and max(x for x, _ in mine) < 24, panel["title"]
        cells |= mine


def test_every_metric_is_on_the_page_and_the_page_tells_of_no_other() -> None:
    table = re.findall(r"^\| (`[a-z_`, ]+) \|", PAGE.read_text(), re.MULTILINE)
    names = {f"datakeel_{name}" for cell in table for name in re.findall(r"`([a-z_]+)`", cell)}
    made = {name.removesuffix("_bucket") for name in told() if not name.endswith(("_sum", "_count"))}
    assert names - {"datakeel_series_left_out"} == made
