"""YAML: our loader alone, against PyYAML on what both accept, and against our own writer."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import yaml

from agent import yaml_io
from agent.yaml_io.fold import parsed
from agent.yaml_io.scalars import readings
from agent.yaml_io.screen import screen
from agent.yaml_io.simple import read as read_simple
from tests.fuzz.seeds import files, real_manifests
from tests.fuzz.target import Target

BUDGET = yaml_io.Budget(bytes=1 << 16)


class Typed(yaml.CSafeLoader):
    """PyYAML's own reading of YAML 1.1, without the dates that JSON has no type for."""


Typed.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":merge", ":value"))]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def run(data: bytes) -> None:
    loaded = yaml_io.load(data, BUDGET)
    _as_libyaml_reads_it(data, loaded)
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for problem in loaded.problems:
        assert problem.code and problem.what, problem
        assert problem.where.line and problem.where.line <= lines + 1, (problem, lines)
        assert problem.where.column, problem
    if any(problem.severity == "error" for problem in loaded.problems):
        return
    values = [document.value for document in loaded.documents]
    if b"*" not in data:  # an alias may make little text large
        _as_pyyaml_reads_it(data, values)
        for document in loaded.documents:
            if not document.empty:
                _written_and_read_back(document.value)
    for document in loaded.documents:
        _places_exist(data, document)


def _as_libyaml_reads_it(data: bytes, loaded: yaml_io.Loaded) -> None:
    """Also where no parser was asked: the same values in the same order, with their types, digits and places."""
    text, refused = screen(data, BUDGET)
    if not refused and read_simple(text, BUDGET) is not None:
        assert repr(parsed(text, BUDGET)) == repr(loaded)


def _as_pyyaml_reads_it(data: bytes, values: list[Any]) -> None:
    try:
        theirs = list(yaml.load_all(data.decode("utf-8-sig"), Loader=Typed))
    except yaml.composer.ComposerError as error:
        assert "duplicate anchor" in str(error)  # YAML lets an anchor be given again; PyYAML's composer does not
        return
    assert len(theirs) == len(values), (values, theirs)
    for ours, other in zip(values, theirs, strict=True):
        assert _agree(ours, other), (ours, other)


def _agree(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict):
        if not isinstance(theirs, dict):
            return False
        if not all(isinstance(key, str) for key in theirs):  # `1:1` and `61` are one key to PyYAML
            return all(any(_agree(key, other) for other in theirs) for key in ours)
        return list(ours) == list(theirs) and all(_agree(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(_agree, ours, theirs))
    if isinstance(ours, Decimal):
        return isinstance(theirs, float) and float(ours) == theirs
    if isinstance(ours, str) and not isinstance(theirs, str):
        return bool(readings(ours)) or _is_only_of_one_version(ours)
    return type(ours) is type(theirs) and ours == theirs


def _is_only_of_one_version(text: str) -> bool:
    """Texts that YAML 1.1 alone takes for numbers, and of which there is no shorter form to offer."""
    return bool(text) and text[0] in "+-.0123456789" and set(text) <= set("+-.0123456789_:xobeE") | set("abcdefABCDEF")


def _written_and_read_back(value: Any) -> None:
    text = yaml_io.dump(value)
    again = yaml_io.load(text.encode(), yaml_io.Budget())
    assert not again.problems, (text, again.problems)
    assert [document.value for document in again.documents] == [value], (text, value)
    assert yaml_io.dump(again.documents[0].value) == text


def _places_exist(data: bytes, document: yaml_io.Document) -> None:
    places = yaml_io.positions(data, document.index)
    for pointer in _pointers(document.value, "", 4):
        line, column = places.value(pointer)
        assert line >= 1 and column >= 1


def _pointers(value: Any, at: str, depth: int) -> Iterable[str]:
    yield at
    if isinstance(value, dict) and depth:
        for key, member in list(value.items())[:20]:
            yield from _pointers(member, f"{at}/{key.replace('~', '~0').replace('/', '~1')}", depth - 1)
    elif isinstance(value, list) and depth:
        for number, element in enumerate(value[:20]):
            yield from _pointers(element, f"{at}/{number}", depth - 1)


def seeds() -> Iterable[bytes]:
    yield from (b"a: [1, 1.10, true, ~]\n", b"- &x {a: b}\n- *x\n", b"a: |\n  b\n  c\n---\nd: >-\n  e\n", b"? a\n: b\n")
    yield from (
        b"%YAML 1.2\n---\n'a': \"\\u00e9\"\n...\n",
        b"a: !!str 1\nb: !x y\n",
        b"<<: {a: 1}\n",
        b"\xef\xbb\xbfa: 010\n",
    )
    yield from files("manifests/**/*.yaml", "schemas/*/examples/**/*.yaml", count=60)
    yield from list(real_manifests())[::10]


WORDS = (b"---\n", b"...\n", b"&a ", b"*a", b"!!int ", b"<<: ", b"%TAG ! x\n", b"? ", b": ", b"- ", b"|+2\n", b">-\n")
WORDS += (b"~", b"null", b"0x1f", b"1_000", b"1:30", b".inf", b"1e3", b"0o17", b"yes", b"\xc2\x85", b"\xe2\x80\xa8")
TARGETS = (Target("yaml", run, seeds, WORDS),)
