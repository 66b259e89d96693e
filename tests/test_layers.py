"""Who may import whom, and which library has which home. This file is the law; `explanation/architecture.md` tells why.

Imports inside functions count like those at the top. An import for type checking only is held to the law of folders
too, since a reader follows it like any other; a library may be named there anywhere.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
AGENT = ROOT / "agent"

# Folder (or file) of agent/ -> what else of agent/ it may import.
LAW: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "tracing": {"model"},
    "model": {"errors"},
    "secrets": {"errors"},
    "yaml_io": {"errors", "model"},  # which names are those of secrets
    "cron": set(),
    "json_schema": {"errors", "model", "yaml_io", "cron"},
    "definitions": {"errors", "model", "json_schema", "yaml_io"},
    "policy": {"errors", "model", "cron", "report"},
    "config": {"errors", "model", "definitions", "json_schema", "policy", "secrets", "yaml_io"},
    "source": {"errors", "model", "clock", "secrets"},
    "validate": {"errors", "model", "definitions", "json_schema", "yaml_io"},
    "windows": {"model", "cron"},
    "editor": {"model", "definitions", "json_schema", "validate"},
    "drafting": {"errors", "model", "definitions", "json_schema", "yaml_io"},
    "importing": {"model", "definitions", "json_schema", "plan", "report", "validate", "yaml_io"},
    "plan": {"errors", "model", "definitions", "yaml_io"},  # a leaf may travel as YAML in text
    "live": {"errors", "model", "clock", "definitions", "secrets", "tracing", "yaml_io"},
    "apply": {
        "errors",
        "model",
        "clock",
        "definitions",
        "live",
        "plan",
        "secrets",
        "tracing",
    },  # the store is handed in
    "store": {"errors", "model", "clock"},
    "report": {"errors", "model"},
    "notify": {"errors", "model", "clock", "report"},
    "probing": {"errors", "model", "definitions", "json_schema", "live", "report"},
    "sandbox": set(),  # so that it cannot agree with our mistakes
    "reconcile": {
        *("errors", "model", "clock", "config", "definitions", "json_schema"),
        *("source", "validate", "plan", "live", "apply", "store", "report"),
        "policy",
        "tracing",
        "windows",
    },
    "viewing": {
        *("errors", "model", "clock", "definitions", "yaml_io"),
        *("validate", "plan", "live", "store", "report", "reconcile", "windows"),
    },
    "server": {"errors", "clock", "report"},  # what a request sets off is handed in
    # The door for programs: it calls as the agent does and decides nothing, so it needs neither `reconcile` nor
    # `source`. From `cli` it has the wiring of a target, so that a configuration means the same to both.
    "client": {
        *("errors", "model", "clock", "config", "definitions", "json_schema", "secrets"),
        *("validate", "plan", "live", "apply", "store", "cli"),
    },
    "__main__": {"cli"},
}
EVERYTHING = "cli"  # builds the parts, so it may name them all
SANDBOX_MAY_BE_NAMED_BY = {"cli/verbs/sandbox.py"}

# Library -> the folders and files that may import it. One library, one home.
HOMES: dict[str, set[str]] = {
    "apprise": {"notify/chat.py"},
    "alembic": {"store"},
    "cel_expr_python": {"policy/language.py"},
    "certifi": {"live/transport.py"},
    "croniter": {"cron.py"},
    "git": {"source/git.py"},
    "h11": {"live/sockets.py"},
    "httpx": {"live", "notify/client.py", "notify/webhook.py", "sandbox/serve.py"},  # the sandbox sends webhooks
    "jinja2": {"server/pages/render.py"},
    "jmespath": {"definitions/expressions"},
    "jsonschema": {"json_schema"},
    "jsonschema_rs": {"json_schema"},
    "jsonschema_specifications": {"json_schema"},
    "markdown_it": {"server/pages/markdown.py"},
    "markupsafe": {"server/pages/markdown.py", "server/pages/render.py"},
    "msgpack": {"live/packed.py"},
    "prometheus_client": {"server/metrics.py"},
    "psycopg": {"store/patience.py"},  # elsewhere SQLAlchemy speaks to it
    "opentelemetry": {"tracing.py"},
    "orjson": {"model/canonical.py", "store"},
    "re2": {"json_schema/patterns.py"},
    "referencing": {"json_schema"},
    "sqlalchemy": {"store"},
    "starlette": {"sandbox", "server"},
    # Events of what runs by itself; what a person asked for is told by `report`.
    "structlog": {
        *(
            "cli/logging.py",
            "cli/listening.py",
            "cli/reloading.py",
            "cli/spans.py",
            "source/wakeups.py",
            "live/budget.py",
            "apply/executor.py",
            "notify/sending.py",
        ),
        *(
            "reconcile/alerts.py",
            "reconcile/asked.py",
            "reconcile/failed.py",
            "reconcile/heads.py",
            "reconcile/loop.py",
            "reconcile/sweep.py",
            "reconcile/telling.py",
            "reconcile/tenure.py",
            "server/keys.py",
            "server/receivers.py",
        ),
    },
    "uvicorn": {"sandbox/server.py", "server/listener.py"},
    "watchfiles": {"source/wakeups.py"},
    "websockets": {"live/streams.py"},
    "yaml": {"yaml_io", "sandbox/dataos_bodies.py"},  # the sandbox has a reader of its own, on purpose
}
BROUGHT_BY = {"jsonschema_specifications": "jsonschema", "markupsafe": "jinja2"}
# Loaded only where somebody asked for it.
EXTRAS = {"apprise": "notify", "cel-expr-python": "policy", "opentelemetry-sdk": "otel", "psycopg": "postgresql"}
DISTRIBUTION = {
    "cel_expr_python": "cel-expr-python",
    "opentelemetry": "opentelemetry-sdk",
    "git": "gitpython",
    "prometheus_client": "prometheus-client",
    "re2": "google-re2",
    "jsonschema_rs": "jsonschema-rs",
    "markdown_it": "markdown-it-py",
    "yaml": "pyyaml",
}

# What decides is pure: no files, no network, no clock, no chance.
PURE = {"drafting", "editor", "importing", "model", "plan", "policy", "report"}
IMPURE = {
    *("asyncio", "http", "io", "os", "pathlib", "random", "secrets", "shutil", "signal", "socket", "subprocess"),
    *("tempfile", "threading", "time", "urllib", "uuid"),
}


class Import(NamedTuple):
    """One import statement: the file, relative to agent/, its line, and the module that it names."""

    path: str
    line: int
    module: str
    typing_only: bool

    @property
    def home(self) -> str:
        return self.path.partition("/")[0].removesuffix(".py")

    @property
    def place(self) -> str:
        return f"agent/{self.path}:{self.line}"


def imports() -> Iterator[Import]:
    for file in sorted(AGENT.rglob("*.py")):
        path = file.relative_to(AGENT).as_posix()
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for statement in node.body
            for inner in ast.walk(statement)
        }
        for node in ast.walk(tree):
            for module in _modules(node):
                yield Import(path, node.lineno, module, id(node) in for_types)


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        if node.level:
            return ["." * node.level + (node.module or "")]
        if node.module == "agent":
            return [f"agent.{alias.name}" for alias in node.names]
        return [node.module or ""]
    return []


ALL = tuple(imports())


def ours() -> Iterator[tuple[Import, str]]:
    """Imports of another part of agent/, with that part's name."""
    for one in ALL:
        words = one.module.split(".")
        if words[0] == "agent" and len(words) > 1 and words[1] not in (one.home, "__version__"):
            yield one, words[1]


