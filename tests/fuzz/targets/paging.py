"""A walk over the pages of a list: it ends, stays where it is, and is complete only when nothing contradicts it."""

from __future__ import annotations

from collections.abc import Iterable

from agent.definitions.expressions import Expression
from agent.definitions.platform import Pages, Position
from agent.live.paging import PAGES_MAX, Walk
from agent.live.strict_json import loads
from tests.fuzz.target import Draw, Target

ORIGIN, PATH = "https://api.example.com", "/v1/things"
TOTAL, NEXT, MORE = Position(Expression("total")), Position(Expression("next")), Position(Expression("more"))
LINK, COUNT = Position(None, "link"), Position(Expression("pages"))
RULES = (
    Pages(by="offset", at="offset", size="limit", ask=3, total=TOTAL),
    Pages(by="page", at="page", size="per_page", ask=3, first=1, total=TOTAL, next=NEXT, more=MORE, pages=COUNT),
    Pages(by="page", at="page", size="per_page", ask=3, first=1, short=True),
    Pages(by="cursor", at="cursor", next=NEXT, more=MORE),
    Pages(by="link", next=LINK),
    Pages(by="link", next=NEXT),
    Pages(by="none", total=TOTAL),
)


def run(data: bytes) -> None:
    draw = Draw(data)
    pages = draw.pick(RULES)
    walk, more, rows = Walk(pages, ORIGIN, PATH), True, 0
    answers = draw.rest().split(b"\n")
    while more:
        head, _, text = answers[min(walk.pages, len(answers) - 1)].partition(b"|")
        try:
            body = loads(text)
        except ValueError:
            body = None
        identities = [each if isinstance(each, str | int | None) else None for each in _rows(body)]
        rows += len(identities)
        more = walk.advance(body, {"link": head.decode("latin-1")}, identities)
        assert walk.pages <= PAGES_MAX
        if walk.target is not None:
            assert walk.target.partition("?")[0] == PATH and walk.target.isascii() and " " not in walk.target, (
                walk.target
            )
        assert all(isinstance(name, str) and isinstance(value, str | int) for name, value in walk.position)
    assert walk.complete == (not walk.why)
    if walk.complete and pages.total is not None and pages.by != "cursor":
        assert walk._total == rows


def _rows(body: object) -> list[object]:
    rows = body.get("rows") if isinstance(body, dict) else None
    return rows if isinstance(rows, list) else []


def seeds() -> Iterable[bytes]:
    one = b'|{"rows": ["a", "b", "c"], "total": 4, "next": "2", "more": true, "pages": 2}\n'
    two = b'|{"rows": ["d"], "total": 4, "next": "", "more": false, "pages": 2}'
    link = b'<https://api.example.com/v1/things?page=2>; rel="next", <x>; rel="last"'
    for number in range(len(RULES)):
        yield bytes((number,)) + one + two
        yield bytes((number,)) + link + b'|{"rows": [1], "next": "?cursor=b"}\n|{"rows": [2], "next": null}'


WORDS = (
    b'"total": ',
    b'"next": ',
    b'"more": ',
    b'"rows": [',
    b'"pages": ',
    b'; rel="next"',
    b"<//evil.example/v1/things>",
)
WORDS += (
    b"https://api.example.com:443/v1/things?",
    b"/v1/things/../x",
    b"@",
    b"%2e%2e",
    b"\\",
    b"null",
    b"-1",
    b"1e3",
    b"\n|",
)
TARGETS = (Target("paging", run, seeds, WORDS),)
