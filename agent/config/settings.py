"""The settings of a target, its defaults and what it confirms, against what its platform's definition knows.

Called when a target is opened, for only then is the definition read. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.config.model import TargetConfig
from agent.definitions.platform import Platform
from agent.definitions.promises import OPERATIONS
from agent.errors import ConfigError
from agent.errors.near import near
from agent.json_schema import Schema


def check_settings(target: TargetConfig, platform: Platform) -> None:
    """Raises ConfigError, with the first thing that is wrong and how many more there are."""
    settings = [
        (what, f"{platform.api_version} asks for its `settings`", fix) for what, fix in _faults(target, platform)
    ]
    wrong = [*settings, *_unknown_words(target, platform), *_unknown_kinds(target, platform)]
    if wrong:
        what, why, fix = wrong[0]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise ConfigError(f"target {target.name}: {what}{more}", why=why, fix=fix)


def _unknown_words(target: TargetConfig, platform: Platform) -> Iterator[tuple[str, str, str | None]]:
    """A word that means nothing to the platform: it would be taken silently and do nothing."""
    scopes = sorted({word.word for kind in platform.kinds.values() for word in kind.scope})
    for name in target.defaults:
        if name not in scopes:
            why = f"no kind of {platform.api_version} stands in such a scope"
            yield f"`defaults` names `{name}`", why, near(name, scopes) or f"known are: {', '.join(scopes) or 'none'}"
    for name, allowed in target.scopes.items():
        if name not in scopes:
            why = f"no kind of {platform.api_version} stands in such a scope"
            yield f"`scopes` names `{name}`", why, near(name, scopes) or f"known are: {', '.join(scopes) or 'none'}"
        elif name in target.defaults and target.defaults[name] not in allowed:
            what = f"`defaults` has the {name} `{target.defaults[name]}`, which is not among its `scopes`"
            yield what, "what leaves the word out would be refused", f"add it to scopes: {{{name}: […]}}"
    for name in target.verify_kinds:
        if name not in platform.kinds:
            why = f"{platform.api_version} has no such kind"
            yield f"`verify` names `{name}`", why, near(name, [*platform.kinds, "default"])
    for entry in target.confirmed:
        kind, _, operation = entry.partition(".")
        if kind not in platform.kinds:
            why = f"{platform.api_version} has no such kind"
            yield f"`confirmed` names `{entry}`", why, near(kind, list(platform.kinds))
        elif operation and operation not in (known := [*OPERATIONS, *platform.kinds[kind].actions]):
            yield f"`confirmed` names `{entry}`", f"{kind} has no such operation or action", near(operation, known)


def _unknown_kinds(target: TargetConfig, platform: Platform) -> Iterator[tuple[str, str, str | None]]:
    """Kinds that have a word of their own under ``drift`` or ``limits`` and that the platform does not have."""
    for word, named in (("drift", target.drift_kinds), ("limits.kinds", target.limits.kinds)):
        for kind in named:
            if kind not in platform.kinds:
                yield (
                    f"`{word}` names `{kind}`",
                    f"{platform.api_version} has no such kind",
                    near(kind, list(platform.kinds)),
                )


def _faults(target: TargetConfig, platform: Platform) -> Iterator[tuple[str, str | None]]:
    for name, schema in platform.settings.items():
        if name not in target.settings:
            yield f"`settings` lacks `{name}`", f"settings: {{{name}: …}}"
            continue
        for violation in Schema(schema, "settings").violations(target.settings[name]):
            yield f"the setting `{name}`: {violation.what}", violation.fix
    for name in target.settings:
        if name not in platform.settings:
            known = ", ".join(platform.settings) or "none"
            yield f"there is no setting `{name}`", near(name, list(platform.settings)) or f"known are: {known}"
