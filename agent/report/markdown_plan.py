"""A plan as the parts of a Markdown page: one row a change, its fields folded below. Called by ``markdown``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from agent.report.escape import cell_code, clean, code_span, fenced, html_text, sentence
from agent.report.findings import commit_of, resource_of
from agent.report.markdown import Page
from agent.report.values import about, counted, is_long, leaves, line_diff, show
from agent.report.verdicts import said_in

ICONS = {
    "delete": "🗑️",
    "replace": "♻️",
    "hold": "✋",
    "update": "✏️",
    "adopt": "🤝",
    "create": "✨",
    "release": "🕊️",
    "none": "👁️",
}
WORDS = {"hold": "held", "none": "drift reported"}
SEVERITIES = {"error": "❌", "warning": "⚠️", "info": "💬"}
_POLICY_ICONS = {"deny": "⛔", "hold": "✋", "warn": "⚠️"}
DANGEROUS = ("delete", "replace", "hold")
_TITLE_COUNTS = ("delete", "replace", "held", "update", "adopt", "create", "release", "drift_reported")
_NAME_MAX = 120
_HITS_SHOWN = 3
_FIELDS_NAMED = 2
_VALUE_MAX = 300
_FIELDS_MAX = 40
_LINES_MAX = 20


def page_of(document: Mapping[str, Any]) -> Page:
    """The page of a whole plan document, of one target or of several."""
    targets = [target["name"] for target in document["targets"]]
    changes = document["changes"]
    warnings = list(_warnings(document))
    if not (changes or warnings or document["problems"] or document.get("apart")):
        return Page(f"✅ datakeel: {_summary(document, targets)} · {_foot(document)}")
    names = Names([*changes, *document.get("apart", ())], several=len(targets) > 1)
    page = Page(
        f"### datakeel: {_summary(document, targets)}",
        warnings,
        problem_lines(document["problems"]),
        ("| | what | resource | why |", "| --- | --- | --- | --- |"),
        foot=_foot(document),
    )
    if names.several:
        page.header = ("| | what | target | resource | why |", "| --- | --- | --- | --- | --- |")
    above: Mapping[str, Any] = {}
    for change in changes:
        why = f"as above {_other_cause(change)}".rstrip() if _is_said(change, above) else _why(change)
        above = change
        row = f"| {ICONS[change['action']]} | {_word(change)} | {names.cells(change['key'])} | {why} |"
        (page.dangerous if change["action"] in DANGEROUS else page.rows).append(row)
        if any(not field.get("apart") for field in change["fields"]) or change.get("proof"):
            page.details.append(partial(_detail, change, names))
    for change in (*changes, *document.get("apart", ())):
        if any(field.get("apart") for field in change["fields"]):
            page.details.append(partial(_apart, change, names))
    return page


def problem_lines(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    """The items of a list of problems, errors first, and of those what a proposal brings."""
    return [f"- {_problem_line(problem)}" for problem in sorted(problems, key=_rank)]


def _rank(problem: Mapping[str, Any]) -> tuple[int, bool]:
    return list(SEVERITIES).index(problem["severity"]), problem.get("merged", False)


def place_of(problem: Mapping[str, Any]) -> str:
    """``manifests/daily.yaml:7:3``."""
    return ":".join(str(problem[word]) for word in ("path", "line", "column") if problem.get(word))


def _problem_line(problem: Mapping[str, Any]) -> str:
    """One problem of a manifest: where, what, and what mends it."""
    icon, place = SEVERITIES[problem["severity"]], place_of(problem)
    subject = f"{code_span(problem['subject'], _NAME_MAX)}: " if problem.get("subject") else ""
    fix = f" · fix: {sentence(problem['fix'], _VALUE_MAX)}" if problem.get("fix") else ""
    what = sentence(problem["what"], _VALUE_MAX)
    merged = " · not of this change" if problem.get("merged") else ""
    return f"{icon} **{problem['severity']}** {code_span(place, 200)} {subject}{what}{fix}{merged}"


def error_line(error: Mapping[str, Any], word: str = "failed") -> str:
    """One error: of a target that has no plan, or of everything."""
    target = f"{code_span(error['target'], 60)} " if error.get("target") else ""
    parts = [f"❌ **{word}** {target}{sentence(error['message'], 500)} ({code_span(error['code'], 60)})"]
    parts += [f"{word}: {sentence(error[word], 500)}" for word in ("got", "why", "fix") if error.get(word)]
    return " · ".join(parts)


class Names:
    """How resources are called: by kind and name, with the scope where that alone would name two of them."""

    def __init__(self, changes: Sequence[Mapping[str, Any]], *, several: bool) -> None:
        paths: dict[tuple[str, str], set[str]] = {}
        for change in changes:
            key = change["key"]
            paths.setdefault((key["kind"], key["name"]), set()).add(resource_of(key))
        self._ambiguous = {short for short, found in paths.items() if len(found) > 1}
        self.several = several

    def cells(self, key: Mapping[str, Any]) -> str:
        """The cell of the resource, and before it that of its target where there are several."""
        target = f"{cell_code(key['target'], 60)} | " if self.several else ""
        return target + cell_code(self._name(key), _NAME_MAX)

    def html(self, key: Mapping[str, Any]) -> str:
        target = f"<code>{html_text(key['target'], 60)}</code> " if self.several else ""
        return f"{target}<code>{html_text(self._name(key), _NAME_MAX)}</code>"

    def _name(self, key: Mapping[str, Any]) -> str:
        short = (key["kind"], key["name"])
        return resource_of(key) if short in self._ambiguous else "/".join(short)


def _summary(document: Mapping[str, Any], targets: Sequence[str]) -> str:
    counts = []
    for word in _TITLE_COUNTS:
        number = document["summary"].get(word, 0)
        if number:
            noun = word.replace("_", " ")
            text = f"{number} {noun}" if word in ("held", "drift_reported") else counted(number, noun)
            counts.append(f"**{text}**" if word in ("delete", "replace") else text)
    where = ", ".join(code_span(name, 60) for name in targets)
    failed = [code_span(error["target"], 60) for error in document["errors"]]
    text = ", ".join(counts) or ("nothing to change" if document["complete"] else "no change is known")
    text += f" in {where}" if where else ""
    return text + (f"; **no plan** of {', '.join(failed)}" if failed else "")


def _warnings(document: Mapping[str, Any]) -> Iterator[str]:
    """What a reader must know before the table: what decides where things go, failures, what the plan itself says."""
    unmerged = document.get("unmerged") or ()
    if unmerged:
        yield "🔒 **changes the agent itself**; nothing of this is used before it is merged"
    yield from map(_unmerged, unmerged)
    yield from map(error_line, document["errors"])
    for refusal in document.get("refusals", ()):
        yield error_line(refusal, "refused")
    if not document["complete"] and document["targets"]:
        yield "⚠️ **incomplete**: not everything could be read; what is unknown is held, nothing is deleted for it"
    for said in said_in(document.get("policy", ())):
        fix = f" · fix: {sentence(said.fix, _VALUE_MAX)}" if said.fix else ""
        yield f"{_POLICY_ICONS[said.effect]} **policy** {sentence(said.sentence, 500)}{fix}"
    for target in document["targets"]:
        for note in target["notes"]:
            yield f"⚠️ {code_span(target['name'], 60)} {sentence(note, 500)}"


def _unmerged(one: Mapping[str, Any]) -> str:
    place = f"{one['path']}:{one['line']}" if one.get("line") else one["path"]
    lines = [clean(line, 300) for line in one["lines"][:_LINES_MAX]]
    hidden = len(one["lines"]) - len(lines)
    lines += [f"  … {counted(hidden, 'more line')}"] if hidden else []
    told = f"🔒 **{one['code']}** {code_span(place, 200)} {sentence(one['what'], 300)}"
    return f"{told}\n\n{fenced(lines, 'diff')}" if lines else told


def _word(change: Mapping[str, Any]) -> str:
    action = change["action"]
    word = WORDS.get(action, action)
    return f"**{word}**" if action in ("delete", "replace") else word


def _is_said(change: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    """Whether the row above holds something like this for the same reason."""
    words = ("action", "would", "message", "because")
    return change["action"] == "hold" and all(change.get(word) == above.get(word) for word in words)


def _why(change: Mapping[str, Any]) -> str:
    """The cause in a few words: the message where there is one, else what differs, and what is not git's doing."""
    fields = [field for field in change["fields"] if not field.get("apart")]
    action = change["action"]
    parts = []
    if action == "hold":
        parts += [f"would {change['would']}:"] if change.get("would") else []
    message = change.get("message") or (change.get("reason") if action == "hold" else "")
    if change.get("because") and "delete" in (action, change.get("would")):
        parts.append(f"removed in {sentence(commit_of(change), 100)}" + (";" if message else ""))
    if message and action != "create":
        parts.append(sentence(message, 200))
    is_told = len(fields) == 1 and f"`{fields[0]['path']}`" in (message or "")
    if (action in ("update", "replace", "none") or (action == "adopt" and fields)) and not is_told:
        paths = [clean(field["path"], 80) for field in fields]
        named = _listed(paths, _FIELDS_NAMED) if len(paths) <= _FIELDS_NAMED else counted(len(paths), "field")
        if action == "none":
            parts = [named, *(f"· {part}" for part in parts)]
        else:
            parts.append(f"({named})" if parts else named)
    elif not parts and action == "adopt":
        parts.append("identical to git")
    elif not parts and change.get("origin"):
        parts.append(
            f"removed from {cell_code(change['origin']['path'], 120)}"
            if action == "delete"
            else cell_code(_place(change), 120)
        )
    elif not parts and change.get("proof"):
        parts.append(sentence(change["proof"], 200))
    if hits := change.get("hits"):
        parts.append(f"· hits {_listed(hits, _HITS_SHOWN)}")
    parts.append(_other_cause(change))
    return " ".join(part for part in parts if part) or " "


