from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import pytest

from agent.definitions.platform import Platform
from agent.model.manifest import CheckedFile
from agent.validate.document import SECRET_KIND, check_file, context_digest, read_spec

Check = Callable[..., CheckedFile]
Told = Callable[..., list[str]]

NATIVE = """\
name: daily-etl
version: v1
type: workflow
workspace: analytics
workflow:
  dag: [{name: task, spec: {stack: "flare:7.0"}}]
"""
WRAPPED = """\
apiVersion: dataos/v1
kind: Workflow
metadata: {name: daily-etl, workspace: analytics}
spec:
  version: v1
  workflow:
    dag: [{name: task, spec: {stack: "flare:7.0"}}]
"""


def test_a_native_document_and_its_wrapped_form_are_the_same_manifest(check: Check) -> None:
    (native,), (wrapped,) = check(NATIVE).documents, check(WRAPPED).documents
    assert (native.kind, native.scope, native.name) == ("Workflow", (("workspace", "analytics"),), "daily-etl")
    assert native.digest == wrapped.digest
    assert native.spec == wrapped.spec
    assert set(native.spec or ()) == {"version", "workflow"}


def test_a_document_knows_its_place(check: Check) -> None:
    checked = check("# a comment\n" + NATIVE + "---\n\n" + WRAPPED.replace("daily-etl", "other"))
    assert [(one.document, one.line, one.column) for one in checked.documents] == [(0, 2, 1), (1, 10, 1)]


def test_the_digest_follows_content_and_lifecycle_but_not_spelling(check: Check) -> None:
    def digest(text: str) -> str:
        (document,) = check(text).documents
        return document.digest

    assert digest(WRAPPED) == digest(WRAPPED.replace("\nspec:", "\nlifecycle: {}\nspec:"))
    assert digest(WRAPPED) == digest("# comment\n" + WRAPPED.replace('"flare:7.0"', "'flare:7.0'"))
    assert digest(WRAPPED) != digest(WRAPPED.replace("\nspec:", "\nlifecycle: {protect: true}\nspec:"))
    assert digest(WRAPPED) != digest(WRAPPED.replace("flare:7.0", "flare:7.1"))


def test_a_scope_word_comes_from_the_defaults_only_when_it_is_not_optional(check: Check) -> None:
    (document,) = check(NATIVE.replace("workspace: analytics\n", ""), defaults={"workspace": "sales"}).documents
    assert document.scope == (("workspace", "sales"),)
    bundle = "name: b\nversion: v1beta\ntype: bundle\nbundle: {resources: [{id: a}]}\n"
    (document,) = check(bundle).documents
    assert document.scope == ()
    (document,) = check(bundle + "workspace: sales\n").documents
    assert document.scope == (("workspace", "sales"),)


def test_a_scope_word_that_nobody_gives_is_an_error(told: Told) -> None:
    assert told(NATIVE.replace("workspace: analytics\n", ""), defaults={}) == ["error[invalid-manifest] 1:1"]
    assert told(WRAPPED.replace(", workspace: analytics", ""), defaults={}) == ["error[invalid-manifest] 3:1"]


def test_every_missing_member_is_told(check: Check) -> None:
    checked = check("depot: {type: S3}\nversion: v1\n")
    assert [problem.what for problem in checked.problems] == ["`type` is missing", "`name` is missing"]
    checked = check("type: depot\nowner: jane\n")
    assert {problem.what for problem in checked.problems} == {
        "`name` is missing",
        "the document lacks `version`",
        "the document lacks `depot`",
    }


@pytest.mark.parametrize("name", ["~", '""', "7", "[a]", "{a: b}"])
def test_a_name_of_another_type_is_told_at_its_place(told: Told, name: str) -> None:
    assert told(NATIVE.replace("daily-etl", name)) == ["error[name-type] 1:7"]


def test_a_name_that_breaks_the_platforms_rule_is_a_warning(check: Check, told: Told) -> None:
    text = NATIVE.replace("daily-etl", "daily_etl")
    assert told(text) == ["warning[name-unusual] 1:7"]
    assert [document.name for document in check(text).documents] == ["daily_etl"]
    assert told(NATIVE.replace("daily-etl", "a" * 48)) == []
    assert told(NATIVE.replace("daily-etl", "a" * 49)) == ["warning[name-unusual] 1:7"]


def test_only_a_name_that_identifies_may_not_hold_blanks(told: Told, platform: Platform) -> None:
    text = NATIVE.replace("daily-etl", "daily etl")
    assert told(text) == ["error[name-invalid] 1:7"]
    workflow = dataclasses.replace(platform.kinds["Workflow"], unique=False)
    relaxed = dataclasses.replace(platform, kinds={**platform.kinds, "Workflow": workflow})
    assert told(text, on=relaxed) == ["warning[name-unusual] 1:7"]


