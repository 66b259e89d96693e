"""The vendors' own clients, each in an environment of its own below ``.clients/``, which git ignores.

``python -m tests.platforms.clients [NAME …]`` makes those that are missing, all or the named ones; one that is there
already costs nothing. ``.ci/run`` does so while the tests are installed. The tests that drive a client ask for it by
:func:`needs`, and say this command where they are skipped. It runs before anything of the test installation is there,
so it imports the standard library only; where packages come from is pip's own business.

Nothing here is ever imported by the clients, nor they by us: they are run as processes of their own.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".clients"
COMMAND = "python -m tests.platforms.clients"

# What the Studio part of datachain imports: its command line, its client of the API, its local catalogue. All that
# it declares is 640 MB (pyarrow, pandas, numpy, the SDKs of three clouds), which take 95 s an environment on two cores;
# this is 60 MB and 20 s, once for all versions. The code that talks to the API is the vendor's, whole and untouched;
# what is left out works on data, which no sandbox has. None is pinned: a new release of one of them is met here as a
# user would meet it.
_STUDIO = (
    *("attrs", "cloudpickle", "dateparser", "dvc-data", "dvc-objects", "dvc-studio-client", "filelock", "fsspec"),
    *("iterative-telemetry", "jmespath", "lz4", "msgpack", "packaging", "platformdirs", "pydantic", "python-dateutil"),
    *("pyyaml", "requests", "shtab", "sqlalchemy", "tabulate", "tomlkit", "tqdm", "ujson", "websockets"),
)


_SHARED = FOLDER / "needed"
_SHARING = threading.Lock()


@dataclass(frozen=True)
class Client:
    """One client in one version. `needs` is installed in the place of all that it declares, once for all versions."""

    name: str
    requirement: str
    needs: tuple[str, ...] = ()
    python2: bool = False

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def interpreter(self) -> str:
        """The Python that runs it: of its own environment, or of the machine where venv does not know the version."""
        return python2() or "python2.7" if self.python2 else str(self.folder / "bin" / "python")

    @property
    def is_made(self) -> bool:
        stamp, started_by = self.folder / "made", self.folder / ("packages" if self.python2 else "bin/python")
        if self.needs and not _is_shared(self.needs):
            return False
        return stamp.is_file() and started_by.exists() and stamp.read_text(encoding="utf-8") == self._recipe()

    def run(
        self, *words: str | Path, home: Path, code: int | None = 0, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment (`python`, or a command that it brings), in `home` and with it as home.

        Fails the test when it ends otherwise than with `code`; None takes any end."""
        program, *rest = map(str, words)
        path = self.interpreter if program == "python" else str(self.folder / "bin" / program)
        done = subprocess.run(
            [path, *rest],
            cwd=home,
            env=self._environ(home) | dict(environ or {}),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        ended = f"{' '.join(map(str, words))[:200]} ended with {done.returncode}"
        assert code is None or done.returncode == code, f"{ended}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done

    def make(self) -> None:
        """Install it. What is half made has no stamp and is made anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.python2:
            self._install("--target", str(self.folder / "packages"), self.requirement)
        else:
            # An environment's own pip takes longer to install than most clients.
            without = ["--without-pip"] if _pip_serves_others() else []
            subprocess.run([sys.executable, "-m", "venv", *without, self.folder], check=True)
            if self.needs:
                self._install("--no-deps", self.requirement)
                self._share()
            else:
                self._install(self.requirement)
        (self.folder / "made").write_text(self._recipe(), encoding="utf-8")

    def _share(self) -> None:
        """What it needs, from a folder that is made by the first that needs it; its own packages come before those."""
        with _SHARING:
            if not _is_shared(self.needs):
                shutil.rmtree(_SHARED, ignore_errors=True)
                self._install("--target", str(_SHARED), *self.needs)
                (_SHARED / "made").write_text("\n".join(self.needs), encoding="utf-8")
        own = sysconfig.get_path("purelib", "venv", vars={"base": str(self.folder)})
        Path(own, "needed.pth").write_text(f"{_SHARED}\n", encoding="utf-8")

    def _install(self, *words: str) -> None:
        pip = [self.interpreter, "-m", "pip"]
        if not self.python2 and _pip_serves_others():
            pip = [sys.executable, "-m", "pip", "--python", self.interpreter]
        # Compiling all modules takes longer than installing them, and most are never imported.
        command = [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        done = subprocess.run(
            [*command, *words], env=self._environ(None), capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode:
            raise SystemExit(f"{self.name}: pip install {' '.join(words)}\n{done.stdout}{done.stderr}")

    def _recipe(self) -> str:
        # The place too, since an environment that was moved does not run.
        return "\n".join((str(self.folder), self.requirement, *self.needs, ""))

    def _environ(self, home: Path | None) -> dict[str, str]:
        """The machine's, without what leads Python elsewhere, and without telling the vendor."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environ |= {
            "DATACHAIN_NO_ANALYTICS": "1",
            "ITERATIVE_DO_NOT_TRACK": "1",
            "NO_COLOR": "1",
            "NO_PROXY": "127.0.0.1",
        }
        if home is not None:  # not for pip, whose cache and settings are the machine's
            environ |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
            environ |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
            if self.python2:
                # click, on Python 2, will not start where the locale is ASCII.
                environ |= {"PYTHONPATH": str(self.folder / "packages"), "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}
        return environ


CLIENTS: Mapping[str, Client] = {
    client.name: client
    for client in (
        Client("datachain-0.30.7", "datachain==0.30.7", _STUDIO),  # the version whose routes the API page prints
        Client("python-gitlab", "python-gitlab==8.6.0"),
        Client("dataos-sdk-py", "dataos-sdk-py==1.0.6"),
        Client("dlcli", "dlcli==0.7.1", python2=True),
        Client("datachain-newest", "datachain", _STUDIO),  # that of the day on which it is made
    )
}


def _is_shared(needs: Iterable[str]) -> bool:
    stamp = _SHARED / "made"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == "\n".join(needs)


@cache
def _pip_serves_others() -> bool:
    """Whether there is a pip here that installs into other environments, as it does since 22.3."""
    try:
        major, minor, *_ = metadata.version("pip").split(".")
    except metadata.PackageNotFoundError:
        return False
    return (int(major), int(minor)) >= (22, 3)


@cache
def python2() -> str | None:
    """A Python 2.7 that runs, for the one client that needs it: on the path, or among those of pyenv."""
    versions = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
    for found in (shutil.which("python2.7"), *glob.glob(f"{versions}/versions/2.7.*/bin/python2.7")):
        # A pyenv shim is there and does not run where no 2.7 is chosen.
        if (
            found
            and subprocess.run([found, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
        ):
            return found
    return None


def needs(name: str) -> pytest.MarkDecorator:
    """A mark for tests that drive a client: skipped, with the command that makes it, where it is not there."""
    import pytest

    client = CLIENTS[name]
    _wait_for_making()
    where = " (where there is a Python 2.7 with pip)" if client.python2 else ""
    return pytest.mark.skipif(not client.is_made, reason=f"{client.requirement} is made by `{COMMAND} {name}`{where}")


@cache
def _wait_for_making() -> None:
    """The command may run beside the tests, as in ``.ci/run``: they ask when it has ended."""
    if (FOLDER / "lock").exists():
        with _locked(fcntl.LOCK_SH):
            pass


@contextmanager
def _locked(how: int) -> Iterator[None]:
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("a") as file:
        fcntl.flock(file, how)
        yield


def main(chosen: Sequence[str]) -> int:
    unknown = sorted(set(chosen) - set(CLIENTS))
    if unknown:
        print(f"no client is named {', '.join(unknown)}; there are {', '.join(CLIENTS)}", file=sys.stderr)
        return 2
    with _locked(fcntl.LOCK_EX):
        _make_missing(CLIENTS[name] for name in chosen or CLIENTS)
    return 0


def _make_missing(wanted: Iterable[Client]) -> None:
    missing = [client for client in wanted if not client.is_made]
    if any(client.python2 for client in missing) and python2() is None:
        print("no Python 2.7 with pip here: left out " + ", ".join(each.name for each in missing if each.python2))
        missing = [client for client in missing if not client.python2]
    _make_all(missing)


def _make_all(missing: Iterable[Client]) -> None:
    """Two at a time: half of the time goes into waiting for the registry."""

    def make(client: Client) -> None:
        start = time.monotonic()
        client.make()
        print(f"{client.name}: made in {time.monotonic() - start:.0f} s", flush=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(make, missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
