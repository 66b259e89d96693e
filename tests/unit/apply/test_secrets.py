"""References become values in a request only; everywhere else a keyed hash stands for them."""

from __future__ import annotations

import pytest

from agent.apply.secrets import SecretValues
from agent.errors import ConfigError
from agent.secrets import Secret


def values(key: bytes = b"k" * 32, **secrets: str) -> SecretValues:
    return SecretValues({name: (lambda value=value: Secret(value)) for name, value in secrets.items()}, key)


def test_a_reference_is_revealed_anywhere_in_a_body() -> None:
    body = {"a": [{"secretRef": "lake"}], "b": {"c": {"secretRef": "lake"}, "d": 1}}
    assert values(lake="hunter2").revealed(body) == {"a": ["hunter2"], "b": {"c": "hunter2", "d": 1}}


def test_a_value_and_a_reference_to_it_have_one_fingerprint() -> None:
    known = values(lake="hunter2")
    assert known.fingerprint({"secretRef": "lake"}) == known.fingerprint("hunter2")
    assert known.fingerprint("hunter3") != known.fingerprint("hunter2")


def test_fingerprints_of_two_installations_differ() -> None:
    assert values(b"a" * 32).fingerprint("x") != values(b"b" * 32).fingerprint("x")


def test_a_name_that_the_target_does_not_offer_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        values().fingerprint({"secretRef": "lake"})
    assert caught.value.error_code == "secret-unknown"


def test_a_rotated_secret_is_seen_after_forget() -> None:
    current = ["old"]
    known = SecretValues({"lake": lambda: Secret(current[0])}, b"k" * 32)
    before = known.fingerprint({"secretRef": "lake"})
    current[0] = "new"
    assert known.fingerprint({"secretRef": "lake"}) == before
    known.forget()
    assert known.fingerprint({"secretRef": "lake"}) != before


def test_the_hash_of_a_body_tells_nothing_about_it() -> None:
    known = values(lake="hunter2")
    assert known.masked({"password": "hunter2"}) != known.masked({"password": "hunter3"})
    assert "hunter2" not in str(known.masked({"password": "hunter2"}))
    assert known.masked(None) is None
