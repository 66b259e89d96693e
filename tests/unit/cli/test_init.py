"""`init`: what it writes is right, for every platform and every recipe; nothing that is there is written over."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent import __version__
from agent.cli.main import main
from agent.cli.starting.deploying import Deployed
from agent.cli.starting.repository import https_of
from agent.config import load_config
from agent.definitions.load import available, load_platform
from tests.image.deploy import DEPLOY

ROOT = Path(__file__).parents[3]
PLATFORMS = sorted({name.partition("/")[0] for name in available()})


def needs(platform: str) -> list[str]:
    """What a person must say of a platform: an address and settings that have no default."""
    definition = load_platform(platform)
    words = [] if definition.server else ["--server", f"https://{platform}.acme.example"]
    for name, rule in definition.settings.items():
        words += ["--set", f"{name}=acme"] if "default" not in rule else []
    return words


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that is the working one, in an environment without credentials."""
    for name in [name for name in os.environ if name.startswith("DATA")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    """What the command says: its result, or its complaint where another status is announced."""
    capsys.readouterr()
    ended = main(list(words))
    out, err = capsys.readouterr()
    assert ended == status, f"{words}: {ended}\n{out}{err}"
    return err if status else out


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


@pytest.mark.parametrize("platform", PLATFORMS)
def test_all_that_is_written_for_a_platform_is_right(
    platform: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = ["--ci", "github", "--deploy", "compose", "--deploy", "kubernetes", "--hook", "pre-commit"]
    said(capsys, "init", "--platform", platform, *needs(platform), *everything)
    said(capsys, "init", "--ci", "gitlab", "--deploy", "systemd")
    assert "no problem" in said(capsys, "validate")
    config = load_config(None, {}, folder)
    (target,) = config.targets.values()
    assert target.platform.startswith(f"{platform}/") and target.prune is False and target.drift == "report"
    assert {reference.kind for reference in target.credentials.values()} == {"env"}
    names = [str(reference.value) for reference in target.credentials.values()]
    assert set(said(capsys, "schema", "--check").split()[::2]) == {"same"}
    assert json.loads(said(capsys, "schema", "--settings")) == json.loads(files(folder)[".vscode/settings.json"])
    written = files(folder)
    assert any(path.startswith(f"{target.folder}/") for path in written)
    check_github(yaml.safe_load(written[".github/workflows/datakeel.yaml"]), names)
    assert yaml.safe_load(written[".gitlab-ci.yml"]) == {"include": [{"local": ".gitlab/datakeel.gitlab-ci.yml"}]}
    job = yaml.safe_load(written[".gitlab/datakeel.gitlab-ci.yml"])["datakeel"]
    assert all(f'test -n "${name}"' in job["script"][0] for name in names)
    assert f"datakeel=={__version__}" in job["before_script"][0]
    hook = yaml.safe_load(written[".pre-commit-config.yaml"])["repos"][0]["hooks"][0]
    assert hook["entry"] == "datakeel validate" and hook["additional_dependencies"] == [f"datakeel=={__version__}"]
    check_deployed(folder, target.name, [f"{target.name}-{name}".lower() for name in target.credentials])


def check_github(workflow: dict[str, Any], names: list[str]) -> None:
    (job,) = workflow["jobs"].values()
    (diff,) = (step for step in job["steps"] if step.get("name") == "diff")
    assert diff["env"] == {name: f"${{{{ secrets.{name} }}}}" for name in names}
    assert "env" not in job, "a secret of the whole job is seen by every step"
    assert all(len(step["uses"].partition("@")[2]) == 40 for step in job["steps"] if "uses" in step)


def check_deployed(folder: Path, target: str, secrets: list[str]) -> None:
    """The deployed configurations are valid and read the secrets that are given to them, and no others."""
    services = yaml.safe_load((folder / "deploy/compose.yaml").read_text())
    assert services["services"]["datakeel"]["secrets"] == ["git-token", *secrets] == list(services["secrets"])
    config = load_config(folder / "deploy/datakeel.yaml", {}, folder)
    read = [*config.source.credentials.values(), *config.targets[target].credentials.values()]
    assert [str(each.value) for each in read] == [f"/run/secrets/{name}" for name in ("git-token", *secrets)]
    assert config.state == "sqlite:////var/lib/datakeel/state.db"

    documents = list(yaml.safe_load_all((folder / "deploy/kubernetes.yaml").read_text()))
    example = list(yaml.safe_load_all((DEPLOY / "kubernetes-agent.yaml").read_text()))
    assert documents[1:] == example[1:] and documents[0]["metadata"] == example[0]["metadata"]
    (folder / "mounted.yaml").write_text(documents[0]["data"]["datakeel.yaml"])
    mounted = load_config(folder / "mounted.yaml", {}, folder).targets[target].credentials
    assert [str(each.value) for each in mounted.values()] == [f"/run/secrets/datakeel/{name}" for name in secrets]

    unit = (folder / "deploy/datakeel.service").read_text()
    given = dict(line.removeprefix("Environment=").split("=", 1) for line in unit.splitlines() if "__FILE=" in line)
    placed = {name: value.replace("%d", "/run/credentials/datakeel.service") for name, value in given.items()}
    loaded = load_config(folder / "deploy/datakeel.yaml", placed, folder).targets[target].credentials
    assert [str(each.value) for each in loaded.values()] == [
        f"/run/credentials/datakeel.service/{name}" for name in secrets
    ]
    assert all(f"LoadCredential={name}:/etc/datakeel/{name}\n" in unit for name in secrets)


def test_several_platforms_are_several_targets_of_one_repository(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["dataloop", "dataops-live"]
    said(capsys, "init", "--server", "sandbox", *(word for name in names for word in ("--platform", name)))
    config = load_config(None, {}, folder)
    assert {name: each.server for name, each in config.targets.items()} == {
        name: f"http://127.0.0.1:8080/{name}" for name in names
    }
    assert "no problem" in said(capsys, "validate")


def test_nothing_is_written_over_and_a_second_time_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".vscode").mkdir()
    (folder / ".vscode/settings.json").write_text("{}")
    (folder / ".gitlab-ci.yml").write_text("stages: [mine]\n")
    first = said(capsys, "init", "--platform", "dataos", "--ci", "gitlab")
    assert "kept   .vscode/settings.json, .gitlab-ci.yml" in first and "datakeel schema --settings  " in first
    assert "add to .gitlab-ci.yml: include: [{local: .gitlab/datakeel.gitlab-ci.yml}]" in first
    before = files(folder)
    assert before[".vscode/settings.json"] == "{}" and before[".gitlab-ci.yml"] == "stages: [mine]\n"
    again = json.loads(said(capsys, "init", "--ci", "gitlab", "-o", "json"))
    assert again["wrote"] == [] and files(folder) == before
    assert set(again["kept"]) == {
        *("datakeel.yaml", "manifests/dataos", ".schemas", ".vscode/settings.json"),
        *(".gitlab-ci.yml", ".gitlab/datakeel.gitlab-ci.yml"),
    }


def test_the_words_of_the_command_line_are_in_the_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--server", "https://dataos.acme.example", "--in", "workspace=no", "--name", "sales"]
    said(capsys, "init", "here", "--platform", "dataos", *words)
    config = load_config(folder / "here/datakeel.yaml", {}, folder)
    assert config.targets["sales"].server == "https://dataos.acme.example"
    assert config.targets["sales"].defaults == {"workspace": "no"}
    manifest = yaml.safe_load((folder / "here/manifests/sales/daily-etl.yaml").read_text())
    assert manifest["workspace"] == "no", "quoted, or it would be false"
    assert said(capsys, "validate", "--config", "here/datakeel.yaml") == "1 manifest, no problem\n"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "which platform?"),
        (["--platform", "datoas"], "did you mean `dataos`?"),
        (["--platform", "gitlab"], "--server https://…"),
        (["--platform", "gitlab", "--server", "sandbox"], "there is no emulator of gitlab"),
        (["--platform", "dataloop"], "--set org=VALUE"),
        (["--platform", "dataos", "--set", "org=a"], "leave --set out"),
        (["--platform", "dataos", "--in", "workspce=a"], "did you mean `workspace`?"),
        (["--platform", "dataos", "--server", "http://api.acme.example"], "http"),
        (["--platform", "dataos", "--server", "https://user:canary-9f@api.acme.example"], "server"),
        (["--platform", "dataos", "--platform", "dataloop", "--server", "https://a.example"], "for which of"),
        (["--platform", "dataos", "--platform", "dataloop", "--set", "org=a", "--name", "x"], "leave it out"),
        (["--platform", "dataos", "--name", "two words"], "the name of a target"),
        (["file", "--platform", "dataos"], "is a file"),
    ],
)
def test_what_is_missing_or_wrong_is_told_and_nothing_is_written(
    words: list[str], what: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("")
    complaint = said(capsys, "init", *words, status=64)
    assert what in complaint and "canary" not in complaint
    assert sorted(os.listdir(folder)) == ["file"]


def test_a_configuration_that_is_there_takes_no_new_target(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "init", "--platform", "dataos")
    before = files(folder)
    for words in (["--platform", "dataloop"], ["--server", "https://a.example"], ["--set", "org=a"], ["--name", "b"]):
        assert "is not written over" in said(capsys, "init", *words, status=64)
    assert files(folder) == before
    (folder / "datakeel.yaml").write_text("apiVersion: datakeel/v1\n")
    said(capsys, "init", "--ci", "github", status=78)


@pytest.mark.parametrize("own", [False, True], ids=["of all targets", "of one"])
def test_a_configuration_with_rules_is_checked_by_an_installation_that_knows_them(
    own: bool, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "init", "--platform", "dataos")
    config = folder / "datakeel.yaml"
    rules = "policy: {rules: [{name: nobody, deny: 'true', message: never}]}"
    text = config.read_text()
    config.write_text(text.replace("    platform: ", f"    {rules}\n    platform: ") if own else f"{text}{rules}\n")
    for forge in ("github", "gitlab"):
        said(capsys, "init", "--ci", forge, "--hook", "pre-commit")
    written = files(folder)
    named = f"datakeel[policy]=={__version__}"
    workflow = yaml.safe_load(written[".github/workflows/datakeel.yaml"])
    job = yaml.safe_load(written[".gitlab/datakeel.gitlab-ci.yml"])["datakeel"]
    (hook,) = yaml.safe_load(written[".pre-commit-config.yaml"])["repos"][0]["hooks"]
    assert {"run": f"pipx install '{named}'"} in workflow["jobs"]["diff"]["steps"]
    assert shlex.split(job["before_script"][0])[-1] == named
    assert hook["additional_dependencies"] == [named]


def test_in_a_folder_of_a_repository_what_a_forge_reads_stands_at_its_top(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(folder, "init", "-q", "-b", "trunk")
    git(folder, "remote", "add", "origin", "git@github.example:team/mono.git")
    words = ["--ci", "github", "--deploy", "compose", "--hook", "pre-commit"]
    wrote = json.loads(said(capsys, "init", "data/keel", "--platform", "dataos", *words, "-o", "json"))["wrote"]
    assert {".github/workflows/datakeel.yaml", ".pre-commit-config.yaml", "data/keel/datakeel.yaml"} <= set(wrote)
    assert ".git" not in wrote
    workflow = (folder / ".github/workflows/datakeel.yaml").read_text()
    assert "datakeel diff --config data/keel/datakeel.yaml ${mode-}" in workflow
    associated = json.loads((folder / ".vscode/settings.json").read_text())["yaml.schemas"]
    assert associated["data/keel/.schemas/datakeel.json"] == ["data/keel/datakeel.yaml"]
    assert all((folder / path).is_file() for path in associated)
    hook = (folder / ".pre-commit-config.yaml").read_text()
    assert "entry: datakeel validate --config data/keel/datakeel.yaml\n" in hook
    assert said(capsys, "validate", "--config", "data/keel/datakeel.yaml") == "1 manifest, no problem\n"
    deployed = load_config(folder / "data/keel/deploy/datakeel.yaml", {}, folder)
    assert (deployed.source.url, deployed.source.branch) == ("https://github.example/team/mono.git", "trunk")
    assert deployed.targets["dataos"].folder == "data/keel/manifests/dataos"


def test_a_repository_is_made_where_there_is_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "init", "--platform", "dataos")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "first")
    assert said(capsys, "validate", "--revision", "main") == "1 manifest, no problem\n"


