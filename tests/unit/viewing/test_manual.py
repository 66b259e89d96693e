"""What is written about datakeel, served by the agent: pages whole, links lead somewhere, kinds explained."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from agent.server.pages.markdown import html_of
from agent.viewing.error_codes import explanations
from agent.viewing.manual import FOLDER
from tests.unit.reconcile.at_work import AtWork, play_at_work
from tests.unit.reconcile.scene import workflow
from tests.unit.viewing.looking import Looking

FILES = {"alpha.yaml": workflow("alpha", 1)}
KIND = "/docs/kinds/dataos/v1/Workflow"


def _rendered() -> dict[str, str]:
    pages = {path.relative_to(FOLDER).as_posix().removesuffix(".md"): path for path in FOLDER.rglob("*.md")}
    return {name: str(html_of(path.read_text(encoding="utf-8"), name)) for name, path in pages.items()}


def test_every_link_of_a_document_leads_to_a_place_that_is_there() -> None:
    pages = _rendered()
    ids = {name: set(re.findall(r' id="([^"]+)"', html)) for name, html in pages.items()}
    wrong = []
    for name, html in pages.items():
        for link in re.findall(r'(?:href|src)="([^"]*)"', html):
            page, _, fragment = link.partition("#")
            page = page.removeprefix("/docs/") if page else name
            is_there = page in pages or (FOLDER / page.removeprefix("files/")).is_file()
            has_place = not fragment or page not in pages or fragment in ids[page]
            if not link.startswith("https://") and not (is_there and has_place):
                wrong.append(f"{name}: {link}")
    assert not wrong, wrong
    assert ids["reference/errors"] >= set(explanations()), "each code has its place"


def test_nothing_of_a_document_breaks_the_policy_of_the_pages() -> None:
    for name, html in _rendered().items():
        assert not re.search(r"<(?:script|style|iframe)|\sstyle=|\son[a-z]+=", html), name
        assert html.count("<h1") == 1, name
    assert "<b>" not in html_of("# a\n\n<b>x</b> [y](javascript:alert(1))", "a")
    assert 'href="javascript' not in html_of("[y](javascript:alert(1))", "a")


def test_pages_and_kinds_are_found_and_what_is_not_there_is_told(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        await at.pass_time(2.0)
        seen = await look.document("/docs")
        assert seen["pages"][0] == {"name": "reference/errors", "title": "Error codes", "section": "Reference"}
        sections = {each["name"]: each["section"] for each in seen["pages"]}
        assert (sections["how-to/operations"], sections["decisions/README"]) == ("How-to", "Explanation")
        assert "README" not in sections
        assert [each["name"] for each in seen["platforms"]] == ["dataos/v1"]
        assert KIND in await look.page("/docs")
        assert 'id="api-rejected"' in await look.page("/docs/reference/errors")
        example = await look.document("/docs/deploy/compose.yaml")
        assert example["title"] == "compose.yaml" and "services:" in example["text"]
        (kind,) = (await look.document(KIND))["explained"]
        assert (kind["what"], kind["title"]) == ("kind", "Workflow · dataos/v1 · managed")
        assert "workflow" in [member["name"] for member in kind["told"]["members"]]
        (cron,) = (await look.document(f"{KIND}?member=workflow.schedule.cron"))["explained"]
        assert cron["word"] == "Workflow.workflow.schedule.cron"
        assert (cron["told"]["type"], cron["told"]["required"]) == ("string", True)
        assert "word=Workflow.workflow.schedule.cron&" in await look.page(f"{KIND}?member=workflow.schedule")
        for path in ("/docs/none", "/docs/../errors", "/docs/kinds/dataos/v1/None", "/docs/kinds/none/v1/Workflow"):
            await look.page(path, 404)
        assert (await look.document(f"{KIND}?member=none", 400))["error"]["code"] == "usage"

    play_at_work(tmp_path, FILES, story)


WORDS = (
    ("word=unknown-key", "code", "The key is not known at this place."),
    ("word=error[unknown-key]", "code", "The key is not known at this place."),
    ("word=Workflow", "kind", "word=Workflow.workflow&amp;platform=dataos"),
    ("word=datakeel+explain+Workflow.workflow.schedule", "member", "word=Workflow.workflow.schedule.cron"),
    ("word=targets.drift", "setting", "DATAKEEL_TARGETS__NAME__DRIFT"),
    ("word=source", "setting", "word=datakeel.yaml+source.branch"),
    ("word=datakeel.yaml", "setting", "word=datakeel.yaml+targets"),
    ("word=policy", "policy", "https://cel.dev"),
    ("word=dataos", "platform", "Managed: Workspace"),
    ("word=promises+dataos", "promises", "deletes only by an approved plan"),
    ("word=cost+dataos&objects=5000", "cost", "5,050"),
)


def test_what_explain_says_is_a_page_of_every_word_and_each_link_of_it_leads_on(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        links = set()
        for query, what, shown in WORDS:
            document = await look.document(f"/docs/explain?{query}")
            assert {each["what"] for each in document["explained"]} == {what}
            page = await look.page(f"/docs/explain?{query}")
            assert shown in page, (query, page)
            assert page.count("<h1") == 1
            links |= {unescape(link) for link in re.findall(r'href="(/docs/explain[^"]*)"', page)}
        assert len(links) > 40
        for link in sorted(links):
            await look.document(link)

    play_at_work(tmp_path, FILES, story)


def test_a_word_that_means_nothing_is_told_with_the_nearest(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        assert "Explain a word" in await look.page("/docs/explain")
        wrong = await look.document("/docs/explain?word=Workflow.workflow.schedle", 400)
        assert wrong["error"]["fix"] == "did you mean Workflow.workflow.schedule?"
        await look.page("/docs/explain?word=%3Cscript%3E", 400)
        await look.document("/docs/explain?word=cost+dataos&objects=-1", 400)

    play_at_work(tmp_path, FILES, story)


def test_the_code_of_an_error_leads_to_its_explanation(tmp_path: Path) -> None:
    async def story(at: AtWork) -> None:
        look = Looking(at)
        await at.pass_time(2.0)
        page = await look.page("/resources/main/Workflow/public/none", 404)
        assert 'href="/docs/reference/errors#not-found"' in page

    play_at_work(tmp_path, FILES, story)
