"""Problems as text: ``path:line:col: error[code]: subject: what`` and, below it, got, why and fix.

Called by ``validate``, ``diff``, ``apply`` and by the one door of errors. The first line alone is enough for an editor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.errors import Problem
from agent.report.escape import clean
from agent.report.values import Paint, counted, plain

SHOWN_MAX = 50
_GOT_MAX = 200


def sorted_problems(problems: Iterable[Problem]) -> list[Problem]:
    """By path and place, then by code: the order of every output."""
    return sorted(
        problems,
        key=lambda one: (
            one.where.path,
            one.where.line or 0,
            one.where.column or 0,
            one.code,
            one.subject or "",
            one.what,
        ),
    )


def render_problem(problem: Problem, *, paint: Paint = plain) -> list[str]:
    """The lines of one problem."""
    role = "error" if problem.severity == "error" else "warning"
    subject = f"{clean(problem.subject)}: " if problem.subject else ""
    lines = [
        f"{clean(str(problem.where))}: {paint(role, f'{problem.severity}[{problem.code}]')}: "
        f"{subject}{clean(problem.what)}"
    ]
    if problem.got is not None:
        lines.append(f"  got:  {clean(problem.got, _GOT_MAX)}")
    lines += [f"  also: {clean(str(place))}" for place in problem.also]
    if problem.why is not None:
        lines.append(f"  why:  {clean(problem.why)}")
    if problem.fix is not None:
        lines.append(f"  fix:  {clean(problem.fix)}")
    return lines


def render_problems(problems: Iterable[Problem], *, paint: Paint = plain, limit: int | None = SHOWN_MAX) -> str:
    """All problems in order, the first fifty of them, with the number of the others."""
    ordered = sorted_problems(problems)
    shown = ordered if limit is None else ordered[:limit]
    lines = [line for problem in shown for line in render_problem(problem, paint=paint)]
    if len(shown) < len(ordered):
        lines.append(f"… and {len(ordered) - len(shown)} more; -o json lists all {len(ordered)}")
    return "".join(f"{line}\n" for line in lines)


def render_summary(problems: Sequence[Problem], manifests: int) -> str:
    """``2 errors, 1 warning in 2 of 304 manifests``; ``304 manifests, no problem``."""
    errors = sum(1 for problem in problems if problem.severity == "error")
    warnings = sum(1 for problem in problems if problem.severity == "warning")
    counts = [counted(errors, "error")] if errors else []
    counts += [counted(warnings, "warning")] if warnings else []
    if not counts:
        return f"{counted(manifests, 'manifest')}, no problem\n"
    touched = len({(problem.where.path, problem.subject) for problem in problems})
    return f"{', '.join(counts)} in {touched} of {counted(max(manifests, touched), 'manifest')}\n"