def _other_cause(change: Mapping[str, Any]) -> str:
    """What is not git's doing."""
    is_git = change["cause"] in ("git", "adopt") or change["action"] == "none"
    return "" if is_git else f"· {change['cause']}"


def _listed(names: Sequence[str], shown: int) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(cell_code(one, _NAME_MAX) for one in names[:shown]) + more


def _place(change: Mapping[str, Any]) -> str:
    return f"{change['origin']['path']}:{change['origin']['line']}"


def _detail(change: Mapping[str, Any], names: Names) -> str:
    """The fields of a change and what else there is to say beyond its row, folded."""
    fields = [field for field in change["fields"] if not field.get("apart")]
    lines = _diff_lines(fields)
    below = []
    if len(change.get("hits", ())) > _HITS_SHOWN:
        below.append(f"hits {_listed(change['hits'], len(change['hits']))}")
    drifted = [field["path"] for field in fields if field["cause"] == "drift"]
    if drifted and change["cause"] != "drift":
        below.append(f"changed live, not by git: {_listed(drifted, _FIELDS_MAX)}")
    elif drifted and change.get("because"):
        below.append(f"changed live; git says otherwise as of {sentence(commit_of(change), 100)}")
    if change.get("proof"):
        below.append(f"proof: {sentence(change['proof'], 500)}")
    if change.get("origin") and lines:
        below.append(f"in {code_span(_place(change), 200)}")
    word = WORDS.get(change["action"], change["action"])
    parts = [f"<details><summary>{word} {names.html(change['key'])}</summary>"]
    parts += [fenced(lines, "diff")] if lines else []
    parts += [" · ".join(below)] if below else []
    return "\n\n".join(parts) + "\n</details>"


