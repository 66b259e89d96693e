"""What names an object, and by what its calls address it: guessed from the path of the item and from the bodies.

A member that whoever creates the object writes, and that its path names, is the name. A member that only answers have
is the server's identity; the name is then the best text that a create takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.drafting.members import Members, Reader
from agent.drafting.model import Guess, high, low, medium
from agent.drafting.names import snake, squeezed
from agent.drafting.replies import plain

_NAMES = (
    *("name", "slug", "key", "username", "login", "title", "displayname", "identifier", "code", "label", "path"),
    *("fullname", "email", "domain", "hostname", "handle", "alias", "topic", "url"),
)
_IDS = ("id", "uuid", "uid", "guid", "pk")


@dataclass(frozen=True, slots=True)
class Identity:
    """``key`` and ``id`` as in the definition; ``by_name``: the item's path holds the name, else the id.

    ``written`` is the member of a create's body that takes the name; None where only the path does.
    """

    key: str
    key_guess: Guess
    id: str | None
    id_guess: Guess | None
    by_name: bool
    written: str | None
    within: str | None = None

    @property
    def expression(self) -> str:
        """The key as JMESPath."""
        return f"{plain(self.within)}.{plain(self.key)}" if self.within else plain(self.key)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a kind's bodies hold: ``answered`` of its objects, ``created`` of what a create takes."""

    answered: Members
    created: Members
    conflict: bool  # a create is documented to answer 409
    chosen: bool = False  # a create goes to the path of the item, so that whoever creates it chooses what names it
    wrapped: str | None = None  # the member in which the object's own members stand


def identity_of(reader: Reader, kind: str, parameter: str | None, seen: Seen) -> Identity:
    """Key and id of a kind whose item path ends with ``{parameter}``; None where it has no item path."""
    known = {**seen.answered.schemas, **seen.created.schemas}
    if seen.wrapped is not None and parameter is not None:
        key = _first((_plain_of(parameter, kind),), reader.members(known[seen.wrapped]).schemas)
        guess = medium(f"{{{parameter}}} of the path, in {seen.wrapped}")
        named = _plain_of(parameter, kind)
        return Identity(key or named, guess, None, None, True, None, seen.wrapped)
    member = _member_of(parameter, kind, known) if parameter is not None else None
    if parameter is not None and not seen.chosen and squeezed(parameter) == squeezed(kind):
        own = _first(_IDS, seen.answered.schemas)  # `{customer}` of Customer: its id, if the server makes one
        member = own if own is not None and own not in seen.created else member
    if member is not None and seen.chosen:
        written = member if member in seen.created else None
        return Identity(member, high(f"a create goes to the path that {member} names"), None, None, True, written)
    if member is not None and _is_written(reader, member, seen):
        return Identity(member, high(f"a create takes {member}, and the path names it"), None, None, True, member)
    if member is None and parameter is not None and (seen.chosen or not _is_id(parameter, kind)):
        return _named_by_path(kind, parameter, seen)
    id_member = member or _first(_IDS, seen.answered.schemas) or "id"
    told = f"{{{parameter}}} of the path, and no create takes it" if parameter else "the usual name"
    id_guess = (
        high(told) if member is not None else low(f"no schema holds {{{parameter}}}") if parameter else medium(told)
    )
    has_id = parameter is not None or id_member in seen.answered
    key, guess = _natural(reader, kind, seen, id_member)
    written = key if key in seen.created else None
    if key == id_member:
        return Identity(key, guess, None, None, True, written)
    return Identity(key, guess, id_member if has_id else None, id_guess if has_id else None, False, written)


def _named_by_path(kind: str, parameter: str, seen: Seen) -> Identity:
    """The path names the object by a word that no schema holds."""
    for name in (_plain_of(parameter, kind), parameter, "name"):
        if name in seen.answered:
            guess = medium(f"{{{parameter}}} of the path")
            return Identity(name, guess, None, None, True, name if name in seen.created else None)
    guess = low(f"{{{parameter}}} of the path; no schema of its answers holds a member of that name")
    return Identity(_plain_of(parameter, kind), guess, None, None, True, None)


def _natural(reader: Reader, kind: str, seen: Seen, id_member: str) -> tuple[str, Guess]:
    """The member that people would call the name, and how sure that is."""
    own = tuple(squeezed(kind) + word for word in ("name", "key", "slug", "title"))
    created = {name: one for name, one in seen.created.schemas.items() if reader.is_text(one)}
    unique = "; a create may answer 409" if seen.conflict else "; whether it is unique is not said"
    for name in (*_NAMES[:4], *own, *_NAMES[4:]):
        found = next((one for one in created if squeezed(one) == squeezed(name)), None)
        if found is None or (seen.answered and found not in seen.answered):
            continue
        if found in seen.created.required and seen.conflict:
            return found, high(f"the first text with such a name that a create needs{unique}")
        sure = medium if found in seen.created.required or squeezed(found) == "name" else low
        return found, sure(f"the first text with such a name that a create takes{unique}")
    needed = [name for name in created if name in seen.created.required and name in seen.answered]
    needed = [name for name in needed if not snake(name).endswith(("_id", "_uuid"))]
    if needed:
        return needed[0], low("the first text that a create needs; nothing has the name of a name")
    found = _first(_NAMES, seen.answered.schemas)
    if found is not None:
        return found, low("only answers hold it: nothing that a create takes looks like a name")
    return id_member, low("nothing else tells two objects apart; a `mark` could")


def _is_written(reader: Reader, member: str, seen: Seen) -> bool:
    """Whether whoever creates an object chooses the member: it is in the body, and no number that is counted up."""
    if member not in seen.created or reader.is_read_only(seen.created.schemas[member]):
        return False
    if squeezed(member) in _IDS:
        return member in seen.created.required and "string" in reader.types(seen.created.schemas[member])
    return True


def _is_id(parameter: str, kind: str) -> bool:
    words = squeezed(_plain_of(parameter, kind))
    return words in _IDS or words.endswith(("id", "uuid"))


def _member_of(parameter: str, kind: str, known: Iterable[str]) -> str | None:
    """The member that a path parameter stands for: ``{flow_id}`` of Flow is ``id``, unless a member is called so."""
    folded = {squeezed(name): name for name in reversed(list(known))}
    either = _plain_of(parameter, kind, 1)
    for word in (squeezed(parameter), squeezed(either), squeezed(_plain_of(parameter, kind))):
        if word in folded and (word != squeezed(either) or either != "id"):
            return folded[word]
    if squeezed(_plain_of(parameter, kind)) in folded:
        return folded[squeezed(_plain_of(parameter, kind))]
    if _is_id(parameter, kind):
        return next((folded[word] for word in ("id", "uuid", "pk", "guid") if word in folded), None)
    return folded.get("name") if squeezed(parameter).endswith("name") else None


def _plain_of(parameter: str, kind: str, choice: int = 0) -> str:
    """``work_pool_name`` of a WorkPool is ``name``; ``{id_or_slug}`` is ``id`` or, the other choice, ``slug``."""
    word, own = snake(parameter), snake(kind)
    if word == own or word == own.rpartition("_")[2]:
        return "name"
    for head in (own, own.rpartition("_")[2]):
        if word.startswith(f"{head}_"):
            word = word.removeprefix(f"{head}_")
            break
    choices = word.split("_or_")
    return choices[min(choice, len(choices) - 1)]


def _first(names: Iterable[str], known: Iterable[str]) -> str | None:
    folded = {squeezed(name): name for name in reversed(list(known))}
    return next((folded[squeezed(name)] for name in names if squeezed(name) in folded), None)
