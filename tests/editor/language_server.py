"""The real yaml-language-server, spoken to as an editor does: the Language Server Protocol over its standard streams.

``python -m tests.editor.language_server`` installs it below ``.clients/``, which git ignores, in a few seconds; it
needs node and npm. ``.ci/run`` does so while the tests are installed. Where packages come from is npm's own business.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".clients" / "yaml-language-server"
COMMAND = "python -m tests.editor.language_server"
_VERSION = "2"  # the newest release of it is met here, as by those who install it
_PROGRAM = FOLDER / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
_STAMP = FOLDER / "made"
_ANSWER_SECONDS = 60.0


def is_made() -> bool:
    """Whether the server is there and can be started."""
    if shutil.which("node") is None:
        return False
    lock = FOLDER.parent / "lock-yaml-language-server"
    if lock.exists():  # the command may run beside the tests: wait for its end
        with lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
    return _STAMP.is_file() and _STAMP.read_text(encoding="utf-8") == _VERSION and _PROGRAM.is_file()


def needed() -> pytest.MarkDecorator:
    """A mark for tests that drive the server: skipped, with the command that makes it, where it is not there."""
    import pytest

    return pytest.mark.skipif(not is_made(), reason=f"yaml-language-server is made by `{COMMAND}` (needs node and npm)")


class LanguageServer:
    """One server with a workspace. ``schemas`` is ``yaml.schemas``: a schema file and the patterns of its documents."""

    def __init__(self, workspace: Path, schemas: Mapping[str, Any]) -> None:
        self._workspace = workspace
        self._settings = {
            "yaml": {
                "schemas": dict(schemas),
                "schemaStore": {"enable": False},  # asks a server on the network
                "validate": True,
                "hover": True,
                "completion": True,
            }
        }
        self._process = subprocess.Popen(
            ["node", str(_PROGRAM), "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": str(workspace)},
            cwd=workspace,
        )
        self._number = 0
        self._answers: Queue[dict[str, Any]] = Queue()
        self._faults: dict[str, Queue[list[dict[str, Any]]]] = {}
        self._versions: dict[str, int] = {}
        self._configured = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        root = workspace.as_uri()
        able = {"textDocument": {"completion": {"completionItem": {"documentationFormat": ["markdown"]}}}}
        able |= {"workspace": {"configuration": True}}
        self._ask("initialize", {"processId": os.getpid(), "rootUri": root, "capabilities": able})
        self._send({"method": "initialized", "params": {}})
        self._send({"method": "workspace/didChangeConfiguration", "params": {"settings": self._settings}})
        self._configured.wait(_ANSWER_SECONDS)
        self.show("first.yaml", "")  # is judged once the settings are in force
        self.faults("first.yaml")

    def close(self) -> None:
        """Stop it and wait for its end."""
        try:
            self._ask("shutdown", None)
            self._send({"method": "exit"})
            self._process.wait(timeout=_ANSWER_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(timeout=_ANSWER_SECONDS)
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()

    def show(self, path: str, text: str) -> None:
        """Open a document with this text, or change it; ``path`` is in the workspace and need not exist."""
        uri = (self._workspace / path).as_uri()
        queue = self._faults.setdefault(uri, Queue())
        while not queue.empty():
            queue.get_nowait()
        self._versions[uri] = version = self._versions.get(uri, 0) + 1
        if version == 1:
            document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
            self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        else:
            changed = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]}
            self._send({"method": "textDocument/didChange", "params": changed})

    def faults(self, path: str) -> list[dict[str, Any]]:
        """What the server finds wrong with the document as it was shown last. It says so once, a moment after that."""
        try:
            return self._faults[(self._workspace / path).as_uri()].get(timeout=_ANSWER_SECONDS)
        except Empty:
            raise AssertionError(f"the language server said nothing of {path} for {_ANSWER_SECONDS} s") from None

    def completions(self, path: str, line: int, character: int) -> dict[str, dict[str, Any]]:
        """What it offers at a place of a document that it knows, by label."""
        found = self._ask("textDocument/completion", self._place(path, line, character))
        items = found["items"] if isinstance(found, dict) else found or []
        return {item["label"]: item for item in items}

    def hover(self, path: str, line: int, character: int) -> str:
        """The text that it shows at a place; empty for none."""
        found = self._ask("textDocument/hover", self._place(path, line, character))
        contents = found["contents"] if found else ""
        return contents["value"] if isinstance(contents, dict) else str(contents)

    def _place(self, path: str, line: int, character: int) -> dict[str, Any]:
        where = {"line": line, "character": character}
        return {"textDocument": {"uri": (self._workspace / path).as_uri()}, "position": where}

    def _ask(self, method: str, params: Any) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        try:
            answer = self._answers.get(timeout=_ANSWER_SECONDS)
        except Empty:
            raise AssertionError(f"the language server did not answer {method} for {_ANSWER_SECONDS} s") from None
        assert answer["id"] == self._number and "error" not in answer, answer
        return answer["result"]

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self._process.stdin.flush()

    def _read(self) -> None:
        """Until the server ends. Its own questions are answered here; it waits for those."""
        stream = self._process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.partition(b":")[2]) if header.lower().startswith(b"content-length") else 0
            while stream.readline().strip():
                pass
            message = json.loads(stream.read(length))
            if "id" in message and "method" in message:
                self._send({"id": message["id"], "result": self._answer(message)})
            elif "id" in message:
                self._answers.put(message)
            elif message["method"] == "textDocument/publishDiagnostics":
                self._faults.setdefault(message["params"]["uri"], Queue()).put(message["params"]["diagnostics"])

    def _answer(self, message: Mapping[str, Any]) -> Any:
        if message["method"] == "workspace/configuration":
            self._configured.set()
            return [self._settings.get(item.get("section")) for item in message["params"]["items"]]
        return None


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / "lock-yaml-language-server").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if _STAMP.is_file() and _STAMP.read_text(encoding="utf-8") == _VERSION and _PROGRAM.is_file():
            return 0
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            print("no node with npm here: the language server was left out")
            return 0
        words = ["install", "--no-audit", "--no-fund", "--silent", "--prefix", str(FOLDER)]
        done = subprocess.run([npm, *words, f"yaml-language-server@{_VERSION}"], timeout=300, check=False)
        if done.returncode == 0:
            _STAMP.write_text(_VERSION, encoding="utf-8")
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
