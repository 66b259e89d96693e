"""Broken OpenAPI documents: a good one with some of its nodes replaced by what nobody expects there.

``python -m tests.unit.drafting.mutated [SEEDS [FILE]]`` drafts from many of them and says what went wrong.
"""

from __future__ import annotations

import copy
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.definitions.load import load_folder
from agent.drafting.document import read_document
from agent.drafting.platform import draft_of
from agent.drafting.text import files_of
from agent.errors import AgentError

DOCUMENT = Path(__file__).parents[2] / "platforms" / "bookshelf.openapi.yaml"
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e308, "", " ", "..", "a/b", "{id}", "#/paths", "#", "#/components/schemas/Book", "x" * 300),
    *(
        "\u202e\x1b[31m",
        "${secret.key}",
        "*&!",
        [],
        [[]],
        {},
        {"": ""},
        {"$ref": "#"},
        {"$ref": 7},
        {"$ref": "#/nowhere"},
    ),
    {"$ref": "file:///etc/passwd"},
    {"$ref": "https://example.com/other.json#/a"},
    {"allOf": [{"$ref": "#/components/schemas/Book"}]},
    {"type": ["object", "null"], "properties": {"~/{x}": {"type": "string", "format": "password"}}},
    {"oneOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/Book"}}]},
    {"type": "object", "required": "all", "properties": []},
    {"enum": [], "pattern": "(?<=a)b", "minimum": "1", "exclusiveMinimum": True, "default": {"a": [1]}},
)


def mutated(document: Any, seed: int) -> Any:
    """The document with one to six nodes replaced, renamed or removed."""
    chance = random.Random(seed)
    document = copy.deepcopy(document)
    for _ in range(chance.randint(1, 6)):
        holders = list(_holders(document))
        holder = chance.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = chance.choice(keys)
        what = chance.random()
        if what < 0.7:
            holder[key] = copy.deepcopy(chance.choice(ODD))
        elif what < 0.85 and isinstance(holder, dict):
            holder[str(chance.choice(ODD))[:80]] = holder.pop(key)
        else:
            del holder[key]
    return document


def _holders(node: Any) -> Any:
    if isinstance(node, dict | list) and node:
        yield node
        for member in node.values() if isinstance(node, dict) else node:
            yield from _holders(member)


def drafts_or_refuses(document: Any, folder: Path) -> str:
    """``drafted`` or ``refused``; raises whatever is neither, and when the draft does not load."""
    try:
        read = read_document("mutated.json", json.dumps(document).encode())
        draft = draft_of(read, platform="mutated")
    except AgentError:
        return "refused"
    for name, text in files_of(read, draft).items():
        (folder / name).write_text(text, encoding="utf-8")
    load_folder(folder, bundled=False)
    return "drafted"


def main(seeds: int, path: Path = DOCUMENT) -> int:
    original = yaml_io.load(path.read_bytes(), yaml_io.REPLY_BUDGET).documents[0].value
    original = json.loads(json.dumps(original, default=float))
    counts: dict[str, int] = {}
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            try:
                end = drafts_or_refuses(mutated(original, seed), Path(folder))
            except Exception as error:
                end = f"{type(error).__name__}: {error}"[:300]
                print(f"seed {seed}: {end}")
                end = "wrong"
        counts[end] = counts.get(end, 0) + 1
    print(counts)
    return 1 if "wrong" in counts else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 500, *map(Path, sys.argv[2:])))
