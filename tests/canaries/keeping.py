"""Where the secrets of a play are kept: variables, files, commands, files that sops and age encrypted."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

from tests.canaries.catalogue import Catalogue

# Programs that an operator's own command is made of: they inherit what it does.
OF_COMMANDS = tuple(f"{sink}: {name}" for sink in ("dump", "child") for name in ("exec", "sops", "age", "cat"))
# `env -i` and `prlimit` become git at once; until then they have what the agent has, which the same people may read.
BECOMING = ("child: env", "child: prlimit")


class Keeper:
    """``variables`` are what an agent is started with. The real sops and age run where both are installed."""

    def __init__(self, folder: Path, canary: Catalogue) -> None:
        self._folder = folder
        self._canary = canary
        self._real = all(shutil.which(name) for name in ("sops", "age", "age-keygen"))
        self.variables: dict[str, str] = {}

    def reference(self, kind: str, name: str, secret: str, *more: str, arrives: bool = True) -> str:
        """Keep canaries, one a line, where a reference of this kind leads, and write the reference."""
        awkward = secret.startswith("secret")
        kept = BECOMING if kind == "env" else ()
        value = "\n  ".join(self._canary(each, awkward=awkward, arrives=arrives, kept=kept) for each in (secret, *more))
        word = "".join(character if character.isalnum() else "_" for character in name)
        if kind == "env":
            self.variables[f"KEPT_{word}"] = value
            return f"{{env: KEPT_{word}}}"
        file = self._folder / "kept" / word
        file.write_text(value + "\n", encoding="utf-8")
        file.chmod(0o600)
        if kind == "file":
            return f"{{file: {file}}}"
        command = self._command(kind)
        if kind == "exec":
            return f"{{exec: [{command}, {file}]}}"
        identity = self._identity()
        if self._real:
            self._encrypt(kind, file, identity)
        return f"{{{kind}: {{file: {file}, identity: {identity}}}}}"

    def _command(self, name: str) -> Path:
        """A command that notes its words and its environment, and then is the real one, or prints the file."""
        path = self._folder / "bin" / name
        real = shutil.which(name) if self._real and name != "exec" else None
        last = f'exec {real} "$@"' if real else 'for file; do :; done; exec cat "$file"'
        dump = self._folder / "dumps" / name
        says = path.with_suffix(".says")
        says.write_text(self._canary(f"standard error of {name}"))
        path.write_text(
            f'#!/bin/sh\ncat /proc/$$/environ /proc/$$/cmdline >> {dump}\necho "$(cat {says})" >&2\n{last}\n'
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def _identity(self) -> Path:
        identity = self._folder / "kept" / "identity"
        if not identity.exists():
            if self._real:
                subprocess.run(["age-keygen", "-o", str(identity)], check=True, capture_output=True)
            else:
                identity.write_text("none\n")
            identity.chmod(0o600)
        return identity

    def _encrypt(self, kind: str, file: Path, identity: Path) -> None:
        done = subprocess.run(["age-keygen", "-y", str(identity)], check=True, capture_output=True, text=True)
        public, plain = done.stdout.strip(), file.with_suffix(".plain")
        file.replace(plain)
        words = {
            "age": ["age", "-r", public, "-o", str(file), str(plain)],
            "sops": ["sops", "--encrypt", "--age", public, "--output", str(file), str(plain)],
        }
        subprocess.run(words[kind], check=True, capture_output=True)
        plain.unlink()
