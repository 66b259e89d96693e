"""The settings of a target are those that its platform asks for, or the target is not opened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.config.model import TargetConfig
from agent.config.settings import check_settings
from agent.errors import ConfigError
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
