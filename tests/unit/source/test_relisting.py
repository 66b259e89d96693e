"""A listing that was made from the one before is what a new one says, and the rest is listed anew."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from agent.errors import SourceError
from agent.source.local import LocalRepository
from agent.source.relisting import Listings
from agent.source.tree import Tree, TreeLimits
from tests.unit.source.conftest import Repo

LIMITS = TreeLimits(file_bytes_max=200, bytes_max=2000, manifests_max=50)


class Relisted:
    """One folder of a repository, listed in both ways at each commit."""

    def __init__(self, repo: Repo, folder: str = "manifests") -> None:
        self.repo, self.folder = repo, folder
        self.listings = Listings(LIMITS, worth_above=0)
        self.objects = LocalRepository(repo.path).objects

    def both(self) -> Tree:
        commit = self.repo.git("rev-parse", "HEAD")
        told = self.listings.tree(self.objects, commit, self.folder)
        assert told == self.objects.tree(commit, self.folder, LIMITS)
        if told.edited is not None:
            before, places = told.edited
            differing = [place for place, entry in enumerate(told.entries) if before[place] != entry]
            assert len(before) == len(told.entries) and set(differing) <= set(places)
        return told

    def after(self, path: str, content: str) -> Tree:
        self.repo.commit(path, content)
        return self.both()


@pytest.fixture
def listed(repo: Repo) -> Relisted:
    for name in ("a", "b", "c"):
        repo.write(f"manifests/{name}.yaml", f"name: {name}\n")
    repo.commit("manifests/deep/d.yaml", "name: d\n")
    made = Relisted(repo)
    assert made.both().edited is None
    return made


def test_edits_alone_are_put_in_their_places(listed: Relisted) -> None:
    assert listed.after("manifests/deep/d.yaml", "name: other\n").edited is not None
    listed.repo.write("manifests/a.yaml", "name: longer than before\n")
    told = listed.after("manifests/c.yaml", "name: c too\n")
    assert told.edited is not None and told.edited.places == (0, 2)
    assert listed.both() is told, "the same commit is not asked about again"
    assert listed.after("elsewhere.txt", "no manifest").edited is not None, "nothing of the folder has changed"


def test_whatever_else_changes_is_listed_anew(listed: Relisted) -> None:
    assert listed.after("manifests/e.yaml", "name: e\n").edited is None  # it came
    listed.repo.git("mv", "manifests/e.yaml", "manifests/f.yaml")
    assert listed.after("manifests/a.yaml", "name: a2\n").edited is None  # another name
    listed.repo.git("rm", "-q", "manifests/f.yaml")
    assert listed.after("manifests/a.yaml", "name: a3\n").edited is None  # it went
    assert listed.after("manifests/notes.txt", "one").edited is None
    assert listed.after("manifests/notes.txt", "two").edited is None  # edited, and no manifest
    (listed.repo.path / "manifests/b.yaml").unlink()
    (listed.repo.path / "manifests/b.yaml").symlink_to("a.yaml")
    assert listed.after("manifests/a.yaml", "name: a4\n").edited is None  # a link now
    assert listed.after("manifests/a.yaml", "x" * 201).edited is None  # too long a file
    assert listed.after("manifests/a.yaml", "name: a5\n").edited is None  # and not any more


def test_limits_hold_for_edits(listed: Relisted) -> None:
    for number in range(10):
        listed.repo.write(f"manifests/many{number}.yaml", "name: x\n")
    assert not listed.after("manifests/a.yaml", "name: a2\n").problems
    for number in range(9):
        listed.repo.write(f"manifests/many{number}.yaml", "x" * 199)
    assert not listed.after("manifests/a.yaml", "name: a3\n").problems
    assert listed.after("manifests/many9.yaml", "x" * 199).problems, "2,000 bytes are the limit of all"


def test_a_path_is_no_pattern(repo: Repo) -> None:
    repo.write("man*/a.yaml", "name: a\n")
    repo.commit("many/a.yaml", "name: a\n")
    listed = Relisted(repo, "man*")
    listed.both()
    told = listed.after("many/a.yaml", "name: other\n")
    assert told.edited is not None and not told.edited.places
    listed.repo.write("man*/ü b.yaml", "name: b\n")
    listed.after("many/a.yaml", "name: a\n")
    assert listed.after("man*/ü b.yaml", "name: c\n").edited is not None


def test_a_commit_that_is_gone_is_no_ground(listed: Relisted, tmp_path: Path) -> None:
    """The branch was made anew, and git has thrown the former commit away."""
    listed.repo.git("checkout", "-q", "--orphan", "anew")
    listed.repo.commit("manifests/a.yaml", "name: anew\n")
    listed.repo.git("branch", "-q", "-D", "main")
    listed.repo.git("reflog", "expire", "--expire=now", "--all")
    listed.repo.git("gc", "-q", "--prune=now")
    assert listed.both().edited is None


def test_what_is_missing_is_corruption(listed: Relisted) -> None:
    commit = listed.repo.commit("manifests/a.yaml", "name: lost\n")
    blob = listed.repo.git("rev-parse", "HEAD:manifests/a.yaml")
    (listed.repo.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceError):
        listed.listings.tree(listed.objects, commit, "manifests")


def test_any_row_of_commits(listed: Relisted) -> None:
    random_ = random.Random(3)
    edited = 0
    for number in range(60):
        for _ in range(random_.randrange(1, 4)):
            path = listed.repo.path / "manifests" / f"{random_.choice('abcdefgh')}.{random_.choice(['yaml', 'txt'])}"
            if path.exists() and random_.random() < 0.2:
                path.unlink()
            else:
                path.write_text("n: " + "x" * random_.choice([1, 10, 150, 300]))
        listed.repo.git("add", "-A")
        listed.repo.git("commit", "-q", "--allow-empty", "-m", str(number))
        edited += listed.both().edited is not None
    assert 5 < edited < 60
