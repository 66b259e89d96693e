from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.model.manifest import CheckedFile, Lifecycle

Check = Callable[..., CheckedFile]
Told = Callable[..., list[str]]


def manifest(lifecycle: str) -> str:
    return (
        "apiVersion: dataos/v1\nkind: Workflow\nmetadata: {name: a, workspace: w}\n"
        f"lifecycle: {lifecycle}\n"
        'spec: {version: v1, workflow: {dag: [{name: t, spec: {stack: "flare:7.0"}}]}}\n'
    )


def test_all_words_are_read(check: Check) -> None:
    text = (
        "{dependsOn: [Workspace/w, Depot/orders], protect: true, drift: report, replace: allow, "
        "createOnly: [/workflow/schedule], ignore: [/description, /tags/0], movedFrom: b, actions: {}}"
    )
    (document,) = check(manifest(text)).documents
    assert document.lifecycle == Lifecycle(
        depends_on=("Workspace/w", "Depot/orders"),
        protect=True,
        drift="report",
        replace=True,
        create_only=("/workflow/schedule",),
        ignore=("/description", "/tags/0"),
        moved_from="b",
        actions={},
    )


def test_another_target_is_waited_for_whole_or_for_one_resource(check: Check) -> None:
    text = "{dependsOn: [Workspace/w, {target: lake}, {target: lake, resource: Depot/a}]}"
    (document,) = check(manifest(text)).documents
    assert document.lifecycle.depends_on == ("Workspace/w",)
    assert document.lifecycle.awaits == (("lake", ""), ("lake", "Depot/a"))
    (other,) = check(manifest("{dependsOn: [Workspace/w, {target: lake}]}")).documents
    assert other.digest != document.digest


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{}", "this names no target"),
        ("{target: 7}", "this names no target"),
        ("{target: lake, resource: Depot}", "this names no resource"),
        ("{target: lake, resource: Depot//a}", "this names no resource"),
        ("{target: lake, resorce: Depot/a}", "`resorce` is not known here"),
    ],
)
def test_an_entry_that_names_no_target_or_resource_is_told(check: Check, entry: str, said: str) -> None:
    found = check(manifest(f"{{dependsOn: [{entry}]}}")).problems
    assert [problem.what for problem in found] == [said]


def test_no_lifecycle_and_an_empty_one_ask_for_nothing(check: Check) -> None:
    for text in ("{}", "~"):
        (document,) = check(manifest(text)).documents
        assert document.lifecycle == Lifecycle()


def test_replace_never_is_the_default_spelt_out(check: Check) -> None:
    (document,) = check(manifest("{replace: never}")).documents
    assert document.lifecycle.replace is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a]", "error[invalid-manifest] 4:12"),
        ("{protec: true}", "error[unknown-key] 4:13"),
        ('{protect: "no"}', "error[invalid-manifest] 4:22"),
        ("{drift: fix}", "error[invalid-manifest] 4:20"),
        ("{drift: ~}", "error[invalid-manifest] 4:20"),
        ("{replace: true}", "error[invalid-manifest] 4:22"),
        ("{ignore: /a}", "error[invalid-manifest] 4:21"),
        ("{ignore: [description]}", "error[invalid-manifest] 4:22"),
        ("{ignore: [/a/~3]}", "error[invalid-manifest] 4:22"),
        ("{ignore: [/-1]}", "error[invalid-manifest] 4:22"),
        ("{ignore: [7]}", "error[invalid-manifest] 4:22"),
        ("{createOnly: [/workflow/schedul]}", "error[invalid-manifest] 4:26"),
        ("{movedFrom: ../x}", "error[invalid-manifest] 4:24"),
        ("{movedFrom: 7}", "error[invalid-manifest] 4:24"),
        ("{dependsOn: Depot/a}", "error[invalid-manifest] 4:24"),
        ("{dependsOn: [orders]}", "error[invalid-manifest] 4:25"),
        ("{dependsOn: [Depot/]}", "error[invalid-manifest] 4:25"),
        ("{dependsOn: [Depo/orders]}", "error[kind-unknown] 4:25"),
        ("{actions: [run]}", "error[invalid-manifest] 4:22"),
        ("{actions: {run: {}}}", "error[unknown-key] 4:23"),
    ],
)
def test_each_wrong_word_is_told_at_its_place(told: Told, text: str, expected: str) -> None:
    assert told(manifest(text)) == [expected]


def test_a_word_out_of_place_says_what_was_meant(check: Check) -> None:
    (problem,) = check(manifest("{ignore: [workflow.schedule]}")).problems
    assert problem.fix == 'write "/workflow/schedule"'
    (problem,) = check(manifest("{dependOn: []}")).problems
    assert problem.fix == "did you mean `dependsOn`?"


@pytest.mark.parametrize("word", ["ignore", "createOnly"])
def test_a_rule_for_what_is_not_written_is_told_as_unused(told: Told, word: str) -> None:
    assert told(manifest(f"{{{word}: [/workflow/dag/0/spec/stack, /workflow/dag/*/spec]}}")) == []
    assert len(told(manifest(f"{{{word}: [/description]}}"))) == 1
    assert told(manifest(f"{{{word}: [/description]}}"))[0].startswith("warning[rule-unused] 4:")


def test_pointers_may_name_every_element(told: Told) -> None:
    assert told(manifest("{ignore: [/workflow/dag/*/spec/stack]}")) == []
    assert told(manifest("{ignore: [/workflow/schedule/*/deeper]}")) == ["error[invalid-manifest] 4:22"]
