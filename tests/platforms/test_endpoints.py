"""reference/endpoints.md against what it speaks of: the definitions, the tests, and the API pages where at hand.

Rows may be added freely. What must not happen: a request line of a definition, or a path that a page prints, which no
row has; a row that names a test or a word that is not there, or a word whose request is another one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from agent.definitions.platform import Kind, Platform
from tests.platforms.folders import folders, loaded

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "agent" / "docs" / "reference" / "endpoints.md"
PAGES = ROOT.parent / "shared" / "api-docs"
NAMES = {name.partition("/")[0]: name for name, _ in folders()}
OPERATIONS = ("list", "get", "create", "apply", "update", "delete")
CODE = re.compile(r"`([^`]+)`")
REQUEST = re.compile(r"(?:(GET|POST|PUT|PATCH|DELETE|WS) )?(/\S+)")
WORD = re.compile(r"([a-z][a-z-]*) ([A-Za-z][\w.]*)")
CHOICE = re.compile(r"\{([^{}]*,[^{}]*)\}")


class Endpoint(NamedTuple):
    """A method ("" for any) and the segments of a path; "{}" stands for whatever has no fixed text."""

    method: str
    segments: tuple[str, ...]

    @classmethod
    def of(cls, method: str, path: str) -> Endpoint:
        parts = path.partition("?")[0].split("/")[1:]
        return cls(method, tuple("{}" if set(part) & set("{<") else part for part in parts))

    def covers(self, other: Endpoint) -> bool:
        """Whether a row with this endpoint has the other one: its free segments take anything."""
        return (
            self.method in ("", other.method)
            and len(self.segments) == len(other.segments)
            and all(mine in ("{}", theirs) for mine, theirs in zip(self.segments, other.segments, strict=True))
        )


class Row(NamedTuple):
    text: str
    endpoints: tuple[Endpoint, ...]
    words: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]


def spelled(code: str) -> Iterator[Endpoint]:
    """`GET /a/{b,c}` is two endpoints, `GET /a/{b}` one."""
    found = REQUEST.fullmatch(code)
    if found is None or "…" in code:
        return
    method, path = found[1] or "", found[2]
    pieces = CHOICE.split(path)
    choices = [piece.split(",") if index % 2 else [piece] for index, piece in enumerate(pieces)]
    for chosen in product(*choices):
        yield Endpoint.of(method, "".join(chosen))


@cache
def rows() -> tuple[Row, ...]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("| ") or cells[0] in ("endpoint", "---"):
            continue
        assert len(cells) == 3, line
        endpoints = tuple(each for code in CODE.findall(cells[0]) for each in spelled(code))
        matches = [WORD.fullmatch(code) for code in CODE.findall(cells[1])]
        words = tuple((match[1], match[2]) for match in matches if match is not None)
        found.append(Row(cells[0], endpoints, words, tuple(CODE.findall(cells[2].rstrip(" |")))))
    return tuple(found)


def requests_of(platform: Platform) -> Iterator[tuple[str, Endpoint]]:
    """Each request line of a definition, by the word that has it."""
    base = platform.base.source if platform.base is not None else ""

    def at(method: str, path: str, kind: Kind | None = None) -> Endpoint:
        for name, value in (kind.with_ if kind is not None else {}).items():
            path = path.replace(f"{{with.{name}}}", str(value))
        return Endpoint.of(method, base + path)

    if platform.probe is not None:
        yield "probe", at("GET", platform.probe.source)
    if platform.openapi is not None:
        yield "openapi", at("GET", platform.openapi)
    for scheme in platform.auth:
        if scheme.login is not None:
            yield f"auth.{scheme.name}", at(scheme.login.method, scheme.login.request.source)
    for query in platform.queries.values():
        yield f"queries.{query.name}", at(query.method, query.request.source)
    for kind in platform.kinds.values():
        for name in OPERATIONS:
            operation = getattr(kind, name)
            if operation is not None:
                yield f"{kind.name}.{name}", at(operation.method, operation.request.source, kind)
        for action in kind.actions.values():
            yield f"{kind.name}.actions.{action.name}", at(action.method, action.request.source, kind)
        if kind.logs is not None and kind.logs.request is not None:
            yield f"{kind.name}.logs", at("GET", kind.logs.request.source, kind)
        if kind.logs is not None and kind.logs.websocket is not None:
            yield f"{kind.name}.logs", at("WS", kind.logs.websocket.source, kind)
        if kind.metrics is not None:
            yield f"{kind.name}.metrics", at("GET", kind.metrics.request.source, kind)
        for field in kind.fields:
            if field.upload is not None:
                yield f"{kind.name}.upload", at(field.upload.method, field.upload.request.source, kind)
            for value, (method, path) in (field.via or {}).items():
                yield f"{kind.name}.via.{value}", at(method, path.source, kind)


def printed() -> Iterator[tuple[str, Endpoint]]:
    """Every path that the API pages print, with its method where it stands beside it."""
    for page, base in PRINTED.items():
        text = (PAGES / page).read_text(encoding="utf-8")
        text = re.sub(r"<([a-z]+) name>", r"<\1>", text).replace("</plugin name>", "/<plugin>")
        for method, path in re.findall(
            r"^(GET|POST|PUT|PATCH|DELETE) (?:https://app\.dataloop\.io)?(/\S+)", text, re.M
        ):
            yield page, Endpoint.of(method, path)
        for path, method in re.findall(r"\*\*Endpoint\*\*: `(\S+)`\s+\*\*Method\*\*: `(\w+)`", text):
            yield page, Endpoint.of("WS" if method == "WebSocket" else method, base + path)
        commands = text.replace("\\\n", " ").splitlines()
        for line in commands:
            method = re.search(r"(?:-X|--request) \"?([A-Z]+)", line) if line.startswith("curl") else None
            for host, path in re.findall(r"(?:https|wss)://([\w.-]+)(/[^\s\"'`)?]+)", line):
                if host in HOSTS and path.rstrip("/") not in ("/v1", "/api", "/api/v4", "/api/v1"):
                    yield page, Endpoint.of(method[1] if method is not None else "", path)
        for path in re.findall(r"^/\S+$", text, re.MULTILINE):
            yield page, Endpoint.of("", path)


PRINTED = {"dataos.md": "", "dataops-live.md": "", "datachain-studio.md": "/api", "dataloop.md": "", "datalinx.md": ""}
HOSTS = {"api.dataos.io", "app.dataops.live", "studio.datachain.ai", "app.dataloop.io", "your-instance.datalinx.ai"}
ELSEWHERE = (
    Endpoint("", ("team", "{}", "datasets", "jobs", "{}")),  # a page of Studio for people, in the answer to a job
)


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_the_table_is_read() -> None:
    assert len(rows()) > 100
    assert sum(len(row.endpoints) for row in rows()) > 120


@pytest.mark.parametrize("row", rows(), ids=lambda row: re.sub(r"[`:]", "", row.text)[:70])
def test_a_row_names_tests_that_are_there(row: Row) -> None:
    assert row.tests, f"{row.text}: no test shows it"
    for test in row.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file(), test
        assert name.startswith("test_") and name in functions_of(file), test


@pytest.mark.parametrize("name", sorted(NAMES.values()))
def test_every_request_of_a_definition_has_its_row(name: str) -> None:
    known = [endpoint for row in rows() for endpoint in row.endpoints]
    wanted = dict(requests_of(loaded(name)))
    assert wanted
    missing = {word: each for word, each in wanted.items() if not any(row.covers(each) for row in known)}
    assert not missing, f"add a row to {TABLE.name}"


def test_a_word_of_a_definition_is_there_and_means_this_request() -> None:
    wrong = []
    for row in rows():
        for platform, word in row.words:
            requests = dict(requests_of(loaded(NAMES[platform]))) if platform in NAMES else {}
            if word not in requests:
                wrong.append(f"{row.text}: {platform} has no {word}")
            elif not any(each.covers(requests[word]) for each in row.endpoints):
                wrong.append(f"{row.text}: {platform} {word} is {requests[word]}")
    assert wrong == []


def test_what_lands_in_a_definition_names_the_word() -> None:
    """A row of a request that some definition has must say so: else it would call outside what is inside."""
    inside = {each for name in NAMES.values() for _, each in requests_of(loaded(name))}
    silent = [
        row.text
        for row in rows()
        if not row.words
        and any(row_end.method and row_end.covers(each) for row_end in row.endpoints for each in inside)
    ]
    assert silent == []


@pytest.mark.skipif(not PAGES.is_dir(), reason="the API pages lie outside of this repository")
@pytest.mark.parametrize("page", PRINTED)
def test_every_path_that_a_page_prints_has_its_row(page: str) -> None:
    known = [endpoint for row in rows() for endpoint in row.endpoints]
    paths = {each for name, each in printed() if name == page}
    assert paths

    def is_known(path: Endpoint) -> bool:
        """A path without a method, as in a curl line, may have any."""
        for endpoint in (*known, *ELSEWHERE):
            if endpoint.covers(path) or (not path.method and endpoint._replace(method="").covers(path)):
                return True
        return False

    assert [path for path in sorted(paths) if not is_known(path)] == []
