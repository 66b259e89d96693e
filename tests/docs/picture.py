"""The picture of a plan in README, made from what the program prints: `python -m tests.docs.picture`.

A small repository is applied to an emulator; then a commit changes, adds and removes manifests, and a person changes
another live object by hand.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from tests.docs.emulator import by_hand, free_port, switch
from tests.docs.reader import Reader
from tests.docs.terminal_svg import svg_of, text_of
from tests.sessions.session import HERE, ROOT, Processes, time_passes

PICTURE = ROOT / "agent" / "docs" / "plan.svg"
TITLE = "A plan: a delete with its proof, updates with the values before and after, a drift healed, the price in calls"
COMMAND = "datakeel diff"
_REPORT = """\
name: hourly-report
version: v1
type: workflow
description: Sums up the hour
workflow:
  schedule: {cron: "15 * * * *"}
  dag: [{name: report, spec: {stack: "flare:8.0", compute: runnable-default, stackSpec: {job: {explain: true}}}}]
"""
_VOLATILE = re.compile(r"p1-[0-9a-f]{32}|\b[0-9a-f]{7}\b|\b\d{4}-\d\d-\d\d\b")


def drawn(folder: Path, processes: Processes, port: int) -> str:
    """The picture as it is now."""
    server = f"http://127.0.0.1:{port}"
    environment = {"DATAOS_TOKEN": "sandbox-token", "DATAKEEL_TARGETS__ANALYTICS__SERVER": server}
    environment |= {"GIT_AUTHOR_NAME": "ann"}
    reader = Reader(folder, processes, environment)
    try:
        shutil.copytree(HERE / "shop", folder / "repo")
        reader.run(f"datakeel sandbox --platform dataos --port {port} --no-limits --control")
        switch(server, {"ready_after": 0})
        reader.run("cd repo && git init -q -b main && git add -A && git commit -qm first")
        reader.run("datakeel apply --yes -q")
        (folder / "repo" / "manifests" / "hourly.yaml").write_text(_REPORT, encoding="utf-8")
        reader.run("git rm -q manifests/weekly.yaml && sed -i 's/0 2 /0 3 /; s/flare:7/flare:8/' manifests/daily.yaml")
        time_passes(folder / "state.db", 7200)
        reader.run("git add -A && git commit -qm 'reports by the hour'")
        change = {
            "does": "edit",
            "type": "depot",
            "name": "orders",
            "change": {"depot": {"postgresql": {"port": "6432"}}},
        }
        by_hand(server, change)
        printed = reader.run(f"{COMMAND} --fresh --color always")
    finally:
        reader.close()
    return svg_of(COMMAND, printed, TITLE)


def worded(svg: str) -> str:
    """Its words, without what is another at each making."""
    return _VOLATILE.sub("…", text_of(svg))


def main() -> None:
    processes = Processes()
    try:
        with tempfile.TemporaryDirectory() as folder:
            PICTURE.write_text(drawn(Path(folder), processes, free_port()), encoding="utf-8")
    finally:
        processes.close()


if __name__ == "__main__":
    main()
