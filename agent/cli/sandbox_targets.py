"""Targets for a sandbox, from the platforms' definitions: what a user pastes into ``datakeel.yaml``.

Used by the verbs ``sandbox``, ``demo`` and ``init``. Nothing here knows a platform: the definition tells credentials
and settings, and all that it calls unverified counts as confirmed, since an emulator was written after the same page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent import yaml_io
from agent.cli.samples import sample_target
from agent.definitions.load import load_platform
from agent.definitions.platform import Platform
from agent.definitions.promises import guesses

_SETTING = "example"  # the emulators take any organisation, team, …


def sandbox_targets(names: Sequence[str], address: str, samples: Path) -> dict[str, dict[str, Any]]:
    """A target for each platform. One alone answers at the root, several each below its name."""
    return {
        name: _target(load_platform(name), address if len(names) == 1 else f"{address}/{name}", samples)
        for name in names
    }


def variables(targets: Mapping[str, Any]) -> list[str]:
    """Every variable that a reference in these targets names, in their order."""
    return list(dict.fromkeys(_variables(targets)))


def config_text(targets: Mapping[str, Any], token: str) -> str:
    """A whole ``datakeel.yaml``, with the variables that it wants."""
    exports = "".join(f"#   export {name}={token}\n" for name in variables(targets))
    config = {"apiVersion": "datakeel/v1", "source": {"path": "."}, "targets": targets}
    return f"# For the sandbox. Its credentials:\n{exports}{yaml_io.dump(config)}"


def _target(platform: Platform, server: str, samples: Path) -> dict[str, Any]:
    sample = sample_target(samples, platform.name)
    settings = {name: rule.get("default", _SETTING) for name, rule in platform.settings.items()}
    target = {
        "platform": platform.api_version,
        "server": server,
        "credentials": credentials_of(platform),
        "settings": {**settings, **sample.get("settings", {})},
        "folder": f"manifests/{platform.name}",
        **{name: value for name, value in sample.items() if name != "settings"},
        "confirmed": confirmed_of(platform),
    }
    return {name: value for name, value in target.items() if value}


def credentials_of(platform: Platform) -> dict[str, Any]:
    """References to the credentials of one scheme, one without a login where there is such; none where none is due."""
    schemes = sorted(platform.auth, key=lambda each: each.login is not None)
    return {name: {"env": _variable(platform.name, name)} for name in (schemes[0].secrets if schemes else ())}


def confirmed_of(platform: Platform) -> list[str]:
    """All that is unverified: a kind as a whole where it is unverified as one, else the operations that are."""
    found: list[str] = []
    for kind in platform.kinds.values():
        names = [name for name, _ in guesses(kind)]
        # A kind that is confirmed confirms its operations; its actions want a word of their own.
        actions = {f"{kind.name}.{name}" for name in kind.actions}
        found += [name for name in names if kind.name not in names or name == kind.name or name in actions]
    return found


def _variable(platform: str, secret: str) -> str:
    """``ACME_API_KEY`` for ``apiKey`` of ``acme``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", f"{platform}_{secret}")
    return re.sub(r"[^A-Z0-9]", "_", words.upper())


def _variables(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("env"), str):
            yield value["env"]
        for each in value.values():
            yield from _variables(each)
