"""Every folder of ``schemas/`` keeps what a platform folder promises: it loads, its examples are what they say, its
expressions find something in the answers that its API document prints, and its README is up to date.

Platforms are discovered: a new one is a folder, and no line here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.definitions.expressions import Expression
from agent.definitions.platform import Kind, Platform, Position
from agent.validate.document import check_file
from tests.platforms.folders import EXPECTED, answers, defaults_of, example_id, examples, folders, loaded
from tests.platforms.promises_section import section, written

PLATFORMS = folders()
IDS = [name for name, _ in PLATFORMS]
_WRITES = ("create", "apply", "update")

each_platform = pytest.mark.parametrize(("name", "folder"), PLATFORMS, ids=IDS)


@each_platform
def test_a_definition_loads_and_is_called_like_its_folder(name: str, folder: Path) -> None:
    platform = loaded(name)
    assert platform.api_version == name
    assert folder.name.startswith(platform.name)


@pytest.mark.parametrize(("name", "path"), examples("valid"), ids=example_id)
def test_a_valid_example_is_clean(name: str, path: Path) -> None:
    platform, source = loaded(name), path.read_bytes()
    checked = check_file(source, platform, defaults_of(platform, source.decode()))
    assert checked.documents
    general = {kind.name for kind in platform.kinds.values() if kind.general}
    allowed = {"kind-general"} if {document.kind for document in checked.documents} <= general else set()
    assert {problem.code for problem in checked.problems} <= allowed


@pytest.mark.parametrize(("name", "path"), examples("invalid"), ids=example_id)
def test_an_invalid_example_gives_exactly_the_problems_that_it_announces(name: str, path: Path) -> None:
    platform, source = loaded(name), path.read_bytes()
    announced = EXPECTED.findall(source.decode())
    checked = check_file(source, platform, defaults_of(platform, source.decode()))
    found = [f"{one.code} {one.where.line}:{one.where.column}" for one in checked.problems if one.severity == "error"]
    assert announced
    assert sorted(found) == sorted(announced)


@each_platform
def test_every_kind_with_a_schema_of_its_own_has_a_valid_example(name: str, folder: Path) -> None:
    platform = loaded(name)
    shown = set()
    for path in (folder / "examples" / "valid").glob("*.yaml"):
        source = path.read_bytes()
        checked = check_file(source, platform, defaults_of(platform, source.decode()))
        shown |= {document.kind for document in checked.documents}
    own = {kind.name for kind in platform.kinds.values() if (folder / Path(kind.schema_path).name).is_file()}
    assert shown
    assert {kind for kind in own if platform.kinds[kind].managed} <= shown


@each_platform
def test_every_member_that_a_person_may_write_says_what_it_is(name: str, folder: Path) -> None:
    silent = [
        f"{kind.name}{pointer}"
        for kind in loaded(name).kinds.values()
        if kind.schema is not None
        for pointer, member in _members(kind.schema)
        if not ({"description", "$ref"} & set(member))
    ]
    assert silent == []


@each_platform
def test_every_expression_finds_something_in_a_sample_answer(name: str, folder: Path) -> None:
    platform = loaded(name)
    barren = [fault for stem, body in answers(folder) for fault in _barren(platform, stem, body)]
    assert barren == []


@each_platform
def test_every_sample_answer_is_looked_at_or_kept_as_evidence(name: str, folder: Path) -> None:
    platform = loaded(name)
    kinds = {stem.partition(".")[0] for stem, _ in answers(folder) if stem[:1].isupper()}
    assert kinds <= set(platform.kinds)


@each_platform
def test_the_readme_tells_what_the_kinds_promise_today(name: str, folder: Path) -> None:
    readme = (folder / "README.md").read_text(encoding="utf-8")
    derived = written(readme)
    if derived is None:
        pytest.skip("no derived section yet: python -m tests.platforms.promises_section adds one")
    assert derived == section(loaded(name)), "python -m tests.platforms.promises_section brings it up to date"


@each_platform
def test_the_readme_of_all_platforms_names_the_folder(name: str, folder: Path) -> None:
    assert f"({folder.name}/README.md)" in (folder.parent / "README.md").read_text(encoding="utf-8")
    assert f"`{name}`" in (folder.parent / "README.md").read_text(encoding="utf-8")


def _members(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The members at the top of a kind's schema."""
    for member, part in schema.get("properties", {}).items():
        if isinstance(part, Mapping):
            yield f"/{member}", part