@pytest.mark.parametrize("text", ["just text\n", "- a\n- b\n", "7\n"])
def test_a_document_that_is_no_mapping_is_no_manifest(told: Told, text: str) -> None:
    assert told(text) == ["error[not-a-manifest] 1:1"]


def test_a_mapping_of_another_sort_is_no_manifest(told: Told) -> None:
    assert told("services: {web: {image: nginx}}\n") == ["error[not-a-manifest] 1:1"]


def test_an_envelope_is_closed(told: Told) -> None:
    assert told(WRAPPED + "status: {}\n") == ["error[unknown-key] 8:1"]
    assert told(WRAPPED.replace("workspace:", "workspce:")) == ["error[unknown-key] 3:29"]


def test_an_envelope_needs_version_kind_and_metadata(told: Told) -> None:
    assert told(WRAPPED.replace("apiVersion: dataos/v1\n", "")) == ["error[invalid-manifest] 1:1"]
    assert told(WRAPPED.replace("kind: Workflow\n", "")) == ["error[invalid-manifest] 1:1"]
    assert told("apiVersion: dataos/v1\nkind: Workflow\nspec: {}\n") == ["error[invalid-manifest] 1:1"]
    assert told("apiVersion: dataos/v1\nkind: Depot\nmetadata: {name: a}\nspec: []\n") == [
        "error[invalid-manifest] 4:7"
    ]


def test_another_platform_or_version_is_told_with_the_right_one(check: Check) -> None:
    for version in ("dataos/v9", "gitlab/v4", "dataos", "7"):
        (problem,) = check(WRAPPED.replace("dataos/v1", version)).problems
        assert problem.code == "kind-unknown"
        assert problem.fix == "apiVersion: dataos/v1"


def test_an_observed_kind_is_no_kind_of_a_manifest(check: Check, platform: Platform) -> None:
    observed = dataclasses.replace(platform.kinds["Workflow"], create=None, apply=None)
    limited = dataclasses.replace(platform, kinds={**platform.kinds, "Workflow": observed})
    (problem,) = check(WRAPPED, on=limited).problems
    assert problem.code == "kind-unknown" and "observed" in problem.what


def test_a_type_of_its_own_kind_may_not_go_by_the_catch_all(check: Check) -> None:
    text = "apiVersion: dataos/v1\nkind: Other\nmetadata: {name: a, type: workflow}\nspec: {version: v1}\n"
    (problem,) = [one for one in check(text).problems if one.severity == "error"]
    assert (problem.code, problem.fix, problem.where.line) == ("kind-unknown", "kind: Workflow", 3)


def test_a_type_without_a_schema_is_accepted_with_a_warning(check: Check, told: Told) -> None:
    text = "name: a\nversion: v1\ntype: vulcan\nvulcan: {x: 1}\n"
    assert told(text) == ["warning[kind-general] 1:1"]
    (document,) = check(text).documents
    assert (document.kind, document.scope, document.name) == ("Other", (("type", "vulcan"),), "a")


def test_problems_name_the_resource(check: Check) -> None:
    (problem,) = check(NATIVE + "statuss: x\n").problems
    assert problem.subject == "Workflow/daily-etl"


def test_one_bad_document_leaves_its_neighbours(check: Check) -> None:
    bad = NATIVE.replace("daily-etl", "bad").replace("version: v1", "version: 1")
    checked = check(NATIVE + "---\n" + bad + "---\n" + NATIVE.replace("daily-etl", "third"))
    assert [document.name for document in checked.documents] == ["daily-etl", "third"]
    assert checked.broken == (("Workflow", (("workspace", "analytics"),), "bad"),)


def test_a_document_whose_yaml_is_wrong_still_holds_its_resource(check: Check) -> None:
    checked = check(NATIVE + "version: v2\n")
    assert [problem.code for problem in checked.problems] == ["yaml-duplicate-key"]
    assert checked.documents == ()
    assert checked.broken == (("Workflow", (("workspace", "analytics"),), "daily-etl"),)


def test_a_syntax_fault_keeps_the_documents_before_it(check: Check) -> None:
    checked = check(NATIVE + "---\nname: [\n")
    assert [document.name for document in checked.documents] == ["daily-etl"]
    assert checked.has_errors


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "---\n---\n"])
def test_a_file_without_a_manifest_says_nothing(check: Check, text: str) -> None:
    checked = check(text)
    assert checked.documents == () and not checked.has_errors
    assert "empty-file" in [problem.code for problem in checked.problems]


def test_an_empty_document_among_others_is_skipped(told: Told, check: Check) -> None:
    assert [one.document for one in check(NATIVE + "---\n---\n" + NATIVE).documents] == [0, 2]


