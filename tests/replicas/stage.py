"""A cluster, a repository, the platform, and replicas: all that a case plays with, in one folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.postgresql import NAME, Cluster
from tests.replicas.front import Front
from tests.system.stage import ROOT, Stage, until, workflow

LEASE = 6.0
DEADLINE = 2.0
_CONFIG = """\
apiVersion: datakeel/v1
source: {{path: ., interval: {interval}}}
state: {{url: "{state}", password: {{env: STATE_PASSWORD}}}}
lease: {lease:g}s
targets:
{targets}"""
_TARGET = """\
  {name}:
    platform: dataos
    server: {server}
    credentials: {{token: {{env: DATAOS_TOKEN}}}}
    folder: manifests/{name}
    defaults: {{workspace: public}}
    prune: true
    drift: heal
    limits: {{deletes_max: 100, deletes_share_max: 1.0}}
    verify: 10s
    deadline: {deadline:g}s
    budget: {budget}
"""
# The judge's own record: every lease that was ever taken, by the clock of the database.
_RECORD = (
    "CREATE TABLE lease_log (target text, holder text, epoch integer, at double precision)",
    """CREATE FUNCTION log_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO lease_log VALUES (NEW.target, NEW.holder, NEW.epoch, extract(epoch FROM clock_timestamp()));
         RETURN NEW; END $$""",
    """CREATE TRIGGER log_lease AFTER UPDATE ON lease FOR EACH ROW WHEN (OLD.epoch <> NEW.epoch)
         EXECUTE FUNCTION log_lease()""",
)


class Replica:
    """One `datakeel run`. ``name`` is what the platform's log calls it."""

    def __init__(self, name: str, child: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.child = child
        self.log = log

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def events(self) -> list[dict[str, Any]]:
        lines = self.log.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def told(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each.get("event") == event]

    def send(self, number: int) -> None:
        self.child.send_signal(number)

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGCONT)
            self.child.send_signal(number)
        return self.child.wait(timeout=40)


