"""``-o junit``: a suite a target, a case a resource, in the words that JUnit's many readers have in common.

Invalid or failed is ``failure``, unreadable is ``error``, held is ``skipped``; a change that is only pending passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree import ElementTree as Xml

from agent.report.escape import xml_text
from agent.report.findings import resource_of
from agent.report.formats import Settings

_Suites = dict[str, dict[tuple[str, str], Xml.Element]]
_MANIFESTS = "manifests"
_PLAN = "plan"
_WORSE = ("skipped", "failure", "error")
_OUTCOMES = {"not_done": "failure", "unknown": "error", "skipped": "skipped", "held": "skipped"}


def render(document: Mapping[str, Any], settings: Settings) -> str:
    """The report as XML. A suite without a case gets one that passes: several readers refuse an empty one."""
    suites: _Suites = {}
    for target in document.get("targets", ()):
        suites[xml_text(target["name"])] = {}
    _add_errors(suites, document)
    _add_problems(suites, document.get("problems", ()))
    for change in document.get("changes", ()):
        _add_change(suites, change)
    _add_policy(suites, document)
    for one in document.get("passes", ()):
        _add_pass(suites, one)
        _add_policy(suites, one)
    root = Xml.Element("testsuites", name="datakeel")
    for name, cases in (suites or {_MANIFESTS: {}}).items():
        suite = Xml.SubElement(root, "testsuite", name=name)
        suite.extend(cases.values() or [Xml.Element("testcase", classname=name, name="all", time="0")])
        _count(suite, [suite])
    _count(root, list(root))
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _case(suites: _Suites, suite: str, group: str, name: str) -> Xml.Element:
    suite, group, name = xml_text(suite), xml_text(group), xml_text(name)
    cases = suites.setdefault(suite, {})
    classname = f"{suite}.{group}" if group else suite
    return cases.setdefault((classname, name), Xml.Element("testcase", classname=classname, name=name, time="0"))


def _mark(case: Xml.Element, word: str, kind: str, message: str, lines: Iterable[str] = ()) -> None:
    """A case has one verdict, the worst; what else is wrong with it joins its text."""
    text = "\n".join(xml_text(line) for line in lines)
    found = next(iter(case), None)
    if found is not None:
        found.tag = max(word, found.tag, key=_WORSE.index)
        if text not in (found.text or ""):
            found.text = "\n".join(part for part in (found.text, xml_text(message), text) if part)
        return
    verdict = Xml.SubElement(case, word, type=xml_text(kind), message=xml_text(message))
    verdict.text = text or None


def _add_errors(suites: _Suites, document: Mapping[str, Any]) -> None:
    for error in (*document.get("errors", ()), *([document["error"]] if "error" in document else [])):
        _add_problems(suites, error.get("problems", ()))
        case = _case(suites, error.get("target", "datakeel"), "", _PLAN)
        _mark(case, "error", error["code"], error["message"], _details(error))
    for refusal in document.get("refusals", ()):
        _mark(_case(suites, "datakeel", "", _PLAN), "failure", refusal["code"], refusal["message"], _details(refusal))


def _add_problems(suites: _Suites, problems: Iterable[Mapping[str, Any]]) -> None:
    for problem in problems:
        kind, _, name = (problem.get("subject") or problem["path"]).partition("/")
        case = _case(suites, _MANIFESTS, kind if name else "", name or kind)
        if problem["severity"] == "error":
            place = ":".join(str(problem[word]) for word in ("path", "line", "column") if word in problem)
            _mark(case, "failure", problem["code"], problem["what"], [place, *_details(problem)])


def _add_change(suites: _Suites, change: Mapping[str, Any]) -> None:
    case = _case_of(suites, change)
    if change["action"] == "hold":
        word = "error" if change.get("reason") == "Unknown" else "skipped"
        _mark(case, word, change.get("reason", "held"), change.get("message", "held"))


def _add_policy(suites: _Suites, holder: Mapping[str, Any]) -> None:
    """What a rule denies has failed, whoever has to mend it."""
    for one in holder.get("policy", ()):
        if one["effect"] == "deny":
            lines = [f"could not be evaluated: {one['failure']}"] if one.get("failure") else []
            lines += [f"fix: {one['fix']}"] if one.get("fix") else []
            _mark(_case_of(suites, one), "failure", "policy.deny", f"{one['message']} (rule {one['rule']})", lines)


def _add_pass(suites: _Suites, one: Mapping[str, Any]) -> None:
    suites.setdefault(xml_text(one["target"]), {})
    _add_problems(suites, one.get("problems", ()))
    if "error" in one:
        _mark(_case(suites, one["target"], "", "pass"), "error", one["error"]["code"], one["error"]["message"])
    for change in one["changes"]:
        word = _OUTCOMES.get(change["outcome"])
        case = _case_of(suites, change)
        if word is not None:
            status = f"{change['status']} " if change.get("status") else ""
            kind = change.get("code", change["outcome"])
            _mark(case, word, kind, f"{status}{change.get('answer') or change.get('message') or change['outcome']}")


def _case_of(suites: _Suites, change: Mapping[str, Any]) -> Xml.Element:
    key = change["key"]
    return _case(suites, key["target"], key["kind"], resource_of(key).partition("/")[2])


def _details(members: Mapping[str, Any]) -> list[str]:
    return [f"{word}: {members[word]}" for word in ("got", "why", "fix") if members.get(word)]


def _count(element: Xml.Element, suites: list[Xml.Element]) -> None:
    cases = [case for suite in suites for case in suite.iter("testcase")]
    element.set("tests", str(len(cases)))
    for word, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        element.set(plural, str(sum(case.find(word) is not None for case in cases)))
