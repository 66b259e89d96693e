"""Names under which people keep secrets, whatever a definition says of them: the one list of them.

``password`` in a free-form part of a spec, an environment value called ``DB_TOKEN``, ``{name: API_KEY, value: …}``:
what stands there is masked by ``plan`` as a declared secret is, and warned about by ``validate``. A name is judged by
its last words, as English puts the noun last: ``clientSecret`` is a secret, ``secretName`` and ``tokenExpiry`` are
about one. Pure, and quick where nothing is found, since each spec of each pass is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

Place = tuple[str, ...]

REFERENCE = "secretRef"
"""What a manifest writes instead of a secret: ``{secretRef: NAME}``."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PASSWORDS = _set("password passwd passphrase passcode pwd")
_WORDS = _PASSWORDS | _set("pass pw token secret authorization cookie dsn")
# Written without a gap, as in `awssecretaccesskey`: longer words, which nothing else ends with.
_ENDS = re.compile(
    r".*(?:password|passwd|passphrase|apikey|secretkey|accesskey|accountkey|privatekey|clientsecret|sharedsecret|"
    r"(?:access|auth|api|bearer|refresh|session|bot|deploy)token|connectionstring)"
)
_KEYS = _set("access account api app application encryption hmac license master private secret shared signing ssh")
_LONGER = frozenset({("connection", "string"), ("service", "account", "json"), ("credentials", "json")})
# Of pages, of language models, of a machine's programs; and the name of a secret that is kept elsewhere.
_NOT_AFTER = {
    "token": _set("page next continuation sync start end stop eos bos pad mask unk sep max min"),
    "secret": _set("pull existing tls use has is no password credentials"),
    "pass": _set("by first second one two high low band"),
}
# Said of a secret without changing what it is: `PASSWORD_PROD`, `secretValue`, `token2`.
_TAILS = _set("value text plain raw base64 b64 encoded hash prod production dev test staging new old")
_PLURALS = _set("passwords keys")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LENGTHY = _set("authorization cookie")  # also words for a setting, which is a short word
_LENGTHY_MIN = 16

# A text without any of these holds no such name: a cheap test before a walk. Looked for one by one in small letters:
# an expression of alternatives without regard to case takes nine times as long, a quarter of what parsing costs.
STEMS = (b"pass", b"pw", b"token", b"secret", b"key", b"authorization", b"cookie", b"dsn", b"string", b"json")
_ABOUT = re.compile(
    r"(?i)passw|passphrase|secret|token|credential|private|api.?key|access.?key|auth(?!or)|authoriz|cookie|dsn"
)
# Filled in elsewhere, by a shell or by the stack's own templates.
_FILLED_IN = re.compile(r"\s*(?:\$\{\{?[^{}]*\}?\}|\{\{.*\}\})\s*", re.DOTALL)
_MASKED = re.compile("[*\N{BULLET}]{3,}")


@lru_cache(maxsize=8192)
def is_secret_name(name: str) -> bool:
    """Whether what is called so is a secret itself, and not something about one."""
    return _telling_word(name) is not None


def speaks_of_secrets(text: str) -> bool:
    """Whether a line, or the name of a fact that is logged, is about secrets in the widest sense."""
    return _ABOUT.search(text) is not None


def may_name_secrets(source: bytes) -> bool:
    """Whether a file can hold such a name at all."""
    return any(map(source.lower().__contains__, STEMS))


def is_masked(value: object) -> bool:
    """Whether a platform answered asterisks in place of a value."""
    return isinstance(value, str) and _MASKED.fullmatch(value) is not None


def is_reference(value: object) -> bool:
    """Whether a leaf is ``{secretRef: NAME}``."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(REFERENCE), str)


def is_secret(name: str, value: object) -> bool:
    """Whether a scalar or reference under a name is a secret: never a truth value, nor a masked answer."""
    if isinstance(value, str):
        if not value or not is_secret_name(name) or _FILLED_IN.fullmatch(value) or _MASKED.fullmatch(value):
            return False
        return _telling_word(name) not in _LENGTHY or len(value) >= _LENGTHY_MIN
    if isinstance(value, dict):
        return is_reference(value) and is_secret_name(name)
    # A number of digits may be a password. Under `token` it is how long one lives, or how many there are.
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return is_number and is_secret_name(name) and _telling_word(name) in _PASSWORDS


def named_secrets(spec: Any) -> Iterator[tuple[Place, Any]]:
    """Each secret that its name gives away, and each reference that stands at such a name, with its place."""
    found: list[tuple[Place, Any]] = []

    def note(place: Place, leaf: Any) -> Any:
        found.append((place, leaf))
        return leaf

    replaced(spec, note)
    yield from found


def replaced(spec: Any, change: Callable[[Place, Any], Any], place: Place = ()) -> Any:
    """A spec with ``change(place, leaf)`` for each of its named secrets; the same object where there is none."""
    if not _holds_any(spec):
        return spec
    if isinstance(spec, dict):
        said = _said_of_value(spec)
        copied = {}
        for name, member in spec.items():
            at = (*place, name)
            called = said if said is not None and name == "value" else name
            if is_secret(called, member):
                copied[name] = change(at, member)
            elif isinstance(member, list) and is_secret_name(called):
                copied[name] = [_element(called, each, change, (*at, str(i))) for i, each in enumerate(member)]
            else:
                copied[name] = replaced(member, change, at)
        return copied
    return [replaced(member, change, (*place, str(index))) for index, member in enumerate(spec)]


def _element(name: str, value: Any, change: Callable[[Place, Any], Any], place: Place) -> Any:
    return change(place, value) if is_secret(name, value) else replaced(value, change, place)


def _holds_any(spec: Any) -> bool:
    """Whether a name anywhere in a spec is that of a secret. Without recursion, as nearly always it is not."""
    waiting = [spec]
    for node in waiting:
        if type(node) is dict:
            for name, member in node.items():
                if is_secret_name(name):
                    return True
                if type(member) is dict or type(member) is list:
                    waiting.append(member)
            if "value" in node and _said_of_value(node) is not None:
                return True
        elif type(node) is list:
            waiting.extend(node)
    return False


def _said_of_value(node: dict[str, Any]) -> str | None:
    """The secret name that a pair such as ``{name: DB_PASSWORD, value: …}`` gives its value."""
    for word in ("name", "key"):
        name = node.get(word)
        if isinstance(name, str) and is_secret_name(name):
            return name
    return None


@lru_cache(maxsize=8192)
def _telling_word(name: str) -> str | None:
    """The word that makes a name the name of a secret."""
    words: list[str] = [word.lower() for word in _PARTS.findall(name[:200])]
    while len(words) > 1 and (words[-1] in _TAILS or words[-1].isdecimal()):
        words.pop()
    if not words:
        return None
    if words[-1] in _PLURALS:
        words[-1] = words[-1][:-1]
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if before in _NOT_AFTER.get(last, ()):
        return None
    if (
        last in _WORDS
        or (last == "key" and before in _KEYS)
        or any(tuple(words[-len(end) :]) == end for end in _LONGER)
    ):
        return last
    if _ENDS.fullmatch(last):
        return "password" if last.endswith(("password", "passwd", "passphrase")) else last
    return None
