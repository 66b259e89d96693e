"""Real servers of other people, kept by the real command as a user types it: apply, drift, heal, prune, import.

What is played on each stands in ``real_servers.yaml``, over the samples in ``manifests/``. A person's own calls to the
server are the judge. The lightest server runs in ``.ci/run``; the others where their environment is there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jmespath
import pytest
import yaml

from agent.definitions.load import load_platform
from tests.platforms.servers import PASSWORD, SERVERS, USER, Running, needs, running
from tests.sessions.session import ROOT, Processes
from tests.system.drafted import called, lines_to_write

PLAYED: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("real_servers.yaml").read_text(encoding="utf-8"))
CANARY = "canary-of-a-real-server-51d0"
pytestmark = pytest.mark.slow


@dataclass
class Keeper:
    """Somebody with a repository and a shell, and the server that both are about."""

    folder: Path
    server: Running
    name: str
    processes: Processes

    @property
    def played(self) -> dict[str, Any]:
        return dict(PLAYED[self.name])

    @property
    def settled(self) -> float:
        """Seconds after a write from which on a difference is drift and no lag."""
        return max(kind.settle_seconds for kind in load_platform(self.name).kinds.values()) + 0.2

    def begin(self, repository: str, *, manifests: bool) -> Path:
        """A repository with a configuration and a state of its own, and with the samples if so said."""
        place = self.folder / repository
        place.mkdir()
        if manifests:
            shutil.copytree(ROOT / "manifests" / self.name, place / "manifests")
        secrets = {name: {"env": "A_SECRET"} for name in self.played.get("secrets", ())}
        target = {
            "platform": self.name,
            "server": self.server.address,
            "credentials": {"user": {"env": "A_USER"}, "password": {"env": "A_PASSWORD"}},
            "secrets": secrets,
            "folder": "manifests",
            "prune": True,
            "drift": "heal",
        }
        told = {"apiVersion": "datakeel/v1", "source": {"path": "."}, "targets": {"main": target}}
        told["state"] = f"sqlite:///{self.folder}/{repository}.db"
        (place / "datakeel.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
        self.git(place, "init", "-q", "-b", "main")
        return place

    def git(self, place: Path, *words: str) -> None:
        people = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(place), *people, *words], check=True, capture_output=True)

    def commit(self, place: Path, message: str) -> None:
        self.git(place, "add", "-A")
        self.git(place, "commit", "-q", "-m", message)

    def datakeel(self, place: Path, *words: str, code: int | None = 0) -> str:
        """What a command prints; it must end with `code` (None: any), and tell no secret."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATAKEEL_")}
        secrets = {"A_USER": USER, "A_PASSWORD": PASSWORD, "A_SECRET": CANARY}
        done = self.processes.run(words, place, inherited | secrets, self.folder)
        printed, said = done["out"].decode(), (done["out"] + done["err"]).decode()
        assert code in (None, done["status"]), f"datakeel {' '.join(words)} ended with {done['status']}\n{said}"
        assert CANARY not in said and PASSWORD not in said
        return printed

    def apply(self, place: Path) -> str:
        """What the last of at most three applies prints. Airflow over SQLite answers 500 to writes at one time: what is
        unknown then is looked at by the next pass, and made if it is not there."""
        for attempt in (1, 2, 3):
            said = self.datakeel(place, "apply", "--yes", "-q", code=None if attempt < 3 else 0)
            if " 0 failed, 0 unknown" in said:
                break
        return said

    def changes(self, place: Path) -> dict[str, str]:
        """What a diff shows, by object: its action. Nothing where all is in sync."""
        plan = json.loads(self.datakeel(place, "diff", "-o", "json"))
        assert [target.get("incomplete") for target in plan["targets"] if target.get("incomplete")] == []
        return {_named(change["key"]): change["action"] for change in plan["changes"] if change["action"] != "none"}

    def live(self) -> Any:
        looked = self.played["live"]
        return jmespath.search(looked["value"], self.server.call("GET", looked["path"]))

    def person(self, what: dict[str, Any]) -> None:
        method, _, path = what["request"].partition(" ")
        self.server.call(method, path, what["body"])


def _named(key: dict[str, Any]) -> str:
    return "/".join((key["kind"], *key.get("scope", {}).values(), key["name"]))


@pytest.fixture(scope="module", params=[pytest.param(name, marks=needs(name)) for name in PLAYED])
def keeper(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, processes: Processes
) -> Iterator[Keeper]:
    folder = tmp_path_factory.mktemp(request.param)
    with running(SERVERS[request.param], folder / "server") as server:
        yield Keeper(folder, server, request.param, processes)


def test_every_server_is_played() -> None:
    assert set(PLAYED) == set(SERVERS)


def test_a_real_server_is_kept_as_git_says(keeper: Keeper) -> None:
    """From nothing to a live server, and through all that befalls it; then back into an empty repository."""
    place = keeper.begin("repository", manifests=True)
    _is_made(keeper, place)
    _follows_git(keeper, place)
    _is_healed(keeper, place)
    _is_pruned(keeper, place)
    _comes_back_as_manifests(keeper)