def test_a_member_that_the_platform_owns_is_refused_once(told: Told) -> None:
    assert told(NATIVE + "status: active\ncreated: now\n") == [
        "error[read-only-field] 7:1",
        "error[read-only-field] 8:1",
    ]


def test_an_open_schema_refuses_what_the_platform_owns_too(told: Told) -> None:
    assert told("name: b\nversion: v1beta\ntype: bundle\nbundle: {}\nstatus: active\n") == [
        "error[read-only-field] 5:1"
    ]


@pytest.mark.parametrize("tag", ["datakeel.lake/abcdefghijkl", "datakeel.other/x"])
def test_a_mark_written_by_hand_is_refused(told: Told, tag: str) -> None:
    assert told(NATIVE + f"tags:\n  - sales\n  - {tag}\n") == ["error[marker-reserved] 9:5"]
    assert told(NATIVE + "tags: [sales, my-datakeel.tag]\n") == []


def test_a_placeholder_hides_what_follows_from_it(told: Told) -> None:
    text = "name: orders\nversion: v1\ntype: depot\ndepot:\n  external: ${{true}}\n  type: S3\n"
    assert told(text) == ["error[placeholder] 5:13"]
    assert told(text.replace("type: depot", "type: ${{depot}}")) == [
        "error[placeholder] 3:7",
        "error[placeholder] 5:13",
    ]


def test_a_placeholder_in_a_key_is_told_at_the_key(told: Told) -> None:
    text = 'name: a\nversion: v1\ntype: stack\nstack: {name: s, "${x}": 1, version: "1"}\n'
    assert told(text) == ["error[placeholder] 4:18"]


def test_references_are_read_from_the_spec(check: Check) -> None:
    text = """\
        name: orders
        version: v2alpha
        type: depot
        depot:
          type: S3
          compute: runnable-default
          secrets: [{name: orders-r}, {name: orders-rw}, {name: orders-r}]
        """
    (document,) = check(text).documents
    assert [reference[:2] for reference in document.references] == [
        ("Compute", "runnable-default"),
        ("InstanceSecret", "orders-r"),
        ("InstanceSecret", "orders-rw"),
    ]


def test_secret_references_keep_their_place(check: Check) -> None:
    text = "name: s\nversion: v1\ntype: secret\nsecret:\n  type: key-value\n  acl: r\n  data:\n    a: {secretRef: x}\n"
    (document,) = check(text).documents
    assert document.references == ((SECRET_KIND, "x", 8, 8, ""),)
    assert document.spec is not None and document.spec["secret"]["data"]["a"] == {"secretRef": "x"}


def test_a_spec_can_be_read_again(platform: Platform, check: Check) -> None:
    text = NATIVE + "---\n" + WRAPPED.replace("daily-etl", "b")
    for document in check(text).documents:
        assert read_spec(text.encode(), platform, {}, document.document) == document.spec


def test_the_cache_key_follows_definition_and_defaults(platform: Platform) -> None:
    changed = dataclasses.replace(platform, digest="another")
    digests = {
        context_digest(platform, {}),
        context_digest(platform, {"workspace": "a"}),
        context_digest(platform, {"workspace": "b"}),
        context_digest(changed, {}),
    }
    assert len(digests) == 4
    assert context_digest(platform, {"a": "1", "b": "2"}) == context_digest(platform, {"b": "2", "a": "1"})


def test_very_many_problems_are_counted(check: Check) -> None:
    tags = "".join(f"  - ${{x{number}}}\n" for number in range(1005))
    checked = check(NATIVE + "tags:\n" + tags)
    assert len(checked.problems) == 1001
    assert checked.problems[0].what.startswith("5 more") or checked.problems[-1].what.startswith("5 more")


def test_a_file_of_a_mebibyte_is_judged_in_a_moment(platform: Platform) -> None:
    body = "".join(f"    k{number}: {{a: [1, 2, x]}}\n" for number in range(20_000))
    source = f"name: a\nversion: v1\ntype: stack\nstack:\n  name: a\n  version: '1'\n  more:\n{body}".encode()
    started = time.process_time()
    assert not check_file(source, platform, {}).has_errors
    assert time.process_time() - started < 10


def test_a_default_in_a_schema_is_never_applied(check: Check, platform: Platform) -> None:
    (document,) = check(NATIVE).documents
    workflow = platform.kinds["Workflow"]
    schema = {**(workflow.schema or {}), "properties": {**workflow.schema["properties"], "layer": {"default": "user"}}}  # type: ignore[index]
    kinds = {**platform.kinds, "Workflow": dataclasses.replace(workflow, schema=schema)}
    (defaulted,) = check(NATIVE, on=dataclasses.replace(platform, kinds=kinds, digest="another")).documents
    assert defaulted.spec == document.spec
