"""The description of the API: every page has its document in it, every name in it leads somewhere."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator

from agent.server.pages.openapi import PATHS, openapi_document
from agent.server.pages.routes import PAGES, api_path


def test_every_page_is_described_and_nothing_else() -> None:
    assert {api_path(page).replace("{name:path}", "{name}") for page in PAGES} == set(PATHS)


def test_every_reference_leads_to_a_schema() -> None:
    document = openapi_document()
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        assert name[0].isupper()
    text = json.dumps(document)
    named = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named == set(schemas)
