"""The schemas in the real yaml-language-server: completion, hover and errors, in each document, for every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.schema_files import files_of, write_files
from agent.definitions.platform import Kind, Platform
from agent.editor.files import CONFIGURATION, OVERLAY, associations, modeline, schema_file
from tests.editor import places
from tests.editor.corpora import ROOT, is_beyond, judged
from tests.editor.corpora import files_of as manifests_of
from tests.editor.language_server import LanguageServer, needed
from tests.platforms.folders import folders, loaded

pytestmark = needed()
PLATFORMS = [name for name, _ in folders()]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace").resolve()
    write_files(folder, files_of(map(loaded, PLATFORMS), overlays=True))
    return folder


@pytest.fixture(scope="module")
def server(workspace: Path) -> Iterator[LanguageServer]:
    schemas = {schema_file(name): f"manifests/{name}/**/*.yaml" for name in PLATFORMS}
    found = LanguageServer(workspace, {**schemas, CONFIGURATION: "datakeel.yaml", OVERLAY: "overlays/**/*.yaml"})
    yield found
    found.close()


def managed(platform: Platform) -> list[Kind]:
    return [kind for kind in platform.kinds.values() if kind.managed]


def kinds() -> Iterator[tuple[str, str]]:
    for name in PLATFORMS:
        yield from ((name, kind.name) for kind in managed(loaded(name)))


def plain(markdown: str) -> str:
    """Markdown without its escapes and blanks."""
    return "".join(markdown.replace("\\", "").replace("&nbsp;", "").split())


def two_heads(name: str, kind: str) -> tuple[str, str]:
    """A manifest down to ``spec:`` as the first document of a file, and as the second."""
    begin = places.head(loaded(name), loaded(name).kinds[kind])
    return begin, f"{begin}---\n{begin}"


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("before", ["", "# nothing yet\n---\n"])
def test_kinds_are_offered_and_told(server: LanguageServer, name: str, before: str) -> None:
    text = f"{before}apiVersion: {name}\nkind: \n"
    path = f"manifests/{name}/kinds.yaml"
    server.show(path, text)
    offered = server.completions(path, text.count("\n") - 1, 6)
    known = managed(loaded(name))
    assert set(offered) == {kind.name for kind in known}
    for kind in known:
        assert plain(places.said_of(kind).description) in plain(json.dumps(offered[kind.name], ensure_ascii=False))


@pytest.mark.parametrize("name", PLATFORMS)
def test_members_of_every_kind_are_offered_and_told(server: LanguageServer, name: str) -> None:
    for kind in managed(loaded(name)):
        assert_members_are_offered_and_told(server, name, kind.name)


def assert_members_are_offered_and_told(server: LanguageServer, name: str, kind: str) -> None:
    wanted = places.members_of(loaded(name).kinds[kind])
    path = f"manifests/{name}/members.yaml"
    for text in two_heads(name, kind):
        # In a later document the server offers nothing before the first letter, whatever the schema is.
        server.show(path, f"{text}  {wanted[0].name[0] if wanted else 'x'}\n")
        offered = server.completions(path, text.count("\n"), 3)
        assert {member.name for member in wanted} <= set(offered)
        assert not {"apiVersion", "metadata", "lifecycle", "spec"} & (set(offered) - {member.name for member in wanted})

        server.show(path, text + "".join(f"  {member.name}:\n" for member in wanted))
        for line, member in enumerate(wanted, text.count("\n")):
            assert plain(member.description) in plain(server.hover(path, line, 3)), member.name


def test_values_are_offered_where_a_member_has_a_list_of_them(server: LanguageServer) -> None:
    tried = 0
    for name, kind in kinds():
        choice = places.choice_of(loaded(name).kinds[kind])
        if choice is not None:
            cursor = places.at_member(two_heads(name, kind)[1], choice[0])
            path = f"manifests/{name}/values.yaml"
            server.show(path, cursor.text)
            offered = server.completions(path, cursor.line, cursor.character)
            assert set(choice[1]) <= {label.strip('"') for label in offered}, (name, kind, choice[0])
            tried += 1
    assert tried >= 30


def test_a_mistake_in_a_spec_of_every_kind_is_shown_where_it_is_in_each_document(server: LanguageServer) -> None:
    shown = {}
    for name, kind in kinds():
        wrong = places.wrong_value(loaded(name).kinds[kind])
        assert wrong is not None, f"nothing in the spec of {kind} can be wrong"
        first, second = two_heads(name, kind)
        member = f"  {json.dumps(wrong)[1:-1]}\n"
        path = f"manifests/{name}/mistakes-{kind}.yaml"
        shown[path] = {first.count("\n"), second.count("\n") + 1}
        server.show(path, first + member + second[len(first) :] + member)
    for path, lines in shown.items():
        found = server.faults(path)
        assert lines <= {fault["range"]["start"]["line"] for fault in found}, (path, found)


def test_examples_that_are_right_have_no_fault_and_those_that_are_wrong_have_one(server: LanguageServer) -> None:
    shown = {}
    for name in PLATFORMS:
        own = {path.name: path for path in manifests_of(name) if path.is_relative_to(ROOT)}
        for file, path in own.items():
            documents = [each for each in judged(name) if each.file.partition(":")[0] == file]
            errors = [error for each in documents for error in each.errors]
            if documents and not (errors and is_beyond(errors)):
                place = f"manifests/{name}/written/{file}"
                server.show(place, path.read_text(encoding="utf-8"))
                shown[place] = bool(errors)
    assert len(shown) > 80 and any(shown.values())
    wrong = {place: server.faults(place) for place in shown}
    assert {place: bool(found) for place, found in wrong.items()} == shown, {
        place: found for place, found in wrong.items() if bool(found) != shown[place]
    }


def test_a_modeline_holds_for_its_own_document(server: LanguageServer, workspace: Path) -> None:
    manifest = "apiVersion: dataos/v1\nkind: Secret\nmetadata: {name: a, workspace: w}\nspec: {versoin: v1}\n"
    path = "elsewhere/deep/a.yaml"
    line = modeline(schema_file("dataos/v1"), path)
    server.show(path, f"{line}\n{manifest}---\n{line}\n{manifest}---\n{manifest}")
    found = {fault["range"]["start"]["line"] for fault in server.faults(path) if "versoin" in fault["message"]}
    assert found == {4, 10}
    server.show(path, f"{line}\napiVersion: dataos/v1\nkind: \n---\n{line}\napiVersion: dataos/v1\nkind: \n")
    assert "Workflow" in server.completions(path, 2, 6)
    assert "Workflow" in server.completions(path, 6, 6)


def test_a_secret_is_offered_as_a_reference(server: LanguageServer) -> None:
    text = "name: a\nversion: v1\ntype: secret\nsecret:\n  type: key-value\n  acl: r\n  data:\n    password: \n"
    path = "manifests/dataos/v1/secret.yaml"
    server.show(path, text)
    assert "secretRef: " in server.completions(path, 7, 14)["secretRef"]["insertText"]
    assert "never read back" in server.hover(path, 7, 6)


def test_the_configuration_and_overlays_have_their_schemas(server: LanguageServer) -> None:
    begin = "apiVersion: datakeel/v1\nsource: {path: .}\ntargets:\n  a:\n    platform: dataos\n    drift: \n    lim\n"
    server.show("datakeel.yaml", begin)
    offered = {label.strip('"') for label in server.completions("datakeel.yaml", 5, 11)}
    assert {"heal", "report", "off"} <= offered and "[object Object]" not in offered
    assert "limits" in server.completions("datakeel.yaml", 6, 7)
    assert server.hover("datakeel.yaml", 5, 6)
    server.show("datakeel.yaml", begin.replace("    drift: \n    lim\n", "    drfit: heal\nserver: {listen: 1}\n"))
    assert {5, 6} <= {fault["range"]["start"]["line"] for fault in server.faults("datakeel.yaml")}
    server.show("overlays/prod/a.yaml", "apiVersion: datakeel/v1\nkind: Overlay\nselect: {kind: '*'}\nmegre: {}\n")
    assert [fault["range"]["start"]["line"] for fault in server.faults("overlays/prod/a.yaml")] == [3]


def test_of_a_target_that_reads_the_whole_repository_every_other_file_is_a_manifest(workspace: Path) -> None:
    settings = associations([("dataos/v1", "", ("over",))], "datakeel.yaml")
    server = LanguageServer(workspace, settings)
    try:
        for path in ("a.yaml", "deep/a.yaml", "over/a.yaml", "datakeel.yaml"):
            server.show(path, "apiVersion: datakeel/v1\nkind: Overlay\nselect: {kind: x}\nmerge: {spec: {a: 1}}\n")
        assert any("dataos/v1" in fault["message"] for fault in server.faults("a.yaml"))
        assert any("dataos/v1" in fault["message"] for fault in server.faults("deep/a.yaml"))
        assert server.faults("over/a.yaml") == []
        assert not any("dataos/v1" in fault["message"] for fault in server.faults("datakeel.yaml"))
    finally:
        server.close()
