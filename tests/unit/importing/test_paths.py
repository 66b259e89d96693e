"""Where files of imported manifests stand: safe and apart on every file system, and where people look for them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.importing.paths import grouped, kebab, paths_of
from agent.model.identity import Key

NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["a", "A", "aux", "CON.x", "..", ".", "", ".git", "GIT~1", "a/b", "a\\b", "a:b", "é", "é", "x" * 300]
    ),
    st.text("aAbB.-/ ", min_size=1, max_size=4),
)


def key(name: str, kind: str = "Thing", **scope: str) -> Key:
    return Key("main", kind, tuple(scope.items()), name)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(NAMES, NAMES), max_size=12))
def test_any_names_give_paths_that_every_file_system_holds_apart(names: set[tuple[str, str]]) -> None:
    keys = [key(name, room=room) for room, name in names]
    found = paths_of(keys, "file", ())
    assert set(found) == set(keys)
    assert len({path.casefold() for path in found.values()}) == len(keys)
    for path in found.values():
        assert path.isascii()
        assert len(path) < 255
        for part in path.split("/"):
            assert re.fullmatch(r"[A-Za-z0-9_@+.-]+", part)
            assert part[0] not in ".-@+"
            assert part[-1] not in ". "
            assert part.partition(".")[0].upper() not in ("CON", "AUX", "NUL", "PRN", "COM1", "LPT9")
    assert paths_of(reversed(keys), "file", ()) == found


@pytest.mark.parametrize(
    ("one", "path"),
    [
        (key("daily-etl", "Workflow", workspace="analytics"), "workflow/analytics/daily-etl.yaml"),
        (key("ann@example.com", "User"), "user/ann@example.com.yaml"),
        (key("1.2", "DataProduct"), "data-product/1.2.yaml"),
    ],
)
def test_a_safe_name_stays_as_it_is(one: Key, path: str) -> None:
    assert paths_of([one], "file", ()) == {one: path}


@pytest.mark.parametrize(
    "name", ["a/b", "aux", "con.txt", "a.", ".hidden", "-flag", "naïve", "x" * 101, "a b", "git~1"]
)
def test_any_other_name_ends_with_a_piece_of_its_hash(name: str) -> None:
    (path,) = paths_of([key(name)], "file", ()).values()
    assert re.fullmatch(r"thing/[A-Za-z0-9._-]+-[0-9a-f]{8}\.yaml", path)


def test_names_that_differ_by_case_are_files_of_their_own() -> None:
    found = paths_of([key("lamp"), key("Lamp"), key("LAMP")], "file", ())
    assert found[key("LAMP")] == "thing/LAMP.yaml"
    assert len({path.casefold() for path in found.values()}) == 3


def test_a_file_that_is_there_under_another_case_is_not_met() -> None:
    assert paths_of([key("lamp")], "file", ["thing/Lamp.yaml"])[key("lamp")] != "thing/lamp.yaml"
    assert paths_of([key("lamp")], "file", ["thing/lamp.yaml"])[key("lamp")] == "thing/lamp.yaml"


def test_two_targets_of_one_folder_do_not_share_a_name() -> None:
    mine, theirs = key("Lamp"), Key("other", "Thing", (), "lamp")
    assert len({path.casefold() for path in paths_of([mine, theirs], "file", ()).values()}) == 2


def test_a_kind_is_a_file_where_that_is_asked_for() -> None:
    keys = [key("b"), key("a"), key("c", "DataProduct")]
    files = grouped(paths_of(keys, "kind", ()))
    assert files == {"data-product.yaml": [keys[2]], "thing.yaml": [keys[1], keys[0]]}
    assert kebab("ServiceAccount") == "service-account"
