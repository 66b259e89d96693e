"""Acts that need more than the leaky platform: a git server with a password, and the emulators of five platforms."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import yaml

from tests.canaries.keeping import BECOMING
from tests.canaries.stage import ROOT, Stage
from tests.unit.source.test_http import Server

PLATFORMS = ("datachain-studio", "datalinx", "dataloop", "dataops-live", "dataos")
_FORM = {"type": "key-value-properties", "acl": "r"}
DATAOS: dict[str, dict[str, Any]] = {
    "Secret": {"secret": {**_FORM, "data": {"a": "REF 1"}, "files": {"b": "REF 2"}}},
    "InstanceSecret": {"instance-secret": {**_FORM, "data": {"a": "REF 3"}, "files": {"b": "CLEAR 1"}}},
    "Depot": {
        "depot": {
            "type": "POSTGRESQL",
            "external": True,
            "postgresql": {"host": "h", "port": "1", "database": "d"},
            "connectionSecret": [{**_FORM, "data": {"a": "REF 4", "b": "CLEAR 2"}, "files": {"c": "REF 5"}}],
        }
    },
}
DATALINX = {"type": "postgres", "config": {"password": "REF 6", "private_key": "REF 7", "token": "CLEAR 3"}}


class EchoingGit(Server):
    """git behind a password; or a refusal whose text repeats the password, which git passes on."""

    password: ClassVar[str]
    echoes: ClassVar[bool]
    looks: ClassVar[Any]

    def _serve(self, body: bytes) -> None:
        self.looks()  # while git waits for this answer, it can be looked at
        _, _, word = self.headers.get("Authorization", "").partition(" ")
        user, _, given = base64.b64decode(word).decode().partition(":")
        if not word:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        elif self.echoes or given != self.password:
            said = f"no entry for {user} with {given}, that is {word}\n".encode()
            self.send_response(403)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
        else:
            self._backend(body)


def git_over_http(stage: Stage) -> None:
    """The repository behind a password, and a server that repeats the password when it refuses."""
    user = stage.keeper.reference("env", "git user", "git user", arrives=False)
    password = stage.keeper.reference("file", "git password", "git password", arrives=False)
    EchoingGit.root, EchoingGit.password = stage.repository.path.parent, stage.canary("git password")
    EchoingGit.echoes, EchoingGit.looks = False, stage.watch.look
    with _served() as port:
        credentials = f"{{username: {user}, password: {password}}}"
        source = f"{{url: 'http://127.0.0.1:{port}/repository', allow_http: true, credentials: {credentials}}}"
        stage.configure(source=source, rotation=", rotated")
        children = stage.watch.children
        said = stage.datakeel("apply", "--yes", "-v", "--target", "header")
        assert "/repository" not in said, said
        assert stage.watch.children > children, "git was not seen at work"
        EchoingGit.echoes = True
        said = stage.datakeel("diff", "-v")
        assert "cannot be read" in said, said
        stage.datakeel("diff", "-o", "json", "-v")
        stage.keeper.reference("file", "git password", "a wrong password of git", arrives=False)
        said = stage.datakeel("run", "--once", "--log", "json", "-v")
        assert '"source.failed"' in said and "cannot be read" in said, said


@contextmanager
def _served() -> Iterator[int]:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), EchoingGit)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield listening.server_port
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def five_platforms(stage: Stage) -> None:
    """The samples of every platform, and secrets in every place where a definition says that there may be one."""
    token = stage.canary("token of the five platforms", kept=BECOMING)
    state = stage.folder / "platform.db"
    words = ["sandbox", "--port", "0", "--token", token, "--no-limits", "--state", str(state)]
    log = stage.folder / "sandbox.log"
    with log.open("wb") as stream:
        sandbox = subprocess.Popen(
            [sys.executable, "-m", "agent", *words],
            stdout=stream,
            stderr=stream,
            env=stage.environment,
            cwd=stage.folder,
        )
    try:
        port = _port(log.read_text)
        folder = stage.folder / "five"
        shutil.copytree(ROOT / "manifests", folder / "manifests")
        config = _five(stage, port, token)
        _play_five(stage, folder, config, "")
        _play_five(stage, folder, config, ", rotated")
    finally:
        sandbox.kill()
        sandbox.wait()
    content = b"".join(file.read_bytes() for file in stage.folder.glob("platform.db*"))
    for number in range(1, 8):
        value = stage.canary(f"secret of a platform, REF {number}, rotated")
        forms = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
        assert any(form.encode() in content for form in forms), f"REF {number} was rotated and did not arrive"


def _play_five(stage: Stage, folder: Any, config: dict[str, Any], rotation: str) -> None:
    for number in range(1, 8):
        name = f"secret of a platform, REF {number}{rotation}"
        stage.keeper.variables[f"FIVE_{number}"] = stage.canary(name, awkward=True, kept=BECOMING)
    for kind, spec in DATAOS.items():
        _manifest(
            stage,
            folder / "manifests" / "dataos" / f"{kind.lower()}.json",
            "dataos/v1",
            kind,
            {"version": "v1", **spec},
        )
    _manifest(stage, folder / "manifests" / "datalinx" / "source.json", "datalinx/v1", "Source", DATALINX)
    (folder / "datakeel.yaml").write_text(json.dumps(config))
    where = ("--config", str(folder / "datakeel.yaml"))
    if not rotation:
        stage.datakeel("diff", "--full", "-v", *where)
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "five")):
            subprocess.run(["git", *words], cwd=folder, env=stage.environment, check=True)
        stage.datakeel("apply", "--yes", "-v", *where)
        stage.datakeel("logs", "Job/embed-images", "--target", "datachain-studio", *where)
        stage.datakeel("get", "ServiceAccount", "--target", "datalinx", "-o", "json", *where)
        return
    said = stage.datakeel("diff", "--fresh", "-o", "json", *where)
    changes = json.loads(said[: said.rindex("\n}") + 2])["changes"]
    changed = sorted(
        field["pointer"] for change in changes if change["cause"] == "secret" for field in change["fields"]
    )
    assert len(changed) == 7, f"{changed} changed where 7 secrets were rotated"
    stage.datakeel("run", "--once", "--log", "json", "-v", *where)
    for platform, name in (("dataos", "Secret/canary"), ("dataos", "Depot/canary"), ("datalinx", "Source/canary")):
        stage.datakeel("get", name, "--fresh", "--target", platform, *where)
        stage.datakeel("history", name, "--target", platform, *where)


def _manifest(stage: Stage, path: Any, version: str, kind: str, spec: dict[str, Any]) -> None:
    metadata = {"name": "canary"} | ({"workspace": "shop"} if kind == "Source" else {})
    text = json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
    for number in range(1, 8):
        text = text.replace(f'"REF {number}"', json.dumps({"secretRef": f"s{number}"}))
        clear = stage.canary(f"in clear on a platform, {number}", awkward=True, kept=("cache: git objects",))
        text = text.replace(f'"CLEAR {number}"', json.dumps(clear))
    path.write_text(text)


def _five(stage: Stage, port: int, token: str) -> dict[str, Any]:
    """The configuration that the sandbox itself suggests, with its secrets and a state of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "sandbox", "--print-config", "--port", str(port)],
        capture_output=True,
        text=True,
        check=True,
        env=stage.environment,
    )
    config: dict[str, Any] = yaml.safe_load(done.stdout)
    config["targets"] = {name: config["targets"][name] for name in PLATFORMS}
    config["state"] = f"sqlite:///{stage.folder / 'state' / 'five.db'}"
    for target in config["targets"].values():
        target["secrets"] = {f"s{number}": {"env": f"FIVE_{number}"} for number in range(1, 8)} | target.get(
            "secrets", {}
        )
        target |= {"ready_timeout": "5s", "budget": "off"}
        for reference in target["credentials"].values():
            stage.keeper.variables[reference["env"]] = token
    stage.keeper.variables["SHOP_DB_PASSWORD"] = stage.canary("password of the sample's shop", kept=BECOMING)
    return config


def _port(said: Any, seconds: float = 60.0) -> int:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for line in said().splitlines():
            if "http://" in line:
                return int(line.partition("http://")[2].split()[0].rstrip("/").partition(":")[2].partition("/")[0])
        time.sleep(0.05)
    raise AssertionError(said())
