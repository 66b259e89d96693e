"""What a program holds of an object: members, secrets that do not print, numbers as programs have them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

import agent
from agent.client.documents import revealed
from agent.client.objects import covered, places_in_answers
from agent.definitions.load import load_platform
from agent.errors import UsageError
from agent.plan.rules import RuleBook
from agent.secrets import Secret


def test_declared_secrets_are_covered_where_the_platform_shows_them() -> None:
    learnt: list[Secret] = []
    depot = RuleBook(load_platform("dataos").kinds["Depot"], {})
    item = {"name": "lake", "spec": {"depot": {"connectionSecret": [{"data": {"key": "the-key"}, "acl": "r"}]}}}
    told = covered(depot, item, learnt.append)
    assert json.loads(json.dumps(told))["spec"]["depot"]["connectionSecret"] == [{"data": {"key": "***"}, "acl": "r"}]
    assert revealed(told) == item and learnt == [Secret("the-key")]
    assert list(places_in_answers(depot, ("depot", "x"))) == [("spec", "depot", "x")]


def test_secrets_that_their_names_give_away_are_covered_too() -> None:
    rule = RuleBook(load_platform("dataloop").kinds["Rule"], {})
    told = covered(rule, {"env": {"DB_PASSWORD": "hunter22", "HOST": "db"}}, lambda secret: None)
    assert str(told["env"]) == "{'DB_PASSWORD': Secret(***), 'HOST': 'db'}"
    assert list(places_in_answers(rule, ("env",))) == [("env",)]


def test_fractions_are_floats_but_for_one_that_a_float_would_change() -> None:
    rule = RuleBook(load_platform("dataloop").kinds["Rule"], {})
    exact = Decimal("0.12345678901234567890123")
    told = covered(rule, {"a": Decimal("0.1"), "b": [Decimal("2.50")], "c": exact, "d": 3}, lambda secret: None)
    assert told == {"a": 0.1, "b": [2.5], "c": exact, "d": 3} and type(told["a"]) is float
    assert revealed(told) == {"a": Decimal("0.1"), "b": [Decimal("2.5")], "c": exact, "d": 3}
    with pytest.raises(UsageError, match="no number of JSON"):
        revealed({"a": float("nan")})


def test_an_error_can_be_pickled_and_keeps_what_it_tells() -> None:
    import pickle

    error = agent.ResourceNotFoundError("gone", platform_code="NONE", message="not there")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.platform_code, again.message, again.fix) == ("gone", "NONE", "not there", error.fix)
