"""Definitions of platforms: the loader refuses or yields a platform whose calls can be built or are refused."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from agent.definitions.expressions import ExpressionError, UnsafePath
from agent.definitions.load import load_folder
from agent.definitions.platform import Kind, Platform
from agent.definitions.promises import promises, promises_table
from agent.errors import AgentError, DefinitionError
from agent.live.connection import Connection
from agent.live.rendering import Unbuildable
from agent.live.requests import NOTHING, Requests
from agent.model.identity import Key
from tests.fuzz.seeds import ROOT, files, memory_folder
from tests.fuzz.target import Target, words_of
from tests.unit.definitions.writing import CLOSED, SHOP

NAMES = ("daily", "a/b", "..", "é")


@cache
def _folder() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """The folder object is kept with its path: it is removed when nothing holds it any more."""
    held = tempfile.TemporaryDirectory(prefix="datakeel-fuzz-", dir=memory_folder())
    folder = Path(held.name)
    for name in ("thing", "shelf"):
        (folder / f"{name}.schema.json").write_text(json.dumps(CLOSED))
    (folder / "examples" / "answers").mkdir(parents=True)
    (folder / "examples" / "answers" / "Thing.list.json").write_text('{"data": [{"name": "a", "id": 1}]}')
    return held, folder


def run(data: bytes) -> None:
    folder = _folder()[1]
    (folder / "platform.yaml").write_bytes(data)
    try:
        platform = load_folder(folder, bundled=False)
    except DefinitionError as error:
        assert error.what
        for problem in error.problems:
            assert problem.code == "definition-invalid" or problem.code.startswith("schema-"), problem
            assert problem.where.path and problem.what
        return
    promises_table(platform)
    _calls(platform)


def _calls(platform: Platform) -> None:
    connection = Connection("target", settings={"org": "acme"})
    requests = Requests(platform, connection, "/base", secrets={"token": "t", "key": "k"})
    for kind in platform.kinds.values():
        promises(kind)
        for name in NAMES:
            key = Key("target", kind.name, tuple((word.word, name) for word in kind.scope), name)
            for operation in ("create", "update", "delete"):
                _stays_below(requests, kind, operation, key)
            _stays_below(requests, kind, "get", key)
            _stays_below(requests, kind, "list", key)


def _stays_below(requests: Requests, kind: Kind, name: str, key: Key) -> None:
    operation = getattr(kind, name)
    if operation is None:
        return
    try:
        if name == "get":
            prepared = requests.reading_of(kind, operation, key, "7")
        elif name == "list":
            prepared = requests.listing(kind, operation, key.scope)
        else:
            prepared = requests.writing(name, operation, kind, key, "7", {"size": 1}, NOTHING)
    except (UnsafePath, Unbuildable, ExpressionError, AgentError):
        return
    assert prepared.target.startswith("/base"), prepared.target
    assert "/../" not in f"{prepared.path}/" and "//" not in prepared.path, prepared.target
    assert prepared.target.isascii() and prepared.target.isprintable() and " " not in prepared.target, prepared.target


def seeds() -> Iterable[bytes]:
    yield SHOP.encode()
    yield from files("tests/platforms/definitions/*/platform.yaml", most=6000)
    for path in sorted(ROOT.glob("schemas/*/platform.yaml")):
        head, kinds = path.read_bytes().partition(b"\nkinds:\n")[::2]
        for kind in kinds.split(b"\n\n")[:12]:
            yield head + b"\nkinds:\n" + kind


WORDS = (
    b"{request: GET /a}",
    b"${name}",
    b"{settings.org}",
    b"extends: shop/v1\n",
    b"like: Thing",
    b"fields: {/a: {",
    b"[?a]",
)
WORDS += words_of(
    "{}: ",
    "list get create update delete items item mark in as adds carries exists inUse ready failed gone "
    "settle unverified pages by at size ask first total next more short budget windows requests every "
    "sharedBy headers auth header value query login events when with metadata native key id scope optional "
    "actions logs websocket leaves via upload runs",
)
TARGETS = (Target("definitions", run, seeds, WORDS, seconds=2.0, size=8192),)
