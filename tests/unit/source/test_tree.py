import pytest

from agent.errors import SourceError
from agent.source.tree import Listing, TreeLimits, folder_in, is_manifest, is_unsafe

LIMITS = TreeLimits(entries_max=5, manifests_max=3, bytes_max=100, file_bytes_max=50, path_bytes_max=40)


def _codes(listing: Listing) -> list[tuple[str, str]]:
    return [(problem.code, problem.severity) for problem in listing.result().problems]


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "a.YAML", "a.Yml", "a.json", "a.JSON", "dir/x.b.yaml"])
def test_the_ending_decides_without_regard_to_case(name: str) -> None:
    assert is_manifest(name)


@pytest.mark.parametrize("name", ["a", "yaml", "a.yaml.bak", "a.yamlx", "a.yaml\n", "a.toml"])
def test_other_endings_are_no_manifests(name: str) -> None:
    assert not is_manifest(name)


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", ".git", ".GIT", ".gIt", "git~1", "GIT~1", ".git ", ".git.", ".git . .",
        ".git::$INDEX_ALLOCATION", ".g\u200cit", "\u200c.git", ".git\ufeff", "\u206a.git",
    ],
)  # fmt: skip
def test_names_that_no_checkout_could_hold_are_unsafe(name: str) -> None:
    assert is_unsafe(name)


@pytest.mark.parametrize("name", ["a", "git", ".github", ".gitignore", "git~x", "...", "gitea", "\u206ax", "é"])
def test_ordinary_names_are_safe(name: str) -> None:
    assert not is_unsafe(name)


def test_a_file_at_the_size_limit_is_taken_and_one_byte_more_is_not() -> None:
    listing = Listing("", LIMITS)
    listing.add("a.yaml", "file", "a", 50)
    listing.add("b.yaml", "file", "b", 51)
    tree = listing.result()
    assert [entry.path for entry in tree.entries] == ["a.yaml"]
    assert [(problem.code, problem.where.path) for problem in tree.problems] == [("file-too-big", "b.yaml")]
    assert not tree.complete


def test_a_path_at_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    listing = Listing("", LIMITS)
    listing.add("é" * 17 + "x.yaml", "file", "a", 1)
    listing.add("é" * 18 + ".yaml", "file", "b", 1)
    assert len(listing.result().entries) == 1
    assert _codes(listing)[0] == ("path-too-long", "error")


@pytest.mark.row("G7")
def test_one_manifest_too_many_is_an_error_with_the_number_and_the_limit() -> None:
    listing = Listing("", LIMITS)
    for number in range(3):
        listing.add(f"{number}.yaml", "file", "a", 1)
    assert _codes(listing) == []
    listing.add("3.yaml", "file", "a", 1)
    listing.add("4.yaml", "file", "a", 1)
    problem = listing.result().problems[0]
    assert problem.code == "too-many-manifests"
    assert "5 manifest files" in problem.what
    assert "3" in problem.what


def test_one_entry_too_many_ends_the_listing() -> None:
    listing = Listing("", LIMITS)
    assert all(listing.add(f"{number}.md", "file", "a", 1) for number in range(5))
    assert not listing.add("5.md", "file", "a", 1)
    assert ("tree-limit", "error") in _codes(listing)


def test_the_bytes_of_a_folder_have_a_limit() -> None:
    listing = Listing("", LIMITS)
    assert listing.add("a.yaml", "file", "a", 50)
    assert listing.add("b.yaml", "file", "b", 50)
    assert not listing.add("c.yaml", "file", "c", 1)
    assert _codes(listing) == [("tree-limit", "error")]


@pytest.mark.parametrize(
    "files",
    [
        [("a", "51", "a.yaml")],
        [("a", "1", "x" * 36 + ".yaml")],
        [("a", "1", f"{number}.yaml") for number in range(4)],
        [("a", "40", f"{number}.yaml") for number in range(3)],
    ],
)
def test_many_files_at_once_are_left_to_be_judged_one_by_one_when_a_limit_is_near(files) -> None:
    listing = Listing("", LIMITS)
    assert not listing.add_plain(files)
    assert (listing.entries, listing.seen, listing.bytes) == ([], 0, 0)
    assert listing.add_plain([("a", "50", "x" * 35 + ".yaml")])
    assert listing.result().entries[0].size == 50


def test_links_and_submodules_are_errors_but_a_link_to_something_else_only_a_warning() -> None:
    listing = Listing("", LIMITS)
    listing.add("d", "submodule", "a", 0)
    listing.add("c.png", "link", "a", 1)
    listing.add("b", "link", "a", 1)
    listing.add("a.yaml", "link", "a", 1)
    assert [(problem.where.path, problem.code, problem.severity) for problem in listing.result().problems] == [
        ("a.yaml", "tree-link", "error"),
        ("b", "tree-link", "error"),
        ("c.png", "tree-link", "warning"),
        ("d", "tree-submodule", "error"),
    ]


def test_dotted_files_and_folders_are_skipped_but_not_those_above_the_folder() -> None:
    listing = Listing(".config/manifests", LIMITS)
    listing.add(".config/manifests/a.yaml", "file", "a", 1)
    listing.add(".config/manifests/.b.yaml", "file", "a", 1)
    listing.add(".config/manifests/.c/d.yaml", "file", "a", 1)
    listing.add(".config/manifests/.link", "link", "a", 1)
    tree = listing.result()
    assert [entry.path for entry in tree.entries] == [".config/manifests/a.yaml"]
    assert tree.problems == ()


def test_ignored_files_are_counted_in_one_note() -> None:
    listing = Listing("", TreeLimits())
    for number in range(5):
        listing.add(f"{number}.md", "file", "a", 1)
    tree = listing.result()
    assert tree.ignored == 5
    assert [(problem.code, problem.severity) for problem in tree.problems] == [("ignored-file", "info")]
    assert tree.complete


@pytest.mark.parametrize("path", ["con.yaml", "AUX.yaml", "sub/nul.yaml", "com1.yaml", "a /b.yaml", "dir./b.yaml"])
def test_names_that_windows_cannot_hold_are_read_with_a_warning(path: str) -> None:
    listing = Listing("", LIMITS)
    listing.add(path, "file", "a", 1)
    assert len(listing.result().entries) == 1
    assert _codes(listing) == [("tree-name", "warning")]


@pytest.mark.parametrize(
    ("prefix", "folder", "path"),
    [
        ("", "manifests", "manifests"), ("", ".", ""), ("", "", ""), ("", "./a//b/", "a/b"), ("", "/a", "a"),
        ("deploy", "a", "deploy/a"), ("deploy", ".", "deploy"), ("deploy/x", "../a", "deploy/a"),
    ],
)  # fmt: skip
def test_a_folder_is_seen_from_the_configured_path(prefix: str, folder: str, path: str) -> None:
    assert folder_in(prefix, folder) == path


@pytest.mark.parametrize(("prefix", "folder"), [("", ".."), ("", "a/../../b"), ("deploy", "../../a")])
def test_a_folder_outside_the_repository_is_refused(prefix: str, folder: str) -> None:
    with pytest.raises(SourceError, match="outside"):
        folder_in(prefix, folder)
