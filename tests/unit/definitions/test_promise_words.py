"""What kinds cannot promise, in words; what looking costs, and how often the budget allows it."""

from __future__ import annotations

import pytest

from agent.definitions.load import load_folder
from agent.definitions.platform import BudgetRule, Window
from agent.definitions.price import budget_words, calls_for, seconds_words, shortest_seconds
from agent.definitions.promise_words import about_cost, about_promises, as_markdown, cannot, limits
from agent.report.explanation_text import explanation_text
from tests.unit.definitions.writing import CLOSED, PLATFORMS, shop

_WRITES = """\
    create: {request: POST /things, adds: {name: "${name}"}}
    update: {request: "PUT /things/{id}"}
    delete: {request: "DELETE /things/{id}"}
"""


def of(platform, kind):
    return cannot(load_folder(PLATFORMS / platform, bundled=True, search=[PLATFORMS]).kinds[kind])


def of_shop(folder, old="", new=""):
    return cannot(shop(folder, old, new, schema=CLOSED).kinds["Thing"])


@pytest.mark.parametrize(
    ("platform", "kind", "said"),
    [
        ("dataos", "Workflow", ()),
        ("dataos", "Workspace", ("deletes only by an approved plan: may take with it all that it holds",)),
        ("dataloop", "Rule", ("nothing lists them", "is never deleted: one that leaves git is reported as an orphan")),
        ("dataloop", "Annotation", ("its name identifies nothing", "a lost create asks a person")),
        ("dataloop", "Account", ("there is nothing in it to compare", "deletes only by an approved plan")),
        ("gitlab", "Project", ("deletes only by an approved plan: deletes the repository", "its name is taken")),
        (
            "datachain-studio",
            "Job",
            (
                "a run cannot be read back",
                "a lost create asks a person once the list no longer shows it",
                "strays are not found, because its list is cut",
                "a deleted one is still there for a while",
                "any change deletes it and creates it anew",
            ),
        ),
    ],
)
def test_what_is_not_promised_is_said(platform, kind, said):
    sentences = of(platform, kind)
    for part in said:
        assert any(part in sentence for sentence in sentences), (part, sentences)
    assert bool(said) == bool(sentences)


def test_each_operation_that_is_missing_has_its_sentence(tmp_path):
    full = of_shop(tmp_path / "a")
    assert full == ("a change of `/size` is reported and not made",)
    listing = '    list: {request: "GET /{settings.org}/things?shelf={shelf}", items: data}\n'
    assert "strays are not found, because nothing lists them" in of_shop(tmp_path / "b", listing, "")
    assert of_shop(tmp_path / "b2", listing, "")[0].endswith("because nothing finds it by its name")
    update = '    update: {request: "PUT /things/{id}"}\n'
    assert "a change in git is reported and not made, because nothing updates it" in of_shop(tmp_path / "c", update, "")
    assert "any change deletes it and creates it anew, where the manifest allows it" in of_shop(
        tmp_path / "d", update, "    replace: deleteFirst\n"
    )
    summary = '    list: {request: "GET /things?shelf={shelf}", items: data, holds: summary}\n'
    without = listing + '    get: {request: "GET /things/{id}"}\n'
    assert of_shop(tmp_path / "e", without, summary)[0].startswith("drift is not seen, because its list is a summary")


def test_kinds_of_which_the_same_is_said_stand_together():
    platform = load_folder(PLATFORMS / "dataloop", bundled=True)
    assert ("Dashboard", "Rule") in [names for names, _ in limits(platform)]


def test_both_forms_tell_limits_guesses_and_price():
    platform = load_folder(PLATFORMS / "datalinx", bundled=True)
    text, page = explanation_text(about_promises(platform)), as_markdown(platform)
    assert "\nMapping, Source, Pipeline\n  - nothing is missing\n" in text
    assert "  - Pipeline.run: the CLI names it, no path is printed\n" in text
    assert "- **Mapping, Source, Pipeline**: nothing is missing.\n" in page
    assert "  - `Pipeline.run`: the CLI names it, no path is printed\n" in page
    assert "pages per workspace  2 s     3 s      25 s       Mapping, Source, Pipeline" in text


def test_the_price_of_the_design():
    """1,000 calls an hour less 20 %: five minutes carry 65 workflows."""
    platform = load_folder(PLATFORMS / "dataos", bundled=True)
    calls = calls_for(platform.kinds["Workflow"], 65)
    assert calls == 66
    assert 290 < shortest_seconds(platform.budget, calls) < 300
    assert budget_words(platform.budget) == "100 calls a minute and 1,000 an hour"


def test_a_list_costs_its_pages_and_what_must_be_read_one_by_one():
    dataloop = load_folder(PLATFORMS / "dataloop", bundled=True)
    assert calls_for(dataloop.kinds["Rule"], 7) == 7
    assert calls_for(dataloop.kinds["Plugin"], 7) == 1  # those whose hash changed: none, at rest
    assert calls_for(load_folder(PLATFORMS / "gitlab", bundled=True).kinds["Project"], 101) == 2


def test_times_are_rounded_up_and_readable():
    words = [seconds_words(seconds) for seconds in (0, 0.2, 119, 121, 7199, 7200, 172_800, 200_000)]
    assert words == ["1 s", "1 s", "119 s", "3 min", "120 min", "2 h", "2 days", "2.3 days"]
    assert budget_words(BudgetRule((Window(5, 10.0),))) == "5 calls in 10 s"
    assert budget_words(BudgetRule(())) == "no limit"
    assert shortest_seconds(BudgetRule(()), 10) == 0


def test_the_price_of_a_number_of_objects_is_in_calls_and_in_time():
    platform = load_folder(PLATFORMS / "dataos", bundled=True)
    told = about_cost(platform, 65)
    look = {"objects": 65, "calls": 66, "shortest_seconds": pytest.approx(297.0)}
    assert told.told["kinds"]["Workflow"]["looks"] == [look]
    assert "  66            5 min" in explanation_text(told)
    assert "N = 1,000" in explanation_text(about_cost(platform))
