"""What people do on a page: type, tab, copy, pause, lose the connection, watch a commit go through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.cli.demo_stage import Stage
from agent.cli.samples import sample_folder, scripts
from tests.pages.browser import Browser, Look
from tests.pages.checks import PATHS, findings
from tests.pages.pictures import take

LIGHT = Look("light")
PATIENCE_MS = 120_000  # a machine that runs everything else beside it
SHOWN = {"overview": "/", "resources": "/resources?state=all", "plan": "/plan", "history": "/history"}
SHOWN |= {"events": "/events", "health": "/health", "docs": "/docs", "errors": "/docs/reference/errors"}
SHOWN |= {"member": "/docs/explain?word=Workflow.workflow.schedule", "cost": "/docs/explain?word=cost+dataos"}
KIND = "/docs/kinds/dataos/v1/Workflow"


def search(browser: Browser, address: str) -> None:
    """`/` goes to the search; what is typed narrows the list, stays in the address, and keeps the focus."""
    with browser.page(LIGHT) as page:
        page.goto(f"{address}/resources?state=all")
        page.keyboard.press("/")
        page.keyboard.type("daily-0007")
        page.locator("tbody tr").first.filter(has_text="daily-0007").wait_for()
        page.wait_for_url("**q=daily-0007**")
        assert page.locator("tbody tr").count() == 1
        assert "1 of" in page.get_by_role("status").first.inner_text()
        assert page.locator("#q").evaluate("element => element === document.activeElement")
        page.reload()
        assert page.locator("#q").input_value() == "daily-0007"


def keyboard(browser: Browser, address: str) -> None:
    """The first stop of the tabulator skips to the content, and every stop can be seen."""
    with browser.page(LIGHT) as page:
        page.goto(address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "page"
        for _ in range(6):
            page.keyboard.press("Tab")
            ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring not in ("none", ""), page.evaluate("document.activeElement.outerHTML")


def without_scripts(browser: Browser, address: str) -> None:
    """The form and the links do what the script does."""
    with browser.page(Look("without JavaScript", scripts=False)) as page:
        page.goto(f"{address}/resources?state=all")
        page.locator("#q").fill("daily-0003")
        page.get_by_role("button", name="Show").click()
        assert page.locator("tbody tr").count() == 1
        page.get_by_role("link", name="clear").click()
        assert page.locator("tbody tr").count() > 1


def commit_goes_through(
    browser: Browser, folder: Path, *, platforms: tuple[str, ...] = (), pictures: Path | None = None
) -> list[str]:
    """A real agent on the emulators of the platforms: an open page shows a commit, by itself, and then that it is lost.

    The findings of every page of the agent at work. ``pictures``: a folder for pictures of some of them.
    """
    known = scripts(sample_folder())
    stage = Stage(folder, [known[name] for name in platforms or known])
    try:
        stage.start()
        stage.commit("the first manifests")
        stage.start_agent()
        assert stage.until(lambda: bool(stage.page)), "the agent says where its page is"
        assert stage.until(lambda: _well(stage)), "all that was committed is live"
        with browser.page(LIGHT) as page:
            page.set_default_timeout(PATIENCE_MS)
            page.goto(stage.page)
            page.locator("#live").wait_for()
            script = stage.scripts[-1]
            stage.edit(script.platform, script.edit)
            commit = stage.commit("an edit that somebody watches")[:7]
            card = page.locator("article", has=page.get_by_role("heading", name=script.platform, exact=True))
            card.get_by_text(commit).wait_for()
            card.get_by_text("an edit that somebody watches").wait_for()
            resource = _of_watched(page, stage, script)
            looks = (LIGHT, Look("dark", scheme="dark"))
            found = [each for look in looks for each in findings(browser, stage.page, (*PATHS, resource, KIND), look)]
            if pictures is not None:
                take(browser, stage.page, {**SHOWN, "resource": resource}, pictures)
            stage.stop()
            page.locator("#lost").wait_for()
        return found
    finally:
        stage.stop()


def _well(stage: Stage) -> bool:
    passes = [each.words for each in stage.events if each.words.get("event") == "pass.finished"]
    last = {each["target"]: each for each in passes}
    done = [each for each in last.values() if not (each["failed"] or each["unknown"] or each["applied"])]
    return len(done) == len(stage.scripts)


def _of_watched(page: Any, stage: Stage, script: Any) -> str:
    """Where the page of the edited resource is, found as a person finds it."""
    name = script.watch.manifest.rpartition("/")[2]
    with page.context.new_page() as list_page:
        list_page.goto(f"{stage.page}/resources?state=all&target={script.platform}&q={name}")
        return str(list_page.locator("tbody a.name").first.get_attribute("href"))
