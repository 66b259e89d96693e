"""Whose signature a commit needs before it is admitted (``design/fault-model.md`` G12).

Called by ``repository``. git itself judges, with ``ssh-keygen`` or ``gpg``, against keys that the operator names and
nothing else: no key ring of the user, no key server, no agent. What is signed is the commit that is followed, and with
it, by their ids, all files and all history behind it. A signed tag that is followed signs the commit it points to.
"""

from __future__ import annotations

import base64
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, Protocol

from agent.errors import SourceError
from agent.source.failures import last_words
from agent.source.git import SAFE_PATH, Access
from agent.source.objects import Objects

_KEYS_MAX = 1 << 20
_KEPT_MAX = 16
_SIGNED = re.compile(rb"^(?:gpgsig(?:-sha256)? )?-----BEGIN (SSH SIGNATURE|PGP SIGNATURE|PGP MESSAGE)", re.MULTILINE)
_BLOCK = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
_GPG_OPTIONS = "no-default-keyring\nkeyring {keys}\ntrust-model always\nno-auto-key-locate\nno-autostart\nlock-never\n"
# Said here, so that a watched repository's own settings name no other.
_PROGRAMS = ("gpg.ssh.program=ssh-keygen", "gpg.program=gpg", "gpg.openpgp.program=gpg", "gpg.x509.program=/bin/false")
_KEY = re.compile(r"(?:key |NO_PUBKEY |EXPKEYSIG |REVKEYSIG )(SHA256:[\w+/=]+|[0-9A-F]{16,40})")
_SIGNER = re.compile(r'^Good "git" signature for (\S+) with |^\[GNUPG:\] VALIDSIG ([0-9A-F]{40,64})\b', re.MULTILINE)
# What git's `--raw` says of a signature that it does not accept. The first that matches wins.
_REASONS = (
    (r"BADSIG|incorrect signature|Could not verify signature", "the signature does not fit what it signs"),
    (r"EXPKEYSIG|key has expired|not yet valid|key is not yet", "its key is out of date"),
    (r"EXPSIG", "the signature has expired"),
    (r"REVKEYSIG|revoked", "its key was revoked"),
    (r"No principal matched|NO_PUBKEY", "its key is not among those that may sign"),
)


class Signers(Protocol):
    """Who may sign: ``ssh`` is a file of allowed signers, ``gpg`` one of public keys, as their programs write them."""

    @property
    def ssh(self) -> Path | None: ...
    @property
    def gpg(self) -> Path | None: ...


class Signatures:
    """Judges commits by :class:`Signers`; a judgement stands until the files of keys change."""

    def __init__(self, signers: Signers) -> None:
        self._signers = signers
        self._good: dict[tuple[object, ...], str] = {}  # what was judged, and who signed it

    def check(self, objects: Objects, id_: str, commit: str, tag: str | None) -> None:
        """Raises SourceError unless the tag ``id_`` named ``tag``, or the ``commit``, has an allowed signature."""
        judged = (id_, commit, *(_stamp(path) for path in (self._signers.ssh, self._signers.gpg)))
        if judged in self._good:
            return
        type_, body = objects.raw(id_)
        if type_ == "tag" and _SIGNED.search(body):
            # Its name is part of what is signed: else an old tag could be shown under a new name.
            if tag is not None and f"\ntag {tag}\n".encode() not in body.partition(b"\n\n")[0] + b"\n":
                _refuse(f"tag {tag}", "the tag that was signed has another name")
            signer = self._verify(objects, "tag", id_, body)
        else:
            signer = self._verify(objects, "commit", commit, body if id_ == commit else objects.raw(commit)[1])
        self._good = {**dict(list(self._good.items())[-_KEPT_MAX:]), judged: signer}

    def signer(self, objects: Objects, commit: str) -> str:
        """Who signed the commit, or the tag by which it was admitted; "" where nobody did who may."""
        stamps = tuple(_stamp(path) for path in (self._signers.ssh, self._signers.gpg))
        for (_, judged, *at), signer in reversed(self._good.items()):
            if judged == commit and tuple(at) == stamps:
                return signer
        try:
            self.check(objects, commit, commit, None)
        except SourceError:
            return ""
        return self._good[commit, commit, *stamps]

    def _verify(self, objects: Objects, type_: str, id_: str, body: bytes) -> str:
        """Who signed it: the principal of an SSH key, the fingerprint of a GPG key. Raises SourceError."""
        what = f"{type_} {id_[:7]}"
        signed = _SIGNED.search(body if type_ == "tag" else body.partition(b"\n\n")[0])
        if signed is None:
            raise SourceError(
                f"{what} is not signed, and `source.signers` wants a signature",
                code="commit-unsigned",
                fix="sign it (`git commit -S --amend`) and push again; the last revision stays in force",
            )
        word = "ssh" if signed[1].startswith(b"SSH") else "gpg"
        keys = self._signers.ssh if word == "ssh" else self._signers.gpg
        if keys is None:
            _refuse(what, f"it is signed by {word}, and `source.signers.{word}` names no file of keys")
        with _access(word, keys) as access:
            finished = objects.git.run([f"verify-{type_}", "--raw", id_], access=access)
        said = finished.stderr.decode(errors="replace")
        if finished.status != 0:
            reason = next((why for pattern, why in _REASONS if re.search(pattern, said)), "")
            key = _KEY.search(said)
            _refuse(what, (reason or last_words(finished.stderr)) + (f" ({key[1]})" if reason and key else ""))
        signer = _SIGNER.search(said)
        return "" if signer is None else signer[1] or signer[2]


