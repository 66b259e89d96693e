"""Words of the command line as typed values and as keys."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from agent.cli.arguments import key_of, metric_words, pairs_of, seconds_of, typed
from agent.definitions.platform import ScopeWord
from agent.errors import UsageError
from tests.unit.live.made_up import RESOURCE

DECLARED = {
    "count": {"type": "integer", "minimum": 1},
    "share": {"type": "number"},
    "name": {"type": "string"},
    "fast": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "any": {},
}


def test_pairs_keep_what_follows_the_first_sign() -> None:
    assert pairs_of(["a=b=c", "d="], "--arg") == {"a": "b=c", "d": ""}


@pytest.mark.parametrize("words", [["a"], ["=b"], ["a=1", "a=2"]])
def test_what_is_no_pair_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        pairs_of(words, "--arg")


def test_arguments_get_the_types_that_their_definition_declares() -> None:
    given = {"count": "3", "share": "0.10", "name": "3", "fast": "true", "tags": '["a"]', "any": "7"}
    assert typed(given, DECLARED, "x") == {
        "count": 3,
        "share": Decimal("0.10"),
        "name": "3",
        "fast": True,
        "tags": ["a"],
        "any": "7",
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"count": "0"}, "at least 1"),
        ({"count": "many"}, "count"),
        ({"fast": "yes"}, "fast"),
        ({"tags": "[1"}, "not JSON"),
        ({"tags": "[1]"}, "tags"),
        ({"cuont": "1"}, "takes no argument `cuont`"),
    ],
)
def test_each_of_these_is_refused(given: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        typed(given, DECLARED, "action `x`")


def test_a_mistyped_argument_gets_the_nearest_name() -> None:
    with pytest.raises(UsageError) as caught:
        typed({"cuont": "1"}, DECLARED, "x")
    assert caught.value.fix == "did you mean `count`?"


KIND = replace(
    RESOURCE, scope=(ScopeWord("account"), ScopeWord("agent", "Agent", optional=True), ScopeWord("tag", optional=True))
)


@pytest.mark.parametrize(
    ("names", "where", "defaults", "scope"),
    [
        (("main", "cpu"), {}, {}, (("account", "main"),)),
        (("cpu",), {}, {"account": "main"}, (("account", "main"),)),
        (("cpu",), {"account": "main", "tag": "x"}, {}, (("account", "main"), ("tag", "x"))),
        (("main", "web-1", "cpu"), {}, {}, (("account", "main"), ("agent", "web-1"))),
        (("main", "cpu"), {"agent": "web-1"}, {"account": "other"}, (("account", "main"), ("agent", "web-1"))),
        (("web-1", "cpu"), {"account": "main"}, {}, (("account", "main"), ("agent", "web-1"))),
    ],
)
def test_names_words_and_defaults_make_a_key(names: Any, where: Any, defaults: Any, scope: Any) -> None:
    assert key_of("t", KIND, names, where, defaults) == ("t", "Workflow", scope, "cpu")


@pytest.mark.parametrize(
    ("names", "where", "told"),
    [
        (("cpu",), {}, "the account of Workflow/cpu is not known"),
        (("a", "b", "c", "d", "cpu"), {}, "too many names"),
        (("cpu",), {"region": "x"}, "no scope word `region`"),
    ],
)
def test_a_name_that_is_not_enough_says_what_is_missing(names: Any, where: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        key_of("t", KIND, names, where, {})


def test_durations_are_whole_and_have_a_unit() -> None:
    assert [seconds_of(text, "--period") for text in ("90s", "30m", "2h", "7d")] == [90, 1800, 7200, 604800]
    for text in ("", "0s", "5", "-1h", "1.5h", "1w"):
        with pytest.raises(UsageError):
            seconds_of(text, "--period")


def test_period_and_resolution_fill_what_the_definition_names() -> None:
    spans: dict[str, Any] = {"duration": {}, "end": {}, "resolution": {}}
    assert metric_words(spans, "2h", "60", 1000.5) == {"duration": "7200", "end": "1000", "resolution": "60"}
    assert metric_words(spans, None, None, 1000.5) == {"duration": "3600", "end": "1000", "resolution": "60"}
    assert metric_words({"start": {}}, "1m", None, 100.0) == {"start": "40"}
    assert metric_words(spans, "10s", "5m", 9.0)["resolution"] == "300"
    assert metric_words({}, None, None, 9.0) == {}
    for words in (("1h", None), (None, "60")):
        with pytest.raises(UsageError, match="take no"):
            metric_words({}, *words, 9.0)
