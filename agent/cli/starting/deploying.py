"""An agent beside other containers: the examples of ``agent/docs/deploy`` with a user's targets put in.

Used by ``begin``. The deployed configuration follows the repository by its address, keeps its state on a volume, and
reads each credential from a file of its own, which these texts name and never hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent import __version__, yaml_io
from agent.cli.starting.config_text import config_text
from agent.cli.starting.filling import filled
from agent.cli.starting.repository import EXAMPLE_URL

FOLDER = "deploy"
_PLACES = {"compose": "/run/secrets", "systemd": "/run/secrets", "kubernetes": "/run/secrets/datakeel"}
_STATE = "sqlite:////var/lib/datakeel/state.db"
_OWN = "/opt/datakeel/platforms"


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is deployed: the targets of ``datakeel.yaml``, where the repository is, and folders of own platforms.

    ``schemas`` are as the configuration names them: seen from the folder that ``deploy/`` is made in.
    """

    targets: Mapping[str, Mapping[str, Any]]
    url: str | None
    branch: str
    prefix: str
    schemas: Sequence[str]

    @property
    def secrets(self) -> list[str]:
        """The files that hold a secret each, that of the repository first."""
        return ["git-token", *(name for name, _, _ in self._references())]

    def _references(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Each reference: the file for it, the target, and the words that lead to it."""
        for target, words in self.targets.items():
            for block in ("credentials", "secrets"):
                for name in words.get(block, {}):
                    yield f"{target}-{name}".lower(), target, (block, name)

    def config(self, kind: str) -> str:
        """The configuration that the agent is given."""
        place = _PLACES[kind]
        targets: dict[str, dict[str, Any]] = {}
        for name, words in self.targets.items():
            folder = "/".join(part for part in (self.prefix, words.get("folder", "")) if part)
            targets[name] = {**words, **({"folder": folder} if folder else {})}
        for file, target, (block, name) in self._references():
            targets[target] = {**targets[target], block: {**targets[target][block], name: {"file": f"{place}/{file}"}}}
        return config_text(targets, self.own, {}, self._source(kind))

    @property
    def own(self) -> list[str]:
        """Where folders of own platforms are found once deployed."""
        return [f"{_OWN}/{number}" for number, _ in enumerate(self.schemas, 1)]

    def _source(self, kind: str) -> str:
        reference = {"file": f"{_PLACES[kind]}/git-token"}
        source = {"url": self.url or EXAMPLE_URL, "branch": self.branch, "credentials": {"token": reference}}
        more: dict[str, Any] = {"state": _STATE}
        if kind == "kubernetes":
            more["server"] = {"listen": "off", "probes": "0.0.0.0:8643"}
        note = "" if self.url else "# the address of this repository\n"
        return note + yaml_io.dump({"source": source}) + yaml_io.dump(more)

    def files(self, kind: str) -> dict[str, str]:
        """All files of one way to deploy, by path."""
        return {"compose": self._compose, "kubernetes": self._kubernetes, "systemd": self._systemd}[kind]()

    def _compose(self) -> dict[str, str]:
        volume = "      - ./datakeel.yaml:/etc/datakeel/datakeel.yaml:ro"
        mounts = [f"      - ../{path}:{own}:ro" for path, own in zip(self.schemas, self.own, strict=True)]
        swaps = {
            "    secrets: [git-token, platform-token]": f"    secrets: [{', '.join(self.secrets)}]",
            volume: "\n".join([volume, *mounts]),
            "  platform-token: {file: ./secrets/platform-token}": self._lines("  {0}: {{file: ./secrets/{0}}}"),
        }
        return {
            f"{FOLDER}/compose.yaml": filled("deploy/compose.yaml", swaps),
            f"{FOLDER}/datakeel.yaml": self.config("compose"),
            f"{FOLDER}/.gitignore": "secrets/\n",
        }

    def _lines(self, form: str) -> str:
        return "\n".join(form.format(name) for name in self.secrets[1:])

    def _kubernetes(self) -> dict[str, str]:
        example = filled("deploy/kubernetes-agent.yaml", {})
        before, _, rest = example.partition("  datakeel.yaml: |\n")
        _, _, after = rest.partition("---\n")
        config = "".join(f"    {line}\n" for line in self.config("kubernetes").splitlines())
        command = "".join(f" --from-file={name}" for name in self.secrets)
        text = f"{before}  datakeel.yaml: |\n{config}---\n{after}"
        text = text.replace(" --from-file=git-token --from-file=platform-token", command)
        if not self.schemas:
            return {f"{FOLDER}/kubernetes.yaml": text}
        image = f"image: datakeel:{__version__}"
        copies = "".join(f"COPY {path} {own}\n" for path, own in zip(self.schemas, self.own, strict=True))
        build = f"# docker build -t datakeel-platforms -f {FOLDER}/Dockerfile .\nFROM datakeel:{__version__}\n{copies}"
        return {
            f"{FOLDER}/kubernetes.yaml": text.replace(image, "image: datakeel-platforms"),
            f"{FOLDER}/Dockerfile": build,
        }

    def _systemd(self) -> dict[str, str]:
        loads = self._lines("LoadCredential={0}:/etc/datakeel/{0}")
        swaps = {
            "LoadCredential=platform-token:/etc/datakeel/platform-token": loads,
            "Environment=DATAKEEL_TARGETS__ANALYTICS__CREDENTIALS__TOKEN__FILE=%d/platform-token": "\n".join(
                f"Environment=DATAKEEL_TARGETS__{_upper(target)}__{_upper(block)}__{_upper(name)}__FILE=%d/{file}"
                for file, target, (block, name) in self._references()
            ),
        }
        return {
            f"{FOLDER}/datakeel.service": filled("deploy/datakeel.service", swaps),
            f"{FOLDER}/datakeel.yaml": self.config("systemd"),
        }


def next_steps(kind: str, deployed: Deployed) -> str:
    """What a person does with the files, in one line."""
    names = ", ".join(deployed.secrets)
    if kind == "compose":
        return f"docker compose -f {FOLDER}/compose.yaml up -d, once {FOLDER}/secrets/ holds {names}"
    if kind == "kubernetes":
        return f"kubectl apply -f {FOLDER}/kubernetes.yaml, once the secret datakeel holds {names}"
    return f"{FOLDER}/datakeel.service and {FOLDER}/datakeel.yaml go to where their first lines say, beside {names}"


def _upper(word: str) -> str:
    return word.upper().replace("-", "_")
