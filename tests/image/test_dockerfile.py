"""What the Dockerfile promises, read from it. ``python -m tests.image`` plays it."""

from __future__ import annotations

import fnmatch
import re
from importlib import import_module

import pytest

from agent import __version__
from agent.cli.main import verbs
from agent.cli.parser import VerbParser
from tests.image.dockerfile import FILE, ROOT, copies, environment, lineage, pairs, stages, words

IMAGES = ["sidecar", ""]


@pytest.mark.parametrize("name", IMAGES)
def test_the_agent_has_no_rights_and_a_first_process_that_reaps(name: str) -> None:
    last = lineage(name)[-1]
    assert last.last("USER") == "65532:65532"
    said = lineage(name)[0]
    assert words(said.last("ENTRYPOINT") or "") == ["tini", "--", "datakeel"]
    assert said.last("STOPSIGNAL") == "SIGTERM"
    assert said.last("VOLUME") == '["/var/lib/datakeel"]'


def test_every_base_is_pinned_by_a_tag_and_no_registry_is_named() -> None:
    names = {stage.name for stage in stages()}
    for stage in stages():
        if stage.base not in names:
            assert re.fullmatch(r"[a-z]+:3\.\d+-slim-[a-z]+", stage.base), stage.base
    text = FILE.read_text(encoding="utf-8")
    assert "://" not in text and not re.search(r"--(extra-)?index-url|PIP_", text)


def test_git_is_in_the_image_and_not_in_the_one_for_published_folders() -> None:
    installed = {
        name: " ".join(rest for stage in lineage(name) for word, rest in stage.steps if word == "RUN")
        for name in IMAGES
    }
    assert re.search(r"install .* git\b", installed[""]) and "git" not in installed["sidecar"]
    assert all("pip uninstall -qy pip" in each for each in installed.values())


def test_what_is_copied_is_in_the_context_and_is_all_that_the_build_names() -> None:
    build = stages()[0]
    sources = {source for _, given, _ in copies(build) for source in given}
    assert all((ROOT / source).exists() for source in sources)
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    allowed = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert ignore[0] == "*" and sources == allowed
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    included = re.findall(r'^"(\w+)" = "agent/\w+"$', project, re.MULTILINE)
    assert {"agent", *included} <= sources
    assert not any(fnmatch.fnmatch("tests", each) for each in allowed)


def test_labels_tell_this_version() -> None:
    steps = lineage()[0].steps
    said = {key: value for word, rest in steps if word == "LABEL" for key, value in pairs(rest).items()}
    given = {key: value for word, rest in steps if word == "ARG" for key, value in pairs(rest).items()}
    assert given == {"VERSION": __version__}
    assert {"title", "description", "version", "licenses"} == {
        key.removeprefix("org.opencontainers.image.") for key in said
    }
    assert said["org.opencontainers.image.version"] == "${VERSION}"


@pytest.mark.parametrize("step", ["HEALTHCHECK", "CMD"])
def test_every_command_is_one_that_datakeel_has(step: str) -> None:
    given = words(lineage()[0].last(step) or "")
    verb, *options = given[1:] if given[0] == "datakeel" else given
    module = import_module(verbs()[verb])
    parser = VerbParser(verb, module.SUMMARY, "")
    module.configure(parser)
    parser.parse_args(options)


def test_caches_lie_where_a_read_only_root_has_room() -> None:
    said = environment()
    assert said["XDG_CACHE_HOME"] == "/tmp"
    assert said["DATAKEEL_CONFIG"] == "/etc/datakeel/datakeel.yaml"
    assert said["PYTHONDONTWRITEBYTECODE"] == said["PYTHONSAFEPATH"] == said["PYTHONNOUSERSITE"] == "1"