def test_a_draft_and_a_probe_leave_few_lines_to_write(keeper: Keeper) -> None:
    """The server's own document, drafted, then asked by reads alone: what is missing of what we ship is counted."""
    played, shipped = keeper.played, ROOT / "schemas" / keeper.name
    if not (keeper.folder / "repository").exists():  # this test alone
        place = keeper.begin("repository", manifests=True)
        keeper.commit(place, "first manifests")
        keeper.apply(place)
    document, drafted = keeper.folder / "openapi.json", keeper.folder / "drafted"
    document.write_text(json.dumps(keeper.server.call("GET", SERVERS[keeper.name].openapi)), encoding="utf-8")
    words = ("--platform", keeper.name, "--kinds", played["draft"]["kinds"])
    keeper.datakeel(keeper.folder, "draft", str(document), "--out", str(drafted), *words)
    definition = drafted / "platform.yaml"
    text, edits = definition.read_text(encoding="utf-8"), 0
    for old, new in played["draft"].get("first", ()):
        assert text.count(old) == 1
        text, edits = text.replace(old, new), edits + new.count("\n") + (old not in new)
    definition.write_text(text, encoding="utf-8")
    edits += called(drafted, played["draft"].get("called", {}))
    credentials = [f"--credential={name}=env:A_{name.upper()}" for name in ("user", "password")]
    probed = keeper.datakeel(
        keeper.folder,
        "probe",
        str(drafted),
        "--server",
        keeper.server.address,
        *credentials,
        "--reads",
        "--write",
        code=None,
    )
    assert "reads only" in probed
    written = lines_to_write(drafted, shipped)
    told = re.search(r"(\d+) lines added", (shipped / "README.md").read_text(encoding="utf-8"))
    assert told is not None
    assert edits + len(written) <= int(told[1]) <= 30, "\n".join(written)


def _is_made(keeper: Keeper, place: Path) -> None:
    keeper.datakeel(place, "validate")
    planned = keeper.changes(place)
    assert planned and set(planned.values()) == {"create"}
    keeper.commit(place, "first manifests")
    keeper.apply(place)
    keeper.datakeel(place, "diff", "--detailed-exitcode")
    assert keeper.server.call("GET", keeper.played["removal"]["path"]) is not None


def _follows_git(keeper: Keeper, place: Path) -> None:
    edit = keeper.played["edit"]
    file = place / "manifests" / edit["file"]
    text = file.read_text(encoding="utf-8")
    assert text.count(edit["from"]) == 1 and keeper.live() != edit["shows"]
    file.write_text(text.replace(edit["from"], edit["to"]), encoding="utf-8")
    keeper.commit(place, "an edit")
    assert "1 applied, 0 failed, 0 unknown" in keeper.apply(place)
    assert keeper.live() == edit["shows"]


def _is_healed(keeper: Keeper, place: Path) -> None:
    time.sleep(keeper.settled)
    keeper.person(keeper.played["drift"])
    assert keeper.live() == keeper.played["drift"]["shows"]
    assert "changed live" in keeper.datakeel(place, "diff")
    keeper.datakeel(place, "run", "--once", "-q")
    assert keeper.live() == keeper.played["edit"]["shows"]


def _is_pruned(keeper: Keeper, place: Path) -> None:
    """What left git goes; what somebody else made stays."""
    removal, stranger = keeper.played["removal"], keeper.played["stranger"]
    keeper.person(stranger)
    (place / "manifests" / removal["file"]).unlink()
    keeper.commit(place, "nobody needs it")
    assert "1 applied, 0 failed, 0 unknown" in keeper.apply(place)
    assert keeper.server.call("GET", removal["path"]) is None
    assert keeper.server.call("GET", stranger["path"]) is not None
    keeper.datakeel(place, "diff", "--detailed-exitcode")


def _comes_back_as_manifests(keeper: Keeper) -> None:
    """Another repository, which knows nothing: what is live is imported, valid, no difference, and adopted as it is."""
    place = keeper.begin("imported", manifests=False)
    before = keeper.server.call("GET", keeper.played["stranger"]["path"])
    keeper.datakeel(place, "import", "-q")
    keeper.datakeel(place, "validate")
    found = keeper.changes(place)
    adopts = keeper.played.get("adopts", [])
    assert keeper.played["stranger"]["named"] in found
    assert {name: action for name, action in found.items() if action != "adopt"} == dict.fromkeys(adopts, "hold")
    keeper.commit(place, "what is there")
    if adopts:
        keeper.datakeel(place, "adopt", *adopts, "--yes")
    keeper.apply(place)
    keeper.datakeel(place, "diff", "--detailed-exitcode")
    assert keeper.server.call("GET", keeper.played["stranger"]["path"]) == before
