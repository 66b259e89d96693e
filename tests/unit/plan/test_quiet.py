"""What no write would end is quiet, whatever kind of difference it is."""

from __future__ import annotations

from typing import Any

import pytest

from agent.definitions.platform import FieldRule, Ref
from agent.plan.quiet import digest_at, less_alike, less_unkept
from tests.unit.plan.kinds import book
from tests.unit.plan.test_compare import diff


@pytest.mark.parametrize(
    ("desired", "applied", "live", "rules"),
    [
        ({"a": 1}, {"a": 1}, {"a": 2}, ()),
        ({"a": ["x"]}, {"a": ["x", "y"]}, {"a": ["x", "y"]}, (FieldRule("/a", list="set", own="listed"),)),
        ({"a": ["x"]}, {"a": ["x"]}, {"a": ["x", "z"]}, (FieldRule("/a", list="set"),)),
        ({"a": [{"n": 1}]}, {"a": [{"n": 1}]}, {"a": [{"n": 1}, {"n": 2}]}, (FieldRule("/a", list=("n",)),)),
        ({}, {"a": 1}, {"a": 1}, (FieldRule("/a", default=0, has_default=True),)),
    ],
    ids=["leaf", "set, listed", "set, all", "keyed", "default"],
)
def test_what_the_server_twice_did_not_keep_is_quiet_until_git_asks_for_another(
    desired: Any, applied: Any, live: Any, rules: tuple[FieldRule, ...]
) -> None:
    found = diff(desired, applied, live, *rules)
    assert found.fields
    not_kept = {each.pointer: digest_at(desired, each.pointer) for each in found.fields}
    quiet = less_unkept(found, desired, not_kept)
    assert quiet.same
    assert {why for _, why, _ in quiet.quiet} == {"not kept by the server"}
    assert not less_unkept(found, {"a": 3}, dict.fromkeys(not_kept, digest_at({"a": 4}, "/a"))).same


def test_two_names_for_one_thing_are_no_difference() -> None:
    rule = FieldRule("/files/*", ref=Ref("File", "id"), immutable=True)
    found = diff({"files": ["a", "c"]}, {"files": ["a", "c"]}, {"files": ["b", "b"]}, rule)
    wires = {"/files/*": {"a": "blob-1", "b": "blob-1", "c": "blob-2"}}
    left = less_alike(book(rule), found, wires)
    assert [(each.before, each.after) for each in left.fields] == [("b", "c")]
    assert [(each.before, each.after) for each in left.immutable] == [("b", "c")]
