"""What the ``format`` words assert. Pure functions of one string, used alike by both engines, so that they agree.

``duration`` is the short form of data platforms (``15s``, ``1h30m``, ``720h``, ``1d``), not the ISO 8601 one. Formats
of the specification that are not listed here are annotations only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

from agent import cron
from agent.json_schema.patterns import pattern_fault

_CRON_FIELD = re.compile(r"[0-9A-Za-z*/,\-]+", re.ASCII)
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d|w))+", re.ASCII)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_TIME = re.compile(
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:[zZ]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII,
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#$%&'()*+,\-./:;=?@\[\]_~A-Za-z0-9]+", re.ASCII)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\\\]]+@[^@\s]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_HOST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


@lru_cache(maxsize=4096)
def is_cron(text: str) -> bool:
    """Five fields, as cron has them: no seconds, no nicknames."""
    fields = text.split(" ")
    if len(text) > 200 or len(fields) != 5 or not all(_CRON_FIELD.fullmatch(field) for field in fields):
        return False
    return cron.is_valid(text)


def is_duration(text: str) -> bool:
    """Numbers with units: ms, s, m, h, d, w."""
    return len(text) <= 100 and _DURATION.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """A day of the calendar, as RFC 3339 writes it."""
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    try:
        date(*map(int, found.groups()))
    except ValueError:
        return False
    return True


def is_time(text: str) -> bool:
    """A time of day with its offset, as RFC 3339 writes it."""
    return _TIME.fullmatch(text) is not None


def is_date_time(text: str) -> bool:
    """A moment with its offset, as RFC 3339 writes it."""
    return text[10:11] in {"T", "t", " "} and is_date(text[:10]) and is_time(text[11:])


def is_uri(text: str) -> bool:
    """An absolute address of ASCII characters with a scheme."""
    if not _URI.fullmatch(text) or _BAD_PERCENT.search(text):
        return False
    try:
        address = urlsplit(text)
        # Platforms put names where a port would be (acme://depot:collection/table); the web does not.
        return address.scheme not in {"http", "https"} or (address.hostname is not None and (address.port or 0) >= 0)
    except ValueError:
        return False


def is_hostname(text: str) -> bool:
    """Labels of letters, digits and hyphens, at most 253 characters."""
    return 0 < len(text) <= 253 and all(_HOST_LABEL.fullmatch(label) for label in text.split("."))


def is_email(text: str) -> bool:
    """A local part and a host."""
    local, _, host = text.rpartition("@")
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return len(text) <= 254 and not dots and _EMAIL.fullmatch(text) is not None and is_hostname(host)


def is_uuid(text: str) -> bool:
    """Thirty-two hexadecimal digits in five groups."""
    return _UUID.fullmatch(text) is not None


def is_ipv4(text: str) -> bool:
    """Four decimal numbers."""
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def is_ipv6(text: str) -> bool:
    """An address without zone."""
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return "%" not in text


def is_regex(text: str) -> bool:
    """A pattern that a linear-time engine takes."""
    return pattern_fault(text) is None


def _is_anything(_text: str) -> bool:
    return True


FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "cron": is_cron,
    "duration": is_duration,
    "date": is_date,
    "time": is_time,
    "date-time": is_date_time,
    "uri": is_uri,
    "hostname": is_hostname,
    "email": is_email,
    "uuid": is_uuid,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
    "regex": is_regex,
    # Annotations: named here so that neither engine asserts them on its own.
    **dict.fromkeys(
        (
            "idn-email",
            "idn-hostname",
            "iri",
            "iri-reference",
            "json-pointer",
            "relative-json-pointer",
            "uri-reference",
            "uri-template",
        ),
        _is_anything,
    ),
}

# How each format is named in a sentence, and an example for its fix.
EXAMPLES: Final[dict[str, tuple[str, str]]] = {
    "cron": ("a cron expression", 'use five fields, for example "0 3 * * *"'),
    "duration": ("a duration", 'write a number with its unit, for example "15s", "5m" or "720h"'),
    "date": ("a date", 'write for example "2025-01-31"'),
    "time": ("a time", 'write for example "03:00:00Z"'),
    "date-time": ("a moment in time", 'write for example "2025-01-31T03:00:00Z"'),
    "uri": ("an address (URI)", 'write for example "https://example.com/path"'),
    "hostname": ("a host name", 'write for example "db.example.com"'),
    "email": ("an e-mail address", 'write for example "team@example.com"'),
    "uuid": ("a UUID", 'write for example "123e4567-e89b-12d3-a456-426614174000"'),
    "ipv4": ("an IPv4 address", 'write for example "192.0.2.10"'),
    "ipv6": ("an IPv6 address", 'write for example "2001:db8::1"'),
    "regex": ("a regular expression that is safe to run", "leave out look-around and back-references"),
}
