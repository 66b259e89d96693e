"""The examples of deployment held to what is published: ``python -m tests.image.deploy``.

Kubernetes' own JSON Schemas, strict, of the oldest version that has native sidecars and of the newest that the package
`kubernetes-validate` carries; the Compose specification, as `check-jsonschema` carries it; the unit file by
`systemd-analyze`, where that is. Makes an environment of its own for the two packages. Exit 1 on any finding.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.image.dockerfile import ROOT

DEPLOY = ROOT / "agent" / "docs" / "deploy"
OLDEST = "1.29"
CHECK = """
import json, sys, kubernetes_validate
documents = json.load(sys.stdin)
for version in (sys.argv[1], kubernetes_validate.latest_version()):
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)
    print("Kubernetes", version, "ok:", len(documents), "documents")
"""


def manifests() -> dict[str, list[dict[str, object]]]:
    """Every document of the examples for Kubernetes, by file."""
    return {file.name: list(yaml.safe_load_all(file.read_text())) for file in sorted(DEPLOY.glob("kubernetes-*.yaml"))}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="datakeel-deploy-") as folder:
        tools = Path(folder) / "tools"
        subprocess.run([sys.executable, "-m", "venv", tools], check=True)
        subprocess.run([tools / "bin/pip", "install", "-q", "kubernetes-validate", "check-jsonschema"], check=True)
        every = json.dumps([document for documents in manifests().values() for document in documents])
        kubernetes = subprocess.run([tools / "bin/python", "-c", CHECK, OLDEST], input=every, text=True, check=False)
        words = [tools / "bin/check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"]
        compose = subprocess.run(words, check=False)
        return 1 if kubernetes.returncode or compose.returncode or unit(Path(folder)) else 0


def unit(folder: Path) -> int:
    """What systemd thinks of the unit file, with a command that is there in the place of ours."""
    if shutil.which("systemd-analyze") is None:
        print("not checked: the unit file, for want of systemd-analyze")
        return 0
    text = (DEPLOY / "datakeel.service").read_text().replace("/opt/datakeel/bin/datakeel", "/bin/true")
    place = folder / "datakeel.service"
    place.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", place], capture_output=True, text=True, check=False)
    wrong = [line for line in done.stderr.splitlines() if "datakeel.service" in line]
    print("\n".join(wrong) or "unit file ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
