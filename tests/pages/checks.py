"""What must hold for a page however it is looked at; each finding is a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tests.pages.browser import Browser, Look

PATHS = ("/", "/resources", "/resources?state=all", "/plan", "/history", "/events", "/health")
READ = ("/docs", "/docs/reference/errors", "/docs/reference/configuration", "/docs/reference/page")
WORDS = ("", "targets", "unknown-key", "policy")  # those of a platform want an agent at work: acts.py
READ += tuple(f"/docs/explain?word={word}" for word in WORDS)
OF_ONE = ("/resources/analytics/Workflow/analytics/daily-0000", "/history/1")


def paths_of(count: int) -> tuple[str, ...]:
    return (*PATHS, *(OF_ONE if count else ()), *(READ if count == 1 else ()))


def findings(browser: Browser, address: str, paths: Sequence[str], look: Look) -> Iterator[str]:
    """Each path is opened twice: under the policy, and with the checker."""
    said: list[str] = []
    with browser.page(look) as page:
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda request: said.extend(_foreign(request.url, address)))
        for path in paths:
            answer = page.goto(address + path)
            page.wait_for_load_state("load")
            if answer.status != 200:
                said.append(f"answered {answer.status}")
            said += _layout(page, look)
            yield from (f"{path}, {look.name}: {each}" for each in said)
            said.clear()
    with browser.page(look, bypass=True) as page:
        for path in paths:
            page.goto(address + path)
            page.wait_for_load_state("load")
            yield from (f"{path}, {look.name}: {each}" for each in browser.violations(page))


def _foreign(url: str, address: str) -> list[str]:
    return [] if url.startswith((address + "/", "data:")) else [f"request to {url}"]


def _layout(page: Any, look: Look) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    heads = page.locator("h1").count()
    told = [f"is {wide} px too wide"] if wide > 0 else []
    return told + ([f"has {heads} h1"] if heads != 1 else [])
