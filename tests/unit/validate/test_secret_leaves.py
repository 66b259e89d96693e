from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.model.manifest import CheckedFile

Check = Callable[..., CheckedFile]
Told = Callable[..., list[str]]

SECRET = """\
name: s
version: v1
type: instance-secret
instance-secret:
  type: key-value
  acl: r
  data:
    password: VALUE
"""


def test_a_reference_is_accepted_where_a_secret_stands(told: Told) -> None:
    assert told(SECRET.replace("VALUE", "{secretRef: lake-password}")) == []


def test_a_secret_in_clear_is_warned_about_without_its_value(check: Check) -> None:
    checked = check(SECRET.replace("VALUE", "hunter2"))
    (problem,) = checked.problems
    assert (problem.code, problem.severity, problem.where.line, problem.where.column) == (
        "secret-in-clear",
        "warning",
        8,
        15,
    )
    assert "hunter2" not in repr(problem)
    assert len(checked.documents) == 1


@pytest.mark.parametrize("value", ["~", '""'])
def test_an_empty_secret_is_none(told: Told, value: str) -> None:
    assert told(SECRET.replace("VALUE", value)) == []


@pytest.mark.parametrize(
    "value",
    [
        "{env: HOME}",
        "{file: /etc/passwd}",
        "{exec: [id]}",
        "{secretRef: a, env: HOME}",
        "{secretRef: 7}",
        '{secretRef: ""}',
        "{other: x}",
        "[a]",
    ],
)
def test_every_other_way_to_name_a_secret_is_refused_once(told: Told, value: str) -> None:
    assert told(SECRET.replace("VALUE", value)) == ["error[invalid-manifest] 8:15"]


def test_a_placeholder_in_a_secret_is_only_a_placeholder(told: Told) -> None:
    assert told(SECRET.replace("VALUE", "${PASSWORD}")) == ["error[placeholder] 8:15"]


def test_a_wrong_type_in_a_secret_leaf_does_not_show_the_value(check: Check) -> None:
    text = SECRET.replace("password: VALUE", "password: {secretRef: a}\n  files: hunter2")
    checked = check(text)
    assert checked.has_errors
    assert all("hunter2" not in repr(problem) for problem in check(SECRET.replace("VALUE", "[hunter2]")).problems)


FREE = "name: s\nversion: v1\ntype: service\nservice:\n  stack: a\n  stackSpec: {NAME: VALUE}\n"


def test_a_reference_elsewhere_is_refused_once(told: Told) -> None:
    text = FREE.replace("NAME", "mode").replace("VALUE", "{secretRef: x}")
    assert told(text) == ["error[invalid-manifest] 6:21"]


def test_a_name_alone_gives_a_secret_away(check: Check) -> None:
    (problem,) = check(FREE.replace("NAME", "db_token").replace("VALUE", "hunter2")).problems
    assert f"{problem.severity}[{problem.code}] {problem.where.line}:{problem.where.column}" == (
        "warning[secret-in-clear] 6:25"
    )
    assert problem.fix is not None
    assert problem.fix.startswith("db_token: {secretRef: NAME}")
    assert "hunter2" not in repr(problem)


def test_where_a_name_gives_a_secret_away_a_reference_may_stand(check: Check) -> None:
    checked = check(FREE.replace("NAME", "db_token").replace("VALUE", "{secretRef: lake}"))
    assert checked.problems == ()
    assert ("", "lake", 6, 25, "") in checked.documents[0].references


def test_a_name_about_a_secret_gets_no_warning(told: Told) -> None:
    for name, value in (("token_expiry", "3600"), ("secretName", "a"), ("passwordPolicy", "strict"), ("token", "3600")):
        assert told(FREE.replace("NAME", name).replace("VALUE", value)) == []


def test_a_fault_at_a_secret_name_does_not_show_the_value(check: Check) -> None:
    text = FREE.replace(
        "  stackSpec: {NAME: VALUE}", "  password: hunter2\n  envs: {API_KEY: [hunter2], DB_PASSWORD: $HUNTER2}"
    )
    checked = check(text)
    assert checked.has_errors
    assert "hunter2" not in repr(checked.problems).lower()


def test_the_older_list_form_has_secrets_too(told: Told) -> None:
    text = "name: s\nversion: v1\ntype: secret\nsecret:\n  - {type: key-value, acl: r, data: {a: hunter2}}\n"
    assert told(text) == ["warning[secret-in-clear] 5:41"]
    assert told(text.replace("hunter2", "{secretRef: a}")) == []


def test_a_depot_holds_secrets_in_its_connection(told: Told) -> None:
    text = """\
        name: orders
        version: v1
        type: depot
        depot:
          type: S3
          connectionSecret:
            - {acl: rw, type: key-value, data: {accesskeyid: a, secretkey: {secretRef: b}}}
        """
    assert told(text) == ["warning[secret-in-clear] 7:54"]


def test_a_placeholder_is_quoted_except_in_a_secret(check: Check) -> None:
    (problem,) = check(SECRET.replace("VALUE", "${hunter2}")).problems
    assert "hunter2" not in repr(problem)
    (problem,) = check(SECRET.replace("VALUE", "~").replace("acl: r", "acl: ${who}")).problems
    assert "${who}" in problem.what


def test_a_placeholder_is_not_quoted_below_what_no_kind_tells(check: Check) -> None:
    text = SECRET.replace("VALUE", "${hunter2}").replace("instance-secret\n", "${{type}}\n", 1)
    kind, secret = check(text).problems
    assert "${{type}}" in kind.what and "hunter2" not in repr(secret)
