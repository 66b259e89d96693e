"""Secrets in files that are encrypted: decrypted by the operator's own ``sops`` or ``age``, one value at a time.

Used by :mod:`agent.secrets.references`. The program is found on PATH and nowhere else, the words of its command line
are ours, and no manifest has a say in them. Its plain text is read from a pipe: nothing is written to a disk.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.secrets import commands

# `--extract` knows no escapes: a part of a key with one of these cannot be named.
UNNAMEABLE = frozenset("[]\"'")
_SOPS_VARIABLES = r"GNUPGHOME|(?:SOPS|AWS|GOOGLE|CLOUDSDK|AZURE|VAULT|HUAWEICLOUD|KUBERNETES)_.*"
# https://github.com/getsops/sops/blob/main/cmd/sops/codes/codes.go
_SOPS_STATUSES = {
    2: "the file cannot be read",
    25: "its values cannot be decrypted",
    51: "its checksum does not match, so it was edited without sops",
    52: "it has no checksum",
    91: "the key is not one that it can look up",
    100: "the file does not exist",
    111: "it names no key that could decrypt it",
    128: "no key that decrypts it is at hand",
}


def sops_output(file: str, key: Sequence[str | int], identity: str, withheld: frozenset[str], seconds: float) -> bytes:
    """One value of a file that sops encrypted; all of it without a ``key``. ``identity`` is a file of age keys."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f'["{part}"]' for part in key)
    more = {"SOPS_AGE_KEY_FILE": identity} if identity else {}
    return commands.output_of(
        ["sops", "--decrypt", *(("--extract", path) if path else ()), file],
        commands.environment_of_tool(_SOPS_VARIABLES, withheld, more),
        named=f"sops, for {file}",
        meanings=_SOPS_STATUSES,
        by_hand=f"sops --decrypt {file}",
        seconds=seconds,
    )


def age_output(file: str, identity: str, withheld: frozenset[str], seconds: float) -> bytes:
    """All of a file that age encrypted. An identity that wants a passphrase fails: there is nobody to ask."""
    return commands.output_of(
        ["age", "--decrypt", "--identity", identity, file],
        commands.environment_of_tool("", withheld, {}),
        named=f"age, for {file}",
        by_hand=f"age --decrypt --identity {identity} {file}",
        seconds=seconds,
    )
