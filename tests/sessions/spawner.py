"""A process that has imported datakeel once and forks for every command, so that a session's commands are real ones.

Started by ``session.Processes`` as ``python -m tests.sessions.spawner``. Reads orders, one JSON object a line, and
answers each with one line. A command gets a process, folder, environment and streams of its own; only the imports are
shared, and the empty store that a process makes once and copies.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import signal
import sys
import time
from importlib import import_module
from typing import Any, NoReturn

import agent
from agent.store.versions import fresh_file

_PATIENCE_SECONDS = 60  # unless the order has another: a command that hangs ends by SIGALRM, which none handles
_IMPORTED_LATE = ("concurrent.futures.thread", "git", "jsonschema_rs", "re2")  # by what needs them, not with a module


def main() -> None:
    for module in pkgutil.walk_packages(agent.__path__, "agent."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    for name in _IMPORTED_LATE:
        import_module(name)
    fresh_file()
    gc.freeze()  # what was imported is never collected, so that a fork shares its memory
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_obey(json.loads(line))) + "\n")
        sys.stdout.flush()


def _obey(order: dict[str, Any]) -> int | dict[str, Any]:
    """``start`` answers with a process id; ``run``, and ``stop`` of such a process, with how it ended.

    That is its ``status``, the processor ``seconds`` of it and its children, and the ``mebibytes`` of the largest.
    """
    if order["do"] == "stop":
        os.kill(order["pid"], signal.SIGTERM)
        return _ended(order["pid"])
    child = os.fork()
    if child == 0:
        _become(order)
    return child if order["do"] == "start" else _ended(child)


def _ended(pid: int) -> dict[str, Any]:
    _, status, used = os.wait4(pid, 0)
    seconds = used.ru_utime + used.ru_stime
    return {"status": os.waitstatus_to_exitcode(status), "seconds": seconds, "mebibytes": used.ru_maxrss / 1024}


def _become(order: dict[str, Any]) -> NoReturn:
    if order["do"] == "run":
        signal.alarm(order.get("patience", _PATIENCE_SECONDS))
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    for number, path in enumerate((os.devnull, order["stdout"], order["stderr"])):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode, encoding="utf-8") for number, mode in enumerate("rww"))  # noqa: SIM115
    os._exit(_status(order["words"]))


def _status(words: list[str]) -> int:
    """What the interpreter would end with."""
    from agent.cli.main import main as datakeel

    try:
        status = datakeel(words)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        status = 1
    atexit._run_exitfuncs()  # as the interpreter does in the end: the log's writer has lines to bring out
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    main()
