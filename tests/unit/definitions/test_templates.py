"""Bodies: typed where the whole scalar is an expression, text otherwise; missing is left out, null stays."""

from decimal import Decimal

import pytest

from agent.definitions.expressions import MISSING, ExpressionError, Template


def render(value, **context):
    return Template(value).render(context)


def test_a_whole_scalar_takes_the_typed_value():
    context = {"spec": {"n": 478, "d": Decimal("1.10"), "b": True, "l": [1], "m": {"a": None}}}
    assert render({k: f"${{spec.{k}}}" for k in context["spec"]}, **context) == context["spec"]
    assert render("${spec}", **context) == context["spec"]


def test_text_that_looks_like_a_number_stays_text():
    assert render({"a": "${name}"}, name="478") == {"a": "478"}


def test_a_missing_member_is_left_out_and_a_null_one_is_kept():
    template = {"a": "${x.a}", "b": "${x.b}", "c": ["${x.a}", 1], "d": {"e": "${x.a}"}, "f": None}
    assert render(template, x={"b": None}) == {"b": None, "c": [1], "d": {}, "f": None}
    assert render("${x}") is MISSING


def test_text_joins_scalars_and_json():
    assert render("tree ${name} of ${n}: ${l}", name="a", n=Decimal("1.50"), l=[1, "b"]) == 'tree a of 1.50: [1,"b"]'


def test_text_with_a_part_that_is_missing_or_null_is_missing():
    assert render("Bearer ${secret.token}", secret={}) is MISSING
    assert render({"h": "x ${a}"}, a=None) == {}


def test_two_dollars_are_a_literal():
    assert render("$${name} and ${name}", name="a") == "${name} and a"
    assert render("cost: $5, {a}") == "cost: $5, {a}"


def test_anything_but_a_dotted_name_is_jmespath():
    assert render("${join('-', [name, spec.kind])}", name="a", spec={"kind": "b"}) == "a-b"
    assert render("${ {a: name}.a }", name="x") == "x"
    assert render("${spec.l[?@ == '}'] | [0]}", spec={"l": ["}"]}) == "}"


def test_dotted_names_may_hold_hyphens():
    assert render("${secret.lake-password}", secret={"lake-password": "x"}) == "x"


def test_words_are_told():
    assert Template({"a": "${name} ${spec.x}", "b": ["${not_null(id, live.y)}", 5]}).words == (
        "name",
        "spec.x",
        "id",
        "live",
    )


def test_other_values_pass_as_they_are():
    value = {"a": [1, None, True, Decimal("1.0"), {"b": ""}]}
    assert render(value) == value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("{{ name }}", "no text template"),
        ({"a": ["${name"]}, "no closing brace"),
        ("${a b}", "JMESPath"),
        ("${}", "JMES"),
    ],
)
def test_a_mistake_is_refused_when_it_is_read(value, why):
    with pytest.raises(ExpressionError, match=why):
        Template(value)


def test_a_value_that_is_no_json_is_never_joined_to_text():
    with pytest.raises(ExpressionError, match="object cannot be joined"):
        render("Bearer ${secret}", secret=object())
