"""Bodies of the emulated DataOps.live: JSON, forms with brackets, and the types of attributes."""

from __future__ import annotations

import pytest

from agent.sandbox.dataops_live_bodies import BODY_MAX, nested, read_parameters
from agent.sandbox.dataops_live_fields import PROJECT, read_attributes
from agent.sandbox.messages import Refusal, Request


def request(body: bytes, content_type: str = "", query: tuple[tuple[str, str], ...] = ()) -> Request:
    headers = {"content-type": content_type} if content_type else {}
    return Request(1, 0.0, "POST", "/api/v4/projects", ("api", "v4", "projects"), query, headers, body)


@pytest.mark.parametrize(
    ("pairs", "fields"),
    [
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a[b]", "1"), ("a[c]", "2")], {"a": {"b": "1", "c": "2"}}),
        ([("a[b][c]", "1")], {"a": {"b": {"c": "1"}}}),
        ([("a[b][]", "1"), ("a[b][]", "2")], {"a": {"b": ["1", "2"]}}),
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a", "1"), ("a[b]", "2")], {"a": {"b": "2"}}),
        ([("[a]", "1"), ("a[", "2")], {"[a]": "1", "a[": "2"}),
    ],
)
def test_brackets_nest(pairs, fields):
    assert nested(pairs) == fields


def test_query_and_body_come_together_and_the_body_wins():
    sent = read_parameters(request(b'{"a": 2}', "application/json; charset=utf-8", (("a", "1"), ("b", "1"))))
    assert sent == {"a": 2, "b": "1"}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"no parts", "multipart/form-data; boundary=x", 400),
        (b"a: 1", "application/yaml", 415),
        (b" " * BODY_MAX + b"1", "application/json", 413),
    ],
)
def test_what_cannot_be_read_is_refused(body, content_type, status):
    with pytest.raises(Refusal) as refused:
        read_parameters(request(body, content_type))
    assert refused.value.status == status


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("lfs_enabled", "false", False),
        ("lfs_enabled", 1, True),
        ("lfs_enabled", None, None),
        ("build_timeout", "60", 60),
        ("topics", "a, b,a", ["a", "b"]),
        ("topics", ["b", "a"], ["b", "a"]),
        ("topics", None, []),
        ("visibility", "public", "public"),
        ("description", 5, "5"),
        ("description", None, None),
    ],
)
def test_values_take_the_type_of_their_attribute(name, sent, kept):
    assert read_attributes(PROJECT, {name: sent, "permissions": {"project_access": None}}) == {name: kept}


@pytest.mark.parametrize(
    ("name", "sent", "words"),
    [
        ("lfs_enabled", "maybe", "lfs_enabled is invalid"),
        ("build_timeout", "long", "build_timeout is invalid"),
        ("build_timeout", True, "build_timeout is invalid"),
        ("topics", 5, "topics is invalid"),
        ("visibility", "secret", "visibility does not have a valid value"),
        ("description", {"a": 1}, "description is invalid"),
    ],
)
def test_what_is_no_value_of_an_attribute_is_refused(name, sent, words):
    with pytest.raises(Refusal) as refused:
        read_attributes(PROJECT, {name: sent})
    assert (refused.value.status, refused.value.message) == (400, words)
