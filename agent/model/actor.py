"""Who is behind a revision, as its commit says, and who signed it, as was verified."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """As a commit writes them: anybody may write any name into a commit."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """``signer`` is the one name here that is proved: who signed, where ``source.signers`` wants a signature.

    All is empty where no commit is at hand: of a published folder, of files outside of any repository.
    """

    author: Person = Person()
    committer: Person = Person()
    signer: str = ""


NOBODY = Actor()
