"""JMESPath: compiled once when a definition is loaded, evaluated on answers, documents and contexts.

The only importer of jmespath. What an expression may cost is bounded when it is compiled: its length, its depth, and
how often it can copy what it reads, so that no answer of a platform makes it explode. Functions are the standard ones,
taught that a fraction is a :class:`decimal.Decimal`.
"""

from __future__ import annotations

import difflib
import re
import warnings
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jmespath import functions as jmespath_functions
from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser
from jmespath.visitor import Options, TreeInterpreter

from agent.definitions.expressions.paths import ExpressionError
from agent.model.canonical import to_json

LENGTH_MAX = 500
DEPTH_MAX = 50
COPIES_MAX = 1000

_Tree = dict[str, Any]
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NOTHING = "\0"
"""Stands in a group of identifiers of which none need occur."""
_ALTERNATIVES = frozenset({"not_null", "or_expression"})
_PASS_THROUGH = frozenset({"merge", "not_null", "sort_by", "reverse", "to_array", "max_by", "min_by"})


class Expression:
    """A compiled JMESPath expression.

    ``first`` are the identifiers it reads from its input, or from the elements of an input that is a list.
    ``needs`` groups those that must occur: of each group at least one, for ``not_null(a, b)`` and ``a || b`` ask for
    either; what stands behind ``!`` or before a constant (``a || 'x'``) need not be there.
    ``plain`` is the member name when the expression is nothing but that.
    """

    __slots__ = ("_tree", "first", "needs", "plain", "source")

    def __init__(self, source: str) -> None:
        """Raises :class:`ExpressionError`, never RecursionError."""
        self.source = source
        self._tree, self.first, self.needs = _compile(source)
        self.plain = source if _PLAIN.fullmatch(source) else None

    def search(self, value: Any) -> Any:
        """What the expression selects, or None.

        A function that meets a wrong type yields None as a missing member does: the answer is the platform's, and
        both mean that what was looked for is not there. Never change the result in place: it may be the input's.
        """
        try:
            return _INTERPRETER.visit(self._tree, value)
        except (JMESPathError, TypeError, ValueError, ArithmeticError):
            return None

    def holds(self, value: Any) -> bool:
        """The expression as a condition, by JMESPath's truth: null, false, "", [] and {} do not hold; 0 does."""
        result = self.search(value)
        return not (result is None or result is False or (isinstance(result, str | list | dict) and not result))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


@lru_cache(maxsize=4096)
def _compile(source: str) -> tuple[_Tree, tuple[str, ...], tuple[tuple[str, ...], ...]]:
    if len(source) > LENGTH_MAX:
        raise ExpressionError(f"the expression has {len(source)} characters; at most {LENGTH_MAX} are allowed")
    if _nesting(source) > DEPTH_MAX:
        raise ExpressionError(f"the expression nests deeper than {DEPTH_MAX} brackets")
    try:
        with warnings.catch_warnings():
            # JMESPath once read `text` in backquotes as a string; a bare word there is a mistake now.
            warnings.simplefilter("error", PendingDeprecationWarning)
            tree: _Tree = Parser().parse(source).parsed
        _copies(tree, 0)
        groups, _ = _reads(tree)
    except RecursionError:
        raise ExpressionError(f"the expression nests deeper than {DEPTH_MAX} levels") from None
    except PendingDeprecationWarning:
        raise ExpressionError(_QUOTING) from None
    except JMESPathError as error:
        reason = " ".join(str(error).split("\n")[0].split())
        raise ExpressionError(f"not a JMESPath expression: {reason}. {_QUOTING}") from None
    first = tuple(dict.fromkeys(name for group in groups for name in group if name != _NOTHING))
    needs = (tuple(dict.fromkeys(group)) for group in groups if group and _NOTHING not in group)
    return tree, first, tuple(dict.fromkeys(needs))


_ONLY_BEFORE_ARGUMENTS = "`&` may stand only before an argument of a function such as sort_by"
_QUOTING = "Text is written 'text', a number or a truth value `4`, a member with odd characters \"@odata.nextLink\""


