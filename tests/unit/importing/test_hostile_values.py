"""Whatever a platform holds, its manifest says the same or is not written: nothing is changed, and nobody crashes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent import yaml_io
from agent.importing.manifest import Manifest, manifest_of
from agent.importing.shape import shape
from agent.importing.shaped import Shaped, Unfit
from agent.json_schema import Schema
from agent.model.canonical import canonical
from agent.model.identity import Key
from agent.plan.rules import RuleBook
from agent.validate.document import check_file
from agent.validate.rendered import Inputs
from agent.validate.variables import Allowance, fill
from tests.unit.plan.kinds import platform, thing

KIND = thing()
PLATFORM = platform(KIND)
BOOK = RuleBook(KIND, {})
SCHEMA = Schema(KIND.schema or {}, "thing.schema.json")
KEY = Key("main", "Thing", (("room", "attic"),), "lamp")

WORDS = """
    yes No NO n off ~ null NULL true 010 0o17 0x1f 0b1 1e3 1_000 12:30:45 .inf -.INF .nan - --- ... << = ? ! & *
    !!python/object/apply:os.system !!binary &anchor *alias %YAML @at `tick` 2020-01-01 1.10 +1 1. .5 0. 00 -0
    ${VAR} $HOME <your-name> ::error::x ##[command] secretRef datakeel.main/abc https://user:hunter2@example.com/x
