"""What a target says in its platform's words is known there, or the target is not opened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.config.model import TargetConfig
from agent.config.settings import check_settings
from agent.definitions.promises import guesses
from agent.errors import ConfigError
from agent.model.limits import Limits
from tests.platforms.folders import folders, loaded

PLATFORM = next(loaded(name) for name, _ in folders() if loaded(name).settings)
(NAME,) = PLATFORM.settings
TARGET = TargetConfig("main", PLATFORM.api_version)


def fault(**settings: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        check_settings(replace(TARGET, settings=settings), PLATFORM)
    return caught.value


def test_a_setting_that_is_there_and_fits_is_no_fault() -> None:
    check_settings(replace(TARGET, settings={NAME: "acme"}), PLATFORM)


def test_a_missing_setting_is_told_with_how_to_write_it() -> None:
    error = fault()
    assert error.what == f"target main: `settings` lacks `{NAME}`"
    assert error.fix == f"settings: {{{NAME}: …}}"


def test_a_setting_of_another_type_is_told() -> None:
    assert f"the setting `{NAME}`" in fault(**{NAME: 7}).what


def test_a_setting_that_nobody_asks_for_is_told_with_the_nearest_one() -> None:
    error = fault(**{NAME: "acme", NAME + "x": "b"})
    assert error.what == f"target main: there is no setting `{NAME}x`"
    assert error.fix == f"did you mean `{NAME}`?"


SCOPED = next(loaded(name) for name, _ in folders() if any(kind.scope for kind in loaded(name).kinds.values()))
WORD = next(kind.scope[0].word for kind in SCOPED.kinds.values() if kind.scope)
KIND = next(kind.name for kind in SCOPED.kinds.values() if kind.managed)


def scoped(**fields: Any) -> TargetConfig:
    settings = dict.fromkeys(SCOPED.settings, "acme")
    return replace(TargetConfig("main", SCOPED.api_version), settings=settings, **fields)


def test_a_kind_that_the_platform_does_not_have_is_told_where_it_has_a_word() -> None:
    check_settings(scoped(drift_kinds={KIND: "heal"}, limits=Limits(kinds={KIND: {}})), SCOPED)
    for word, fields in (
        ("drift", {"drift_kinds": {KIND + "x": "heal"}}),
        ("limits.kinds", {"limits": Limits(kinds={KIND + "x": {}})}),
    ):
        with pytest.raises(ConfigError) as caught:
            check_settings(scoped(**fields), SCOPED)
        assert caught.value.what == f"target main: `{word}` names `{KIND}x`"
        assert caught.value.fix is not None


def test_a_default_for_a_scope_that_nothing_stands_in_is_told() -> None:
    check_settings(scoped(defaults={WORD: "a"}), SCOPED)
    with pytest.raises(ConfigError) as caught:
        check_settings(scoped(defaults={WORD + "x": "a"}), SCOPED)
    assert caught.value.what == f"target main: `defaults` names `{WORD}x`"
    assert caught.value.fix == f"did you mean `{WORD}`?"


def test_a_confirmed_word_that_means_nothing_is_told() -> None:
    check_settings(scoped(confirmed=(KIND, f"{KIND}.delete")), SCOPED)
    for entry, fix in ((KIND + "x", KIND), (f"{KIND}.delet", "delete")):
        with pytest.raises(ConfigError) as caught:
            check_settings(scoped(confirmed=(entry,)), SCOPED)
        assert caught.value.what == f"target main: `confirmed` names `{entry}`"
        assert caught.value.fix == f"did you mean `{fix}`?"


def test_the_printed_configuration_of_the_sandbox_confirms_known_words_only() -> None:
    for name, _ in folders():
        platform = loaded(name)
        words = tuple(word for kind in platform.kinds.values() for word, _ in guesses(kind))
        settings = dict.fromkeys(platform.settings, "acme")
        check_settings(replace(TARGET, settings=settings, confirmed=words), platform)


def test_a_freshness_of_a_kind_that_is_none_is_told() -> None:
    check_settings(scoped(verify_kinds={KIND: 60.0}), SCOPED)
    with pytest.raises(ConfigError) as caught:
        check_settings(scoped(verify_kinds={KIND + "x": 60.0}), SCOPED)
    assert caught.value.what == f"target main: `verify` names `{KIND}x`"
    assert caught.value.fix == f"did you mean `{KIND}`?"
