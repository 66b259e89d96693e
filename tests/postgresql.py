"""A real PostgreSQL for tests: a cluster made by ``initdb``, gone in the end. Without one they are skipped, and say so.

Processes of one test run share one cluster; each has a database of its own. The server refuses to run as root, so root
starts it as another user.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
_USERS = ("postgres", "nobody")
NAME = "keel"


def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: from the PATH, or where distributions put it."""
    found = shutil.which("initdb")
    if found is not None and (Path(found).resolve().parent / "postgres").exists():
        return Path(found).resolve().parent
    folders = [folder for place in _PLACES for folder in sorted(Path("/").glob(place[1:]))]
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


def why_not() -> str:
    """Why there is no PostgreSQL to test with; empty when there is one."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "the package psycopg is not installed"
    return "" if programs() is not None else "no PostgreSQL on this machine (initdb is not found)"


class Cluster:
    """One server on loopback. ``durable`` keeps its writes over a crash of the machine, which tests can do without."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.durable = durable
        self.port = 0
        self.child: subprocess.Popen[bytes] | None = None

    def url(self, database: str = NAME) -> str:
        return f"postgresql://{NAME}@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """``initdb``: loopback only, anybody there may connect."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        wanted = ("-U", NAME, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
        self._run(self._program("initdb"), "-D", self.data, *wanted)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (self.folder / "port").write_text(str(self.port))

    def start(self) -> None:
        """Ready to take connections when this returns."""
        loose = () if self.durable else ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
        settings = ("shared_buffers=16MB", "max_connections=80", f"unix_socket_directories={self.folder}", "jit=off")
        with (self.folder / "log").open("ab") as log:
            self.child = subprocess.Popen(
                [
                    self._program("postgres"),
                    *("-D", self.data, "-h", "127.0.0.1", "-p", str(self.port)),
                    *(part for setting in (*settings, *loose) for part in ("-c", setting)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
                extra_groups=None if self.user is None else [],
                start_new_session=True,
                cwd="/",
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._answers():
                return
            if self.child.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")

    def stop(self, number: int = signal.SIGINT) -> None:
        """SIGINT ends sessions and stops; SIGQUIT stops as a crash does, and the next start recovers."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and _is_alive(pid):
            time.sleep(0.02)
        if self.child is not None:
            self.child.wait(30)

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """One statement in a session of its own; its rows, if it has any."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def __enter__(self) -> Cluster:
        self.make()
        self.start()
        self.execute(f"CREATE DATABASE {NAME}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def user(self) -> str | None:
        if os.geteuid() != 0:
            return None
        known = {entry.pw_name for entry in pwd.getpwall()}
        return next(name for name in _USERS if name in known)

    def _program(self, name: str) -> str:
        folder = programs()
        assert folder is not None
        return str(folder / name)

    def _run(self, *command: object) -> None:
        group = None if self.user is None else pwd.getpwnam(self.user).pw_gid
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, user=self.user, group=group, cwd="/"
        )
        assert done.returncode == 0, done.stderr

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextlib.contextmanager
def shared_cluster() -> Iterator[Cluster]:
    """The cluster of this test run: the first process that needs it starts it, the last one that leaves ends it."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir()) / f"datakeel-postgresql-{run}"
    turn, users = folder.with_name("datakeel-postgresql.turn"), folder.with_suffix(".users")
    with users.open("a") as using:
        cluster = Cluster(folder)
        with _alone(turn):
            fcntl.flock(using, fcntl.LOCK_SH)
            if (folder / "port").exists():
                cluster.port = int((folder / "port").read_text())
            else:
                cluster.make()
                cluster.start()
        try:
            yield cluster
        finally:
            with _alone(turn):
                try:
                    fcntl.flock(using, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if cluster.child is not None:
                        cluster.child.returncode = 0  # another process still needs it, and will end it
                else:
                    cluster.stop(signal.SIGQUIT)
                    shutil.rmtree(folder, ignore_errors=True)
                    users.unlink()


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main() -> int:
    """``python -m tests.postgresql``: which server the tests use. 1, and what is left out, where there is none."""
    folder = programs()
    if folder is None:
        print("no PostgreSQL on this machine: tests of the store on a server, and of replicas, are left out")
        return 1
    version = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{version}, {folder}: the store is tested on it too")
    return 0


if __name__ == "__main__":
    sys.exit(main())
