"""Rules where the extra is not installed: nothing is planned without them, and it is told what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONFIG = """\
apiVersion: datakeel/v1
source: {path: .}
targets: {analytics: {platform: dataos, folder: manifests}}
"""
PROGRAM = (
    "import sys; sys.modules['cel_expr_python'] = None; from agent.cli.main import main; sys.exit(main(['validate']))"
)


def validated(folder: Path, policy: str) -> subprocess.CompletedProcess[str]:
    (folder / "manifests").mkdir(exist_ok=True)
    (folder / "datakeel.yaml").write_text(CONFIG + policy)
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_configuration_with_rules_is_refused_and_one_without_needs_nothing(tmp_path: Path) -> None:
    refused = validated(tmp_path, "policy: {rules: [{name: a, deny: 'false', message: m}]}\n")
    assert refused.returncode == 78
    assert "error[policy-library]" in refused.stderr and "pip install 'datakeel[policy]'" in refused.stderr
    assert validated(tmp_path, "").returncode == 0