def _barren(platform: Platform, stem: str, body: Any) -> Iterator[str]:
    """Expressions that find nothing in one sample answer."""
    subject, _, rest = stem.partition(".")
    what = rest.partition(".")[0]
    if subject.isdigit():
        yield from _of_failure(platform, int(subject), stem, body)
    elif subject in platform.kinds:
        yield from _of_kind(platform, platform.kinds[subject], what, stem, body)
    elif subject in platform.queries:
        yield from _finds(platform.queries[subject].result, body, f"{stem}: result")
    elif subject == "event":
        yield from _of_event(platform, stem, body)
    elif subject == "login":
        for scheme in platform.auth:
            if scheme.login is not None:
                for expression in (scheme.login.token, scheme.login.lasts, scheme.login.until):
                    yield from _finds(expression, body, f"{stem}: login")
    elif subject == "upload":
        for kind in platform.kinds.values():
            for rule in kind.fields:
                if rule.upload is not None:
                    yield from _finds(rule.upload.value, body, f"{stem}: {rule.pointer}")


def _of_failure(platform: Platform, status: int, stem: str, body: Any) -> Iterator[str]:
    yield from _finds(platform.errors.message, body, f"{stem}: errors.message")
    if platform.errors.code is not None and status != 401:
        yield from _finds(platform.errors.code, body, f"{stem}: errors.code")
    if status == 429:
        yield from _finds(platform.budget.retry_after, body, f"{stem}: budget.retryAfter")


def _of_kind(platform: Platform, kind: Kind, what: str, stem: str, body: Any) -> Iterator[str]:
    if what == "list" and kind.list is not None:
        rows = kind.list.items.search(body) if kind.list.items is not None else body
        if not isinstance(rows, list) or not rows:
            yield f"{stem}: items"
            return
        for row in rows:
            for word in ("key", "id"):
                yield from _finds(getattr(kind, word), row, f"{stem}: {word}")
        yield from _conditions(kind, rows[0], stem)
        for position in (kind.list.pages.total, kind.list.pages.pages):
            yield from _position(position, body, stem)
    elif what == "get" or what in _WRITES:
        operation = getattr(kind, what)
        expression = (operation.item if operation is not None else None) or platform.response.item
        item = expression.search(body) if expression is not None else body
        if not isinstance(item, Mapping):
            yield f"{stem}: item"
        elif what == "get":
            yield from _finds(kind.id, item, f"{stem}: id")
            yield from _conditions(kind, item, stem)
    elif what == "logs" and kind.logs is not None:
        yield from _of_logs(kind, stem, body)
    elif what == "metrics" and kind.metrics is not None:
        series = kind.metrics.series.search(body)
        for one in series or [None]:
            yield from _finds(kind.metrics.points, one, f"{stem}: points")
            for label in kind.metrics.labels.values():
                yield from _finds(label, one, f"{stem}: labels")
    elif what in kind.actions:
        yield from _finds(kind.actions[what].result, body, f"{stem}: result")


def _of_logs(kind: Kind, stem: str, body: Any) -> Iterator[str]:
    assert kind.logs is not None
    rule = kind.logs
    lines = rule.lines.search(body)
    if not isinstance(lines, list):
        yield f"{stem}: lines"
    elif lines:
        for member in (rule.time, rule.level, rule.text, rule.source):
            yield from _finds(member, lines[0], f"{stem}: line")
    elif rule.status is not None:
        yield from _finds(rule.status, body, f"{stem}: status")


def _of_event(platform: Platform, stem: str, body: Any) -> Iterator[str]:
    rules = [rule for rule in platform.events if rule.when.holds(body)]
    if not rules:
        yield f"{stem}: no rule of `events` takes it"
    for rule in rules:
        for expression in (*rule.with_.values(), *rule.metadata.values(), rule.id):
            yield from _finds(expression, body, f"{stem}: events")


def _conditions(kind: Kind, item: Any, stem: str) -> Iterator[str]:
    """A condition must come to a verdict: null is what a misspelt member gives."""
    for word in ("ready", "failed"):
        condition: Expression | None = getattr(kind, word)
        if condition is not None and not isinstance(condition.search(item), bool):
            yield f"{stem}: {word}"


def _position(position: Position | None, body: Any, stem: str) -> Iterator[str]:
    if position is not None:
        yield from _finds(position.body, body, f"{stem}: pages")


def _finds(expression: Expression | None, value: Any, where: str) -> Iterator[str]:
    if expression is not None and expression.search(value) is None:
        yield where
