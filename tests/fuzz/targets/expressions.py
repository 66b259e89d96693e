"""JMESPath, request lines and templates of a definition: compiled or refused, and then never a surprise."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from agent.definitions.expressions import Expression, ExpressionError, PathTemplate, Template, UnsafePath
from agent.model.canonical import to_json
from tests.fuzz.target import Draw, Target, words_of

VALUE: dict[str, Any] = {
    "data": [{"name": "a", "id": 1, "tags": ["x", "y"], "on": True}, {"name": "b", "id": Decimal("2.5"), "spec": None}],
    "meta": {"total": 2, "next": "", "deep": {"er": [[1, 2], [3, []]]}},
    "name": "daily",
    "workspace": "public",
    "settings": {"org": "acme"},
    "live": {"etag": "v1"},
    "empty": {},
    "none": None,
}


def run(data: bytes) -> None:
    draw = Draw(data)
    what, text = draw.integer(2), draw.rest().decode("utf-8", "surrogateescape")
    try:
        if what == 0:
            expression = Expression(text)
            for value in (VALUE, VALUE["data"], "text", None, 5):
                found = expression.search(value)
                assert expression.holds(value) in (True, False)
                assert expression.search(value) == found
        elif what == 1:
            path, query = PathTemplate(text).render(VALUE)
            assert path.startswith("/") and "/../" not in f"{path}/" and "//" not in path, path
            assert all(isinstance(word, str) for pair in query for word in pair)
        else:
            rendered = Template({"a": text, "b": [text]}).render(VALUE)
            if isinstance(rendered, dict) and text.isprintable() and text.isascii():
                to_json(rendered)
    except (ExpressionError, UnsafePath):
        return


def seeds() -> Iterable[bytes]:
    for text in (
        "data[?name=='a'].id | [0]",
        "sort_by(data, &name)[*].{n: name, i: id}",
        "meta.deep.er[][]",
        "length(@)",
        "not_null(a, meta.total, `4`)",
        "map(&to_string(@), data[*].id)",
        "max_by(data, &id) || 'x'",
        "data[::-1]",
        "contains(name, 'a') && !on",
        "join(',', data[*].tags[])",
        '"meta".total > `1`',
        "to_number('1e5')",
        "avg(data[*].id)",
    ):
        yield b"\0" + text.encode()
    for text in ("/a/{name}?w={workspace}&x=1", "/{settings.org}/{live.etag}%20", "/things?offset=0&tags={data}"):
        yield b"\1" + text.encode()
    for text in ("Bearer ${settings.org}", "${name}", "$${x}", "${data[0].id}-${name}", "keel.${workspace}/${name}"):
        yield b"\2" + text.encode()


WORDS = words_of(
    "{}(",
    "abs avg ceil contains ends_with floor join keys length map max max_by merge min min_by not_null "
    "reverse sort sort_by starts_with sum to_array to_number to_string type values",
)
WORDS += (
    b"[?",
    b"[*]",
    b".*",
    b"[]",
    b"&name",
    b"`1`",
    b"'a'",
    b"||",
    b"&&",
    b"!",
    b"@",
    b"${",
    b"{name}",
    b"%2e",
    b"==",
)
TARGETS = (Target("expressions", run, seeds, WORDS, size=600),)
