"""The vocabulary is closed, counted as in the design, and said to editors by schemas/platform.schema.json."""

import json

import pytest

from agent import yaml_io
from agent.definitions import vocabulary
from agent.json_schema import Schema
from tests.unit.definitions.editor_schema import PATH, editor_schema, without_descriptions
from tests.unit.definitions.writing import PLATFORMS, SHOP


def test_the_schema_for_editors_is_the_vocabulary():
    written = without_descriptions(json.loads(PATH.read_text()))
    assert written == editor_schema(), "run: python -m tests.unit.definitions.editor_schema"


def test_every_word_is_described_to_editors():
    schema = json.loads(PATH.read_text())
    maps = {"the top": schema["properties"]}
    maps |= {name: node["properties"] for name, node in schema["$defs"].items() if "properties" in node}
    simple = {"basic", "budget-headers", "keyed-list", "line", "place-in-an-answer"}
    lacking = [
        f"{n}.{w}" for n, words in maps.items() if n not in simple for w in words if "description" not in words[w]
    ]
    assert lacking == []


def test_the_vocabulary_has_as_many_words_as_the_design_says():
    operations = {word for shape in vocabulary.OPERATIONS.values() for word in shape.words}
    assert len(vocabulary.DEFINITION.words) == 19 + 1  # and `subject`
    assert len(vocabulary.KIND.words) == 25 + 2  # and `general` and `rename`
    assert len(operations) == 21 + 1  # and `inUse`
    assert len(vocabulary.FIELD.words) == 16
    assert len(vocabulary.ACTION.words) == 10
    assert len(vocabulary.LOGS.words) == 7
    assert len(vocabulary.METRICS.words) == 5
    assert len(vocabulary.ANSWERS) == 10


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in PLATFORMS.glob("*/platform.yaml")))
def test_a_definition_that_loads_is_right_for_the_editor(folder):
    value = yaml_io.load((PLATFORMS / folder / "platform.yaml").read_bytes()).documents[0].value
    assert Schema(json.loads(PATH.read_text()), "platform.schema.json").violations(value) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("immutable", "imutable"),
        ("format: 1", "format: 2"),
        ("PUT /things", "PUTT /things"),
        ("immutable: true", "immutable: often"),
        ("id: id", "id: [id]"),
        ("  Thing:", "  thing:"),
    ],
)
def test_a_mistake_is_one_for_the_editor_too(old, new):
    schema = Schema(json.loads(PATH.read_text()), "platform.schema.json")
    assert schema.is_valid(yaml_io.load(SHOP.encode()).documents[0].value)
    assert not schema.is_valid(yaml_io.load(SHOP.replace(old, new, 1).encode()).documents[0].value)


def test_the_words_that_no_real_definition_needs_are_used_by_a_made_up_one():
    text = (PLATFORMS / "orchard" / "platform.yaml").read_text()
    words = (
        *("query: access_key", "cookie:", "basic:", "until:", "headers: {X-Region", "by: cursor", "by: link"),
        *(
            "pages: page.count",
            "more:",
            "short: true",
            "sharedBy: address",
            "as: multipart",
            "accept: [text",
            "as: bytes",
        ),
        *(
            "headers: {X-Deep",
            "body: {label",
            "pages: {by: link",
            "idempotency:",
            "sends: merge",
            "carries:",
            "ifMatch:",
        ),
        *("replace: createFirst", "write:", "compare:", "values:", "default:", "done:", "general:"),
    )
    assert [word for word in words if word not in text] == []
