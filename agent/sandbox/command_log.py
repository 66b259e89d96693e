"""What each named command asked, over all sandboxes of one run of tests: lines in a folder of the environment's.

A command says its verb in its User-Agent, ``datakeel/1.2.3 (diff)``. A suite sets the variable once, every sandbox in
its processes and in their children leaves lines, and at the end one look shows whether a verb that only reads ever did
more. Nothing is written without the variable.
"""

from __future__ import annotations

import json
import os
import re

from agent.sandbox.requests_log import Entry

VARIABLE = "SANDBOX_COMMANDS_FOLDER"  # not DATAKEEL_…: those override the configuration
_COMMAND = re.compile(r"datakeel/\S+ \(([a-z-]+)\)")


def note_command(platform: str, entry: Entry) -> None:
    """One JSON object a line: `verb`, `platform`, `method`, `path`, `status`, `commits` (how many changes it made)."""
    folder = os.environ.get(VARIABLE)
    command = _COMMAND.fullmatch(entry.agent) if folder else None
    if not folder or command is None:
        return
    line = {
        "verb": command[1],
        "platform": platform,
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
        "commits": len(entry.commits),
    }
    # Opened for each line: a suite makes thousands of sandboxes in one process, and most are never closed.
    file = os.open(os.path.join(folder, f"{os.getpid()}.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)  # noqa: PTH118
    try:
        os.write(file, json.dumps(line).encode() + b"\n")
    finally:
        os.close(file)
