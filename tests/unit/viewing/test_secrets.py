"""No page and no document shows a secret, though it stands in clear in git, live and in the platform's words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from tests.unit.reconcile.at_work import INTERVAL, AtWork, play_at_work
from tests.unit.reconcile.scene import Scene, workflow
from tests.unit.viewing.looking import Looking

IN_GIT, BY_HAND, KNOWN = "canary-in-git-5bd1", "canary-by-hand-93f7", "canary-known-to-all-41c0"


def with_password(value: str) -> bytes:
    spec = f'{{stack: "flare:7.0", envs: {{DB_PASSWORD: {value}}}}}'
    tail = f"\n  # never write {KNOWN} here\n  dag: [{{name: task, spec: {spec}}}]\n"
    return workflow("alpha", 1).split(b"\n  dag:")[0] + tail.encode()


def test_no_page_shows_what_is_secret(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at, scrub=lambda text: text.replace(KNOWN, "***"))
        await at.pass_time(2.0)
        spec = {"stack": "flare:7.0", "envs": {"DB_PASSWORD": BY_HAND}}
        change = {"workflow": {"dag": [{"name": "task", "spec": spec}]}}
        at.scene.sandbox.person_edit("workflow", "alpha", change, workspace="public")
        await at.pass_time(4 * INTERVAL)
        look.tail.take({"ts": "2026-01-01T00:00:00Z", "level": "error", "event": "x", "message": f"it said {KNOWN}"})
        paths, seen = ["/", "/resources?state=all", "/plan", "/history", "/events", "/health"], set[str]()
        while paths:
            path = paths.pop()
            seen.add(path)
            texts = [await look.page(path), str(await look.document(path))]
            for secret in (IN_GIT, BY_HAND, KNOWN):
                assert not any(secret in text for text in texts), (secret, path)
            links = re.findall(r'href="(/(?:resources|history)/[^"?#]+)"', texts[0])
            paths += {each + end for each in links for end in ("", "?live=now&logs=now")} - seen - set(paths)
        alpha = await look.document("/resources/main/Workflow/public/alpha?live=now")
        assert [row["path"] for row in alpha["leaves"] if row.get("git") == "(secret)"], "and it was there to be shown"
        assert alpha["state"] == "drifted" and len(seen) > 8

    def prepare(scene: Scene) -> None:
        scene.target.config = replace(scene.target.config, drift="report", verify_seconds=INTERVAL)

    play_at_work(tmp_path, {"alpha.yaml": with_password(IN_GIT)}, story, prepare=prepare)