class Replicas:
    """Use it with `with`. ``targets`` of ``each`` workflows; ``budget`` as the configuration writes one."""

    def __init__(
        self,
        folder: Path,
        *,
        targets: int = 6,
        each: int = 4,
        budget: str = "off",
        one_token: bool = False,
        interval: str = "2s",
    ) -> None:
        self.folder = folder
        self.names = [f"t{number}" for number in range(targets)]
        self.each = each
        self.budget = budget
        self.interval = interval
        self.one_token = one_token
        # Not below a folder of the tests: the server may have to run as somebody else, who must reach it.
        self.cluster = Cluster(Path(tempfile.mkdtemp(prefix="datakeel-postgresql-")), durable=True)
        self.front = Front(folder)
        self.git = Stage(folder / "git")
        self.replicas: list[Replica] = []
        self.wanted: dict[str, str] = {}
        self.committed = 0
        self.head = ""
        self.said: list[tuple[str, float]] = []  # what each commit was about, and when it was made
        self.others: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Replicas:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cluster.__enter__()
        self.front.__enter__()
        self.git.__enter__()
        self.configure(self.cluster.url())
        self.commit({f"{name}-w{number}": "0 1 * * *" for name in self.names for number in range(self.each)})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in (*(each.child for each in self.replicas), *self.others):
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.kill()
            child.wait()
        self.front.__exit__(kind, error, trace)
        self.cluster.__exit__(kind, error, trace)

    def configure(self, state: str, *, more: str = "") -> None:
        """``datakeel.yaml``, with the state where ``state`` says, and ``more`` lines for each target."""
        server, targets = self.front.server, ""
        for name in self.names:
            targets += _TARGET.format(name=name, server=server, deadline=DEADLINE, budget=self.budget) + more
        text = _CONFIG.format(state=state, lease=LEASE, targets=targets, interval=self.interval)
        (self.git.repository / "datakeel.yaml").write_text(text, encoding="utf-8")

    def commit(self, crons: dict[str, str]) -> None:
        """Workflows by name, with their schedules."""
        self.wanted |= crons
        files: dict[str, str | None] = {
            f"{name.partition('-')[0]}/{name}.json": workflow(name, cron) for name, cron in crons.items()
        }
        self.head = self.git.commit(files)
        self.said += [(name, time.time()) for name in crons]
        self.committed += 1

    def edit(self, number: int) -> None:
        """One more commit, to a workflow that follows from its number, of those that git still holds."""
        held = [f"{name}-w{each}" for each in range(self.each) for name in self.names]
        held = [name for name in held if name in self.wanted]
        self.commit({held[number % len(held)]: f"{number % 60} {number // 60 % 24} * * *"})

    def start(
        self, count: int = 1, *, environment: dict[str, str] | None = None, within: tuple[str, ...] = ()
    ) -> list[Replica]:
        """Agents, each with a name and a log of its own; ``within`` are words before the command."""
        made = []
        for _ in range(count):
            name = f"r{len(self.replicas) + 1}"
            log = self.folder / f"{name}.log"
            ours = {key: value for key, value in os.environ.items() if not key.startswith("DATAKEEL_")}
            token = "system-token-7d41" if self.one_token else f"system-token-7d41@{name}"
            ours |= {"DATAOS_TOKEN": token, "STATE_PASSWORD": "canary-state-8812", "PYTHONPATH": str(ROOT)}
            words = ["run", "--config", str(self.git.repository / "datakeel.yaml"), "--log", "json"]
            with log.open("wb") as stream:
                child = subprocess.Popen(
                    [*within, sys.executable, "-m", "agent", *words],
                    stdout=stream,
                    stderr=stream,
                    stdin=subprocess.DEVNULL,
                    cwd=self.folder,
                    env=ours | (environment or {}),
                )
            made.append(Replica(name, child, log))
            self.replicas.append(made[-1])
        return made

    def datakeel(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One verb beside the agents, run to its end."""
        ours = {key: value for key, value in os.environ.items() if not key.startswith("DATAKEEL_")}
        ours |= {"DATAOS_TOKEN": "system-token-7d41@person", "STATE_PASSWORD": "canary-state-8812"}
        return subprocess.run(
            [sys.executable, "-m", "agent", *words, "--config", str(self.git.repository / "datakeel.yaml")],
            capture_output=True,
            text=True,
            check=False,
            timeout=240.0,
            stdin=subprocess.DEVNULL,
            cwd=self.git.repository,
            env=ours | {"PYTHONPATH": str(ROOT)},
        )

    def record(self) -> None:
        """Begin the judge's record; the tables must be there."""
        until(lambda: self.query("SELECT 1 FROM pg_class WHERE relname = 'lease'"), "the tables of the store", 240.0)
        for statement in _RECORD:
            self.cluster.execute(statement, NAME)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.cluster.execute(sql, NAME)

    def leases(self) -> list[tuple[str, str, int, float]]:
        """Target, pid of the holder (0: nobody), epoch and moment of each lease that was taken, in order."""
        rows = self.query("SELECT target, holder, epoch, at FROM lease_log ORDER BY at")
        return [
            (target, int(str(holder).split("/")[1]) if holder else 0, epoch, at) for target, holder, epoch, at in rows
        ]

    def homes(self) -> dict[str, int | None]:
        """The pid of the process that is the home of each target."""
        rows = self.query("SELECT target, home FROM lease")
        return {target: int(str(home).split("/")[1]) if home else None for target, home in rows}

    def at_home(self, pid: int) -> list[str]:
        """The targets whose home is this process."""
        return [target for target, home in self.homes().items() if home == pid]

    def is_settled(self) -> bool:
        """Whether live is what git says, and no call is open."""
        open_calls = "SELECT 1 FROM journal WHERE closed_at IS NULL"
        return self.front.crons() == self.wanted and not self.query(open_calls)

    def settle(self, seconds: float = 60.0) -> None:
        """Until live is what git says; what is missing is named where it does not become so."""
        try:
            until(self.is_settled, "live is what git says", seconds)
        except AssertionError:
            live = self.front.crons()
            wrong = {name for name, cron in self.wanted.items() if live.get(name) != cron}
            raise AssertionError(f"not as git says, or a call open, after {seconds:g} s: {sorted(wrong)}") from None

    def lost(self) -> list[str]:
        """Targets whose live objects are not what git says."""
        live = self.front.crons()
        return sorted({name.partition("-")[0] for name, cron in self.wanted.items() if live.get(name) != cron})

    def edits(self, seconds: float, step: Callable[[int], None] | None = None, pause: float = 0.5) -> None:
        """Commits for so long, one after the other."""
        end, number = time.monotonic() + seconds, self.committed
        while time.monotonic() < end:
            self.edit(number)
            if step is not None:
                step(number)
            number += 1
            time.sleep(pause)


def pooler(stage: Replicas) -> str:
    """PgBouncer in transaction mode before the cluster; the URL through it."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = stage.cluster.folder
    (folder / "users.txt").write_text(f'"{NAME}" ""\n')
    settings = (
        "[databases]",
        f"{NAME} = host=127.0.0.1 port={stage.cluster.port} dbname={NAME} user={NAME}",
        "[pgbouncer]",
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any",
        f"auth_file = {folder}/users.txt\npool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 200",
        f"logfile = {folder}/pooler.log\npidfile = {folder}/pooler.pid\nquery_wait_timeout = 10",
    )
    (folder / "pooler.ini").write_text("\n".join(settings) + "\n")
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    command: Sequence[str] = (program, "-q", str(folder / "pooler.ini"))
    stage.others.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, user=stage.cluster.user, cwd="/"))
    return f"postgresql://{NAME}@127.0.0.1:{port}/{NAME}"
