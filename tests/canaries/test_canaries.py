"""A short play: all ways to log in, all references, refusals that repeat them, a rotation, a crash. Nothing gets loose.

The whole, with webhooks, git over HTTP and the five platforms, is `python -m tests.canaries`.
"""

from __future__ import annotations

from pathlib import Path

from tests.canaries import acts
from tests.canaries.loose import found_loose, not_arrived
from tests.canaries.stage import Stage


def test_no_canary_gets_loose(tmp_path: Path) -> None:
    with Stage(tmp_path) as stage:
        acts.walk(stage)
        acts.rotate(stage)
        acts.crash(stage)
    count, size, hits = found_loose(stage)
    assert hits == []
    assert len(stage.canary) >= 45
    assert count >= 20
    assert size > 100_000
    assert not_arrived(stage) == []
    assert stage.watch.children, "no child was seen"
    # What the platform shows as asterisks is no value, and never comes back.
    assert not [told for told in stage.leaky.told if b"**" in told]


def test_the_search_of_a_play_would_find_what_got_loose(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    secret = stage.canary("a secret")
    right = stage.canary("in its place", kept=("state",))
    (tmp_path / "state" / "state.db").write_bytes(b"rows " + secret.encode() + right.encode())
    (tmp_path / "tmp" / "left").write_text(right)
    stage.leaky.server_close()
    _, _, hits = found_loose(stage)
    assert {(hit.canary, hit.sink) for hit in hits} == {
        ("a secret", "state: state.db"),
        ("in its place", "temporary: left"),
    }