def _refuse(what: str, why: str) -> NoReturn:
    raise SourceError(
        f"{what} has no signature that is allowed",
        code="commit-untrusted",
        why=why,
        fix="have it signed by somebody whom `source.signers` names; the last revision stays in force",
    )


@contextmanager
def _access(word: str, keys: Path) -> Iterator[Access]:
    """What the program that judges may see: the keys of the operator."""
    program = "ssh-keygen" if word == "ssh" else "gpg"
    if shutil.which(program, path=SAFE_PATH) is None:
        raise SourceError(
            f"signatures cannot be checked: {program} is not installed",
            code="signers-unreadable",
            fix=f"install {'openssh-client' if word == 'ssh' else 'gnupg'} beside git",
        )
    content = _content(word, keys)
    with tempfile.TemporaryDirectory(prefix="datakeel-signers-") as name:
        # A copy: what is judged is what was read, also where the file is swapped meanwhile.
        copy = Path(name, "keys")
        copy.write_bytes(content)
        Path(name, "gpg.conf").write_text(_GPG_OPTIONS.format(keys=copy), encoding="utf-8")
        yield Access(settings=(f"gpg.ssh.allowedSignersFile={copy}", *_PROGRAMS), variables={"GNUPGHOME": name})


def _content(word: str, keys: Path) -> bytes:
    try:
        with keys.open("rb") as stream:
            content = stream.read(_KEYS_MAX + 1)
    except OSError as error:
        raise _unreadable(word, error.strerror or "it cannot be opened") from None
    if len(content) > _KEYS_MAX:
        raise _unreadable(word, f"it has more than {_KEYS_MAX:,} bytes")
    return content if word == "ssh" else _dearmoured(content)


def _dearmoured(content: bytes) -> bytes:
    """Public keys as gpg keeps them in a ring: armour, a text around base64, comes off (RFC 9580, section 6)."""
    if b"-----BEGIN PGP" not in content:
        return content
    found = b""
    for block in _BLOCK.findall(content):
        _, _, text = block.replace(b"\r", b"").partition(b"\n\n") if b":" in block else ("", "", block)
        lines = [line for line in text.split(b"\n") if line and not line.startswith(b"=")]  # the last is a checksum
        try:
            found += base64.b64decode(b"".join(lines), validate=True)
        except ValueError:
            raise _unreadable("gpg", "the armour around its keys is damaged") from None
    return found


def _unreadable(word: str, why: str) -> SourceError:
    what = f"the keys that `source.signers.{word}` names cannot be read"
    return SourceError(what, code="signers-unreadable", why=why, fix="name a file that this process may read")


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    """Changes with the file, and with what a link to it points to."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        found = None
    return None if found is None else (found.st_mtime_ns, found.st_size, found.st_ino)