def foreign() -> Iterator[tuple[Import, str]]:
    for one in ALL:
        library = one.module.split(".")[0]
        if library not in ("agent", "") and library not in sys.stdlib_module_names:
            yield one, library


def test_every_part_has_its_law() -> None:
    parts = {
        path.name.removesuffix(".py")
        for path in AGENT.iterdir()
        if (path.suffix == ".py" and path.name != "__init__.py") or (path / "__init__.py").exists()
    }
    assert parts - {EVERYTHING} == set(LAW), (
        "LAW in this file and the folders of agent/ differ: say what a new folder may import, strike what is gone"
    )


def test_every_part_imports_only_what_its_law_names() -> None:
    wrong = [
        f"{one.place}: {one.home}/ imports {one.module}; it may import {', '.join(sorted(LAW[one.home])) or 'nothing'}"
        for one, part in ours()
        if one.home in LAW and part not in LAW[one.home]
    ]
    assert not wrong, (
        "Hand the thing in as an argument, move the code to the folder that it belongs to, or, with a reason, change "
        "the law:\n" + "\n".join(wrong)
    )


def test_the_law_has_no_loop() -> None:
    done: set[str] = set()
    while len(done) < len(LAW):
        free = {part for part, may in LAW.items() if part not in done and may - {EVERYTHING} <= done}
        assert free, f"these parts may import each other in a circle: {', '.join(sorted(set(LAW) - done))}"
        done |= free


