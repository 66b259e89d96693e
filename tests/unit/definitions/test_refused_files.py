"""What is no definition at all is refused as a whole: its format, its YAML, its schemas; and nothing ever escapes."""

import json
import shutil
from random import Random

import pytest

from agent import yaml_io
from agent.definitions.load import load_folder
from agent.errors import DefinitionError
from tests.unit.definitions.writing import CLOSED, OPEN, PLATFORMS, SHOP, place_of, shop, shop_problems, write


def test_a_newer_format_is_refused_with_both_versions(tmp_path):
    text = "platform: shop\nversion: v1\nformat: ‸2\nhovercraft: full\n"
    with pytest.raises(DefinitionError) as caught:
        load_folder(write(tmp_path, text), bundled=False)
    (problem,) = caught.value.problems
    assert problem.what == "the definition is written in format 2; this agent knows formats up to 1"
    assert (problem.where.line, problem.where.column) == place_of(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("- a\n", "must be a platform definition, a map, not a list"),
        ("just text\n", "must be a platform definition, a map, not text"),
        ("platform: a\nversion: v1\n", "`format` is missing"),
        ("platform: a\nversion: v1\nformat: 1\n", "`kinds` is missing"),
        ("platform: a\nplatform: b\nversion: v1\nformat: 1\n", "stands twice"),
        ("platform: a\nversion: v1\nformat: 1\nkinds: {A: &a {key: b}, B: *a}\n", "a definition has no aliases"),
        ("platform: a\nversion: v1\nformat: 1\nerrors: {is: {404: notFound}}\n", "keys are text"),
        ("platform: a\n\tversion: v1\n", ""),
        ("platform: Data OS\nversion: 1\nformat: 0\n", "is not a platform's name"),
        ("platform: a\nversion: v1\nformat: 1\nextends: a/v1\n", "leads back to itself"),
        ("platform: a\nversion: v1\nformat: 1\nextends: nowhere/v1\n", "there is no definition of `nowhere/v1`"),
    ],
)
def test_a_file_that_is_no_definition_is_refused(tmp_path, text, what):
    with pytest.raises(DefinitionError) as caught:
        load_folder(write(tmp_path / "a", text), bundled=False, search=[tmp_path])
    problems = caught.value.problems
    assert any(what in problem.what for problem in problems), problems
    assert {problem.code for problem in problems} == {"definition-invalid"}
    assert all(problem.where.line for problem in problems)


class TestSchemas:
    def test_a_managed_kind_must_have_its_schema(self, tmp_path):
        with pytest.raises(DefinitionError, match=r"thing\.schema\.json") as caught:
            load_folder(write(tmp_path, SHOP), bundled=False)
        assert caught.value.where.line == 9

    @pytest.mark.parametrize(("name", "what"), [("thnig", "no kind of the definition"), ("shelf", "is not managed")])
    def test_a_schema_must_have_its_managed_kind(self, tmp_path, name, what):
        schemas = {"thing.schema.json": CLOSED, f"{name}.schema.json": OPEN}
        with pytest.raises(DefinitionError, match=what) as caught:
            load_folder(write(tmp_path, SHOP, schemas=schemas), bundled=False)
        assert caught.value.where.path.endswith(f"{name}.schema.json")

    def test_a_broken_schema_is_placed_in_its_own_file(self, tmp_path):
        schemas = {"thing.schema.json": '{\n  "type": "objekt"\n}\n'}
        with pytest.raises(DefinitionError) as caught:
            load_folder(write(tmp_path, SHOP, schemas=schemas), bundled=False)
        assert {p.where.path for p in caught.value.problems} == {str(tmp_path / "thing.schema.json")}

    def test_two_kinds_may_not_share_a_schema_file(self, tmp_path):
        new = "  APIKey: {like: Thing}\n  ApiKey: {like: Thing}\n"
        problems, _ = shop_problems(tmp_path, "", new)
        assert any("another kind has the same schema file `api-key.schema.json`" in p.what for p in problems)


def test_the_shop_itself_is_right(tmp_path):
    assert list(shop(tmp_path).kinds) == ["Shelf", "Thing"]


JUNK = (
    *(None, True, 0, -1, "", " ", "x", "/a", "GET /x", "GET /{a}", "${a}", "${", "@", "[", "a.b", "none", "Tree"),
    *([], {}, [None], [{}], {"a": None}, {"a": {}}, ["x"], {"by": "page"}, 10**30, {"status": "x"}, {"key": []}),
    *({"header": "X"}, "a" * 600, {"": 1}, {"/": {}}, {"in": "/a", "as": "${uid}${name}"}, [[]]),
)
WORDS = ("like", "abstract", "apply", "get", "x y", "pages", "mark", "scope", "read", "mask", "via", "values")


def _spoilt(value, random):
    """The same with one node replaced, removed or added."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(list(value))
        return {**value, key: _spoilt(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.8:
        index = random.randrange(len(value))
        return [_spoilt(e, random) if i == index else e for i, e in enumerate(value)]
    if isinstance(value, dict) and random.random() < 0.5:
        return {**value, random.choice(WORDS): random.choice(JUNK)}
    return random.choice(JUNK)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_written_gives_a_platform_or_problems_with_places(tmp_path, seed):
    random = Random(seed)
    folder = shutil.copytree(PLATFORMS / "orchard", tmp_path / "orchard")
    whole = yaml_io.load((folder / "platform.yaml").read_bytes()).documents[0].value
    for _ in range(15):
        spoilt = whole
        for _ in range(random.choice([1, 1, 3])):
            spoilt = _spoilt(spoilt, random)
        (folder / "platform.yaml").write_text(json.dumps(spoilt))
        try:
            load_folder(folder, bundled=False)
        except DefinitionError as error:
            assert error.problems
            assert all(problem.where.line for problem in error.problems if problem.where.path.endswith("platform.yaml"))
