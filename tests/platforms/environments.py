"""Programs of other people, each in a virtual environment of its own below a folder that git ignores.

``clients`` names the vendors' own clients, ``servers`` real servers; each is a command that makes those that are
missing, and is told where a test that wants one is skipped. The commands run before anything of the test installation
is there, so this imports the standard library only; where packages come from is pip's own business.

Nothing here is ever imported by those programs, nor they by us: they are run as processes of their own.
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
_SHARING = threading.Lock()


@dataclass(frozen=True)
class Environment:
    """One program in one version, below `root`. `needs` is installed in the place of all that it declares, once for all
    environments of the root."""

    name: str
    requirement: str
    needs: tuple[str, ...] = ()
    python2: bool = False
    root: Path = ROOT

    @property
    def folder(self) -> Path:
        return self.root / self.name

    @property
    def interpreter(self) -> str:
        """The Python that runs it: of its own environment, or of the machine where venv does not know the version."""
        return python2() or "python2.7" if self.python2 else str(self.folder / "bin" / "python")

    @property
    def is_made(self) -> bool:
        stamp, started_by = self.folder / "made", self.folder / ("packages" if self.python2 else "bin/python")
        if self.needs and not self._is_shared():
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
            env=self.environ(home) | dict(environ or {}),
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
            if not self._is_shared():
                shutil.rmtree(self._shared, ignore_errors=True)
                self._install("--target", str(self._shared), *self.needs)
                (self._shared / "made").write_text("\n".join(self.needs), encoding="utf-8")
        own = sysconfig.get_path("purelib", "venv", vars={"base": str(self.folder)})
        Path(own, "needed.pth").write_text(f"{self._shared}\n", encoding="utf-8")

    @property
    def _shared(self) -> Path:
        return self.root / "needed"

    def _is_shared(self) -> bool:
        stamp = self._shared / "made"
        return stamp.is_file() and stamp.read_text(encoding="utf-8") == "\n".join(self.needs)

    def _install(self, *words: str) -> None:
        pip = [self.interpreter, "-m", "pip"]
        if not self.python2 and _pip_serves_others():
            pip = [sys.executable, "-m", "pip", "--python", self.interpreter]
        # Compiling all modules takes longer than installing them, and most are never imported.
        command = [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        done = subprocess.run(
            [*command, *words], env=self.environ(None), capture_output=True, text=True, timeout=600, check=False
        )
        if done.returncode:
            raise SystemExit(f"{self.name}: pip install {' '.join(words)}\n{done.stdout}{done.stderr}")

    def _recipe(self) -> str:
        # The place too, since an environment that was moved does not run.
        return "\n".join((str(self.folder), self.requirement, *self.needs, ""))

    def environ(self, home: Path | None) -> dict[str, str]:
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


def skipped_without(environment: Environment, command: str, where: str = "") -> pytest.MarkDecorator:
    """A mark for tests that run it: skipped, with the command that makes it, where it is not there."""
    import pytest

    _wait_for_making(environment.root)
    reason = f"{environment.requirement} is made by `{command} {environment.name}`{where}"
    return pytest.mark.skipif(not environment.is_made, reason=reason)


@cache
def _wait_for_making(root: Path) -> None:
    """The command may run beside the tests, as in ``.ci/run``: they ask when it has ended."""
    if (root / "lock").exists():
        with _locked(root, fcntl.LOCK_SH):
            pass


@contextmanager
def _locked(root: Path, how: int) -> Iterator[None]:
    root.mkdir(exist_ok=True)
    with (root / "lock").open("a") as file:
        fcntl.flock(file, how)
        yield


def make_missing(environments: Mapping[str, Environment], chosen: Sequence[str], what: str) -> int:
    """Make those that are chosen, or all, and not there yet. The exit status of the command that was asked."""
    unknown = sorted(set(chosen) - set(environments))
    if unknown:
        print(f"no {what} is named {', '.join(unknown)}; there are {', '.join(environments)}", file=sys.stderr)
        return 2
    wanted = [environments[name] for name in chosen or environments]
    for root in {environment.root for environment in wanted}:
        with _locked(root, fcntl.LOCK_EX):
            _make_missing(each for each in wanted if each.root == root)
    return 0


def _make_missing(wanted: Iterable[Environment]) -> None:
    missing = [environment for environment in wanted if not environment.is_made]
    if any(each.python2 for each in missing) and python2() is None:
        print("no Python 2.7 with pip here: left out " + ", ".join(each.name for each in missing if each.python2))
        missing = [each for each in missing if not each.python2]
    _make_all(missing)


def _make_all(missing: Iterable[Environment]) -> None:
    """Two at a time: half of the time goes into waiting for the registry."""

    def make(environment: Environment) -> None:
        start = time.monotonic()
        environment.make()
        print(f"{environment.name}: made in {time.monotonic() - start:.0f} s", flush=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(make, missing))
