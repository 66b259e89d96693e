"""Words of the files that people write, from the schemas that check those files."""

from __future__ import annotations

import pytest

from agent.definitions.setting_words import FILES, about_setting, settings
from agent.errors import UsageError
from agent.report.explanation_text import explanation_text


@pytest.mark.parametrize("written", ["targets.drift", "targets.sales.drift", "targets.*.drift"])
def test_the_name_of_a_target_may_be_left_out(written: str) -> None:
    lines = explanation_text(about_setting("datakeel.yaml", written)).splitlines()
    assert lines[0] == "targets.*.drift · datakeel.yaml"
    assert "set by    DATAKEEL_TARGETS__NAME__DRIFT" in lines


def test_what_must_be_there_is_marked_and_a_map_tells_of_its_entries() -> None:
    told = explanation_text(about_setting("datakeel.yaml", "targets"))
    assert "Each of its entries may hold, * must be there:\n" in told
    assert "\n  *platform " in told
    assert "\n   drift " in told
    assert about_setting("datakeel.yaml", "source").summary == "object, must be there"


def test_a_list_is_gone_through_to_its_elements() -> None:
    assert (
        about_setting("datakeel.yaml", "targets.windows.timezone").word == "datakeel.yaml targets.*.windows.*.timezone"
    )


@pytest.mark.parametrize(
    ("file", "written", "fix"),
    [
        ("datakeel.yaml", "source.brnch", "did you mean `branch`?"),
        ("datakeel.yaml", "targets.sales.drft", "did you mean `drift`?"),
        ("overlay", "selct", "did you mean `select`?"),
    ],
)
def test_a_word_that_is_not_known_is_refused_with_the_nearest(file: str, written: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        about_setting(file, written)
    assert caught.value.fix == fix


@pytest.mark.parametrize("file", sorted(FILES))
def test_every_setting_is_told_and_says_what_it_is(file: str) -> None:
    found = settings(file)
    assert len(found) >= 6
    for name, member, _ in found:
        told = about_setting(file, name)
        assert told.word == f"{file} {name}"
        assert told.told["description"] == member.description