def _apart(change: Mapping[str, Any], names: Names) -> str:
    """What differs live and is none of the proposal's doing, folded."""
    fields = [field for field in change["fields"] if field.get("apart")]
    lines = _diff_lines(fields)
    head = f"<details><summary>not by this change: {names.html(change['key'])}</summary>"
    return "\n\n".join((head, fenced(lines, "diff"))) + "\n</details>"


def _diff_lines(fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines of all fields; what is told line by line stands apart from its neighbours."""
    lines: list[str] = []
    is_block = False
    single = [one for field in fields for one in _split(field)]
    for field in single[:_FIELDS_MAX]:
        told = list(_field_lines(field))
        if lines and (told[0].startswith("@@") or is_block):
            lines.append("")
        is_block = told[0].startswith("@@")
        lines += told
    hidden = len(single) - _FIELDS_MAX
    return [*lines, f"  … {counted(hidden, 'more field')}"] if hidden > 0 else lines


def _split(field: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A mapping that is new as its leaves, anything else as it is."""
    after = field.get("after")
    if field["op"] != "add" or "]" in field["path"] or not isinstance(after, Mapping) or not after:
        yield field
        return
    for path, leaf in leaves(field["path"], after):
        yield {**field, "path": path, "after": leaf}


def _field_lines(field: Mapping[str, Any]) -> Iterator[str]:
    """Lines of a diff: every one begins with a mark of ours."""
    path = clean(field["path"], 200)
    if field["sensitive"]:
        reference = f" ({clean(field['reference'], 120)})" if field.get("reference") else ""
        yield f"! {path}: (secret) changed{reference}"
        return
    before, after, op = field.get("before"), field.get("after"), field["op"]
    if op == "release":
        yield f"! {path}: released, gone from git, stays {show(before, _VALUE_MAX)}"
    elif op in ("add", "change") and is_long(before, after, added=op == "add"):
        told, lines = line_diff(before, after)
        yield f"@@ {path}: {told} @@"
        for line in lines:
            yield "  …" if line.startswith("| …") else line[2:]
    else:
        if "before" in field:
            yield f"- {path}: {show(before, _VALUE_MAX)}"
        if "after" in field:
            yield f"+ {path}: {show(after, _VALUE_MAX)}"


def _foot(document: Mapping[str, Any]) -> str:
    parts = []
    calls = document["calls"]
    if calls["apply_max"]:
        told = f"applying takes {counted(calls['apply_max'], 'call')} at most"
        if document["budget"]:
            told += f", about {about(document['seconds_needed'])}"
        parts.append(told)
    if document["targets"]:
        parts.append(f"{document['summary']['unchanged']} unchanged")
    if document.get("ground", "live") != "live":
        parts.append(f"made from {sentence(document['ground'], 200)}")
    if document["revision"]:
        parts.append(_revision(document["revision"]))
    if any(document["summary"].get(word) for word in ("create", "update", "replace", "delete", "adopt", "release")):
        parts.append(f"digest {code_span(document['digest'])}")
    return " · ".join(parts)


def _revision(revision: Mapping[str, Any]) -> str:
    commit = revision["commit"]
    short = commit if commit == "worktree" else commit[:7]
    text = f"{revision['ref']}@{short}" if revision.get("ref") else short
    base = f" · base {code_span(revision['base'][:7])}" if revision.get("base") else ""
    return f"at {code_span(text, 120)}{base}"