def test_begun_from_what_is_live_there_is_no_manifest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "datakeel import\n" in said(capsys, "init", "--platform", "dataos", "--from", "live")
    assert not (folder / "manifests").exists()


PLATFORM = """\
platform: bookshelf
version: v1
format: 1
auth: {key: {header: X-Api-Key, value: "${secret.key}"}}
probe: GET /books
kinds:
  Book:
    scope: {shelf: {}}
    key: slug
    id: id
    list: {request: "GET /{shelf}/books", items: books}
    create: {request: "POST /{shelf}/books", adds: {slug: "${name}"}}
"""
SCHEMA = {
    "type": "object",
    "required": ["title", "state", "pages"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string"},
        "state": {"enum": ["lent", "there"]},
        "pages": {"$ref": "#/$defs/count"},
        "isbn": {"type": "string", "description": "Number of the edition."},
    },
    "$defs": {"count": {"type": "integer", "minimum": 3}},
}


def own_platform(folder: Path, **examples: str) -> None:
    own = folder / "platforms/bookshelf"
    (own / "examples/valid").mkdir(parents=True)
    (own / "platform.yaml").write_text(PLATFORM)
    (own / "book.schema.json").write_text(json.dumps(SCHEMA))
    for name, text in examples.items():
        (own / f"examples/valid/{name}.yaml").write_text(text)


