"""Sample answers: a typo in an expression shows at load, where there is a sample; elsewhere nothing is said."""

import pytest

from agent.definitions.answers import occurs
from agent.errors import DefinitionError
from tests.unit.definitions.writing import OPEN, shop

ROW = {"id": 1, "name": "a"}
LISTED = {"data": [ROW], "meta": {"total": 1}}


def problems(folder, old="", new="", **answers):
    try:
        shop(folder, old, new, answers={name.replace("__", "."): value for name, value in answers.items()})
    except DefinitionError as error:
        return [problem.what for problem in error.problems]
    return []


def test_a_definition_that_agrees_with_its_samples_loads(tmp_path):
    assert problems(tmp_path, Thing__list__json=LISTED, Thing__get__json=ROW) == []


def test_items_that_select_no_list_are_refused(tmp_path):
    assert problems(tmp_path, "items: data", "items: dta", Thing__list__json=LISTED) == [
        "`items` selects no list in the sample Thing.list.json"
    ]
    assert problems(tmp_path, ", items: data", "", Thing__list__json=LISTED) == [
        "`items` selects no list in the sample Thing.list.json"
    ]


def test_an_item_that_selects_nothing_is_refused(tmp_path):
    wrong = 'get: {request: "GET /things/{id}", item: thing}'
    assert problems(tmp_path, 'get: {request: "GET /things/{id}"}', wrong, Thing__get__json=ROW) == [
        "`item` selects nothing in the sample Thing.get.json"
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    id: id\n", "    id: uuid\n"),
        ("scope: {shelf: Shelf}\n    key: name\n", "scope: {shelf: Shelf}\n    key: nmae\n"),
        ("    id: id\n", "    id: id\n    ready: state == 'on'\n"),
        ("    id: id\n", "    id: id\n    gone: binned\n"),
        ("items: data}", "items: data, revision: hash}"),
        ("items: data}", "items: data, pages: {by: page, at: p, total: total}}"),
        ("settings:", "errors: {code: error.code}\nsettings:"),
        ("settings:", "budget: {retryAfter: wait}\nsettings:"),
        ("settings:", "pages: {by: page, at: p, total: count}\nsettings:"),
        ("settings:", "response: {ok: okay}\nsettings:"),
        ("    id: id\n", "    id: id\n    logs: {request: GET /l, lines: logs, line: {text: txt}}\n"),
    ],
)
def test_a_first_identifier_that_occurs_in_no_sample_is_refused(tmp_path, old, new):
    answers = {"404__json": {"message": "no"}, "429__json": {"message": "slow"}}
    logs = {"logs": [{"text": "a"}]}
    found = problems(
        tmp_path, old, new, Thing__list__json=LISTED, Thing__get__json=ROW, Thing__logs__json=logs, **answers
    )
    assert len(found) == 1
    assert "does not occur in" in found[0]


def test_of_alternatives_one_is_enough(tmp_path):
    assert problems(tmp_path, "    id: id\n", "    id: not_null(uuid, id)\n", Thing__list__json=LISTED) == []


def test_several_samples_of_one_operation_count_together(tmp_path):
    new = "    id: id\n    gone: binned\n"
    answers = {"Thing__get__json": ROW, "Thing__get__binned__json": {**ROW, "binned": True}}
    assert problems(tmp_path, "    id: id\n", new, **answers) == []


def test_without_a_sample_nothing_is_said(tmp_path):
    assert problems(tmp_path, "items: data", "items: dta", Thing__get__json=ROW) == []


def test_rows_must_carry_a_scope_word_that_the_request_does_not_name(tmp_path):
    without = "?shelf={shelf}"
    (what,) = problems(tmp_path / "a", without, "", Thing__list__json=LISTED)
    assert what == "the rows of the list must carry `shelf`, for its request does not name it"
    assert problems(tmp_path / "b", without, "", Thing__list__json={"data": [{**ROW, "shelf": "s"}]}) == []
    header = "    headers: {X-Shelf: '${shelf}'}\n    id: id\n"
    text = "    id: id\n"
    assert problems(tmp_path / "c", text, header, Thing__list__json=LISTED) == []


def test_a_read_only_member_occurs_in_the_schema_or_in_a_sample(tmp_path):
    old, new = "/size: {immutable: true}", "/made/at: {readOnly: true}"
    assert problems(tmp_path / "a", old, new) == []  # no sample, so nothing is known
    (what,) = problems(tmp_path / "b", old, new, Thing__get__json=ROW)
    assert "occurs neither in" in what
    assert problems(tmp_path / "c", old, new, Thing__get__json={**ROW, "made": {"at": "now"}}) == []
    assert shop(tmp_path / "d", old, new, answers={"Thing.get.json": ROW}, schema=OPEN)


def test_a_sample_of_no_kind_is_refused(tmp_path):
    assert problems(tmp_path, Thng__list__json=LISTED) == ["the sample belongs to no kind: there is no `Thng`"]


def test_a_sample_may_be_yaml(tmp_path):
    assert problems(tmp_path, "items: data", "items: dta", Thing__list__yaml="data: [{id: 1, name: a}]\n") == [
        "`items` selects no list in the sample Thing.list.yaml"
    ]


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"a": 1,}', "nope"])
def test_a_sample_that_is_not_json_is_placed(tmp_path, text):
    with pytest.raises(DefinitionError) as caught:
        shop(tmp_path, answers={"Thing.get.json": text})
    assert caught.value.where.path.endswith("Thing.get.json")


def test_other_files_beside_the_samples_are_left_alone(tmp_path):
    assert problems(tmp_path, README__md="about the answers") == []


@pytest.mark.parametrize(
    ("pointer", "there"),
    [
        ("", True),
        ("/a", True),
        ("/a/0/b", True),
        ("/a/*/b", True),
        ("/*/1", False),
        ("/a/1", False),
        ("/x", False),
        ("/a~1b", True),
    ],
)
def test_a_pointer_occurs_where_it_leads_somewhere(pointer, there):
    assert occurs(pointer, {"a": [{"b": None}], "a/b": 1}) is there
