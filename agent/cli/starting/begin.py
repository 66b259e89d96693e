"""``init``: from what is wanted to files on disk and the commands to give next.

Called by the verb. In order: the configuration, read where there is one and made otherwise; everything else from its
targets; then the files, each only where nothing is. Nothing is written before all of it is known to be right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.cli.sandbox_targets import variables
from agent.cli.starting import CI, EXAMPLE, LIVE, NONE, recipes
from agent.cli.starting.config_text import checked, config_text, relative, source_of_here
from agent.cli.starting.deploying import Deployed, next_steps
from agent.cli.starting.editors import schema_files, settings
from agent.cli.starting.manifests import first_manifests, is_empty
from agent.cli.starting.placing import Placed
from agent.cli.starting.repository import Repository, make_repository, repository_of
from agent.cli.starting.targets import is_sandbox, new_targets, platforms_of
from agent.cli.starting.wanted import Wanted
from agent.cli.verbs.sandbox import TOKEN, emulated
from agent.config.load import load_config
from agent.config.model import Config
from agent.config.state import CONFIG_NAME
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.editor.files import CONFIGURATION
from agent.errors import UsageError

_FORGES = {"github": "GitHub", "gitlab": "GitLab"}


@dataclass(frozen=True, slots=True)
class Begun:
    """What became of it: paths that were written or kept, and what to do next, one line each."""

    wrote: tuple[str, ...]
    kept: tuple[str, ...]
    next: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The configuration and what it says: ``text`` is None where the file is there already."""

    text: str | None
    config: Config
    targets: Mapping[str, Mapping[str, Any]]
    platforms: Mapping[str, Platform]
    schemas: tuple[str, ...]


def begin(wanted: Wanted, here: Path) -> Begun:
    """Write what is wanted into ``wanted.folder``. Raises UsageError, ConfigError, DefinitionError, AgentError."""
    folder = wanted.folder
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", fix="name a folder; it is made where it is missing")
    plan = _existing(wanted) if os.path.lexists(folder / CONFIG_NAME) else _new(wanted)
    wanted = _with_more_answers(wanted, plan)
    manifests = {name: _manifests(wanted, plan, name) for name in plan.targets}
    folder.mkdir(parents=True, exist_ok=True)
    repository = make_repository(folder)
    placed = Placed(here)
    if repository.made:
        placed.wrote.append(placed.shown(repository.top / ".git"))
    _place(placed, wanted, plan, repository, manifests)
    return Begun(tuple(placed.wrote), tuple(placed.kept), tuple(_next(wanted, plan, repository, placed)))


def _existing(wanted: Wanted) -> Plan:
    """A configuration that is there decides: what is added fits its targets."""
    path = wanted.folder / CONFIG_NAME
    config = load_config(path, {}, wanted.folder, wanted.schemas)
    document = yaml_io.load(path.read_bytes(), yaml_io.CONFIG_BUDGET).documents[0].value
    platforms = {
        name: load_platform(target.platform, extra_folders=config.schemas) for name, target in config.targets.items()
    }
    missing = {*wanted.platforms} - {platform.name for platform in platforms.values()}
    if missing or wanted.name is not None or wanted.servers or wanted.settings or wanted.scopes:
        what = f"{CONFIG_NAME} is there already, and is not written over"
        raise UsageError(what, fix="add or change a target in it by hand; `datakeel init --ci …` adds files beside it")
    schemas = tuple(relative(each, wanted.folder) for each in config.schemas)
    return Plan(None, config, document["targets"], platforms, schemas)


def _new(wanted: Wanted) -> Plan:
    platforms = platforms_of(wanted)
    targets = new_targets(wanted, platforms)
    by_name = dict(zip(targets, platforms, strict=True))
    notes = {name: _note(target, by_name[name]) for name, target in targets.items()}
    schemas = tuple(relative(each, wanted.folder) for each in wanted.schemas)
    source = source_of_here()
    config = checked(config_text(targets, (), notes, source), wanted.schemas, by_name)
    return Plan(config_text(targets, schemas, notes, source), config, targets, by_name, schemas)


def _note(target: Mapping[str, Any], platform: Platform) -> str:
    if is_sandbox(target):
        return "datakeel sandbox, in another terminal"
    if platform.name in emulated():
        return f"without an account: datakeel sandbox --platform {platform.name}, and http://127.0.0.1:8080 here"
    return "where a credential may be sent, and nowhere else"