def _nesting(source: str) -> int:
    depth = deepest = 0
    for char in source:
        depth += (char in "([{") - (char in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _copies(node: _Tree, depth: int) -> int:
    """How often the value read can stand in the result, at most; refuses what may explode or fail at run time."""
    if depth > DEPTH_MAX:
        raise ExpressionError(f"the expression nests deeper than {DEPTH_MAX} levels")
    kind = node["type"]
    if kind == "literal" and isinstance(node["value"], float):
        node["value"] = Decimal(str(node["value"]))
    if kind == "function_expression":
        _check_call(node)
    elif any(isinstance(child, dict) and child["type"] == "expref" for child in node["children"]) or (
        kind == "expref" and not depth
    ):
        raise ExpressionError(_ONLY_BEFORE_ARGUMENTS)
    children = [_copies(child, depth + 1) for child in node["children"] if isinstance(child, dict)]
    if kind in ("multi_select_list", "multi_select_dict", "function_expression"):
        count = sum(children) + (node.get("value") == "to_string")  # quoting quotes doubles them
        if node.get("value") == "map":
            count = children[0] * max(children[1], 1)
    elif kind in ("or_expression", "and_expression", "comparator", "not_expression"):
        count = max(children, default=1)
    else:
        count = 1
        for factor in children[:2] if kind == "filter_projection" else children:
            count *= max(factor, 1)
    if count > COPIES_MAX:
        raise ExpressionError(f"the expression may copy what it reads more than {COPIES_MAX} times")
    return count


def _check_call(node: _Tree) -> None:
    table = _Functions.FUNCTION_TABLE
    name = node["value"]
    if name not in table:
        near = difflib.get_close_matches(name, table, 1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise ExpressionError(f"JMESPath has no function `{name}`{hint}")
    wanted, given = table[name]["signature"], len(node["children"])
    variadic = bool(wanted and wanted[-1].get("variadic"))
    if given < len(wanted) or (given > len(wanted) and not variadic):
        raise ExpressionError(f"`{name}` takes {'at least ' if variadic else ''}{len(wanted)} arguments, not {given}")
    for index, child in enumerate(node["children"]):
        takes = wanted[min(index, len(wanted) - 1)]["types"]
        if child["type"] == "expref" and "expref" not in takes:  # it would come out as a value that is no JSON
            raise ExpressionError(_ONLY_BEFORE_ARGUMENTS)


def _reads(node: _Tree) -> tuple[list[tuple[str, ...]], bool]:
    """Groups of identifiers read from the input, and whether the result is still the input or its elements."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return [(node["value"],)], False
    if kind in ("current", "identity", "index", "slice"):
        return [], True
    if kind in ("subexpression", "pipe", "index_expression", "projection", "flatten"):
        groups: list[tuple[str, ...]] = []
        for child in children:
            more, still = _reads(child)
            groups += more
            if not still:
                return groups, False
        return groups, True
    if kind == "filter_projection":
        groups, still = _reads(children[0])
        if not still:
            return groups, False
        result, still = _reads(children[1])
        return groups + result + _reads(children[2])[0], still
    if kind == "value_projection":
        return _reads(children[0])[0], False
    parts = [_reads(child) for child in children if child["type"] != "expref"]
    # `&name` is read from the elements of the other argument.
    if any(still for _, still in parts):
        parts += [_reads(child["children"][0]) for child in children if child["type"] == "expref"]
    groups = [group for part, _ in parts for group in part]
    if kind == "not_expression":
        groups = [(*group, _NOTHING) for group in groups]
    function = node["value"] if kind == "function_expression" else ""  # a literal has a value too, of any type
    if kind in _ALTERNATIVES or function in _ALTERNATIVES:
        groups = [tuple(name for group in groups for name in group)]
        if not all(part for part, _ in parts):  # a constant, or the input itself, is there when nothing else is
            groups = [(*groups[0], _NOTHING)]
    passes = kind in ("multi_select_list", "or_expression", "and_expression") or function in _PASS_THROUGH
    return groups, passes and any(still for _, still in parts)


class _Functions(jmespath_functions.Functions):  # type: ignore[misc]
    """The standard functions, taught that a fraction is a Decimal."""

    def _get_allowed_pytypes(self, types: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
        allowed, subtypes = super()._get_allowed_pytypes(types)
        if "number" in types:
            allowed = [*allowed, "Decimal"]
        return allowed, [(*names, "Decimal") if "float" in names else names for names in subtypes]

    def _convert_to_jmespath_type(self, pyobject: str) -> str:
        return "number" if pyobject == "Decimal" else str(super()._convert_to_jmespath_type(pyobject))

    @jmespath_functions.signature({"types": ["array-number"]})  # type: ignore[untyped-decorator]
    def _func_avg(self, arg: list[Any]) -> Decimal | None:
        return Decimal(sum(arg)) / len(arg) if arg else None

    @jmespath_functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_string(self, arg: Any) -> str:
        return arg if isinstance(arg, str) else to_json(arg).decode()

    @jmespath_functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_number(self, arg: Any) -> int | Decimal | None:
        if isinstance(arg, int | Decimal) and not isinstance(arg, bool):
            return arg
        number = _JSON_NUMBER.fullmatch(arg) if isinstance(arg, str) else None
        if not number:
            return None
        return Decimal(arg) if number[1] or number[2] else int(arg)

    @jmespath_functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_type(self, arg: Any) -> str:
        return "number" if isinstance(arg, Decimal) else str(super()._func_type(arg))


_INTERPRETER = TreeInterpreter(Options(custom_functions=_Functions()))
