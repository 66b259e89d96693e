"""The targets of a new configuration, as ``datakeel.yaml`` says them: from a definition, options and answers.

Used by ``begin``. Nothing here knows a platform: the definition tells credentials, settings and scopes, the folder of
samples what an example needs. Nothing is written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.cli.samples import sample_folder, sample_target
from agent.cli.sandbox_targets import confirmed_of, credentials_of, variables
from agent.cli.starting import NONE, SANDBOX
from agent.cli.starting.wanted import Wanted
from agent.cli.verbs.sandbox import emulated
from agent.config.checks import server_faults
from agent.definitions.files import available, newest
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.errors import UsageError
from agent.report.escape import clean
from agent.validate.findings import nearest

SANDBOX_SERVER = "http://127.0.0.1:8080"  # where `datakeel sandbox` is, unless it is told otherwise


def platforms_of(wanted: Wanted) -> tuple[Platform, ...]:
    """The platforms that are meant. Raises UsageError for a name that nobody has, DefinitionError."""
    found = available(wanted.schemas)
    own = {name for name, folder in found.items() if any(folder.is_relative_to(each) for each in wanted.schemas)}
    known = sorted({name.partition("/")[0] for name in found})
    names: Sequence[str] = wanted.platforms
    if not names:
        default = _likely(sorted(name.partition("/")[0] for name in own) or known, wanted.schemas)
        if wanted.ask is None and not own:
            raise UsageError("which platform?", fix=f"--platform with one of: {', '.join(known)}")
        names = (wanted.ask("platform", default, known),) if wanted.ask is not None else (default,)
    for name in names:
        if name not in found and newest(name, found) is None:
            fix = nearest(name, known) or f"one of: {', '.join(known)}; one of your own stands in --schemas DIR"
            raise UsageError(f"--platform {clean(name, 80)}: there is no definition of it", fix=fix)
    return tuple(load_platform(name, extra_folders=wanted.schemas) for name in dict.fromkeys(names))


def new_targets(wanted: Wanted, platforms: Sequence[Platform]) -> dict[str, dict[str, Any]]:
    """A target for each platform, by its name: the platform's, or the one that was asked for.

    Raises UsageError for what is missing and has no default, and for words that no platform knows.
    """
    _refuse_unknown(wanted, platforms)
    if wanted.name is not None and len(platforms) > 1:
        raise UsageError(f"--name {clean(wanted.name, 80)}: there are {len(platforms)} platforms", fix="leave it out")
    return {
        wanted.name or platform.name: _target(wanted, platform, alone=len(platforms) == 1) for platform in platforms
    }


def is_sandbox(target: Mapping[str, Any]) -> bool:
    """Whether it is for the emulator that this program brings."""
    return str(target.get("server", "")).startswith(SANDBOX_SERVER)


def _target(wanted: Wanted, platform: Platform, *, alone: bool) -> dict[str, Any]:
    server = wanted.servers.get(platform.name) or wanted.servers.get("") or _asked_server(wanted, platform)
    in_sandbox = server == SANDBOX
    if in_sandbox:
        if platform.name not in emulated():
            what = f"there is no emulator of {platform.name}"
            raise UsageError(what, fix=f"--server ADDRESS; emulated are {', '.join(emulated())}")
        server = SANDBOX_SERVER if alone else f"{SANDBOX_SERVER}/{platform.name}"
    sample = sample_target(sample_folder(), platform.name)
    target = {
        "platform": platform.api_version,
        "server": server,
        "credentials": credentials_of(platform),
        "settings": _settings(wanted, platform, sample.get("settings", {}), in_sandbox=in_sandbox),
        "folder": f"manifests/{wanted.name or platform.name}",
        "defaults": _scopes(wanted, platform, sample.get("defaults", {})),
        "confirmed": confirmed_of(platform) if in_sandbox else [],
    }
    return {word: value for word, value in target.items() if value} | {"prune": False, "drift": "report"}


def _asked_server(wanted: Wanted, platform: Platform) -> str:
    own = platform.server if platform.bundled else None
    default = own or (SANDBOX if platform.name in emulated() else None)
    if wanted.ask is not None and (wanted.asks_all or own is None):
        hint = f", or {SANDBOX} for its emulator" if default != SANDBOX and platform.name in emulated() else ""
        return wanted.ask(f"server of {platform.name}, https://…{hint}", default, wrong=_wrong_server)
    if own is None:
        fix = "--server https://…" + (f", or --server {SANDBOX} for its emulator" if default else "")
        raise UsageError(f"{platform.name} has no server of its own: each has another address", fix=fix)
    return own


def _wrong_server(said: str) -> str | None:
    fault = None if said == SANDBOX else next(server_faults("", said, False), None)
    return fault.what if fault is not None else None


def _settings(wanted: Wanted, platform: Platform, sample: Mapping[str, Any], *, in_sandbox: bool) -> dict[str, Any]:
    """What the definition asks for; what an example says counts only where a person or an emulator can take it."""
    found: dict[str, Any] = {}
    for name, rule in platform.settings.items():
        suggested = sample.get(name, rule.get("default"))
        if name in wanted.settings:
            found[name] = _typed(wanted.settings[name], rule)
        elif wanted.ask is not None and (wanted.asks_all or "default" not in rule):
            found[name] = _typed(wanted.ask(f"{name} of {platform.name}", _shown(suggested)), rule)
        elif in_sandbox:
            found[name] = "example" if suggested is None else suggested
        elif "default" not in rule:
            raise UsageError(f"{platform.name} asks for its setting `{name}`", fix=f"--set {name}=VALUE")
    return found


def _scopes(wanted: Wanted, platform: Platform, sample: Mapping[str, str]) -> dict[str, str]:
    """Where manifests stand that do not say it: words that an example needs, and those that most kinds need."""
    known = {word.word for kind in platform.kinds.values() for word in kind.scope}
    found: dict[str, str] = {}
    for word in sorted(known & {*sample, *wanted.scopes, *_common(platform)}):
        if word in wanted.scopes:
            found[word] = wanted.scopes[word]
        elif wanted.asks_all and wanted.ask is not None:
            said = wanted.ask(f"{word} for manifests that name none", sample.get(word, NONE))
            found |= {word: said} if said != NONE else {}
        elif word in sample:
            found[word] = sample[word]
    return found


def _common(platform: Platform) -> list[str]:
    """Scope words that at least half of the managed kinds need, and that no manifest can declare."""
    kinds = [kind for kind in platform.kinds.values() if kind.managed]
    needed = [word for kind in kinds for word in kind.scope if not word.optional]
    free = [word.word for word in needed if word.kind is None or not platform.kinds[word.kind].managed]
    return [word for word in dict.fromkeys(free) if 2 * free.count(word) >= len(kinds)]


def _refuse_unknown(wanted: Wanted, platforms: Sequence[Platform]) -> None:
    settings = sorted({name for platform in platforms for name in platform.settings})
    scopes = sorted({word.word for each in platforms for kind in each.kinds.values() for word in kind.scope})
    for flag, given, known in (("--set", wanted.settings, settings), ("--in", wanted.scopes, scopes)):
        for name in given:
            if name not in known:
                fix = nearest(name, known) or (f"known are: {', '.join(known)}" if known else f"leave {flag} out")
                raise UsageError(f"{flag} {clean(name, 60)}: the platform has no such word", fix=fix)


def _likely(names: Sequence[str], schemas: Sequence[Path]) -> str:
    """The first platform whose credentials this environment has; else the first."""
    for name in names:
        wanted = variables({"credentials": credentials_of(load_platform(name, extra_folders=schemas))})
        if wanted and all(os.environ.get(each) for each in wanted):
            return name
    return names[0]


def _typed(text: str, rule: Mapping[str, Any]) -> Any:
    """The text as the number or truth value that the definition declares; what is none stays text, and is refused."""
    declared = rule.get("type")
    if declared == "integer" and text.removeprefix("-").isdigit():
        return int(text)
    if declared == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _shown(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
