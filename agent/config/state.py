"""Where the configuration, the state store and the probes are: the little that ``status`` and ``history`` need to know.

Called by ``cli/verbs`` and by ``config.load``. Imports nothing heavy: the file is scanned for one key, and only a file
that is written unusually is parsed. Never checks the rest of the file.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import ConfigError

CONFIG_NAME = "datakeel.yaml"
FILE_SIZE_MAX = 1 << 20

_KEY_LINE = re.compile(rb"^(?:state|\"state\"|'state')[ \t]*:(.*)$", re.MULTILINE)
_PLAIN = re.compile(rb"[ \t]+(?:([A-Za-z0-9./][A-Za-z0-9./:_@+?=&%~-]*)|\"([^\"\\]+)\"|'([^']+)')[ \t]*(?:#.*)?\r?")
_BLOCK_MAPPING = re.compile(rb"(?:[ \t]*(?:#.*)?\r?\n|---[ \t]*(?:#.*)?\r?\n)*[A-Za-z\"']")


def find_config(path: Path | None, environ: Mapping[str, str], cwd: Path) -> Path:
    """``--config``, else ``DATAKEEL_CONFIG``, else ``datakeel.yaml`` here or above, as far as the repository goes."""
    named = path or (Path(environ["DATAKEEL_CONFIG"]) if environ.get("DATAKEEL_CONFIG") else None)
    if named is not None:
        return cwd / named
    folders = [cwd, *cwd.parents]
    root = next((depth for depth, folder in enumerate(folders) if (folder / ".git").exists()), 0)
    for folder in folders[: root + 1]:
        if os.path.lexists(folder / CONFIG_NAME):
            return folder / CONFIG_NAME
    searched = "here" if root == 0 else f"here or in the folders up to {folders[root]}"
    raise ConfigError(
        f"no {CONFIG_NAME} {searched}",
        code="config-missing",
        fix="`datakeel init` writes one; --config or DATAKEEL_CONFIG names one that lies elsewhere",
    )


def read_config_file(path: Path) -> bytes:
    """The bytes of the file, or the :class:`ConfigError` that says why not. Never blocks on a pipe."""

    def refuse(fault: str, code: str = "config-invalid", fix: str | None = None) -> ConfigError:
        from agent.errors import Where

        return ConfigError(f"the configuration {fault}", code=code, where=Where(str(path)), fix=fix)

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise refuse(
            "does not exist",
            "config-missing",
            "name another with --config or DATAKEEL_CONFIG; `datakeel init` writes one",
        ) from error
    except OSError as error:
        raise refuse(f"cannot be opened: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise refuse("is not a regular file")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(FILE_SIZE_MAX + 1)
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)
    if len(content) > FILE_SIZE_MAX:
        raise refuse(f"is larger than {FILE_SIZE_MAX} bytes")
    return content


def find_state(path: Path | None, environ: Mapping[str, str], cwd: Path) -> str:
    """The URL of the state store, as :func:`load_config` would give it, without reading anything else."""
    file = find_config(path, environ, cwd)
    folder = file.absolute().parent
    if environ.get("DATAKEEL_STATE"):
        return state_url(environ["DATAKEEL_STATE"], folder)
    content = read_config_file(file)
    return state_url(_state_of(content, file), folder)


def find_probes(path: Path | None, environ: Mapping[str, str], cwd: Path) -> str | None:
    """What the configuration says of ``server.probes``, unchecked; None where it says nothing of it."""
    if environ.get("DATAKEEL_SERVER__PROBES"):
        return environ["DATAKEEL_SERVER__PROBES"]
    file = find_config(path, environ, cwd)
    content = read_config_file(file)
    if b"probes" not in content:
        return None
    server = _parsed(content, file).get("server")
    probes = server.get("probes") if isinstance(server, dict) else None
    return probes if isinstance(probes, str) else None


def state_url(written: str | None, folder: Path) -> str:
    """What is written, as the store takes it: SQLite files absolute with four slashes, other databases unchanged.

    A plain path is relative to ``folder``. ``sqlite:///var/lib/x.db`` means ``/var/lib/x.db``, as in every other URL:
    read relative, it would put the store silently where a container loses it.
    """
    if written is None:
        return f"sqlite:///{folder / '.datakeel' / 'state.db'}"
    if written.startswith("sqlite:"):
        rest = written.removeprefix("sqlite:")
        if rest.startswith("//"):
            rest = "/" + rest.lstrip("/")
        written = rest
    elif "://" in written:
        return written
    return f"sqlite:///{os.path.normpath(folder / written)}"


def find_password(path: Path | None, environ: Mapping[str, str], cwd: Path) -> Any:
    """The reference to the state's password as it is written, and the folder that its paths are relative to.

    None where there is none; ``DATAKEEL_STATE`` holds all that it needs.
    """
    file = find_config(path, environ, cwd)
    if environ.get("DATAKEEL_STATE"):
        return None, file.absolute().parent
    from agent import yaml_io

    documents = yaml_io.load(read_config_file(file), yaml_io.CONFIG_BUDGET).documents
    top = documents[0].value if documents else None
    return password_of(top.get("state") if isinstance(top, dict) else None), file.absolute().parent


def written_state(state: Any) -> Any:
    """The URL, or path, that ``state`` is or names."""
    return state.get("url") if isinstance(state, dict) else state


def password_of(state: Any) -> Any:
    """The reference that ``state`` names, as it is written."""
    return state.get("password") if isinstance(state, dict) else None


def _state_of(content: bytes, file: Path) -> str | None:
    if _BLOCK_MAPPING.match(content.removeprefix(b"\xef\xbb\xbf")):
        lines = _KEY_LINE.findall(content)
        if not lines:
            return None
        value = _PLAIN.fullmatch(lines[0])
        if len(lines) == 1 and value:
            return next(group for group in value.groups() if group).decode("utf-8", "surrogateescape")
    state = written_state(_parsed(content, file).get("state"))
    return state if isinstance(state, str) else None


def _parsed(content: bytes, file: Path) -> dict[str, Any]:
    from agent import yaml_io

    documents = yaml_io.load(content, yaml_io.CONFIG_BUDGET).documents
    top = documents[0].value if documents else None
    if not isinstance(top, dict):
        from agent.errors import Where

        raise ConfigError("the configuration cannot be read; `datakeel validate` tells why", where=Where(str(file)))
    return top
