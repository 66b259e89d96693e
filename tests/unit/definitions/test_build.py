"""Marks are read back by the text that made them; keys of values compare as JSON."""

import re

import pytest

from agent.definitions.build_kinds import canonical_key, mark_pattern, resolved
from agent.definitions.expressions import Template

UID, CONTENT = "abc123def456", "0a1b2c3d"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("datakeel.${target}/${uid}", {"target": "prod.eu", "uid": UID}),
        ("${name} [${uid}-${content}]", {"name": "nightly [x]", "uid": UID, "content": CONTENT}),
        ("$${uid}=(${uid})*${uid}", {"uid": UID}),
        ("${ uid }", {"uid": UID}),
    ],
)
def test_a_mark_is_read_back_by_its_own_text(text, words):
    written = Template(text).render(words)
    assert re.search(mark_pattern(text), written).groupdict() == words


@pytest.mark.parametrize(
    "tag", ["datakeel.prod/short", f"xdatakeel.prod/{UID}", f"datakeel.prod/{UID}\n", f"datakeel./{UID}", "dataos:tag"]
)
def test_another_text_is_no_mark(tag):
    assert re.search(mark_pattern("datakeel.${target}/${uid}"), tag) is None


@pytest.mark.parametrize(
    ("key", "canonical"),
    [
        ("true", "true"),
        ('"true"', '"true"'),
        ("fast", '"fast"'),
        ("1.0", "1"),
        ("01", '"01"'),
        ("null", "null"),
        ("{", '"{"'),
    ],
)
def test_a_key_of_values_is_json_where_it_can_be(key, canonical):
    assert canonical_key(key) == canonical


def test_constants_are_put_into_pointers_and_scope_words_stay():
    assert resolved("/{with.type}/{type}/{with.other}", {"type": "a~b/c"}) == "/a~0b~1c/{type}/{with.other}"
