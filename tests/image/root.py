"""Plays the Dockerfile in clean roots: `debootstrap` in the place of the base image, `chroot` in that of the builder.

What it shows: every step works from nothing but the context and the network, in order, and leaves what the agent needs.
What it cannot show: the base image itself. Its stand-in is the same Debian with this Python in /usr/local.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.image.dockerfile import FILE, ROOT, Stage, copies, lineage, pairs, stages

CONTEXT = ("pyproject.toml", "README.md", "agent", "schemas", "manifests")
LIBRARIES = (
    "ca-certificates,libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,zlib1g"
)
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
NOT_OF_PYTHON = ("test", "tests", "__pycache__", "site-packages", "idlelib", "tkinter", "turtledemo", "config-*", "*.a")
CERTIFICATES = "/run/certificates.crt"


class Missing(Exception):
    """What this machine lacks to play it."""


def build(folder: Path, name: str = "") -> Path:
    """The root of a stage ("" for the last), below ``folder``; what is there of the same sources is taken as it is."""
    _check()
    folder.mkdir(parents=True, exist_ok=True)
    base = _base(folder / "base")
    made: dict[str, Path] = {}
    wanted = [*(stage for stage in stages() if stage.name == "build"), *lineage(name)]
    for stage in wanted:
        root = folder / (stage.name or "image")
        stamp, digest = folder / f"{root.name}.stamp", _digest()
        if not (stamp.exists() and stamp.read_text() == digest):
            shutil.rmtree(root, ignore_errors=True)
            _run("cp", "-a", "--one-file-system", "--reflink=auto", str(made.get(stage.base, base)), str(root))
            _play(stage, root, made)
            stamp.write_text(digest)
        made[stage.name] = root
    return made[wanted[-1].name]


def _check() -> None:
    if os.getuid() != 0:
        raise Missing("it takes root, for chroot")
    for command in ("debootstrap", "unshare", "chroot"):
        if shutil.which(command, path=PATH) is None:
            raise Missing(f"there is no {command}: apt-get install {command}")
    if Path(sys.base_prefix) == Path("/usr"):
        raise Missing("the system's Python cannot be copied; use one that was built or unpacked by itself")


def _base(root: Path) -> Path:
    """Debian as the base image has it, and Python in /usr/local with its installer."""
    if (root / "made").exists():
        return root
    if not (root / "debian").exists():
        shutil.rmtree(root, ignore_errors=True)
        print("base: debootstrap", flush=True)
        words = ["debootstrap", "--variant=minbase", f"--include={LIBRARIES}", "bookworm", str(root)]
        _run("unshare", "--mount", "--propagation", "private", *words)  # what it mounts goes with it
        (root / "debian").touch()
    version = f"python3.{sys.version_info.minor}"
    lib, place = Path(sys.base_prefix, "lib"), root / "usr/local"
    shutil.copytree(
        lib / version,
        place / "lib" / version,
        symlinks=True,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(*NOT_OF_PYTHON),
    )
    for library in lib.glob("libpython*.so*"):
        shutil.copy(library, place / "lib" / library.name)
    shutil.copy(Path(sys.base_prefix, "bin", version), place / "bin" / version)
    for alias in ("python3", "python"):
        (place / "bin" / alias).unlink(missing_ok=True)
        (place / "bin" / alias).symlink_to(version)
    _inside(root, f"ldconfig && {version} -m ensurepip >&2 && ln -sf pip3 /usr/local/bin/pip", {})
    (root / "made").touch()
    return root


def _play(stage: Stage, root: Path, made: dict[str, Path]) -> None:
    variables: dict[str, str] = {}
    folder, copied = "/", iter(copies(stage))
    for word, rest in stage.steps:
        if word in ("RUN", "COPY"):
            print(f"{stage.name or 'image'}: {word} {rest[:100]}", flush=True)
        if word == "ENV":
            variables |= pairs(rest)
        elif word == "WORKDIR":
            folder = rest
            (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            from_, sources, place = next(copied)
            _copy(made[from_] if from_ else ROOT, sources, root / os.path.join(folder, place).lstrip("/"), from_)
        elif word == "RUN":
            _inside(root, f"cd {folder} && {rest}", variables)


def _copy(top: Path, sources: list[str], place: Path, from_: str) -> None:
    for source in sources:
        origin = top / source.lstrip("/")
        assert from_ or source in CONTEXT, f"{source} is not in the context"
        if origin.is_dir():
            shutil.copytree(origin, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, place / origin.name)


def _inside(root: Path, script: str, variables: dict[str, str]) -> None:
    """Run a shell's words in the root, with the network, and with what pip is told on this machine."""
    told = {
        name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.lower().endswith("_proxy")
    }
    certificates = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    shown = [(certificates, CERTIFICATES), ("/etc/resolv.conf", "/etc/resolv.conf"), ("/etc/hosts", "/etc/hosts")]
    shown += [(place, place) for place in told.get("PIP_FIND_LINKS", "").split() if Path(place).is_dir()]
    mounts = [f"mount -t proc proc {root}/proc", f"mount --rbind /dev {root}/dev"]
    for origin, place in shown:
        inside = root / place.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        if Path(origin).is_dir():
            inside.mkdir(exist_ok=True)
        else:
            inside.touch()
        mounts.append(f"mount --bind {shlex.quote(origin)} {shlex.quote(str(inside))}")
    given = {
        "PATH": PATH,
        "HOME": "/root",
        "DEBIAN_FRONTEND": "noninteractive",
        "LC_ALL": "C.UTF-8",
        **told,
        **variables,
    }
    given |= {"PIP_CERT": CERTIFICATES, "PIP_ROOT_USER_ACTION": "ignore"}
    pairs_ = " ".join(shlex.quote(f"{name}={value}") for name, value in given.items())
    line = " && ".join([*mounts, f"exec env -i {pairs_} chroot {root} /bin/sh -euc {shlex.quote(script)}"])
    _run("unshare", "--mount", "--propagation", "private", "/bin/sh", "-euc", line)


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise RuntimeError(f"{' '.join(words)[:300]} ended with {done.returncode}:\n{said}")


@cache
def _digest() -> str:
    """Of all that a stage is made from, as it is when this program begins."""
    found = hashlib.sha256(FILE.read_bytes())
    for part in CONTEXT:
        files = sorted((ROOT / part).rglob("*")) if (ROOT / part).is_dir() else [ROOT / part]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                found.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return found.hexdigest()
