"""A file with variables and overlays: what comes out, and where each mistake is told."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from agent import yaml_io
from agent.cli.rendered_text import as_yaml
from agent.definitions.platform import Platform
from agent.model.manifest import CheckedFile
from agent.validate.document import check_file, read_spec
from agent.validate.overlays import read_overlay
from agent.validate.rendered import Filler, Inputs, render
from agent.validate.variables import Allowance, digest_of, escaped, fill, names_in

DEFAULTS = {"workspace": "analytics"}
WORKFLOW = """\
name: daily
version: v1
type: workflow
tags: [finance]
description: ${text}
workflow:
  schedule: {cron: "0 2 * * *"}
  dag:
    - name: load
      spec: {stack: "flare:7.0"}
"""
SERVICE = """\
apiVersion: dataos/v1
kind: Service
metadata: {name: api}
spec:
  version: v1
  service: {stack: "bento:3.0", replicas: "${count}"}
"""


def overlay_of(text: str, values: Mapping[str, Any], path: str = "prod/o.yaml") -> Any:
    source = textwrap.dedent(text).encode()
    return read_overlay(path, source, 0, Filler(source, Inputs(values)).filled)


def checked(
    platform: Platform, text: str, values: Mapping[str, Any] | None = None, overlays: Sequence[str] = ()
) -> CheckedFile:
    inputs = Inputs(values or {}, tuple(overlay_of(each, values or {}) for each in overlays))
    return check_file(text.encode(), platform, DEFAULTS, inputs=inputs)


def told(file: CheckedFile) -> list[str]:
    return [f"{one.code} {one.where}" for one in file.problems]


def overlay(body: str, select: str = "{kind: Workflow, name: daily}") -> str:
    return f"apiVersion: datakeel/v1\nkind: Overlay\nselect: {select}\n{textwrap.dedent(body)}"


@pytest.mark.parametrize(
    ("text", "values", "becomes"),
    [
        ("${a}", {"a": 3}, 3),
        ("${a}", {"a": [1, {"b": None}]}, [1, {"b": None}]),
        ("${a}", {"a": Decimal("1.10")}, Decimal("1.10")),
        ("x${a}y", {"a": Decimal("1.10")}, "x1.10y"),
        ("${a}-${b}", {"a": True, "b": 7}, "true-7"),
        ("${a}${a}", {"a": "${a}"}, "${a}${a}"),
        ("$${a}", {"a": 1}, "${a}"),
        ("$$${a}", {"a": 1}, "$${a}"),
        ("$${a}${a}", {"a": 1}, "${a}1"),
        ("${b}", {"a": 1}, "${b}"),
        ("${a", {"a": 1}, "${a"),
        ("$a", {"a": 1}, "$a"),
        ("${ a }", {"a": 1}, "${ a }"),
        ("${{a}}", {"a": 1}, "${{a}}"),
        ("line\n${a}\n", {"a": "b"}, "line\nb\n"),
    ],
)
def test_a_variable_becomes_its_value(text: str, values: dict[str, Any], becomes: Any) -> None:
    filled = fill({"k": [text]}, values, tuple(values), Allowance())
    assert filled.value == {"k": [becomes]}
    assert not filled.faults


@pytest.mark.parametrize("text", ["${a}", "$${a}", "a $$ ${b} ${{c}}", "$", "${"])
def test_what_is_escaped_is_taken_for_no_variable(text: str) -> None:
    assert fill(escaped(text), {"a": 1, "b": 2}, (), Allowance()).value == text


def test_names_are_found_in_bytes() -> None:
    assert names_in(b"a: ${b}-${a}\n# ${c}\nd: $${e}\nf: ${{g}}\n") == ("a", "b", "c")
    assert names_in(b"a: $b") == ()


def test_the_digest_of_values_knows_only_the_names_that_are_used() -> None:
    assert digest_of(("a",), {"a": 1, "b": 2}) == digest_of(("a",), {"a": 1, "b": 3})
    assert digest_of(("a",), {"a": 1}) != digest_of(("a",), {"a": "1"})
    assert digest_of(("a",), {"b": 1}) != digest_of(("a",), {"c": 1})  # a suggestion may differ


@pytest.mark.parametrize(
    ("line", "values", "expected"),
    [
        ("description: ${text}", {"text": "fine"}, []),
        ("description: ${tex}", {"text": "x"}, ["variable-unknown 5:14"]),
        ("description: ${tex}", {}, ["placeholder 5:14"]),
        ("description: ${{text}}", {"text": "x"}, ["placeholder 5:14"]),
        ("description: ${text}", {"text": 3}, ["invalid-manifest 5:14"]),
        ("description: a ${text}", {"text": [1]}, ["variable-type 5:14"]),
        ("description: a ${text}", {"text": {"a": 1}}, ["variable-type 5:14"]),
        ("${text}: a", {"text": "description"}, ["variable-type 5:1"]),
        ('description: "\\x24{text}"', {"text": "x"}, ["variable-hidden 5:14"]),
        ('description: "${te\\\n  xt}"', {"text": "x"}, ["variable-hidden 5:14"]),
        ("description: |\n  cd\n  echo ${HOME}", {"text": "x"}, ["placeholder 5:14"]),  # a warning: a shell's own
        ("description: |\n  cd\n  echo ${texd}", {"text": "x"}, ["variable-unknown 5:14"]),
        ("description: |\n  cd\n  echo ${text} $${texd}", {"text": "x"}, []),
    ],
)
def test_a_mistake_with_a_variable_is_told_at_its_place(
    platform: Platform, line: str, values: dict[str, Any], expected: list[str]
) -> None:
    file = checked(platform, WORKFLOW.replace("description: ${text}", line), values)
    found = [each.replace(" :", " ") for each in told(file) if not each.startswith("unknown-key")]
    assert found == expected


def test_a_typed_value_must_fit_its_schema_and_both_places_are_told(platform: Platform) -> None:
    assert not checked(platform, SERVICE, {"count": 3}).problems
    (problem,) = checked(platform, SERVICE, {"count": "three"}).problems
    assert (problem.code, str(problem.where), problem.got) == ("invalid-manifest", ":6:43", '"three"')
    assert [str(place) for place in problem.also] == ["${count}"]  # its place is the configuration's to know


def test_a_name_may_hold_a_variable(platform: Platform) -> None:
    file = checked(platform, WORKFLOW.replace("name: daily", "name: daily-${env}"), {"text": "x", "env": "prod"})
    assert [document.name for document in file.documents] == ["daily-prod"]
    assert file.variables == ("env", "text")


def test_a_secret_is_never_a_variable(platform: Platform) -> None:
    secret = "name: s\nversion: v1\ntype: secret\nsecret:\n  type: key-value\n  acl: r\n  data:\n    a: ${p}\n"
    (problem,) = [each for each in checked(platform, secret, {"p": "hunter2"}).problems if each.severity == "error"]
    assert (problem.code, problem.where.line, problem.got) == ("variable-secret", 8, None)
    assert not checked(platform, secret.replace("${p}", "{secretRef: '${p}'}"), {"p": "lake"}).has_errors
    over = overlay("merge: {spec: {secret: {data: {a: '${p}'}}}}", "{kind: Secret, name: s}")
    plain = secret.replace("${p}", "{secretRef: lake}")
    codes = [each.code for each in checked(platform, plain, {"p": "hunter2"}, [over]).problems]
    assert "variable-secret" in codes


def test_what_variables_add_is_limited(platform: Platform) -> None:
    many = WORKFLOW.replace("[finance]", "[" + ", ".join(["'${text}'"] * 100) + "]")
    (problem, *_) = checked(platform, many, {"text": "x" * 60_000}).problems
    assert problem.code == "variable-expansion"
    assert not checked(platform, many, {"text": "x" * 40}).has_errors


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('merge: {spec: {workflow: {schedule: {cron: "0 9 * * *"}}}}', []),
        (
            'merge:\n  spec:\n    workflow:\n      schedule:\n        cron: "never"',
            ["invalid-manifest prod/o.yaml:8:15"],
        ),
        ("merge:\n  spec:\n    shedule: 1", ["unknown-key prod/o.yaml:6:5"]),
        ("merge:\n  spec:\n    workflow:\n      dag: ~", ["invalid-manifest :6:1"]),
        ("patch:\n- {op: remove, path: /spec/workflow/dagg}", ["overlay-misfit prod/o.yaml:5:22"]),
        ("patch:\n- op: test\n  path: /spec/version\n  value: v2", ["overlay-misfit prod/o.yaml:7:10"]),
        ("patch:\n- op: add\n  path: /spec/tags/-\n  value: 3", ["invalid-manifest prod/o.yaml:7:10"]),
        ("merge:\n  lifecycle:\n    protect: maybe", ["invalid-manifest prod/o.yaml:6:14"]),
        ("merge:\n  lifecycle:\n    proteckt: true", ["unknown-key prod/o.yaml:6:5"]),
        ("merge: {lifecycle: {protect: true}}", []),
        ("patch: [{op: add, path: /lifecycle/protect, value: true}]", []),
    ],
)
def test_what_an_overlay_brings_is_told_in_the_overlay(platform: Platform, body: str, expected: list[str]) -> None:
    assert told(checked(platform, WORKFLOW, {"text": "x"}, [overlay(body)])) == expected


def test_a_member_that_an_overlay_took_away_is_missed_at_both_places(platform: Platform) -> None:
    over = overlay("merge:\n  spec:\n    workflow:\n      dag: ~")
    (problem,) = checked(platform, WORKFLOW, {"text": "x"}, [over]).problems
    assert [str(place) for place in problem.also] == ["prod/o.yaml:7:12"]


def test_a_native_manifest_is_changed_as_a_wrapped_one_is(platform: Platform) -> None:
    wrapped = (
        "apiVersion: dataos/v1\nkind: Workflow\nmetadata: {name: daily}\nspec:\n  version: v1\n  tags: [finance]\n"
        '  description: x\n  workflow:\n    schedule: {cron: "0 2 * * *"}\n    dag:\n'
        '      - {name: load, spec: {stack: "flare:7.0"}}\n'
    )
    over = overlay("patch: [{op: replace, path: '/spec/workflow/dag/[name=load]/spec/stack', value: 'flare:8.0'}]")
    native = checked(platform, WORKFLOW, {"text": "x"}, [over])
    assert [each.digest for each in native.documents] == [
        each.digest for each in checked(platform, wrapped, {}, [over]).documents
    ]
    assert native.applied == (0,)


def test_overlays_go_one_after_the_other_and_each_sees_the_one_before(platform: Platform) -> None:
    first = overlay("merge: {spec: {description: one}}")
    second = overlay("patch: [{op: test, path: /spec/description, value: one}, {op: remove, path: /spec/tags}]")
    assert not checked(platform, WORKFLOW, {"text": "x"}, [first, second]).problems
    assert told(checked(platform, WORKFLOW, {"text": "x"}, [second, first])) == ["overlay-misfit prod/o.yaml:4:52"]


@pytest.mark.parametrize(
    ("select", "means"),
    [
        ("{kind: Workflow}", True),
        ("{kind: Work*, name: d?ily}", True),
        ("{name: [other, daily]}", True),
        ("{kind: Service}", False),
        ("{name: Daily}", False),
        ("{scope: {workspace: analytics}}", True),
        ("{scope: {workspace: sales}}", False),
        ("{scope: {team: '*'}}", False),
        ("{where: {/spec/tags: finance}}", True),
        ("{where: {/spec/tags: [finance]}}", True),
        ("{where: {/spec/tags: sales}}", False),
        ("{where: {/spec/version: v1, /spec/tags: finance}}", True),
        ("{kind: Workflow, where: {/spec/nothing: x}}", False),
    ],
)
def test_an_overlay_means_what_fits_every_member_of_its_select(platform: Platform, select: str, means: bool) -> None:
    file = checked(platform, WORKFLOW, {"text": "x"}, [overlay("merge: {spec: {description: y}}", select)])
    assert (file.applied == (0,)) is means


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (overlay("merge: {spec: {a: 1}}"), []),
        (overlay("merge: {spec: {a: 1}}", "{}"), ["overlay-invalid :3:9"]),
        (overlay("merge: {spec: {a: 1}}", "{knd: Workflow}"), ["unknown-key :3:10"]),
        (overlay("merge: {metadata: {name: x}}"), ["unknown-key :4:9"]),
        (overlay(""), ["overlay-invalid :1:1"]),
        (overlay("merge: {spec: {a: 1}}\npatch: [{op: remove, path: /spec/a}]"), ["overlay-invalid :1:1"]),
        (overlay("patch: [{op: remove, path: /metadata/name}]"), ["overlay-invalid :4:28"]),
        (overlay("patch: [{op: remove, path: /spec/a, value: 1}]"), ["overlay-invalid :4:9"]),
        (overlay("patch: [{op: add, path: /spec/a}]"), ["overlay-invalid :4:9"]),
        (overlay("patch: [{op: destroy, path: /spec/a}]"), ["overlay-invalid :4:14"]),
        (overlay("merge: {spec: {a: '${nobody}'}}"), ["placeholder :4:19"]),
    ],
)
def test_a_wrong_overlay_is_told_at_its_place(platform: Platform, text: str, expected: list[str]) -> None:
    file = check_file(text.encode(), platform, DEFAULTS)
    assert told(file)[: len(expected) or None] == expected
    assert [head.sound for head in file.overlays] == [not expected]


def test_the_digest_of_an_overlay_changes_with_whatever_an_error_may_point_at(platform: Platform) -> None:
    def heads(text: str, values: Mapping[str, Any]) -> list[str]:
        return [head.digest for head in check_file(text.encode(), platform, DEFAULTS, inputs=Inputs(values)).overlays]

    one, two = overlay("merge: {spec: {a: '${x}'}}"), overlay("merge: {spec: {b: 1}}")
    both = f"{one}\n---\n{two}"
    assert heads(both, {"x": 1})[1] == heads(both, {"x": 2})[1]
    assert heads(both, {"x": 1})[0] != heads(both, {"x": 2})[0]
    moved = heads(f"# a comment\n{both}", {"x": 1})
    assert not set(moved) & set(heads(both, {"x": 1}))
    assert heads(f"{one}\n---\n{two}\n# more", {"x": 1})[0] == heads(both, {"x": 1})[0]


def test_a_hundred_overlays_may_change_a_manifest_and_no_more(platform: Platform) -> None:
    over = overlay("merge: {spec: {description: y}}")
    assert not checked(platform, WORKFLOW, {"text": "x"}, [over] * 100).problems
    assert told(checked(platform, WORKFLOW, {"text": "x"}, [over] * 101)) == ["overlay-limit prod/o.yaml:3:9"]


def test_a_spec_that_is_read_again_is_the_one_that_was_checked(platform: Platform) -> None:
    values = {"text": "x"}
    inputs = Inputs(values, (overlay_of(overlay("merge: {spec: {tags: [a, '${text}']}}"), values),))
    (document,) = check_file(WORKFLOW.encode(), platform, DEFAULTS, inputs=inputs).documents
    assert read_spec(WORKFLOW.encode(), platform, DEFAULTS, 0, inputs) == document.spec
    assert document.spec is not None and document.spec["tags"] == ["a", "x"]


def test_a_rendering_read_again_is_the_same_resource(platform: Platform) -> None:
    values = {"text": "costs $${text} and ${{x}} and $${y}"}
    inputs = Inputs(values, (overlay_of(overlay("merge: {lifecycle: {protect: true}}"), values),))
    (rendered,) = render(WORKFLOW.encode(), platform, DEFAULTS, inputs)
    (document,) = check_file(WORKFLOW.encode(), platform, DEFAULTS, inputs=inputs).documents
    again = check_file(as_yaml(rendered).encode(), platform, {}, inputs=Inputs({"text": "other", "y": 1}))
    assert [each.digest for each in again.documents] == [document.digest]


def test_every_example_of_the_platform_is_the_same_when_rendered(platform: Platform) -> None:
    from agent.definitions.files import bundled_schemas

    count = 0
    for path in sorted((bundled_schemas() / "dataos/examples/valid").glob("*.yaml")):
        source = path.read_bytes()
        documents = check_file(source, platform, DEFAULTS).documents
        rendered = [as_yaml(each) for each in render(source, platform, DEFAULTS, Inputs())]
        again = check_file("---\n".join(rendered).encode(), platform, {}).documents
        assert [each.digest for each in again] == [each.digest for each in documents], path.name
        count += len(documents)
    assert count > 20


def test_a_file_without_variables_is_not_walked(platform: Platform) -> None:
    source = WORKFLOW.replace("${text}", "plain").encode()
    (document,) = yaml_io.load(source).documents
    assert Filler(source, Inputs({"text": 1})).filled(document).value is document.value


def test_a_variable_inside_of_brackets_wants_quotes(platform: Platform) -> None:
    (problem,) = checked(platform, SERVICE.replace('"${count}"', "${count}"), {"count": 3}).problems
    assert (problem.code, problem.fix) == ("yaml-syntax", 'write "${count}"')
