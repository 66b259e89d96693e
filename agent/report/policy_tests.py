"""``datakeel.policy-tests/1``: what tests of a policy found, as text, as JSON and for JUnit's readers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as Xml

from agent import __version__
from agent.report.escape import clean, xml_text
from agent.report.values import Paint, counted, plain
from agent.report.verdicts import DOES

FORMAT = "datakeel.policy-tests/1"


def tests_document(
    tests: Sequence[Mapping[str, Any]], unfired: Sequence[Mapping[str, Any]], rules: int
) -> dict[str, Any]:
    """``tests`` have file, name, passed, missing (rule and resource) and unexpected (verdicts); ``unfired`` are rules
    that no test makes say anything, with the place of each.
    """
    failed = sum(1 for test in tests if not test["passed"])
    return {
        "format": FORMAT,
        "agent": __version__,
        "exit_status": 1 if failed else 0,
        "summary": {"passed": len(tests) - failed, "failed": failed, "rules": rules, "unfired": len(unfired)},
        "tests": list(tests),
        "unfired": list(unfired),
    }


def render_tests(document: Mapping[str, Any], *, paint: Paint = plain) -> str:
    """A line a test, below a failed one what differs, then the rules that nothing tests."""
    lines, file = [], None
    for test in document["tests"]:
        if test["file"] != file:
            file = test["file"]
            lines.append(paint("heading", clean(file)))
        if test["passed"]:
            lines.append(f"{paint('create', 'ok')}      {clean(test['name'])}")
            continue
        lines.append(f"{paint('error', 'failed')}  {clean(test['name'])}")
        lines += [f"  {paint('delete', line)}" if line[0] == "-" else f"  {line}" for line in _difference(test)]
    summary = document["summary"]
    lines += [
        f"untested {clean(rule['rule'])} ({clean(rule['path'])}:{rule['line']}): no test makes this rule say anything"
        for rule in document["unfired"]
    ]
    tested = f"{summary['rules'] - summary['unfired']} of {counted(summary['rules'], 'rule')} tested"
    lines.append(f"{summary['passed']} passed, {summary['failed']} failed · {tested}")
    return "".join(f"{line}\n" for line in lines)


def render_junit(document: Mapping[str, Any]) -> str:
    """A suite a file, a case a test."""
    root = Xml.Element("testsuites", name="datakeel policy")
    suites: dict[str, Xml.Element] = {}
    for test in document["tests"]:
        name = xml_text(test["file"])
        suite = suites.get(name)
        if suite is None:
            suite = suites[name] = Xml.SubElement(root, "testsuite", name=name)
        case = Xml.SubElement(suite, "testcase", classname=name, name=xml_text(test["name"]), time="0")
        if not test["passed"]:
            lines = list(_difference(test))
            failure = Xml.SubElement(case, "failure", type="policy-test", message=xml_text(lines[0]))
            failure.text = xml_text("\n".join(lines))
    for holder in (root, *suites.values()):
        cases = list(holder.iter("testcase"))
        holder.set("tests", str(len(cases)))
        holder.set("failures", str(sum(case.find("failure") is not None for case in cases)))
        holder.set("errors", "0")
        holder.set("skipped", "0")
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _difference(test: Mapping[str, Any]) -> list[str]:
    """``-`` what was expected and is not there, ``+`` what is there and was not expected."""
    lines = [f"- {clean(one['rule'])} says nothing of {clean(one['resource'])}" for one in test["missing"]]
    for one in test["unexpected"]:
        name = f"{clean(one['key']['kind'])}/{clean(one['key']['name'])}"
        if one.get("failure"):
            lines.append(f"+ {clean(one['rule'])} could not be evaluated for {name}: {clean(one['failure'])}")
        else:
            lines.append(f"+ {clean(one['rule'])} {DOES[one['effect']]} {name}: {clean(one['message'])}")
    return lines
