"""Writes definitions for tests. ``‸`` in a text stands before the place where a mistake is expected."""

import json
from pathlib import Path

from agent.definitions.load import load_folder
from agent.errors import DefinitionError

PLATFORMS = Path(__file__).parents[2] / "platforms" / "definitions"
OPEN = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}
CLOSED = {**OPEN, "additionalProperties": False, "properties": {"size": {"type": "integer"}, "tags": {"type": "array"}}}

SHOP = """\
platform: shop
version: v1
format: 1
settings: {org: {type: string}}
kinds:
  Shelf:
    key: name
    list: {request: GET /shelves}
  Thing:
    scope: {shelf: Shelf}
    key: name
    id: id
    list: {request: "GET /{settings.org}/things?shelf={shelf}", items: data}
    get: {request: "GET /things/{id}"}
    create: {request: POST /things, adds: {name: "${name}"}}
    update: {request: "PUT /things/{id}"}
    delete: {request: "DELETE /things/{id}"}
    fields:
      /size: {immutable: true}
"""


def write(folder: Path, text: str, *, schemas=None, answers=None) -> Path:
    """A definition folder; schemas and answers by file name, as values or as text."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "platform.yaml").write_text(text.replace("‸", ""), encoding="utf-8")
    for name, value in (schemas or {}).items():
        (folder / name).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    for name, value in (answers or {}).items():
        (folder / "examples" / "answers").mkdir(parents=True, exist_ok=True)
        path = folder / "examples" / "answers" / name
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return folder


def shop(folder: Path, old: str = "", new: str = "", *, answers=None, schema=CLOSED):
    """The shop definition with a text replaced, loaded."""
    assert old in SHOP
    text = SHOP.replace(old, new, 1) if old else SHOP + new
    return load_folder(write(folder, text, schemas={"thing.schema.json": schema}, answers=answers), bundled=False)


def shop_problems(folder: Path, old: str, new: str, *, answers=None, schema=CLOSED):
    """The problems of the shop with a text replaced, and the place that ``‸`` marks."""
    text = SHOP.replace(old, new, 1) if old else SHOP + new
    try:
        load_folder(write(folder, text, schemas={"thing.schema.json": schema}, answers=answers), bundled=False)
    except DefinitionError as error:
        return error.problems, place_of(text)
    return (), place_of(text)


def place_of(text: str) -> tuple[int, int] | None:
    """Line and column of the mark, 1-based."""
    before, mark, _ = text.partition("‸")
    return (before.count("\n") + 1, len(before) - before.rfind("\n")) if mark else None
