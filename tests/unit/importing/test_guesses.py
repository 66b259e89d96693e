"""Which members of an open schema sound like a platform's own."""

from __future__ import annotations

import pytest

from agent.importing.guesses import labels_itself, sounds_like_the_platform

THEIRS = """
    id uid etag state status href created created_at createdAt updated_at updatedBy modified modified_by last_run_at
    lastUpdated last_seen_time lastStatus created_on deleted_at UUID
"""
OURS = """
    name description identity idle statement starting_state created_by_team_ids last last_name at created_view schedule
    version owner type url config updates é -
"""


@pytest.mark.parametrize("name", THEIRS.split())
def test_what_platforms_set(name: str) -> None:
    assert sounds_like_the_platform(name)


@pytest.mark.parametrize("name", ["", *OURS.split()])
def test_what_people_write(name: str) -> None:
    assert not sounds_like_the_platform(name)


@pytest.mark.parametrize(
    ("platform", "label", "own"),
    [
        ("acme", "acme:type:thing", True),
        ("acme-old", "acme:x", True),
        ("acme", "acme", False),
        ("acme", "acmes:x", False),
        ("acme", "team:acme:x", False),
        ("acme", 7, False),
        ("", ":x", False),
    ],
)
def test_labels_in_the_platforms_own_name(platform: str, label: object, own: bool) -> None:
    assert labels_itself(platform, label) is own
