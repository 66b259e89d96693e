"""What is around a platform: configuration, definitions, git, references to secrets, webhooks.

Nothing is sent but a fetch of the repository, and that only where the network may be asked.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.cli.output import tell
from agent.cli.probing import ask
from agent.cli.reading import cache_folder
from agent.config.checks import is_loopback
from agent.config.faults import dotted
from agent.config.model import Config
from agent.definitions.load import load_platform
from agent.errors import AgentError, ConfigError, NoCommit
from agent.model.examined import Finding
from agent.report.values import counted, duration
from agent.secrets import Reader, Redactor, Reference
from agent.source import open_source


def failed(check: str, error: AgentError, subject: str = "") -> Finding:
    """An error that a check met, as what it found."""
    problems = getattr(error, "problems", ())
    more = f" (and {len(problems) - 1} more: datakeel validate)" if len(problems) > 1 else ""
    why = f": {error.why}" if error.why else ""
    return Finding(
        check, "bad", f"{error.what}{more}{why}", error.fix, subject, configuration=isinstance(error, ConfigError)
    )


def configuration(config: Config, here: Path) -> Finding:
    """Where it is, and what of it the environment says."""
    try:
        shown = str(config.path.relative_to(here))
    except ValueError:
        shown = str(config.path)
    laid_over = ", ".join(f"{dotted(pointer)} from {name}" for pointer, name in sorted(config.origins.items()))
    said = f"{shown}, {counted(len(config.targets), 'target')}{f' ({laid_over})' if laid_over else ''}"
    return Finding("configuration", "ok", said)


def settings(config: Config) -> list[tuple[str, str]]:
    """Each key that is set, and from where: a line of the file, or a variable of the environment."""
    content = config.path.read_bytes()
    document = yaml_io.load(content, yaml_io.CONFIG_BUDGET).documents[0].value
    places = yaml_io.positions(content, 0, yaml_io.CONFIG_BUDGET)
    found = {pointer: f"{config.path.name}:{places.value(pointer)[0]}" for pointer in _leaves(document, "")}
    return sorted((dotted(pointer), place) for pointer, place in {**found, **config.origins}.items())


def _leaves(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for name, member in value.items():
            yield from _leaves(member, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")
    else:
        yield pointer


def definitions(config: Config) -> Iterator[Finding]:
    """The definition of each target, where it is wrong."""
    for name, target in config.targets.items():
        try:
            load_platform(target.platform, extra_folders=config.schemas)
        except AgentError as error:
            yield failed("definition", error, name)


def git(config: Config, redactor: Redactor, *, network: bool) -> Finding:
    """The repository and the revision that the agent would follow."""
    version = "" if config.source.mount is not None else _git_version()
    if version is None:
        return Finding("git", "bad", "git is not installed", "install git 2.30 or newer")
    if config.source.url is not None and not network:
        return Finding("git", "ok", f"{version}; the repository was not asked (--no-network)")
    try:
        source = open_source(config.source, cache_folder(), learn=redactor.add)
        try:
            revision = source.fetch()
        finally:
            source.close()
    except NoCommit:
        said = f"{version}; no commit yet: validate and diff read files, apply and run have nothing to read"
        return Finding("git", "warn", said, "git add -A && git commit")
    except AgentError as error:
        return failed("git", error)
    lead = f"{version}; " if version else "published folder; "
    return Finding("git", "ok", f"{lead}{revision}", facts={"revision": revision.commit})


def _git_version() -> str | None:
    try:
        # Secrets of our environment are no business of a child.
        bare = {"PATH": os.environ.get("PATH", os.defpath)}
        done = subprocess.run(["git", "--version"], env=bare, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return " ".join(done.stdout.split()[:3]).removesuffix(".") or None


def references(config: Config, redactor: Redactor, *, programs: bool) -> Iterator[Finding]:
    """Every reference to a secret that leads to none. ``programs``: those that start one are followed as well."""
    for place, subject, reference, several in _references(config):
        if reference.is_command and not programs:
            continue
        try:
            Reader(reference, several_lines=several, warn=tell, learn=redactor.add)()
        except ConfigError as error:
            finding = failed("credential", error, subject)
            fix = (error.fix or f"mend what {place} leads to").partition("; `datakeel doctor`")[0]
            yield Finding("credential", "bad", f"{finding.said} ({place})", fix, subject, configuration=True)


def _references(config: Config) -> Iterator[tuple[str, str, Reference, bool]]:
    for name, reference in config.source.credentials.items():
        yield f"source.credentials.{name}", "", reference, name == "ssh_key"
    for target in config.targets.values():
        for word, block, several in (("credentials", target.credentials, False), ("secrets", target.secrets, True)):
            for name, reference in block.items():
                yield f"targets.{target.name}.{word}.{name}", target.name, reference, several
        if target.hook is not None:
            yield f"targets.{target.name}.hook.secret", target.name, target.hook.secret, False
    if config.source.hook is not None:
        yield "source.hook.secret", "", config.source.hook.secret, False
    if config.server.auth is not None and config.server.auth.token is not None:
        yield "server.auth.token", "", config.server.auth.token, False


def webhooks(config: Config) -> Finding:
    """Whether what sends webhooks can reach whoever listens for them; where none are set up, how changes are seen."""
    named = [f"targets.{target.name}.hook" for target in config.targets.values() if target.hook is not None]
    named = ["source.hook"] * (config.source.hook is not None) + named
    every = duration(config.source.interval_seconds)
    if not named:
        return Finding("webhooks", "ok", f"none are set up: a commit is seen within {every}")
    address = config.server.hooks or config.server.listen
    told = ", ".join(named)
    if address is None:
        fix = "server.hooks: 0.0.0.0:8644, behind what ends TLS"
        return Finding("webhooks", "bad", f"{told}, and nothing listens: server.listen is off", fix, configuration=True)
    shown = f"{f'[{address.host}]' if ':' in address.host else address.host}:{address.port}"
    if is_loopback(address.host):
        fix = "server.hooks: 0.0.0.0:8644, behind what ends TLS; or a tunnel to it"
        said = f"{told}: {shown} is this machine alone, so nobody else can call it"
        return Finding("webhooks", "warn", said, fix)
    if address.port == 0:
        return Finding("webhooks", "warn", f"{told}: {shown} is another port at each start", "name a port")
    try:
        ask(address, "")
    except AgentError as error:
        return Finding("webhooks", "warn", f"{told}: {error.what}", "start `datakeel run`")
    return Finding("webhooks", "ok", f"{told}: an agent listens at {shown}")