def _with_more_answers(wanted: Wanted, plan: Plan) -> Wanted:
    """Whether there is a recipe, and what the repository begins with: asked last, where all is asked."""
    if not wanted.asks_all or wanted.ask is None or plan.text is None:
        return wanted
    found = repository_of(wanted.folder) if wanted.folder.is_dir() else None
    ci, first = wanted.ci, wanted.begin_with
    if ci is None:
        said = wanted.ask("checks of pull requests", (found and found.forge) or NONE, (*CI, NONE))
        ci = None if said == NONE else said
    if first is None:
        first = wanted.ask("begin with an example, or with what is live", EXAMPLE, (EXAMPLE, LIVE))
    return replace(wanted, ci=ci, begin_with=first)


def _manifests(wanted: Wanted, plan: Plan, name: str) -> dict[str, str]:
    target = plan.config.targets[name]
    if wanted.begin_with == LIVE or not is_empty(wanted.folder / target.folder):
        return {}
    found = first_manifests(plan.config, name, plan.platforms[name], target.defaults)
    return {os.path.join(target.folder, file): text for file, text in found.items()}  # noqa: PTH118 - "" is no part


def _place(
    placed: Placed, wanted: Wanted, plan: Plan, repository: Repository, manifests: Mapping[str, Mapping[str, str]]
) -> None:
    folder, top = wanted.folder, repository.top
    if plan.text is None:
        placed.keep(folder / CONFIG_NAME)
    else:
        placed.write(folder / CONFIG_NAME, plan.text)
    for name, files in manifests.items():
        for path, text in files.items():
            placed.write(folder / path, text)
        if not files and wanted.begin_with != LIVE and not is_empty(folder / plan.config.targets[name].folder):
            placed.keep(folder / plan.config.targets[name].folder)
    if os.path.lexists(folder / CONFIGURATION):
        placed.keep(folder / Path(CONFIGURATION).parent)  # `datakeel schema` brings them up to date
    else:
        for path, text in schema_files(plan.config, plan.platforms).items():
            placed.write(folder / path, text)
    for path, text in settings(plan.config, plan.platforms, repository.prefix).items():
        placed.write(top / path, text)
    config = f"{repository.prefix}/{CONFIG_NAME}" if repository.prefix else None
    names = variables(plan.targets)
    extras = ("policy",) if any(target.rules for target in plan.config.targets.values()) else ()
    for path, text in _recipes(wanted, names, config, extras).items():
        placed.write(top / path, text)
    deployed = _deployed(plan, repository)
    together = {path: text for kind in wanted.deploy for path, text in deployed.files(kind).items()}
    for path, text in together.items():
        placed.write(folder / path, text)


def _recipes(wanted: Wanted, names: list[str], config: str | None, extras: Sequence[str]) -> dict[str, str]:
    forges = {"github": recipes.github, "gitlab": recipes.gitlab}
    files = forges[wanted.ci](names, config, extras) if wanted.ci else {}
    return files | (recipes.pre_commit(config, extras) if wanted.hooks else {})


def _deployed(plan: Plan, repository: Repository) -> Deployed:
    return Deployed(plan.targets, repository.url, repository.branch, repository.prefix, plan.schemas)


def _next(wanted: Wanted, plan: Plan, repository: Repository, placed: Placed) -> Iterator[str]:
    """Commands in the order in which they are given; a sentence where a person has something to do elsewhere."""
    where = placed.shown(wanted.folder)
    if where != ".":
        yield f"cd {where}"
    in_sandbox = [name for name, target in plan.targets.items() if is_sandbox(target)]
    if in_sandbox:
        emulators = sorted({plan.platforms[name].name for name in in_sandbox})
        yield f"datakeel sandbox{''.join(f' --platform {name}' for name in emulators)}     in another terminal"
    for name, target in plan.targets.items():
        for variable in variables({name: target}):
            if not os.environ.get(variable):
                yield f"export {variable}={TOKEN if name in in_sandbox else '…'}"
    yield "datakeel doctor"
    yield "datakeel import" if wanted.begin_with == LIVE else "datakeel diff"
    names = variables(plan.targets)
    if wanted.ci and names:
        yield f"give the project {', '.join(names)} on {_FORGES[wanted.ci]}: tokens that may read and nothing else"
    if any(path.endswith(".vscode/settings.json") for path in placed.kept) and plan.text is not None:
        yield "datakeel schema --settings     prints what belongs into .vscode/settings.json"
    if any(path.endswith(recipes.GITLAB) for path in placed.kept):
        yield f"add to {recipes.GITLAB}: include: [{{local: {recipes.GITLAB_RECIPE}}}]"
    for kind in wanted.deploy:
        yield next_steps(kind, _deployed(plan, repository))
