"""A sandbox that is a process of its own on a free port, for clients that are processes of their own.

Used by the tests that run the vendors' clients; its controls are open, so that a test can click like a person and see
what was sent.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "secret"
_PROGRAM = """
import json, sys
from agent.sandbox import run_sandbox
run_sandbox(**json.loads(sys.argv[1]), on_listening=lambda address: print(address, flush=True))
"""


class SandboxProcess:
    """Where it listens, and its controls."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._control = httpx.Client(base_url=address, trust_env=False)

    def person_creates(self, *platform: str, **document: Any) -> None:
        """The platform is named where the sandbox has several."""
        words = {"platform": platform[0]} if platform else {}
        answer = self._control.post("/_sandbox/person", json={"does": "create", "document": document, **words})
        assert answer.status_code == 200, answer.text

    def create_token(self, **words: Any) -> str:
        answer = self._control.post("/_sandbox/tokens", json={"duration": "1h", **words})
        assert answer.status_code == 201, answer.text
        return answer.json()["value"]

    def add_fault(self, **fault: Any) -> None:
        assert self._control.post("/_sandbox/faults", json=[fault]).status_code == 200

    def switch(self, **switches: Any) -> None:
        """How the platform behaves by nature."""
        assert self._control.put("/_sandbox/switches", json=switches).status_code == 200

    def clear_faults(self) -> None:
        assert self._control.delete("/_sandbox/faults").status_code in (200, 204)

    def requests(self, after: int = 0) -> list[dict[str, Any]]:
        """What was asked since the request of that number."""
        return self._control.get("/_sandbox/requests", params={"after": after}).json()

    def close(self) -> None:
        self._control.close()


@contextlib.contextmanager
def sandbox_process(platform: str | list[str], **options: Any) -> Iterator[SandboxProcess]:
    """Runs until the block is left; `options` are those of `run_sandbox`."""
    words = json.dumps({"platform": platform, "port": 0, "token": TOKEN, "control": True, **options})
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the sandbox did not start"
        sandbox = SandboxProcess(address)
        yield sandbox
        sandbox.close()
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
