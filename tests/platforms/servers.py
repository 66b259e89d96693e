"""Real servers of other people, each in an environment of its own below ``.servers/``, which git ignores.

``python -m tests.platforms.servers [NAME …]`` makes those that are missing, all or the named ones; ``.ci/run`` makes
the lightest. ``python -m tests.platforms.servers --serve NAME [PORT]`` starts one and says where it is, how to get in
and where it tells its own API document; it ends when it is told to.

A server is started on a free port of the loopback, with all that it keeps in a folder that the caller names, and is
ended with whatever it started. No account, no network.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.platforms.environments import ROOT, Environment, make_missing, skipped_without

if TYPE_CHECKING:
    import pytest

COMMAND = "python -m tests.platforms.servers"
USER, PASSWORD = "keeper", "canary-servers-3c9f"
READY_SECONDS = 200.0
_server = partial(Environment, root=ROOT / ".servers")


@dataclass(frozen=True)
class Start:
    """How one is started: files in its folder, variables, what is run before, and the command itself.

    ``{folder}`` and ``{port}`` stand in all of them for where it keeps things and where it listens.
    """

    ready: str
    command: tuple[str, ...]
    before: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """One server in one version. ``openapi`` is where it tells its own API document."""

    environment: Environment
    start: Start
    openapi: str
    login: str = ""  # where a token is to be had for user and password; else they are sent with each call

    @property
    def name(self) -> str:
        return self.environment.name


SERVERS: Mapping[str, Server] = {
    server.name: server
    for server in (
        Server(
            _server("kinto", "kinto==26.5.0"),
            Start(
                ready="/v1/__lbheartbeat__",
                command=("kinto", "start", "--ini", "{folder}/kinto.ini"),
                files={
                    "kinto.ini": """\
[server:main]
use = egg:waitress#main
host = 127.0.0.1
port = {port}
[app:main]
use = egg:kinto
kinto.userid_hmac_secret = of-a-test
multiauth.policies = basicauth
kinto.storage_backend = kinto.core.storage.memory
kinto.cache_backend = kinto.core.cache.memory
kinto.permission_backend = kinto.core.permission.memory
kinto.bucket_create_principals = system.Authenticated
kinto.bucket_write_principals = system.Authenticated
"""
                },
            ),
            openapi="/v1/__api__",
        ),
        Server(
            _server("prefect", "prefect==3.9.1"),
            Start(
                ready="/api/health",
                command=(
                    *("prefect", "server", "start", "--host", "127.0.0.1", "--port", "{port}"),
                    *("--no-ui", "--no-services"),
                ),
                variables={
                    "PREFECT_HOME": "{folder}",
                    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                    "PREFECT_SERVER_API_AUTH_STRING": f"{USER}:{PASSWORD}",
                    "DO_NOT_TRACK": "1",
                },
            ),
            openapi="/openapi.json",
        ),
        Server(
            _server("airflow", "apache-airflow==3.3.2"),
            Start(
                ready="/api/v2/monitor/health",
                before=("airflow", "db", "migrate"),
                command=("airflow", "api-server", "--host", "127.0.0.1", "--port", "{port}"),
                files={"passwords.json": json.dumps({USER: PASSWORD})},
                variables={
                    "AIRFLOW_HOME": "{folder}",
                    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
                    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": "{folder}/passwords.json",
                    "AIRFLOW__API_AUTH__JWT_SECRET": "of-a-test-" * 7,
                    "AIRFLOW__API__WORKERS": "1",
                },
            ),
            openapi="/openapi.json",
            login="/auth/token",
        ),
    )
}


class Running:
    """A server that runs, and a person's own calls to it."""

    def __init__(self, server: Server, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._server = server
        self._proof = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"

    def log_in(self) -> None:
        """Where calls want a token, have one from now on."""
        if self._server.login:
            given = self.call("POST", self._server.login, {"username": USER, "password": PASSWORD})
            self._proof = f"Bearer {given['access_token']}"

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What it answers; None where there is no such object. Any other refusal is raised."""
        headers = {"Authorization": self._proof, "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                said = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return None
                raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from error
        return json.loads(said) if said else {}


@contextmanager
def running(server: Server, folder: Path, port: int = 0) -> Iterator[Running]:
    """It, once it is ready; ended at last, with all that it started. ``folder`` is made, and holds its log."""
    port = port or _free_port()
    folder.mkdir(parents=True, exist_ok=True)
    fill = partial(_filled, folder=folder, port=port)
    start, environment = server.start, server.environment
    for name, text in start.files.items():
        (folder / name).write_text(fill(text), encoding="utf-8")
    environ = environment.environ(folder) | {name: fill(value) for name, value in start.variables.items()}
    programs = environment.folder / "bin"
    with (folder / "server.log").open("wb") as log:

        def launched(words: tuple[str, ...]) -> subprocess.Popen[bytes]:
            command = [str(programs / words[0]), *map(fill, words[1:])]
            return subprocess.Popen(
                command,
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

        if start.before:
            assert launched(start.before).wait(READY_SECONDS) == 0, _end_of(folder)
        child = launched(start.command)
        try:
            served = Running(server, port)
            _wait_until_ready(child, served.address + start.ready, folder)
            served.log_in()
            yield served
        finally:
            _end(child)


def needs(name: str) -> pytest.MarkDecorator:
    """A mark for tests of a server: skipped, with the command that makes it, where it is not there."""
    return skipped_without(SERVERS[name].environment, COMMAND)


def _filled(text: str, folder: Path, port: int) -> str:
    return text.replace("{folder}", str(folder)).replace("{port}", str(port))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_ready(child: subprocess.Popen[bytes], address: str, folder: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert child.poll() is None, f"it ended with {child.returncode}: {_end_of(folder)}"
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"it was not ready within {READY_SECONDS:g} s: {_end_of(folder)}")


def _end_of(folder: Path) -> str:
    return (folder / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:]


def _end(child: subprocess.Popen[bytes]) -> None:
    """It and whatever it started are one process group, which it leads."""
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(child.pid, number)
            child.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _serve(name: str, port: int) -> None:
    with tempfile.TemporaryDirectory() as folder, running(SERVERS[name], Path(folder), port) as served:
        print(f"{served.address} · {USER} · {PASSWORD} · {served.address}{SERVERS[name].openapi}", flush=True)
        signal.pause()


def main(words: list[str]) -> int:
    environments = {name: server.environment for name, server in SERVERS.items()}
    if words[:1] != ["--serve"]:
        return make_missing(environments, words, "server")
    if words[1:2] == [] or words[1] not in SERVERS:
        print(f"--serve NAME [PORT], where NAME is one of {', '.join(SERVERS)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _serve(words[1], int(words[2]) if words[2:] else 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