def test_the_law_allows_nothing_that_nobody_does() -> None:
    used = {(one.home, part) for one, part in ours()}
    spare = sorted(
        f"{part} -> {may}"
        for part, allowed in LAW.items()
        for may in allowed - {"errors", "model"}
        if (part, may) not in used
    )
    assert not spare, f"strike these from LAW, nobody needs them: {', '.join(spare)}"


def test_only_its_verbs_name_the_sandbox() -> None:
    wrong = [one.place for one, part in ours() if part == "sandbox" and one.path not in SANDBOX_MAY_BE_NAMED_BY]
    assert not wrong, f"the agent must not know that there is a sandbox: {', '.join(wrong)}"


def test_imports_are_written_in_full() -> None:
    wrong = [one.place for one in ALL if one.module.startswith(".")]
    assert not wrong, f"write `from agent.folder.module import name`: {', '.join(wrong)}"


def test_every_library_stays_at_home() -> None:
    wrong = [
        f"{one.place}: {library} lives in {', '.join(sorted(HOMES.get(library, set()))) or 'no file yet (see HOMES)'}"
        for one, library in foreign()
        if not one.typing_only and not any(_is_in(one.path, home) for home in HOMES.get(library, set()))
    ]
    assert not wrong, "Use what the library's home offers, or add it there:\n" + "\n".join(wrong)


def test_every_home_is_lived_in() -> None:
    lived_in = {
        (library, home) for one, library in foreign() for home in HOMES.get(library, ()) if _is_in(one.path, home)
    }
    empty = sorted(f"{library}: {home}" for library, homes in HOMES.items() for home in homes)
    empty = [line for line in empty if tuple(line.split(": ")) not in lived_in]
    assert not empty, f"strike these from HOMES, nobody imports the library there: {', '.join(empty)}"


def test_every_dependency_is_declared_and_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {line.split(">")[0].split("[")[0] for line in project["dependencies"]}
    used = {library for one, library in foreign() if not one.typing_only}
    needed = {DISTRIBUTION.get(BROUGHT_BY.get(library, library), BROUGHT_BY.get(library, library)) for library in used}
    assert needed - EXTRAS.keys() == declared, "pyproject.toml must list what agent/ imports, and nothing else"
    extras = {name: " ".join(lines) for name, lines in project["optional-dependencies"].items()}
    assert [name for name, extra in EXTRAS.items() if name not in needed or name not in extras[extra]] == []


def test_what_decides_is_pure() -> None:
    wrong = [
        f"{one.place}: {one.module}"
        for one in ALL
        if one.home in PURE and one.module.split(".")[0] in IMPURE and not one.typing_only
    ]
    assert not wrong, (
        "model/, plan/ and report/ touch nothing: let the caller read the file, the clock or the environment, and take "
        "the value as an argument:\n" + "\n".join(wrong)
    )


def _is_in(path: str, home: str) -> bool:
    return path == home or path.startswith(f"{home}/")
