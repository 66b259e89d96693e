"""``datakeel schema``: JSON Schemas of manifests and of ``datakeel.yaml``, for help in editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

NAME = "schema"
SUMMARY = "write the JSON Schemas that editors need to complete, explain and check manifests"
GROUP = "Start"
RANK = 5
EXAMPLE = "datakeel schema && git add .schemas"
_CONFIGURATION, _OVERLAY, _DEFINITION = "datakeel", "overlay", "platform"


def configure(parser: ArgumentParser) -> None:
    """Its arguments."""
    from agent.cli.shared import add_schemas

    parser.add_argument(
        "what",
        nargs="?",
        metavar="PLATFORM",
        help="print the schema of one platform's manifests (acme or acme/v1), of `datakeel` (datakeel.yaml), of "
        "`overlay` or of `platform` (platform.yaml); without it, those of all targets are written to .schemas beside "
        "datakeel.yaml",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--check", action="store_true", help="write nothing; end with 2 when a file is stale")
    instead.add_argument("--settings", action="store_true", help="print `yaml.schemas` for the settings of an editor")
    parser.add_argument("--config", metavar="FILE", help="configuration (default: datakeel.yaml here or above)")
    add_schemas(parser)


def run(arguments: Namespace) -> int:
    """Exit 0; 2 when ``--check`` finds a file stale or missing; 64 for a platform that is not there."""
    import json
    import sys

    from agent.cli import schema_files, shared
    from agent.errors import EXIT_CHANGES, EXIT_DONE, UsageError

    if arguments.what is not None:
        if arguments.check or arguments.settings:
            raise UsageError("--check and --settings are about a whole repository, without PLATFORM")
        sys.stdout.write(_one(arguments))
        return EXIT_DONE
    config = shared.config_of(arguments)
    if arguments.settings:
        settings = {"yaml.schemas": schema_files.settings_of_config(config)}
        sys.stdout.write(json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
        return EXIT_DONE
    folder, files = config.path.parent, schema_files.files_of_config(config)
    if arguments.check:
        states = {file.path: schema_files.state_of(folder, file) for file in files}
        sys.stdout.write("".join(f"{state.ljust(9)}{path}\n" for path, state in states.items()))
        return EXIT_DONE if set(states.values()) <= {"same"} else EXIT_CHANGES
    states = schema_files.write_files(folder, files)
    sys.stdout.write(
        "".join(f"{'same' if state == 'same' else 'wrote'}".ljust(9) + f"{path}\n" for path, state in states.items())
    )
    if not (folder / ".vscode" / "settings.json").exists():
        sys.stdout.write("next     commit them; `datakeel schema --settings` prints what an editor is told\n")
    return EXIT_DONE


def _one(arguments: Namespace) -> str:
    from agent.cli import schema_files, shared
    from agent.definitions.load import available, load_platform
    from agent.definitions.places import did_you_mean
    from agent.errors import UsageError
    from agent.report.escape import clean

    what = arguments.what
    if what == _CONFIGURATION:
        return schema_files.configuration_text()
    if what == _OVERLAY:
        return schema_files.overlay_text()
    if what == _DEFINITION:
        return schema_files.definition_text()
    folders = _folders(arguments, shared.schemas_of(arguments))
    found = available(folders)
    names = sorted({*found, *(name.partition("/")[0] for name in found)})
    if what not in names:
        raise UsageError(f"there is no platform {clean(what, 60)!r}", fix=did_you_mean(what, names))
    return schema_files.umbrella_text(load_platform(what, extra_folders=folders))


def _folders(arguments: Namespace, given: list[Path]) -> list[Path]:
    """Where platforms are, also those that a configuration names; one that is not asked for need not be right."""
    from agent.cli.shared import config_of
    from agent.errors import ConfigError

    try:
        return list(config_of(arguments).schemas)
    except ConfigError:
        if arguments.config:
            raise
        return given
