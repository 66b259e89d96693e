from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pytest

from agent.definitions.platform import Platform
from agent.errors import Problem, Where
from agent.model.identity import Key, Origin, Revision
from agent.model.resource import Desired
from agent.validate.desired import SourceFile, combine
from agent.validate.document import check_file

Gather = Callable[..., Desired]

DEPOT = "name: {name}\nversion: v1\ntype: depot\ndepot: {{type: S3}}\n"


def depot(name: str) -> str:
    return DEPOT.format(name=name)


def key(name: str) -> Key:
    return Key("lake", "Depot", (), name)


def test_resources_know_target_place_and_content(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a") + "---\n" + depot("b")})
    assert desired.target == "lake" and desired.files == 1 and desired.complete
    assert desired.resources[key("b")].origin == Origin("a.yaml", 6, 1)
    assert desired.resources[key("b")].read() == {"version": "v1", "depot": {"type": "S3"}}


def test_problems_get_the_path_of_their_file_and_are_in_order(gather: Gather) -> None:
    desired = gather({"z.yaml": depot("a b"), "a.yaml": depot("ok") + "---\n" + depot("c/d") + "x: 1\n"})
    assert [(str(one.where), one.code) for one in desired.problems] == [
        ("a.yaml:6:7", "name-invalid"),
        ("a.yaml:10:1", "unknown-key"),
        ("z.yaml:1:7", "name-invalid"),
    ]
    assert set(desired.resources) == {key("ok")}
    assert not desired.complete


@pytest.mark.row("G11")
def test_a_broken_manifest_keeps_its_key(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a") + "x: 1\n", "b.yaml": depot("b")})
    assert desired.broken == {key("a")}
    assert set(desired.resources) == {key("b")}


def test_warnings_leave_the_desired_state_complete(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("with-hyphen")})
    assert [problem.severity for problem in desired.problems] == ["warning"]
    assert desired.complete and not desired.errors


def test_faults_of_the_tree_make_it_incomplete(gather: Gather) -> None:
    fault = Problem("link", "a link is not followed", Where("manifests/link.yaml"))
    desired = gather({"a.yaml": depot("a")}, extra_problems=(fault,))
    assert fault in desired.problems and not desired.complete
    assert set(desired.resources) == {key("a")}


@pytest.mark.row("G10")
def test_one_key_twice_is_told_with_all_places_and_none_is_applied(gather: Gather) -> None:
    wrapped = "apiVersion: dataos/v1\nkind: Depot\nmetadata: {name: a}\nspec: {version: v1, depot: {type: S3}}\n"
    desired = gather({"a.yaml": depot("a") + "---\n" + depot("a"), "b.yaml": wrapped, "c.yaml": depot("c")})
    (problem,) = desired.problems
    assert (problem.code, str(problem.where)) == ("key-duplicate", "a.yaml:1:1")
    assert [str(where) for where in problem.also] == ["a.yaml:6:1", "b.yaml:1:1"]
    assert desired.broken == {key("a")} and set(desired.resources) == {key("c")}


def test_a_good_manifest_beside_a_broken_twin_is_not_applied(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a"), "b.yaml": depot("a") + "x: 1\n"})
    assert sorted(problem.code for problem in desired.problems) == ["key-duplicate", "unknown-key"]
    assert not desired.resources and desired.broken == {key("a")}


def test_a_secret_that_the_target_does_not_have_is_told_at_its_place(gather: Gather) -> None:
    text = "name: s\nversion: v1\ntype: secret\nsecret:\n  type: a\n  acl: r\n  data: {a: {secretRef: lake-pasword}}\n"
    for secrets, fix in ((frozenset({"lake-password"}), "did you mean `lake-password`?"), (frozenset(), "add it")):
        desired = gather({"s.yaml": text, "a.yaml": depot("a")}, secrets=secrets)
        (problem,) = desired.errors
        assert (problem.code, str(problem.where)) == ("secret-unknown", "s.yaml:7:13")
        assert problem.fix is not None and problem.fix.startswith(fix)
        assert set(desired.resources) == {key("a")}
    assert gather({"s.yaml": text}, secrets=frozenset({"lake-pasword"})).complete


@pytest.mark.parametrize(("count", "is_told"), [(3, False), (4, True)])
@pytest.mark.row("L6")
def test_more_manifests_than_allowed_are_told_with_number_and_limit(gather: Gather, count: int, is_told: bool) -> None:
    files = {f"{number}.yaml": depot(f"d{number}") for number in range(count)}
    desired = gather(files, manifests_max=3)
    told = [problem for problem in desired.problems if problem.code == "too-many-manifests"]
    assert bool(told) is is_told
    assert desired.complete is not is_told
    assert len(desired.resources) == (0 if is_told else 3), "over the limit nothing of the folder is acted upon"
    assert len(desired.broken) == (4 if is_told else 0)
    if told:
        assert told[0].what == "4 manifests, at most 3 are read for one target"


def test_a_manifest_without_its_spec_is_read_when_asked(platform: Platform) -> None:
    source = depot("a").encode()
    checked = check_file(source, platform, {})
    (document,) = checked.documents
    asked: list[tuple[SourceFile, int]] = []

    def read(file: SourceFile, number: int) -> Mapping[str, object]:
        asked.append((file, number))
        return {"read": True}

    file = SourceFile("a.yaml", "blob")
    cached = dataclasses.replace(checked, documents=(dataclasses.replace(document, spec=None),))
    desired = combine("lake", platform, Revision("c" * 40), [(file, cached)], read=read)
    assert not asked
    assert desired.resources[key("a")].read() == {"read": True}
    assert asked == [(file, 0)]
