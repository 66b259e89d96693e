"""Folders of definitions that a user names: mistakes in naming them are told before anything is loaded."""

from __future__ import annotations

from agent.definitions.extra_folders import faults_of_folders, unnamed
from agent.definitions.load import available, bundled_schemas
from tests.unit.definitions.writing import SHOP, write


def told(*folders):
    return [(fault.index, fault.what) for fault in faults_of_folders(folders)]


def test_definitions_and_folders_of_them_are_fine(tmp_path):
    one = write(tmp_path / "one", SHOP)
    write(tmp_path / "many" / "a", SHOP.replace("platform: shop", "platform: a"))
    assert told(one, tmp_path / "many") == []


def test_the_same_folder_may_be_named_twice(tmp_path):
    one = write(tmp_path / "all" / "one", SHOP)
    link = tmp_path / "link"
    link.symlink_to(bundled_schemas())
    assert told(one, tmp_path / "all", one, link) == []


def test_what_is_not_there_or_empty_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert told(tmp_path / "missing", tmp_path / "file", tmp_path / "empty") == [
        (0, "there is no such folder"),
        (1, "is not a folder"),
        (2, "the folder holds no definition: no platform.yaml in it, nor in a folder of it"),
    ]


def test_a_name_that_travels_with_the_package_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, version = next(iter(available())).split("/")
    write(tmp_path / "mine", SHOP.replace("platform: shop\nversion: v1", f"platform: {name}\nversion: {version}"))
    (fault,) = faults_of_folders([tmp_path / "mine"])
    assert fault.what == (
        f"mine/platform.yaml is called `{name}/{version}`, and so is a definition that travels with datakeel"
    )
    assert fault.fix is not None
    assert f"extends: {name}/{version}" in fault.fix


def test_two_folders_of_one_name_are_told_at_the_second(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = write(tmp_path / "first", SHOP), write(tmp_path / "second", SHOP)
    ((index, what),) = told(first, second)
    assert index == 1
    assert what == "second/platform.yaml is called `shop/v1`, and so is a definition that stands in first"


def test_a_head_without_a_name_is_found(tmp_path):
    write(tmp_path / "a", "platfrom: a\nversion: v1\n")
    assert told(tmp_path) == []
    assert unnamed([tmp_path]) == [tmp_path / "a" / "platform.yaml"]
