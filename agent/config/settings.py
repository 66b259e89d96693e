"""The settings of a target against those that its platform's definition asks for.

Called when a target is opened, for only then is the definition read. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.config.faults import near
from agent.config.model import TargetConfig
from agent.definitions.platform import Platform
from agent.errors import ConfigError
from agent.json_schema import Schema


def check_settings(target: TargetConfig, platform: Platform) -> None:
    """Raises ConfigError, with the first thing that is wrong and how many more there are."""
    wrong = list(_faults(target, platform))
    if wrong:
        what, fix = wrong[0]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise ConfigError(
            f"target {target.name}: {what}{more}", why=f"{platform.api_version} asks for its `settings`", fix=fix
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