def test_a_platform_of_ones_own_is_found_in_its_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_platform(folder)
    words = ["--server", "https://books.example", "--deploy", "compose", "--deploy", "kubernetes"]
    said(capsys, "init", "--schemas", "platforms", *words)
    text = (folder / "manifests/bookshelf/book.yaml").read_text()
    assert "# It may also have: isbn.\n" in text
    assert yaml.safe_load(text)["spec"] == {"title": "example", "state": "lent", "pages": 3}
    assert said(capsys, "validate") == "1 manifest, no problem\n"
    compose = yaml.safe_load((folder / "deploy/compose.yaml").read_text())["services"]["datakeel"]
    assert "../platforms:/opt/datakeel/platforms/1:ro" in compose["volumes"]
    assert "COPY platforms /opt/datakeel/platforms/1\n" in (folder / "deploy/Dockerfile").read_text()
    assert "image: datakeel-platforms\n" in (folder / "deploy/kubernetes.yaml").read_text()
    assert "schemas:\n  - /opt/datakeel/platforms/1\n" in (folder / "deploy/datakeel.yaml").read_text()


def test_an_example_of_the_definition_comes_before_one_from_its_schema(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "apiVersion: bookshelf/v1\nkind: Book\nmetadata: {name: dune, shelf: a}\n"
    right = f"{head}spec: {{title: Dune, state: lent, pages: 9}}\n"
    own_platform(folder, a=f"{head}spec: {{title: {{secretRef: unset}}, state: lent, pages: 9}}\n", b=right)
    said(capsys, "init", "--schemas", "platforms", "--server", "https://books.example")
    assert (folder / "manifests/bookshelf/b.yaml").read_text() == right


def test_on_a_terminal_it_asks_and_enter_takes_what_is_offered(folder: Path) -> None:
    screen = on_a_terminal(
        folder, ["init"], ["dataoss", str(PLATFORMS.index("dataos") + 1), "api.acme", "", "sales", "gitlab", ""]
    )
    assert "one of" in screen and "`server` must start with https://" in screen
    assert yaml.safe_load((folder / "manifests/dataos/daily-etl.yaml").read_text())["workspace"] == "sales"
    config = load_config(None, {}, folder)
    (target,) = config.targets.values()
    platform = load_platform(target.platform)
    assert target.server == platform.server and (folder / ".gitlab-ci.yml").is_file()


def on_a_terminal(folder: Path, words: list[str], answers: list[str]) -> str:
    """What a person sees who gives these answers, one at each question; Enter for any that is left."""
    main_side, other = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    child = subprocess.Popen(
        [sys.executable, "-m", "agent", *words], cwd=folder, stdin=other, stdout=other, stderr=other, env=environment
    )
    os.close(other)
    seen, left = "", list(answers)
    while select.select([main_side], [], [], 30)[0]:
        try:
            piece = os.read(main_side, 4096).decode("utf-8", "replace")
        except OSError:  # how a terminal says that the other side is gone
            break
        seen += piece
        if seen.rstrip(" ").endswith(":") and seen.endswith(" "):
            os.write(main_side, f"{left.pop(0) if left else ''}\n".encode())
    assert child.wait(timeout=30) == 0, seen
    os.close(main_side)
    return seen


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("git@github.com:team/it.git", "https://github.com/team/it.git"),
        ("ssh://git@gitlab.example:2222/team/it.git", "https://gitlab.example/team/it.git"),
        ("https://ann:canary-77@git.example:8443/it.git", "https://git.example:8443/it.git"),
        ("/srv/git/it.git", None),
        ("file:///srv/git/it.git", None),
        ("../it.git", None),
        ("", None),
    ],
)
def test_a_remote_is_told_without_who_reads_it(url: str, address: str | None) -> None:
    assert https_of(url) == address


def test_several_targets_have_a_file_for_each_secret() -> None:
    targets = {
        "one": {"platform": "acme", "credentials": {"token": {"env": "A"}}},
        "two": {"platform": "acme", "credentials": {"token": {"env": "B"}}, "secrets": {"lake": {"env": "C"}}},
    }
    deployed = Deployed(targets, None, "main", "", ())
    assert deployed.secrets == ["git-token", "one-token", "two-token", "two-lake"]
    assert (
        "Environment=DATAKEEL_TARGETS__TWO__SECRETS__LAKE__FILE=%d/two-lake\n"
        in (deployed.files("systemd")["deploy/datakeel.service"])
    )


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def test_a_command_that_is_told_next_can_be_given(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(capsys, "init", "made", "--platform", "dataos", "--server", "sandbox", "-o", "json"))["next"]
    assert told[:3] == [
        "cd made",
        "datakeel sandbox --platform dataos     in another terminal",
        "export DATAOS_TOKEN=sandbox-token",
    ]
    assert all(shlex.split(line) for line in told)
