from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from agent.definitions.platform import Platform
from agent.errors import Problem
from agent.model.identity import Key, Origin
from agent.model.manifest import CheckedDocument, Lifecycle
from agent.model.resource import Desired
from agent.validate.references import Declared, Index, find_cycles, find_dependencies, find_look_alikes

Gather = Callable[..., Desired]


def depot(name: str, *depends_on: str, moved_from: str | None = None) -> str:
    words = []
    if depends_on:
        words.append(f"dependsOn: [{', '.join(depends_on)}]")
    if moved_from:
        words.append(f"movedFrom: {moved_from}")
    lifecycle = f"lifecycle: {{{', '.join(words)}}}\n" if words else ""
    return (
        f"apiVersion: dataos/v1\nkind: Depot\nmetadata: {{name: {name}}}\n{lifecycle}"
        "spec: {version: v1, depot: {type: S3}}\n"
    )


def workflow(name: str, workspace: str, *depends_on: str) -> str:
    lifecycle = f"lifecycle: {{dependsOn: [{', '.join(depends_on)}]}}\n" if depends_on else ""
    return (
        f"apiVersion: dataos/v1\nkind: Workflow\nmetadata: {{name: {name}, workspace: {workspace}}}\n{lifecycle}"
        'spec: {version: v1, workflow: {dag: [{name: t, spec: {stack: "flare:7.0"}}]}}\n'
    )


def key(name: str, kind: str = "Depot", **scope: str) -> Key:
    return Key("lake", kind, tuple(scope.items()), name)


def only(desired: Desired, code: str) -> Problem:
    (problem,) = [one for one in desired.problems if one.code == code]
    return problem


