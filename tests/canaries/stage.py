"""One play: a leaky platform, repositories, references of every sort, agents as processes, and what is left of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

from tests.canaries.catalogue import Catalogue
from tests.canaries.keeping import BECOMING, OF_COMMANDS, Keeper
from tests.canaries.leaky import ENCODINGS, Leaky
from tests.canaries.watch import Watch
from tests.unit.source.conftest import ENVIRONMENT as GIT_ENVIRONMENT
from tests.unit.source.conftest import Repo

ROOT = Path(__file__).parents[2]
SCHEMES = ("header", "basic", "query", "cookie", "login")
KINDS_OF_REFERENCE = ("env", "file", "exec", "sops", "age")
HISTORY = ("cache: git objects",)  # what stands in clear in a manifest is in git, and in our copy of it

CONFIG = """\
apiVersion: datakeel/v1
source: {source}
state: sqlite:///{state}
schemas: [{schemas}]
targets:
"""


class Stage:
    """Use it with `with`: it ends everything that it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.canary = Catalogue()
        self.repository = Repo(folder / "repository")
        self.state = folder / "state" / "state.db"
        for name in ("state", "kept", "home", "cache", "tmp", "bin", "dumps", "out"):
            (folder / name).mkdir()
        self.leaky = Leaky(
            self.canary("issued by the platform"),
            self.canary("token of a login", arrives=True),
            self.canary("of the shape of a token", form="glpat-{}"),
        )
        self.watch = Watch(folder / "tmp")
        proxy = self.canary("password of a proxy", kept=(*OF_COMMANDS, *BECOMING))
        self.keeper = Keeper(folder, self.canary)
        self.keeper.variables |= {
            # An `exec` inherits what no reference names; what reaches a network inherits the way out.
            "UNRELATED_PASSWORD": self.canary("a variable that nothing names", kept=(*OF_COMMANDS, *BECOMING)),
            "https_proxy": f"http://someone:{proxy}@127.0.0.1:9",
        }
        self.outputs: dict[str, bytes] = {}
        self.statuses: list[tuple[str, int]] = []

    def __enter__(self) -> Stage:
        self.leaky.__enter__()
        self.watch.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.watch.__exit__(kind, error, trace)
        self.leaky.__exit__(kind, error, trace)

    # What is configured

    def configure(
        self, *, source: str = "{path: ., interval: 1s}", rotation: str = "", hook: str = "", more: str = ""
    ) -> Path:
        """A target for each way to log in; the secrets of ``header`` are those of a ``rotation``.

        ``more`` are further keys of the whole.
        """
        credentials = {
            "header": {"key": "env", "actionKey": "file"},
            "basic": {"user": "env", "password": "file"},
            "query": {"queryKey": "exec"},
            "cookie": {"session": "sops"},
            "login": {"email": "env", "loginPassword": "age"},
        }
        text = CONFIG.format(source=source, state=self.state, schemas=Path(__file__).parent / "leaky")
        for scheme in SCHEMES:
            given = ", ".join(
                f"{name}: {self.keeper.reference(kind, name, f'credential {name}')}"
                for name, kind in credentials[scheme].items()
            )
            text += f"  {scheme}:\n    platform: leaky\n    server: {self.leaky.address}\n    folder: {scheme}\n"
            text += f"    credentials: {{{given}}}\n    secrets:\n"
            for kind in KINDS_OF_REFERENCE if scheme == "header" else ("env",):
                names = [f"secret {scheme} {kind}{rotation if scheme == 'header' else ''}"]
                if kind == "file":
                    names.append(f"{names[0]}, second line")
                text += f"      s-{kind}: {self.keeper.reference(kind, f'{scheme} {kind}', *names)}\n"
            if hook and scheme == "header":
                text += f"    hook: {{secret: {hook}}}\n"
        path = self.repository.path / "datakeel.yaml"
        path.write_text(text + more, encoding="utf-8")
        return path

    def manifests(self) -> None:
        """Vaults whose secrets are references, vaults whose secrets stand in clear, and vaults that are refused."""
        for scheme in SCHEMES:
            vaults: dict[str, dict[str, object]] = {}
            for kind in KINDS_OF_REFERENCE if scheme == "header" else ("env",):
                used = {"secretRef": f"s-{kind}"}
                vaults[f"of-{kind}"] = {"note": "a", "password": used, "files": {"one": used}}
            for encoding in ENCODINGS if scheme == "header" else ("raw", "base64"):
                status = {"url": 422, "html": 500}.get(encoding, 400)
                clear = self.in_clear(f"in a refused {encoding} of {scheme}")
                undeclared = {"settings": {"DB_TOKEN": self.in_clear(f"undeclared, {encoding} of {scheme}")}}
                files = {"one": {"secretRef": "s-env"}}
                vaults[f"echo-{encoding}-{status}"] = {"password": clear, "files": files, **undeclared}
            vaults["clear"] = {
                "password": self.in_clear(f"password of {scheme}"),
                "shown": self.in_clear(f"shown of {scheme}"),
                "files": {"one": self.in_clear(f"file of {scheme}")},
                "settings": self._undeclared(scheme),
            }
            for name, spec in vaults.items():
                self.manifest(scheme, name, spec)
            for name in ("heard", "unheard", "refused"):
                self.script(scheme, name)

    def manifest(self, scheme: str, name: str, spec: dict[str, object], kind: str = "Vault") -> None:
        document = {"apiVersion": "leaky/v1", "kind": kind, "metadata": {"name": f"{scheme}-{name}"}, "spec": spec}
        text = json.dumps(document, ensure_ascii=False, indent=1)
        self.repository.write(f"{scheme}/{scheme}-{name}.json", text)

    def script(self, scheme: str, name: str) -> None:
        """A file that is uploaded, with a secret in it as people leave them there."""
        secret = self.canary(f"in an uploaded file, {name} of {scheme}", kept=HISTORY)
        self.repository.write(f"files/{scheme}-{name}.py", f'API_KEY = "{secret}"\nprint(API_KEY)\n' * 3)
        self.manifest(scheme, name, {"file": f"files/{scheme}-{name}.py"}, "Script")

    def _undeclared(self, scheme: str) -> dict[str, object]:
        """Secrets that only their names give away."""
        return {
            "connection": {"user": "u", "password": self.in_clear(f"undeclared password of {scheme}")},
            "env": [{"name": "SMTP_TOKEN", "value": self.in_clear(f"undeclared token of {scheme}")}],
            "apiKeys": [self.in_clear(f"undeclared key of {scheme}")],
            "clientSecret": {"secretRef": "s-env"},
        }

    def in_clear(self, name: str) -> str:
        return self.canary(f"in clear, {name}", awkward=True, kept=HISTORY, arrives=True)

    def commit(self, message: str = "a change") -> str:
        self.repository.git("add", "-A")
        self.repository.git("commit", "-q", "--allow-empty", "-m", message)
        return self.repository.git("rev-parse", "HEAD")

    # What runs

    @property
    def environment(self) -> dict[str, str]:
        """Of an agent: the operator's secrets, and folders of its own."""
        return {
            **GIT_ENVIRONMENT,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": str(ROOT),
            **self.keeper.variables,
        }

    def start(self, *words: str, more: Mapping[str, str] | None = None, script: str | None = None) -> Running:
        """Start a verb; what it says goes into files."""
        number = len(self.statuses) + 1
        self.statuses.append((" ".join(words), -1))
        name = f"{number:02d} {' '.join(words)[:60]}"
        out, err = (self.folder / "out" / f"{number:02d}.{stream}" for stream in ("out", "err"))
        program = ["-c", script] if script else ["-m", "agent"]
        with out.open("wb") as stdout, err.open("wb") as stderr:
            child = subprocess.Popen(
                [sys.executable, *program, *words],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=self.repository.path,
                env=self.environment | dict(more or {}),
            )
        self.watch.agents.add(child.pid)
        return Running(self, child, name, number - 1, out, err)

    def datakeel(self, *words: str, more: Mapping[str, str] | None = None, script: str | None = None) -> str:
        """Run a verb to its end; what it printed on standard output and on standard error."""
        return self.start(*words, more=more, script=script).ended()

    # What is left

    def sinks(self) -> Iterator[tuple[str, bytes]]:
        """All that may be read of an agent's work, by name."""
        yield from self.outputs.items()
        yield from self.watch.seen.items()
        for folder, called in (("state", "state"), ("home", "home"), ("tmp", "temporary"), ("cache", "cache")):
            for file in sorted((self.folder / folder).rglob("*")):
                if file.is_file():
                    place = file.relative_to(self.folder / folder).as_posix()
                    called_here = "cache: git objects" if "/objects/" in f"/{place}" and folder == "cache" else called
                    yield f"{called_here}: {place}", file.read_bytes()
        for file in sorted((self.folder / "dumps").iterdir()):
            yield f"dump: {file.name}", file.read_bytes()


class Running:
    """A verb that runs."""

    def __init__(
        self, stage: Stage, child: subprocess.Popen[bytes], name: str, number: int, out: Path, err: Path
    ) -> None:
        self.stage, self.child, self.name, self.number, self.out, self.err = stage, child, name, number, out, err

    def said(self) -> str:
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    def ended(self, seconds: float = 120.0) -> str:
        """Wait for its end, and keep what it said."""
        status = self.child.wait(timeout=seconds)
        self.stage.watch.agents.discard(self.child.pid)
        self.stage.statuses[self.number] = (self.stage.statuses[self.number][0], status)
        self.stage.outputs[f"output: {self.name}"] = self.out.read_bytes()
        self.stage.outputs[f"error output: {self.name}"] = self.err.read_bytes()
        return self.said()

    def end(self) -> str:
        self.child.terminate()
        return self.ended()
