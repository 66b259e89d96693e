"""The parser of one verb: argparse without abbreviations, with suggestions, with exit status 64 for every mistake."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from agent.errors import UsageError

_MAY_BE_SECRET = ("pass", "pw", "token", "secret", "key", "dsn", "cookie")  # else the list of names is not loaded
_TAKES_A_TOKEN = frozenset({"sandbox"})  # invented for a local emulator, so nobody's secret


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Of a fixed width: help is the same everywhere, and asking for the terminal's width would cost start-up time."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100, max_help_position=32)


class VerbParser(argparse.ArgumentParser):
    """Raises :class:`UsageError` where argparse would print and exit."""

    def __init__(self, verb: str, summary: str, example: str, told: str | None = None) -> None:
        """``told``: the docstring of the verb's ``run``, which says how it ends."""
        self._verb = verb
        ends = f"exit status:\n{_indented(exits_of(told))}" if told else ""
        shown = f"example:\n  {example}" if example else ""
        super().__init__(
            prog=f"datakeel {verb}",
            description=summary[:1].upper() + summary[1:] + ".",
            epilog="\n\n".join(filter(None, (ends, shown))) or None,
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """The words as values; unknown ones are refused with the nearest known flag."""
        parsed, unknown = self.parse_known_args(list(words), argparse.Namespace(verb=self._verb))
        if unknown:
            self._refuse(unknown[0])
        return parsed

    def error(self, message: str) -> NoReturn:
        if message.endswith(": expected one argument"):
            message = message.removeprefix("argument ").replace(": expected one argument", " needs a value")
        raise UsageError(_plain(message), fix=f"see {self.prog} --help")

    def _refuse(self, word: str) -> NoReturn:
        if not word.startswith("-"):
            raise UsageError(f"{self.prog} takes no argument {_shown(word)}", fix=f"see {self.prog} --help")
        flag = word.partition("=")[0]
        known = [flag for action in self._actions for flag in action.option_strings]
        raise UsageError(
            f"{self.prog} has no option {_shown(flag)}", fix=_nearest(flag, known) or f"see {self.prog} --help"
        )


def exits_of(told: str) -> str:
    """``Exit 0; 2 when …`` of a docstring as help words it."""
    text = " ".join(told.replace("``", "").split())
    return text.removeprefix("Exit ")


def _indented(text: str) -> str:
    import textwrap  # argparse has it anyhow, once it shows help

    return textwrap.fill(text, 98, initial_indent="  ", subsequent_indent="  ")


def unknown_verb(name: str, known: Sequence[str]) -> UsageError:
    """The mistake of a verb that does not exist, with the nearest one."""
    if name.startswith("-"):
        return UsageError(f"an option before the verb: {_shown(name)}", fix="write datakeel VERB [OPTION…]")
    return UsageError(
        f"datakeel has no verb {_shown(name)}", fix=_nearest(name, known) or "datakeel --help lists the verbs"
    )


def refuse_what_is_no_text(words: Sequence[str]) -> None:
    """Bytes that are not UTF-8 reach us as halves of surrogate pairs, and break whoever writes or sends them."""
    for number, word in enumerate(words, 1):
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(f"argument {number} is not UTF-8 text") from None


def refuse_secrets(verb: str, words: Sequence[str]) -> None:
    """Every user of the machine can read a process's arguments, so a secret there is refused and not repeated."""
    if verb in _TAKES_A_TOKEN:
        return
    fix = "write it into the environment or a file, and name that in datakeel.yaml: credentials: {token: {env: NAME}}"
    for word in words:
        flag = word.partition("=")[0].lower()
        if _names_a_secret(flag):
            raise UsageError(
                f"{flag}: a secret on the command line can be read by everyone", code="secret-argument", fix=fix
            )
        if len(word) >= 16:
            from agent.secrets import looks_like_token

            if looks_like_token(word):
                what = "an argument looks like a secret, which everyone can read on a command line"
                raise UsageError(what, code="secret-argument", fix=fix)


def _names_a_secret(flag: str) -> bool:
    if not flag.startswith("--") or not any(stem in flag for stem in _MAY_BE_SECRET):
        return False
    from agent.model.secret_names import is_secret_name

    return is_secret_name(flag)


def _nearest(word: str, known: Sequence[str]) -> str | None:
    import difflib

    found = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {found[0]}?" if found else None


def _shown(word: str) -> str:
    from agent.report.escape import clean

    return clean(word, 60)


def _plain(message: str) -> str:
    from agent.report.escape import clean

    return clean(message, 300)
