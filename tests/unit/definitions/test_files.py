"""Which definitions there are, found without reading more than the head of each."""

import os

import pytest

from agent.definitions.files import available, bundled_schemas, display, newest, schema_name
from agent.definitions.load import load_platform
from agent.errors import DefinitionError
from tests.unit.definitions.writing import PLATFORMS, write

HEAD = "platform: {name}\nversion: {version}\nformat: 1\nkinds: {{A: {{key: name, list: {{request: GET /a}}}}}}\n"


def make(folder, name, version="v1"):
    return write(folder, HEAD.format(name=name, version=version))


def test_the_bundled_definitions_lie_beside_the_package_or_in_it():
    folder = bundled_schemas()
    assert folder.name == "schemas"
    assert (folder / "platform.schema.json").is_file()


def test_extra_folders_hold_definitions_or_are_one(tmp_path):
    make(tmp_path / "many" / "a", "a")
    make(tmp_path / "many" / "b-v2", "b", "v2")
    one = make(tmp_path / "one", "c")
    found = available([tmp_path / "many", one])
    assert {"a/v1", "b/v2", "c/v1"} <= set(found)
    assert found["b/v2"] == tmp_path / "many" / "b-v2"


def test_the_first_folder_wins(tmp_path):
    first, second = make(tmp_path / "1", "a"), make(tmp_path / "2", "a")
    assert available([first, second])["a/v1"] == first
    assert available([second, first])["a/v1"] == second


def test_a_folder_that_is_missing_or_holds_no_definition_has_none(tmp_path):
    (tmp_path / "empty").mkdir()
    assert set(available([tmp_path / "missing", tmp_path / "empty"])) == set(available())


@pytest.mark.parametrize(
    "head",
    [
        "platform: \"a\"   # the platform\nversion: 'v1'\r\n",
        "# first a comment\n\nversion: v1\nformat: 1\nplatform: a\n",
        "platform: a\nversion: v1\nother:\n  platform: b\n  version: v9\n",
    ],
)
def test_name_and_version_are_read_from_the_head(tmp_path, head):
    write(tmp_path / "x", head)
    assert set(available([tmp_path])) - set(available()) == {"a/v1"}


def test_a_head_without_both_words_is_no_definition(tmp_path):
    write(tmp_path / "x", "platform: a\n")
    assert set(available([tmp_path])) == set(available())


def test_the_newest_version_is_by_number():
    found = dict.fromkeys(["a/v2", "a/v10", "a/v1", "ab/v99"], PLATFORMS)
    assert newest("a", found) == "a/v10"
    assert newest("x", found) is None


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("Workflow", "workflow.schema.json"),
        ("AnnotationStream", "annotation-stream.schema.json"),
        ("APIKey", "api-key.schema.json"),
        ("DataProductV2", "data-product-v2.schema.json"),
    ],
)
def test_a_schema_is_named_after_its_kind_in_kebab_case(kind, file):
    assert schema_name(kind) == file


def test_bundled_paths_are_shown_from_schemas_and_others_as_given(tmp_path):
    assert display(bundled_schemas() / "x" / "platform.yaml") == os.path.join("schemas", "x", "platform.yaml")
    assert display(tmp_path / "platform.yaml") == str(tmp_path / "platform.yaml")


def test_every_bundled_definition_loads():
    for name in available():
        assert load_platform(name).api_version == name
        assert load_platform(name).bundled


def test_a_definition_under_another_folder_is_not_bundled(tmp_path):
    make(tmp_path / "a", "a")
    assert not load_platform("a/v1", extra_folders=[tmp_path]).bundled


def test_the_bundled_folder_is_bundled_by_whatever_path_it_is_given(tmp_path):
    (tmp_path / "link").symlink_to(bundled_schemas())
    for name in available():
        assert load_platform(name, extra_folders=[tmp_path / "link"]).bundled


def test_an_unreadable_schema_is_a_definition_error(tmp_path):
    folder = make(tmp_path / "a", "a")
    (folder / "x.schema.json").mkdir()
    with pytest.raises(DefinitionError, match="cannot be read"):
        load_platform("a/v1", extra_folders=[tmp_path])
