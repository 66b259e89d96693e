"""Reads ``datakeel.yaml`` and tells every mistake at once, each at its line and column.

Called by the verbs and by the running agent when it reloads. One pass: read, lay the environment over, check by hand,
check against the schema, build. Raises :class:`ConfigError` holding all problems; never returns half a configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.config.checks import find_faults, is_loopback, normal_server, seconds_of, share_of
from agent.config.environment import Overlay, named_by_references
from agent.config.faults import Fault, as_text, is_secret_place, join
from agent.config.listen import listen_faults, server_of
from agent.config.model import Config, TargetConfig
from agent.config.notifications import notification_faults, notifications_of
from agent.config.order import order_faults, with_others
from agent.config.overlays import plain_folder
from agent.config.policy_words import (
    Policies,
    budget_of,
    drift_of,
    limits_of,
    policies_of,
    policy_faults,
    window_of,
)
from agent.config.references import reference_of, references_of
from agent.config.relocate import Merged, relocated
from agent.config.sharing import sharing_faults, sharing_of
from agent.config.source_words import hook_of, path_of, source_of
from agent.config.state import find_config, password_of, read_config_file, state_url, written_state
from agent.config.variables import resolve_variables
from agent.errors import ConfigError, Problem, Where
from agent.errors.near import near
from agent.model.rendering import NO_VARIABLES

if TYPE_CHECKING:
    from agent.model.rendering import Variables
    from agent.secrets import Reference
    from agent.yaml_io import Positions

SCHEMA_NAME = "schemas/datakeel.schema.json"
_CODES = {"invalid-manifest": "config-invalid"}  # the schema's words are made for manifests


def load_config(
    path: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    more_schemas: Sequence[Path] = (),
    merged: Merged | None = None,
) -> Config:
    """The configuration that ``--config``, ``DATAKEEL_CONFIG`` or the search from ``cwd`` finds.

    ``more_schemas`` are folders of definitions from the command line, relative to ``cwd``; they are looked in first.
    ``merged`` is the file as another revision has it, with all that it names.
    """
    file = find_config(path, environ, cwd)
    shown = _shown(file, cwd)
    content = read_config_file(file) if merged is None else merged.content
    document = _document(content, shown)
    schema = _schema()
    overlay = Overlay(document, schema)
    overlay.apply(environ)
    folder = file.absolute().parent

    faults = _faults_of_blocks(document, overlay)
    schemas = _folders([cwd / name for name in more_schemas], document, folder, merged)
    platforms = _Platforms(schemas)
    faults += platforms.faults(document.get("targets"))
    faults += _folder_faults(schemas, len(more_schemas))
    variables, wrong = resolve_variables(document, environ, partial(_place, content, shown))
    faults += wrong
    faults += _schema_faults(schema, document, {fault.pointer for fault in faults})
    problems = [_located(fault, content, shown, overlay.origins) for fault in faults]
    policies = policies_of(document, content, shown, folder, merged)
    problems += policies.problems
    problems += [_of_variable(variable, fault) for variable, fault in overlay.faults]
    if problems:
        raise _error(shown, problems)
    withheld = frozenset(named_by_references(document))
    state = state_url(written_state(document.get("state")), folder)
    config = Config(
        path=file.absolute(),
        source=source_of(document["source"], folder, withheld),
        state=state,
        schemas=schemas,
        targets=with_others(
            {
                name: _target(
                    name, target, folder, platforms.name_of(target["platform"]), withheld, variables, policies
                )
                for name, target in document["targets"].items()
            }
        ),
        origins=dict(overlay.origins),
        server=server_of(document.get("server", {}), folder, withheld),
        variables={name: _place(content, shown, join("variables", name)) for name in document.get("variables", {})},
        snapshot_key=_reference(document.get("snapshot", {}).get("key"), folder, withheld),
        state_password=_reference(password_of(document.get("state")), folder, withheld),
        sharing=sharing_of(document, state),
        notifications=notifications_of(document.get("notifications", {}), folder, withheld),
        policy_files=tuple(policies.files),
    )
    return config if merged is None else relocated(config, merged)


def _faults_of_blocks(document: Mapping[str, Any], overlay: Overlay) -> list[Fault]:
    return [
        *find_faults(document),
        *listen_faults(document),
        *notification_faults(document),
        *sharing_faults(document, overlay.origins),
        *policy_faults(document.get("targets")),
        *order_faults(document.get("targets")),
    ]


def _shown(file: Path, cwd: Path) -> str:
    try:
        return str(file.relative_to(cwd))
    except ValueError:
        return str(file)


def _error(shown: str, problems: Iterable[Problem]) -> ConfigError:
    ordered = sorted(problems, key=lambda one: (one.where.path, one.where.line or 0, one.where.column or 0, one.what))
    count = "1 mistake" if len(ordered) == 1 else f"{len(ordered)} mistakes"
    return ConfigError(f"{count} in the configuration {shown}", problems=tuple(ordered))


def _document(content: bytes, shown: str) -> dict[str, Any]:
    from agent import yaml_io

    loaded = yaml_io.load(content, yaml_io.CONFIG_BUDGET)
    # `off` and its like stay text, and the schema says whether text is meant here: a warning would only confuse.
    wrong = [one for one in loaded.problems if one.severity == "error"]
    if wrong:
        placed = (
            replace(
                one,
                where=replace(one.where, path=shown),
                also=tuple(replace(other, path=shown) for other in one.also),
            )
            for one in wrong
        )
        raise _error(shown, placed)
    documents = [document for document in loaded.documents if not document.empty]
    if not documents:
        raise _error(shown, [Problem("config-invalid", "the configuration is empty", Where(shown))])
    if len(documents) > 1:
        second = Where(shown, documents[1].line, documents[1].column)
        what = "a second document begins here; the configuration is one document"
        raise _error(shown, [Problem("config-invalid", what, second)])
    top = documents[0]
    if not isinstance(top.value, dict):
        place = Where(shown, top.line, top.column)
        what = "the configuration must be a mapping of keys to values"
        raise _error(shown, [Problem("config-invalid", what, place, got=as_text(top.value))])
    return top.value


def _schema() -> Mapping[str, Any]:
    import json

    from agent.definitions.load import bundled_schemas

    schema: dict[str, Any] = json.loads((bundled_schemas() / "datakeel.schema.json").read_bytes())
    return schema


def _schema_faults(schema: Mapping[str, Any], document: Mapping[str, Any], spoken: set[str]) -> list[Fault]:
    from agent.json_schema import Schema

    compiled = Schema(schema, SCHEMA_NAME)
    if compiled.is_valid(document):
        return []
    return [
        Fault(found.pointer, _CODES.get(found.code, found.code), found.what, found.got, found.fix, found.at, found.why)
        for found in compiled.violations(document, sensitive=is_secret_place)
        if not any(found.pointer == pointer or _is_inside(found.pointer, pointer) for pointer in spoken)
    ]


def _is_inside(pointer: str, spoken: str) -> bool:
    """Whether a fault that was told already covers this place. One of the whole ``source`` says nothing of its keys."""
    return spoken != "/source" and pointer.startswith(spoken + "/")


def _located(fault: Fault, content: bytes, shown: str, origins: Mapping[str, str]) -> Problem:
    for pointer, variable in origins.items():
        if fault.pointer == pointer or fault.pointer.startswith(pointer + "/"):
            return _of_variable(variable, fault)
    where = _place(content, shown, fault.pointer, fault.at)
    return Problem(fault.code, fault.what, where, got=fault.got, why=fault.why, fix=fault.fix)


def _place(content: bytes, shown: str, pointer: str, at: str = "value") -> Where:
    places = _positions(content)
    return Where(shown, *(places.key(pointer) if at == "key" else places.value(pointer)))


@lru_cache(maxsize=1)
def _positions(content: bytes) -> Positions:
    from agent import yaml_io

    return yaml_io.positions(content, 0, yaml_io.CONFIG_BUDGET)


def _of_variable(variable: str, fault: Fault) -> Problem:
    where = Where(f"environment variable {variable}")
    return Problem(fault.code, fault.what, where, got=fault.got, why=fault.why, fix=fault.fix)


def _folder_faults(schemas: Sequence[Path], given: int) -> list[Fault]:
    """Mistakes of the folders under ``schemas``; the first ``given`` are the command line's, which has told its own."""
    from agent.definitions.extra_folders import faults_of_folders

    return [
        Fault(join("schemas", str(one.index - given)), "config-invalid", one.what, fix=one.fix, why=one.why)
        for one in faults_of_folders(schemas)
        if one.index >= given
    ]


