"""The schema of a platform says of a document what the agent says of it, as far as a schema of one document can."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from agent import yaml_io
from agent.cli.schema_files import definition_text, umbrella_text
from agent.definitions.files import bundled_schemas, overlay_schema
from agent.editor.draft7 import as_draft7
from agent.editor.files import associations, modeline, schema_file
from agent.editor.umbrella import umbrella
from tests.editor.corpora import as_json, is_beyond, judged, validator
from tests.editor.mutations import KNOWN, differences
from tests.platforms.folders import folders, loaded

PLATFORMS = [name for name, _ in folders()]
NEWER = {"$defs", "prefixItems", "unevaluatedProperties", "unevaluatedItems", "dependentSchemas", "dependentRequired"}
NEWER |= {"minContains", "maxContains", "$anchor", "$dynamicRef", "$recursiveRef"}


@pytest.mark.parametrize("name", PLATFORMS)
def test_it_is_written_as_json_also_where_bounds_are_fractions(name: str) -> None:
    assert json.loads(umbrella_text(loaded(name)))["definitions"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_document_is_judged_as_the_agent_judges_it(name: str) -> None:
    schema = validator(umbrella(loaded(name)))
    refused, accepted = [], []
    seen = {True: 0, False: 0}
    for document in judged(name):
        valid = schema.is_valid(document.json)
        seen[valid] += 1
        if valid and document.errors and not is_beyond(document.errors):
            accepted.append((document.file, [problem.what for problem in document.errors]))
        if not valid and not document.errors:
            refused.append((document.file, [str(error.message)[:200] for error in schema.iter_errors(document.json)]))
    assert refused == [], "the agent takes these"
    assert accepted == [], "the agent refuses these"
    assert seen[True] and seen[False]


@pytest.mark.parametrize("name", PLATFORMS)
def test_one_change_anywhere_is_judged_alike_but_where_it_is_known_why_not(name: str) -> None:
    tried, found = differences(name, thorough=False)
    assert tried >= 7
    assert [each for each in found if not any(re.fullmatch(place, each.place) for place, _ in KNOWN)] == []


@pytest.mark.parametrize("name", PLATFORMS)
def test_with_variables_any_value_of_a_spec_may_be_one_and_mistakes_stay_mistakes(name: str) -> None:
    schema, plain = validator(umbrella(loaded(name), variables=True)), validator(umbrella(loaded(name)))
    refused = 0
    for document in judged(name):
        assert schema.is_valid(document.json) or not plain.is_valid(document.json), document.file
        if document.errors and not plain.is_valid(document.json) and "${" not in json.dumps(document.json):
            assert not schema.is_valid(document.json), document.file
            refused += 1
        if not document.errors and isinstance(document.json.get("spec"), dict):
            for member in document.json["spec"]:
                varied = {**document.json, "spec": {**document.json["spec"], member: "${env}"}}
                assert schema.is_valid(varied), (document.file, member)
    assert refused


@pytest.mark.parametrize("name", PLATFORMS)
def test_it_is_a_schema_in_words_that_every_language_server_knows(name: str) -> None:
    schema = json.loads(umbrella_text(loaded(name)))
    jsonschema.Draft7Validator.check_schema(schema)
    assert not NEWER & words_of(schema)
    references = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(schema)))
    assert references <= {f"#/definitions/{known}" for known in schema["definitions"]}
    assert "oneOf" not in schema


@pytest.mark.parametrize(
    "schema",
    [
        json.loads((bundled_schemas() / "datakeel.schema.json").read_bytes()),
        json.loads((bundled_schemas() / "platform.schema.json").read_bytes()),
        overlay_schema(),
    ],
)
def test_other_schemas_in_older_words_say_the_same(schema: dict[str, Any]) -> None:
    older = as_draft7(schema, "made by a test")
    jsonschema.Draft7Validator.check_schema(older)
    assert not NEWER & words_of(older)
    before, after = jsonschema_rs.Draft202012Validator(schema), validator(older)
    for value in ({}, {"apiVersion": "datakeel/v1"}, CONFIGURATION, CONFIGURATION | {"lease": "soon"}, OVERLAY):
        assert before.is_valid(value) == after.is_valid(value), value
        for member in value:
            changed = {**value, member: [7]}
            assert before.is_valid(changed) == after.is_valid(changed), changed


TARGET = {"platform": "dataos", "server": "https://a.example", "credentials": {"token": {"env": "T"}}, "drift": "heal"}
CONFIGURATION = {"apiVersion": "datakeel/v1", "source": {"path": "."}, "targets": {"a": TARGET}}
OVERLAY = {"apiVersion": "datakeel/v1", "kind": "Overlay", "select": {"kind": "*"}, "merge": {"spec": {"a": 1}}}


def words_of(schema: Any) -> set[str]:
    """Every member name anywhere, but those of what a person may write."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found |= node.keys()
            named = ("properties", "patternProperties", "definitions", "dependencies")
            for word, value in node.items():
                waiting += list(value.values()) if word in named and isinstance(value, dict) else [value]
        elif isinstance(node, list):
            waiting += node
    return found


def test_every_shipped_definition_fits_the_schema_of_definitions() -> None:
    schema = validator(json.loads(definition_text()))
    for name, folder in folders():
        (document,) = yaml_io.load((folder / "platform.yaml").read_bytes()).documents
        assert schema.is_valid(as_json(document.value)), name
    assert not schema.is_valid({"platform": "acme", "version": "v1", "format": 1, "kindz": {}})


def test_paths_follow_the_apiversion_and_a_modeline_leads_there() -> None:
    assert schema_file("acme/v1") == ".schemas/acme/v1.json"
    line = "# yaml-language-server: $schema="
    assert modeline(".schemas/acme/v1.json", "manifests/shop/a.yaml") == f"{line}../../.schemas/acme/v1.json"
    assert modeline(".schemas/acme/v1.json", "a.yaml") == f"{line}.schemas/acme/v1.json"


def test_the_settings_name_the_manifests_of_each_target_and_leave_out_what_is_none() -> None:
    found = associations([("acme/v1", "prod", ()), ("acme/v1", "", ("over/lays",)), ("b/v2", "b", ())], "datakeel.yaml")
    assert found == {
        ".schemas/datakeel.json": ["datakeel.yaml"],
        ".schemas/acme/v1.json": [
            *("prod/**/*.yaml", "prod/**/*.yml", "**/*.yaml", "**/*.yml"),
            *("!datakeel.yaml", "!over/lays/**"),
        ],
        ".schemas/overlay.json": ["over/lays/**/*.yaml", "over/lays/**/*.yml"],
        ".schemas/b/v2.json": ["b/**/*.yaml", "b/**/*.yml"],
    }
