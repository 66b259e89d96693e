"""Selectors and options."""

from __future__ import annotations

import pytest

from agent.cli.options import Options, Selector
from agent.errors import UsageError

SCOPE = (("workspace", "analytics"),)


@pytest.mark.parametrize(
    ("text", "kind", "name", "path", "matches"),
    [
        ("Workflow", "Workflow", "a", "", True),
        ("Workflow", "Depot", "a", "", False),
        ("workflow", "Workflow", "a", "", False),
        ("Workflow/a", "Workflow", "a", "", True),
        ("Workflow/a", "Workflow", "b", "", False),
        ("Workflow/analytics/a", "Workflow", "a", "", True),
        ("Workflow/sales/a", "Workflow", "a", "", False),
        ("path:manifests/*", "Workflow", "a", "manifests/x/y.yaml", True),
        ("path:other/*", "Workflow", "a", "manifests/x.yaml", False),
    ],
)
def test_a_selector_matches(text: str, kind: str, name: str, path: str, matches: bool) -> None:
    assert Selector.parse(text).matches(kind, SCOPE, name, path) is matches
    excluding = Selector.parse("!" + text)
    assert excluding.exclude
    assert excluding.matches(kind, SCOPE, name, path) is matches


@pytest.mark.parametrize("text", ["", "!", "/a", "Workflow/", "a//b", "path:", "!path:"])
def test_a_selector_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Selector.parse(text)
    assert caught.value.exit_status == 64


def test_the_empty_selector_means_everything() -> None:
    assert Selector("").matches("Workflow", SCOPE, "a")


def test_exclusions_win_and_inclusions_add_up() -> None:
    def selects(*texts: str) -> list[str]:
        options = Options(only=tuple(Selector.parse(text) for text in texts))
        return [f"{kind}/{name}" for kind in ("A", "B") for name in ("x", "y") if options.selects(kind, (), name)]

    assert selects() == ["A/x", "A/y", "B/x", "B/y"]
    assert selects("A", "B/x") == ["A/x", "A/y", "B/x"]
    assert selects("!B") == ["A/x", "A/y"]
    assert selects("A", "!A/y") == ["A/x"]