"""
SPECIALS = [
    *WORDS.split(),
    *("", " ", "\t", "\n", "\r\n", "a: b", "a #b", "#", "- a", "a\n", "a\n\n", " a", "a ", "\na", "a\t\tb", "x" * 5000),
    *("'", '"', "\\", "{", "[", "|", ">", "${{ x }}", "{{ jinja }}", "--- \nkind: Other\n", "  indented\n text\n"),
    *(
        "\x00",
        "\x07",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\u202e",
        "\ud800",
        "\udfff",
        "\U0001f600",
    ),
]
TEXTS = st.one_of(
    st.sampled_from(SPECIALS), st.text(max_size=20), st.text(" \n\t:#-'\"|>&*!{}[],?%@`$<0x._", max_size=12)
)
KEYS = st.one_of(TEXTS, st.sampled_from(["password", "id", "state", "created_at", "name", "room", "secretRef", "tags"]))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**70), 10**70),
    st.decimals(),
    st.floats(),
    TEXTS,
    st.binary(max_size=3),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, st.integers(), st.none()), inner, max_size=4)
    ),
    max_leaves=12,
)
LIVE = st.dictionaries(KEYS, VALUES, max_size=6)


def made(live: Mapping[str, Any]) -> tuple[Shaped, Manifest] | None:
    try:
        shaped = shape(BOOK, SCHEMA, KEY, live)
        return shaped, manifest_of(PLATFORM, BOOK, SCHEMA, KEY, shaped, live)
    except Unfit as unfit:
        assert str(unfit)
        return None


@settings(max_examples=30, deadline=None)
@given(LIVE)
@example({"": "", "a": {"": [{}]}})
@example({"a": {"secretRef": "x"}})
@example({"tags": ["datakeel.main/abc", "owner.main/aaaaaaaaaaaa", "mine"]})
@example({"a": Decimal("NaN"), "b": float("inf"), "c": 10**64})
@example({"a": ["\ud800"], "b": 1})
@example({"yes": {None: None}})
def test_what_is_written_is_what_is_live(live: Mapping[str, Any]) -> None:
    done = made(live)
    if done is None:
        return
    shaped, manifest = done
    loaded = yaml_io.load(manifest.text.encode())
    assert not [each for each in loaded.problems if each.severity == "error"]
    (document,) = loaded.documents
    assert document.value["metadata"] == {"name": "lamp", "room": "attic"}
    spec = fill(document.value["spec"], {}, (), Allowance()).value  # `$${` is a literal `${`
    assert_says(spec, live, set(shaped.secrets), ())


def assert_says(written: Any, live: Any, secrets: set[tuple[str, ...]], place: tuple[str, ...]) -> None:
    """Every written leaf is the live one; members may be missing, elements too where they are marks."""
    if place in secrets:
        assert set(written) == {"secretRef"}
    elif isinstance(written, dict):
        for name, member in written.items():
            assert_says(member, live[name], secrets, (*place, name))
    elif isinstance(written, list) and place == ("tags",):
        assert all(element in live or isinstance(element, dict | list) for element in written)
    elif isinstance(written, list):
        assert len(written) == len(live)
        for index, element in enumerate(written):
            assert_says(element, live[index], secrets, (*place, str(index)))
    elif isinstance(live, float):
        assert float(written) == live
    else:
        assert canonical(written) == canonical(live)


def test_what_is_too_deep_is_refused_in_words() -> None:
    deep: Any = 1
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(Unfit, match="levels deep"):
        shape(BOOK, SCHEMA, KEY, {"deep": deep})


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.one_of(st.integers(), TEXTS, st.lists(TEXTS, max_size=3))))
def test_another_reader_reads_the_same(live: Mapping[str, Any]) -> None:
    done = made(live)
    if done is not None:
        text = done[1].text
        assert yaml.load(text, Loader=yaml.CSafeLoader) == yaml_io.load(text.encode()).documents[0].value


@pytest.mark.parametrize("value", ["hunter2-and-more", "0x1f-secret", 'a"b\nsecret', "::add-mask::secret"])
def test_no_value_of_a_secret_is_in_a_file(value: str) -> None:
    live = {"config": {"password": value, "url": f"see {value} there"}, "note": f"x{value}x", value: 1, "kept": "yes"}
    done = made(live)
    assert done is not None
    assert value not in done[1].text
    assert value not in yaml_io.load(done[1].text.encode()).documents[0].value["spec"]
    assert "kept" in done[1].text


@pytest.mark.parametrize("name", ["\n# kind: Evil", "a\nspec: {}", "\x1b[2J", "::set-output::", "x" * 500])
def test_names_in_comments_can_do_nothing(name: str) -> None:
    kind = thing(schema={"type": "object", "additionalProperties": False, "properties": {"tags": {}}})
    book, schema = RuleBook(kind, {}), Schema(kind.schema or {}, "")
    shaped = shape(book, schema, KEY, {name: 1, "tags": ["a"]})
    text = manifest_of(platform(kind), book, schema, KEY, shaped, {name: 1, "tags": ["a"]}).text
    head = text[: text.index("apiVersion")]
    assert all(line.startswith("# ") and len(line) <= 120 for line in head.splitlines())
    assert head.isprintable() or head.replace("\n", "").isprintable()
    assert yaml_io.load(text.encode()).documents[0].value["spec"] == {"tags": ["a"]}


@pytest.mark.parametrize(
    "text", ["${NAME}", "a-${{ x }}-b", "$${N}", "$$${N}", "echo ${HOME}\nexit\n", "${", "$${", "}${"]
)
def test_what_looks_like_a_variable_is_none(text: str) -> None:
    done = made({"text": text, "list": [text]})
    assert done is not None
    assert done[0].spec == {"list": [text], "text": text}
    (document,) = check_file(
        done[1].text.encode(), PLATFORM, {}, inputs=Inputs({"NAME": "x", "HOME": "y", "N": "z"})
    ).documents
    assert document.spec == {"list": [text], "text": text}


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")])
def test_bytes_do_not_depend_on_the_order_of_today(order: tuple[str, ...]) -> None:
    live = {name: dict.fromkeys(order, name) for name in order}
    again = {name: dict.fromkeys(sorted(order), name) for name in sorted(order)}
    one, other = made(live), made(again)
    assert one is not None
    assert other is not None
    assert one[1].text == other[1].text
