"""CEL: compiled when a rule is read, evaluated for each change that it is about. The only importer of cel_expr_python.

The library stops deep nesting and endless iteration by itself. It does not stop text that doubles at each step of a
chain, so what may grow is bounded here, by what is written: length, nesting of macros, and how often something is
added. The language has no loops, no recursion, no I/O, no clock and no chance.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.errors import ConfigError
from agent.errors.near import near
from agent.policy.schedules import cron_interval

if TYPE_CHECKING:
    from cel_expr_python import cel

LENGTH_MAX = 2000
ADDITIONS_MAX = 6
MACROS_DEEP_MAX = 3

SIDES = ("desired", "live")
_CHANGE = "target kind name scope action cause path fields hits desired live"
_PLAN = "target platform commit branch owned owned_by_kind manifests by_kind deletes_share"
_COUNTS = "creates updates replaces deletes adopts releases"
WORDS: Mapping[str, frozenset[str]] = {
    "change": frozenset(_CHANGE.split()),
    "plan": frozenset((*_PLAN.split(), *_COUNTS.split())),
    "actor": frozenset(("author", "committer", "signer")),
    "now": frozenset(("date", "time", "year", "month", "day", "hour", "minute", "weekday")),
}
"""What an expression may name, and the members of each; beside them ``values``, the constants of its block."""

_LITERAL = re.compile(r"""r?('''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|//[^\n]*""", re.DOTALL)
_MEMBER = re.compile(r"(?<![\w.])(change|plan|actor|now|values)\s*\.\s*\??\s*([A-Za-z_]\w*)")
_NAMED = re.compile(r"(?<![\w.])([A-Za-z_]\w*)")
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|filter|map)\s*\(|[()]")
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")
_ARROW = re.compile(r"expecting \{.*\}")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")
_CODE = re.compile(r"^[A-Z_]+: ")


class Mistake(NamedTuple):
    """Why an expression cannot be used, at a line and column of its own (from 1)."""

    line: int
    column: int
    what: str
    fix: str | None = None


class NotCompiled(ValueError):
    """An expression that cannot be used as it is written."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.what)
        self.mistake = mistake


class NotEvaluated(ValueError):
    """An expression that gave neither true nor false."""


class Condition:
    """A compiled expression. ``names`` are the words of :data:`WORDS` that it looks at, and ``values``; ``sides`` which
    of ``desired`` and ``live`` it may read of a change, in whatever way.
    """

    __slots__ = ("_program", "names", "sides", "source")

    def __init__(self, source: str, constants: Collection[str] = ()) -> None:
        """Raises NotCompiled; ConfigError where the library is not installed."""
        self.source = source
        plain = _without_literals(source)
        _refuse_what_may_grow(plain)
        self._program = _compiled(source)
        self.names = frozenset(_NAMED.findall(plain)) & {*WORDS, "values"}
        self.sides = tuple(side for side in SIDES if re.search(rf"\b{side}\b", source))
        _refuse_unknown_members(plain, constants)

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether it is true of the facts. Raises NotEvaluated."""
        try:
            result = self._program.eval(data=facts)
            value = result.value()
        except (RuntimeError, ValueError, TypeError) as error:
            raise NotEvaluated(_sentence(str(error))) from None
        kind = result.type().name()
        if kind == "ERROR":
            raise NotEvaluated(_sentence(str(value)))
        if value is not True and value is not False:
            raise NotEvaluated(f"it gives {_called(kind)}, neither true nor false")
        return bool(value)


_KINDS = {"NULL": "null", "STRING": "a text", "INT": "a number", "DOUBLE": "a number", "LIST": "a list", "MAP": "a map"}


def _called(kind: str) -> str:
    plain = kind.partition("<")[0]
    return _KINDS.get(plain, plain.lower())


@lru_cache(maxsize=1024)
def _compiled(source: str) -> cel.Expression:
    try:
        program = _environment().compile(source)
    except RuntimeError as error:
        raise NotCompiled(_mistake(source, str(error))) from None
    kind = program.return_type().name()
    if kind not in ("BOOL", "DYN"):
        raise NotCompiled(Mistake(1, 1, f"it gives {_called(kind)}, and a rule is true or false"))
    return program


@lru_cache(maxsize=1)
def _environment() -> cel.Env:
    try:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_optional
    except ImportError:
        raise ConfigError(
            "rules of a policy need a library that is not installed",
            code="policy-library",
            why="they are written in CEL, which cel-expr-python evaluates",
            fix="install datakeel with it: pip install 'datakeel[policy]'",
        ) from None
    anything = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    interval = cel.Overload(
        "cron_interval_string", return_type=cel.Type.DURATION, parameters=[cel.Type.STRING], impl=cron_interval
    )
    return cel.NewEnv(
        variables=dict.fromkeys((*WORDS, "values"), anything),
        functions=[cel.FunctionDecl("cronInterval", [interval])],
        extensions=[ext_optional.ExtOptional()],
    )


def _without_literals(source: str) -> str:
    """The source with what stands in quotes and in comments blanked, so that places stay."""
    return _LITERAL.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)


def _refuse_what_may_grow(plain: str) -> None:
    if len(plain) > LENGTH_MAX:
        raise NotCompiled(Mistake(1, 1, f"it has {len(plain)} characters, and at most {LENGTH_MAX} are allowed"))
    if plain.count("+") > ADDITIONS_MAX:
        what = f"it adds {plain.count('+')} times, and at most {ADDITIONS_MAX} are allowed: what is added may grow"
        raise NotCompiled(Mistake(*_place(plain, plain.rindex("+")), what))
    open_: list[bool] = []
    for found in _MACRO.finditer(plain):
        if found[0] == ")":
            if open_:
                open_.pop()
            continue
        open_.append(found[0] != "(")
        if sum(open_) > MACROS_DEEP_MAX:
            what = f"all, exists, filter and map stand in each other more than {MACROS_DEEP_MAX} deep"
            raise NotCompiled(Mistake(*_place(plain, found.start()), what))


def _refuse_unknown_members(plain: str, constants: Collection[str]) -> None:
    """A member that nothing has would make the rule fail each time: told when it is read."""
    for found in _MEMBER.finditer(plain):
        owner, member = found.groups()
        known = constants if owner == "values" else WORDS[owner]
        if member not in known:
            told = ", ".join(sorted(known)) or "none"
            what = f"`{owner}` has no `{member}`"
            fix = near(member, sorted(known)) or f"known are: {told}"
            raise NotCompiled(Mistake(*_place(plain, found.start(2)), what, fix))


def _mistake(source: str, said: str) -> Mistake:
    """The first of the library's errors, in a sentence."""
    found = _ERROR.search(said)
    if found is None:
        return Mistake(1, 1, _sentence(said))
    line, column, what = int(found[1]), int(found[2]), found[3]
    what = _ARROW.sub("expecting something else", what).removesuffix(" (in container '')")
    undeclared = _UNDECLARED.search(what)
    fix = None
    if undeclared is not None:
        column = max(1, column - (len(undeclared[1]) - len(undeclared[1].partition(".")[0])))
        name = undeclared[1].partition(".")[0]
        fix = near(name, sorted((*WORDS, "values", *_FUNCTIONS))) or f"known are {', '.join((*WORDS, 'values'))}"
        what = f"`{name}` is not known"
    elif "token recognition error at: '='" in what or "token recognition error at: '= '" in what:
        fix = "write == to compare"
    return Mistake(line, column, what[:1].lower() + what[1:] if what.startswith("Syntax") else what, fix)


_FUNCTIONS = (
    *("startsWith", "endsWith", "contains", "matches", "size", "has", "all", "exists", "exists_one", "filter", "map"),
    *("int", "double", "string", "duration", "timestamp", "cronInterval", "orValue", "hasValue"),
)


def _place(text: str, at: int) -> tuple[int, int]:
    line = text.count("\n", 0, at) + 1
    return line, at - (text.rfind("\n", 0, at) + 1) + 1


def _sentence(said: str) -> str:
    """The library's words without its status, on one line."""
    text = _CODE.sub("", " ".join(said.split()))
    return re.sub(r" \[[A-Z_]+\]$", "", text).replace("Key not found in map : ", "no member ")[:300]
