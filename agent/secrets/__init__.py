"""Secrets: references to them, the value that never shows itself, and the scrubber of every text that leaves us.

A configuration holds references (``env``, ``file``, ``exec``, ``sops``, ``age``), never values. A :class:`Secret` shows
``***`` wherever it is printed, formatted, encoded or pickled; only :meth:`Secret.reveal` gives the value, and only code
that sends it calls that. The :class:`Redactor` stands before each sink: logs, reports, the store. Nothing here logs or
asks a person.
"""

from __future__ import annotations

from agent.secrets.encrypted import UNNAMEABLE
from agent.secrets.references import Reader, Reference, Warn, read
from agent.secrets.rights import expiry_of, rights_to_write, subject_of
from agent.secrets.scrub import Redactor, looks_like_token, mask_url, without_echo
from agent.secrets.secret import MASK, Secret

__all__ = [
    "MASK",
    "UNNAMEABLE",
    "Reader",
    "Redactor",
    "Reference",
    "Secret",
    "Warn",
    "expiry_of",
    "looks_like_token",
    "mask_url",
    "read",
    "rights_to_write",
    "subject_of",
    "without_echo",
]