class _Platforms:
    """Which definitions there are, and which of them a name without a version means."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        from agent.definitions.extra_folders import unnamed
        from agent.definitions.load import available

        self._names = sorted(available(folders))
        self._unnamed = unnamed(folders)

    def faults(self, targets: Any) -> list[Fault]:
        found = []
        for name, target in targets.items() if isinstance(targets, dict) else ():
            platform = target.get("platform") if isinstance(target, dict) else None
            if isinstance(platform, str) and self.name_of(platform) == "":
                plain = sorted({known.split("/")[0] for known in self._names})
                fix = near(platform, [*plain, *self._names]) or f"known are {', '.join(self._names)}"
                pointer = join("targets", name, "platform")
                found.append(
                    Fault(pointer, "unknown-platform", "no such platform", as_text(platform), fix, why=self._why)
                )
        return found

    @property
    def _why(self) -> str | None:
        """A definition whose head cannot be read may be the one that is meant."""
        if not self._unnamed:
            return None
        from agent.definitions.files import display

        named = display(self._unnamed[0])
        return f"{named} names no `platform` and `version`; datakeel lint-platform tells what is wrong there"

    def name_of(self, written: str) -> str:
        """``acme`` or ``acme/v1`` as ``acme/v1``; empty when there is none."""
        fitting = [name for name in self._names if name == written or name.split("/")[0] == written]
        return max(fitting, key=_version, default="")


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"[0-9]+", name.rpartition("/v")[2]))


def _folders(
    given: Sequence[Path], document: Mapping[str, Any], folder: Path, merged: Merged | None
) -> tuple[Path, ...]:
    schemas = (*given, *(folder / name for name in _texts(document.get("schemas"))))
    return schemas if merged is None else tuple(merged.place(each) for each in schemas)


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []


def _target(
    name: str,
    target: Mapping[str, Any],
    folder: Path,
    platform: str,
    withheld: frozenset[str],
    variables: Mapping[str, Variables],
    policies: Policies,
) -> TargetConfig:
    from urllib.parse import urlsplit

    drift, drift_kinds = drift_of(target.get("drift", {}))
    server = normal_server(target["server"]) if "server" in target else None
    wanted = target.get("verify", "5m")
    verify = {
        kind: seconds_of(age) for kind, age in ({"default": wanted} if isinstance(wanted, str) else wanted).items()
    }
    stays_here = server is not None and is_loopback(urlsplit(server).hostname or "")
    return TargetConfig(
        name=name,
        platform=platform,
        server=server,
        settings=target.get("settings", {}),
        credentials=references_of(target.get("credentials"), folder, withheld),
        secrets=references_of(target.get("secrets"), folder, withheld),
        confirmed=tuple(target.get("confirmed", ())),
        folder=plain_folder(target.get("folder", "")),
        overlays=tuple(map(plain_folder, target.get("overlays", ()))),
        variables=variables.get(name, NO_VARIABLES),
        defaults=target.get("defaults", {}),
        scopes={word: tuple(names) for word, names in target.get("scopes", {}).items()},
        prune=target.get("prune", False),
        drift=drift,
        drift_kinds=drift_kinds,
        depends_on=tuple(target.get("depends_on", ())),
        adopt=target.get("adopt", "ifIdentical"),
        limits=limits_of(target.get("limits", {})),
        windows=tuple(map(window_of, target.get("windows", ()))),
        reserve=share_of(target.get("reserve", "20%")),
        verify_seconds=verify.pop("default", 300.0),
        verify_kinds=verify,
        ready_timeout_seconds=seconds_of(target.get("ready_timeout", "5m")),
        deadline_seconds=seconds_of(target.get("deadline", "30s")),
        concurrency=target.get("concurrency", 8),
        budget=budget_of(target.get("budget")),
        ca_file=path_of(target.get("ca_file"), folder),
        proxy=target.get("proxy"),
        trust_env=target.get("trust_env", False),
        allow_http=target.get("allow_http", False) or stays_here,
        subject=str(target["subject"]) if "subject" in target else None,
        hook=hook_of(target, folder, withheld),
        rules=policies.rules.get(name, ()),
    )


def _reference(written: Any, folder: Path, withheld: frozenset[str]) -> Reference | None:
    return None if written is None else reference_of(written, folder, withheld)
