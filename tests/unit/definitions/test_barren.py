"""Expressions that find nothing in a sample: each place that the loader cannot judge by first words alone."""

from __future__ import annotations

import pytest

from agent.definitions.barren import barren
from tests.unit.definitions.writing import shop

_MORE = """\
    ready: status.phase == 'up'
    logs: {request: "GET /things/{id}/logs", lines: lines, line: {time: at, text: message}}
    metrics: {request: "GET /things/{id}/series", series: series, points: points, labels: {unit: unit.name}}
    actions:
      count: {request: "GET /things/{id}/count", result: count.total}
errors: {code: error.code, message: error.text}
budget: {retryAfter: error.wait}
pages: {by: page, at: page, total: meta.total}
auth:
  user:
    login: {request: POST /login, body: {name: "${secret.name}"}}
    token: token
    lasts: ends.after
    header: Authorization
    value: "${token}"
queries:
  find: {request: "GET /find", result: found.rows}
events:
  - {when: "type == 'thing'", kind: Thing, metadata: {name: thing.name}}
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    return shop(tmp_path_factory.mktemp("shop"), "", _MORE)


@pytest.mark.parametrize(
    ("stem", "body", "found"),
    [
        ("Thing.list", {"data": [{"name": "a", "id": 1, "status": {"phase": "up"}}], "meta": {"total": 1}}, []),
        ("Thing.list", {"data": []}, ["Thing.list.items"]),
        ("Thing.list.second", {"data": "none"}, ["Thing.list.items"]),
        ("Thing.list", {"data": [{"id": 1}], "meta": {}}, ["Thing.key", "Thing.list.pages.total"]),
        ("Thing.get", {"id": 1, "status": {"phase": "up"}}, []),
        ("Thing.get", {}, ["Thing.id"]),
        ("Thing.create", [], ["Thing.create.item"]),
        ("Thing.logs", {"lines": [{"at": "t", "message": "m"}]}, []),
        ("Thing.logs", {"lines": [{"at": "t"}]}, ["Thing.logs.line.text"]),
        ("Thing.logs", {}, ["Thing.logs.lines"]),
        ("Thing.metrics", {"series": 3}, ["Thing.metrics.points", "Thing.metrics.labels.unit"]),
        ("Thing.metrics", {"series": [{"points": [], "unit": {"name": "s"}}]}, []),
        ("Thing.count", {"count": {}}, ["Thing.actions.count.result"]),
        ("404", {"error": {"text": "no"}}, [".errors.code"]),
        ("401", {"error": {"text": "no"}}, []),
        ("429", {"error": {"text": "no", "code": "x"}}, [".budget.retryAfter"]),
        ("login", {"token": "t"}, [".auth.user.lasts"]),
        ("find", {}, [".queries.find.result"]),
        ("event", {"type": "other"}, [".events"]),
        ("event.second", {"type": "thing"}, [".events.0"]),
        ("upload", {}, []),
        ("something-else", {}, []),
    ],
)
def test_what_finds_nothing_is_named(platform, stem, body, found):
    assert [".".join((one.kind or "", *one.words)) for one in barren(platform, stem, body)] == found


def test_a_condition_must_come_to_a_verdict(tmp_path):
    platform = shop(tmp_path, "", "    ready: status.up\n")
    (one,) = barren(platform, "Thing.get", {"id": 1, "status": {"upp": True}})
    assert (one.kind, one.words, one.source) == ("Thing", ("ready",), "status.up")
