from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store.location import filesystem_of, is_ephemeral, path_of, place_new, require_writable, uri_of


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////var/lib/state.db", Path("/var/lib/state.db")),
        ("sqlite:///state.db", Path("state.db")),
        ("sqlite:////tmp/a b%20?#.db", Path("/tmp/a b%20?#.db")),
        ("postgresql://host/db", None),
    ],
)
def test_the_path_of_a_url_is_taken_literally(url: str, path: Path | None) -> None:
    assert path_of(url) == path


def test_characters_with_a_meaning_in_a_uri_are_quoted() -> None:
    assert uri_of(Path("/tmp/a%?#b.db"), "ro") == "file:/tmp/a%25%3f%23b.db?mode=ro"


def test_the_file_system_is_the_mount_of_the_same_device(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"20 1 0:999 / /x rw - ext4 a rw\n21 1 {number} / /y rw shared:1 - nfs4 host:/x rw\nbroken\n")

    assert filesystem_of(tmp_path, mounts) == "nfs4"
    mounts.write_text("20 1 0:999 / /x rw - ext4 a rw\n")
    assert filesystem_of(tmp_path, mounts) == ""
    assert filesystem_of(tmp_path / "absent", mounts) == ""


def test_a_network_file_system_is_refused_and_a_local_one_is_not(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"21 1 {os.major(device)}:{os.minor(device)} / /y rw - nfs4 host:/x rw\n")
    with pytest.raises(StoreError, match=r"network file system \(nfs4\)"):
        require_writable(tmp_path / "state.db", mounts)

    mounts.write_text(f"21 1 {os.major(device)}:{os.minor(device)} / /y rw - ext4 /dev/x rw\n")
    require_writable(tmp_path / "state.db", mounts)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no file system in memory here")
def test_a_store_in_memory_is_ephemeral() -> None:
    assert is_ephemeral(Path("/dev/shm/state.db"))


def test_a_new_file_has_its_whole_content_and_never_replaces_another(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    place_new(path, b"first", os.urandom)
    place_new(path, b"second", os.urandom)

    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_takes_no_file_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made"):
        place_new(tmp_path / "absent" / "state.db", b"", os.urandom)