def test_a_dependency_orders(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a", "Depot/b"), "b.yaml": depot("b")})
    assert desired.resources[key("a")].depends_on == (key("b"),)
    assert desired.complete and not desired.problems


def test_a_scope_orders_when_its_object_is_declared(gather: Gather) -> None:
    workspace = "apiVersion: dataos/v1\nkind: Workspace\nmetadata: {name: w}\nspec: {}\n"
    desired = gather({"w.yaml": workspace, "f.yaml": workflow("f", "w"), "g.yaml": workflow("g", "other")})
    assert desired.resources[key("f", "Workflow", workspace="w")].depends_on == (key("w", "Workspace"),)
    assert desired.resources[key("g", "Workflow", workspace="other")].depends_on == ()


def test_a_reference_orders_when_its_object_is_declared_and_is_taken_as_given_otherwise(gather: Gather) -> None:
    secret = "name: orders-r\nversion: v1\ntype: instance-secret\ninstance-secret: {type: a, acl: r, data: {}}\n"
    text = "name: orders\nversion: v2alpha\ntype: depot\ndepot: {type: S3, secrets: [{name: orders-r}]}\n"
    desired = gather({"s.yaml": secret, "d.yaml": text})
    assert desired.resources[key("orders")].depends_on == (key("orders-r", "InstanceSecret"),)
    alone = gather({"d.yaml": text})
    assert alone.resources[key("orders")].depends_on == () and alone.complete


@pytest.mark.row("G15")
def test_a_dependency_that_no_manifest_declares_is_an_error_of_its_manifest_alone(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a", "Depot/nowhere"), "b.yaml": depot("b")})
    problem = only(desired, "dependency-missing")
    assert (problem.where.path, problem.where.line, problem.subject) == ("a.yaml", 1, "Depot/a")
    assert set(desired.resources) == {key("b")}
    assert desired.broken == {key("a")}
    assert not desired.complete


def test_a_dependency_on_a_broken_manifest_stays_and_is_no_second_error(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a", "Depot/b"), "b.yaml": depot("b").replace("S3", "7")})
    assert [problem.subject for problem in desired.problems] == ["Depot/b"]
    assert desired.resources[key("a")].depends_on == (key("b"),)


def test_a_name_of_the_own_scope_wins_and_an_ambiguous_one_is_told(gather: Gather) -> None:
    files = {"f.yaml": workflow("f", "x"), "g.yaml": workflow("f", "y")}
    near = gather({**files, "n.yaml": workflow("n", "y", "Workflow/f")})
    assert near.resources[key("n", "Workflow", workspace="y")].depends_on == (key("f", "Workflow", workspace="y"),)
    exact = gather({**files, "n.yaml": workflow("n", "y", "Workflow/x/f")})
    assert exact.resources[key("n", "Workflow", workspace="y")].depends_on == (key("f", "Workflow", workspace="x"),)
    vague = gather({**files, "n.yaml": workflow("n", "z", "Workflow/f")})
    problem = only(vague, "dependency-missing")
    assert problem.fix == "write dependsOn: [Workflow/x/f]"


def test_a_resource_that_depends_on_itself_is_told(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a", "Depot/a"), "b.yaml": depot("b")})
    assert only(desired, "dependency-cycle").what == "depends on itself"
    assert set(desired.resources) == {key("b")}


@pytest.mark.row("G15")
def test_a_cycle_of_two_is_told_once_with_both_places(gather: Gather) -> None:
    desired = gather(
        {"a.yaml": depot("a", "Depot/b"), "b.yaml": depot("b", "Depot/a"), "c.yaml": depot("c", "Depot/a")}
    )
    problem = only(desired, "dependency-cycle")
    assert problem.what == "depends on itself: Depot/a -> Depot/b -> Depot/a"
    assert {where.path for where in (problem.where, *problem.also)} == {"a.yaml", "b.yaml"}
    assert desired.broken == {key("a"), key("b")}
    assert desired.resources[key("c")].depends_on == (key("a"),)


def test_two_cycles_are_told_apart(gather: Gather) -> None:
    files = {f"{a}.yaml": depot(a, f"Depot/{b}") for a, b in (("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"))}
    desired = gather(files)
    assert [problem.subject for problem in desired.problems] == ["Depot/a", "Depot/c"]


def declare(count: int, next_of: Callable[[int], int | None]) -> dict[Key, Declared]:
    declared = {}
    for number in range(count):
        following = next_of(number)
        lifecycle = Lifecycle(depends_on=() if following is None else (f"Depot/d{following}",))
        document = CheckedDocument(0, 1, 1, "Depot", (), f"d{number}", "x", lifecycle)
        declared[key(f"d{number}")] = Declared(key(f"d{number}"), Origin(f"{number}.yaml", 1, 1), document)
    return declared


@pytest.mark.parametrize("count", [500, 10_000])
def test_a_long_cycle_is_found_with_the_place_of_every_edge(platform: Platform, count: int) -> None:
    declared = declare(count, lambda number: (number + 1) % count)
    started = time.process_time()
    edges, wrong = find_dependencies(declared, Index(platform, declared), frozenset())
    (cycle,) = find_cycles(declared, edges)
    assert time.process_time() - started < 5
    assert not wrong
    assert len(cycle.keys) == count and len(cycle.problem.also) == count - 1
    assert len(cycle.problem.what) < 300


def test_a_long_chain_is_no_cycle(platform: Platform) -> None:
    declared = declare(10_000, lambda number: number + 1 if number < 9_999 else None)
    edges, wrong = find_dependencies(declared, Index(platform, declared), frozenset())
    assert not wrong and not list(find_cycles(declared, edges))


def test_names_that_look_the_same_are_warned_about() -> None:
    declared = {}
    for number, name in enumerate(("orders", "Orders", "\u043erders", "other")):
        document = CheckedDocument(0, 1, 1, "Depot", (), name, "x", Lifecycle())
        declared[key(name)] = Declared(key(name), Origin(f"{number}.yaml", 1, 1), document)
    (found,) = find_look_alikes(declared)
    assert (found.problem.code, found.problem.severity, found.keys) == ("key-collision", "warning", ())
    assert [where.path for where in found.problem.also] == ["1.yaml", "2.yaml"]


def test_a_move_from_what_still_exists_is_an_error_at_both_places(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a", moved_from="b"), "b.yaml": depot("b")})
    problem = only(desired, "key-collision")
    assert [where.path for where in (problem.where, *problem.also)] == ["a.yaml", "b.yaml"]
    assert set(desired.resources) == {key("b")}


def test_a_move_from_a_broken_manifest_is_an_error(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a", moved_from="b"), "b.yaml": depot("b").replace("S3", "7")})
    assert only(desired, "key-collision").where.path == "a.yaml"


def test_two_moves_from_one_are_an_error(gather: Gather) -> None:
    desired = gather({"a.yaml": depot("a", moved_from="x"), "b.yaml": depot("b", moved_from="x")})
    assert only(desired, "key-collision").subject == "Depot/a"
    assert not desired.resources


def test_a_move_from_what_git_no_longer_holds_is_fine(gather: Gather) -> None:
    assert gather({"a.yaml": depot("a", moved_from="x")}).complete
