"""The pages of reference that are made from what they speak of: `python -m tests.docs.reference` writes them anew.

Words of files come from their schemas, kinds from the definitions, codes from the page that explains them, lines of the
log from the program's text. `test_reference.py` holds what is written to what would be.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from agent.definitions.load import available, load_platform
from agent.definitions.platform import Kind, Platform
from agent.definitions.promise_words import cannot
from agent.definitions.schema_words import Said
from agent.definitions.setting_words import FILES, settings
from agent.json_schema import Schema
from agent.reconcile import telling
from agent.viewing.error_codes import explanations
from tests.docs.log_words import SAID
from tests.sessions.session import ROOT

FOLDER = ROOT / "agent" / "docs" / "reference"
MADE = "*Made by `python -m tests.docs.reference`; a test holds it to the program.*"
_FILES = {
    "datakeel.yaml": "the [configuration](configuration.md)",
    "platform.yaml": "the [definition of a platform](platforms.md)",
    "overlay": "an [overlay](../how-to/overlays.md)",
}
_LEVELS = ("info", "warning", "exception")


def made() -> dict[Path, str]:
    """Every page of this kind with its text."""
    platforms = [load_platform(name) for name in sorted(available())]
    pages = {
        "settings.md": _settings(),
        "codes.md": _codes(),
        "log.md": _log(),
        "kinds/README.md": _platforms(platforms),
        **{f"kinds/{platform.name}.md": _kinds(platform) for platform in platforms},
    }
    return {FOLDER / name: text for name, text in pages.items()}


@cache
def logged() -> dict[str, tuple[set[str], set[str]]]:
    """Each event of the log with its levels and members, from the calls that write it."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for path in sorted((ROOT / "agent").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "structlog" in text else ():
            if isinstance(node, ast.Call):
                for event, level, told in _events_of(node):
                    levels, members = found.setdefault(event, (set(), set()))
                    levels.add(level)
                    members |= told
    for event in telling._EVENTS.values():
        found[event] = ({"info"} if event in ("change.applied", "change.skipped") else {"warning"}, _OF_A_CHANGE)
    return dict(sorted(found.items()))


_OF_A_CHANGE = {"target", "kind", "name", "action", "cause", "status", "message"}
_OF_A_HISTORY = {"target", "revision", "before"}


def _events_of(call: ast.Call) -> Iterator[tuple[str, str, set[str]]]:
    words = [each.value for each in call.args[:2] if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    named = [word for word in words if re.fullmatch(r"[a-z_]+\.[a-z_]+", word)]
    if isinstance(call.func, ast.Attribute) and call.func.attr in _LEVELS and named:
        level = "error" if call.func.attr == "exception" else call.func.attr
        yield named[0], level, {word.arg for word in call.keywords if word.arg}
    elif isinstance(call.func, ast.Name) and call.func.id == "_tell" and named:
        yield named[0], "warning", _OF_A_HISTORY


def _settings() -> str:
    lines = _head(
        "Words of files",
        "Every word that a person may write, from the schemas that editors read and files are held to.",
        "`datakeel explain WORD` tells the same, with the variable that sets it.",
    )
    for file, what in _FILES.items():
        lines += ["", f"## {file}", "", f"The words of {what}.", "", "| word | type | it is |", "| --- | --- | --- |"]
        for name, member, said in settings(file):
            more = [f"One of {', '.join(said.choices)}."] if said.choices else []
            more += [f"For example `{said.examples[0]}`."] if said.examples else []
            needed = ", must be there" if member.required else ""
            lines.append(f"| `{name}` | {member.type}{needed} | {_cell(' '.join([member.description, *more]))} |")
    assert set(_FILES) == set(FILES)
    return "\n".join(lines) + "\n"


def _codes() -> str:
    lines = _head(
        "Index of error codes",
        "What stands in `error[…]`, in a sentence each; [error codes](errors.md) says what to do about it,",
        "and so does `datakeel explain CODE`.",
    )
    lines += ["", "| code | means |", "| --- | --- |"]
    for code, text in sorted(explanations().items()):
        first = re.split(r"(?<=[.:]) ", " ".join(re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text).split()), maxsplit=1)[0]
        lines.append(f"| [`{code}`](errors.md#{code}) | {_cell(first)} |")
    return "\n".join(lines) + "\n"


def _log() -> str:
    lines = _head(
        "Lines of the log",
        "`datakeel run` writes one line for each of these: for people on a terminal, else a JSON object with",
        "`ts`, `level`, `event` and the members named here. `datakeel apply -o jsonl` writes the events of one",
        "apply, by the [schema](../../../schemas/events.schema.json) `datakeel.events/1`.",
    )
    lines += ["", "| event | level | says | members |", "| --- | --- | --- | --- |"]
    for event, (levels, members) in logged().items():
        named = ", ".join(f"`{member}`" for member in sorted(members))
        lines.append(f"| `{event}` | {', '.join(sorted(levels))} | {_cell(SAID[event])} | {named} |")
    return "\n".join(lines) + "\n"


def _platforms(platforms: list[Platform]) -> str:
    lines = _head("Kinds", "What each platform has, from its definition; `datakeel explain KIND` tells more of each.")
    lines += ["", "| platform | managed | observed only |", "| --- | --- | --- |"]
    for platform in platforms:
        managed = ", ".join(kind.name for kind in platform.kinds.values() if kind.managed)
        observed = ", ".join(kind.name for kind in platform.kinds.values() if not kind.managed)
        lines.append(f"| [{platform.api_version}]({platform.name}.md) | {managed} | {observed} |")
    return "\n".join(lines) + "\n"


def _kinds(platform: Platform) -> str:
    lines = [f"# Kinds of {platform.api_version}", ""]
    lines += [f"[Definition](../../../../schemas/{platform.name}/README.md) · [all platforms](README.md). {MADE}"]
    for kind in platform.kinds.values():
        lines += ["", f"## {kind.name}", "", *_kind(kind)]
    return "\n".join(lines) + "\n"


def _kind(kind: Kind) -> Iterator[str]:
    said = Said(Schema(kind.schema, kind.schema_path)) if kind.schema is not None else None
    if said is not None and said.description:
        yield from (said.description, "")
    named = ", ".join(["name", *(f"{word.word} (optional)" if word.optional else word.word for word in kind.scope)])
    yield f"Managed, named by {named}." if kind.managed else f"Observed only, named by {named}."
    members = said.members() if said is not None else []
    if members:
        yield from ("", "| in `spec` | type | it is |", "| --- | --- | --- |")
        for member in members:
            needed = ", must be there" if member.required else ""
            yield f"| `{member.name}` | {_cell(member.type)}{needed} | {_cell(member.description)} |"
    missing = cannot(kind) if kind.managed else ()
    if missing:
        yield from ("", f"Not promised: {'; '.join(missing)}.")
    if kind.actions:
        yield from ("", f"Actions: {', '.join(f'`{name}`' for name in kind.actions)}.")


def _head(title: str, *lines: str) -> list[str]:
    return [f"# {title}", "", *lines, "", MADE]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    pages = made()
    (FOLDER / "kinds").mkdir(exist_ok=True)
    for old in (FOLDER / "kinds").glob("*.md"):
        if old not in pages:
            old.unlink()
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
