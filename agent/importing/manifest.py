"""The bytes of an imported manifest, and the proof that they say what is live.

The proof goes the way that every manifest goes: the bytes are read by the same reader, checked by the same checks and
compared with the live object by the same comparison, without a call. What cannot be proved is not written. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent import yaml_io
from agent.definitions.platform import Platform
from agent.importing.shaped import Shaped, Unfit
from agent.json_schema import Schema
from agent.model.change import FieldChange
from agent.model.identity import Key
from agent.plan.compare import compare
from agent.plan.elsewhere import Wires, named
from agent.plan.normalize import fingerprinted, live_spec
from agent.plan.rules import Place, RuleBook, pattern_of, split_pointer
from agent.report.escape import clean
from agent.validate.document import check_file
from agent.validate.variables import escaped

_WIDTH = 118
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document of a file. ``secrets`` pairs the names to set with the places at which they stand."""

    key: Key
    text: str
    secrets: Mapping[str, str]
    waits: tuple[str, ...] = ()  # places of secrets that a comparison cannot tell: an adoption has to write them


def manifest_of(
    platform: Platform,
    book: RuleBook,
    schema: Schema,
    key: Key,
    shaped: Shaped,
    live: Mapping[str, Any],
    wires: Wires | None = None,
) -> Manifest:
    """The manifest of a live object. Raises :class:`Unfit` where it would not be read back as the same."""
    document = {
        "apiVersion": platform.api_version,
        "kind": key.kind,
        "metadata": {"name": key.name, **dict(key.scope)},
        "spec": _literal(shaped.spec),
    }
    try:
        text = yaml_io.dump(document)
        source = text.encode()
    except (TypeError, UnicodeEncodeError) as error:
        raise Unfit(f"a value of it cannot be written as YAML ({error})") from None
    differing = _proved(source, platform, book, schema, key, shaped, live, wires)
    secrets = {name: shown(place) for place, name in shaped.secrets.items()}
    return Manifest(key, "".join(f"{line}\n" for line in _comments(shaped, key)) + text, secrets, differing)


def file_of(manifests: Iterable[Manifest], head: str = "") -> bytes:
    """Several manifests as one file. ``head``: comment lines above each, since an editor reads them for one alone."""
    return "---\n".join(head + each.text for each in manifests).encode()


def shown(place: Place) -> str:
    """``depot.connectionSecret[0].data.password``: as a plan shows it, harmless in a comment too."""
    text = ""
    for token in place:
        text += f"[{token}]" if token.isdigit() else f".{token}" if text else token
    return clean(text, 80)


def _literal(value: Any) -> Any:
    """The same with each ``${`` as a manifest writes it where the text itself is meant and no variable."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {name: _literal(member) for name, member in value.items()}
    return [_literal(member) for member in value] if isinstance(value, list) else value


def _proved(
    source: bytes,
    platform: Platform,
    book: RuleBook,
    schema: Schema,
    key: Key,
    shaped: Shaped,
    live: Mapping[str, Any],
    wires: Wires | None,
) -> tuple[str, ...]:
    """Where the manifest and the live object differ: at secrets that are not shown. Unfit where they do elsewhere."""
    checked = check_file(source, platform, {})
    wrong = [problem for problem in checked.problems if problem.severity == "error"]
    if wrong:
        raise Unfit(wrong[0].what)
    if len(checked.documents) != 1:
        raise Unfit("it is not read back as one manifest")
    (read,) = checked.documents
    if (read.kind, read.scope, read.name) != (key.kind, key.scope, key.name) or read.spec != shaped.spec:
        raise Unfit("it is not read back as it was written")
    told = live_spec(book, live)
    if wires:
        told = dict(named(book, told, wires))
    found = compare(
        book, fingerprinted(book, read.spec or {}, _alike), None, fingerprinted(book, told, _alike), types=schema
    )
    elsewhere = [change for change in found.fields if not _is_secret(change, shaped)]
    if elsewhere:
        raise Unfit(f"`{clean(elsewhere[0].path, 100)}` would be read as another value than the live one")
    return tuple(clean(change.path, 100) for change in found.fields)


def _alike(leaf: Any) -> str:
    """One fingerprint for all secrets: their values are not known here."""
    return ""


def _is_secret(change: FieldChange, shaped: Shaped) -> bool:
    """Whether a difference is at a secret, or around one that is not shown."""
    place = split_pointer(change.pointer)
    return any(pattern_of(secret[: len(place)]) == pattern_of(place) for secret in shaped.secrets)


def _comments(shaped: Shaped, key: Key) -> Iterable[str]:
    for reason, places in shaped.told:
        yield from _line(f"left out, {reason}", places)
    if shaped.open:
        yield from _line("not named by the schema; take out what the platform sets itself", shaped.open)
    if shaped.hidden:
        yield from _line("never shown by the platform; write what belongs there as {secretRef: NAME}", shaped.hidden)
    if shaped.secrets:
        names = sorted(shaped.secrets.values())
        yield from _wrapped(f"# secrets to set in targets.{clean(key.target, 60)}.secrets: ", names, len(names))


def _line(head: str, places: Iterable[Place]) -> Iterable[str]:
    words = sorted(dict.fromkeys(shown(place) for place in places))
    return _wrapped(f"# {head}: ", words, _SHOWN)


def _wrapped(head: str, words: list[str], most: int) -> Iterable[str]:
    if len(words) > most:
        words = [*words[: most - 1], f"and {len(words) - most + 1} more"]
    line = head
    for number, word in enumerate(words):
        part = word if number == len(words) - 1 else f"{word}, "
        if len(line) + len(part) > _WIDTH and line != head:
            yield line.rstrip()
            line = "#   "
        line += part
    yield line.rstrip()
