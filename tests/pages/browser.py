"""Chromium as a person uses it, and the accessibility checker. What is not on this machine is named, never replaced."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / ".clients" / "axe" / "axe.min.js"
AXE_PACKAGE = "axe-core@4.14.1"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


class Look(NamedTuple):
    """How a page is looked at."""

    name: str
    scheme: str = "light"
    width: int = 1280
    scripts: bool = True
    zoom: int = 1


LOOKS = (
    Look("light"),
    Look("dark", scheme="dark"),
    Look("narrow", width=360),
    Look("without JavaScript", scheme="dark", scripts=False),
    Look("at 200 %", zoom=2),
)


def missing() -> str:
    """What this machine lacks, in a sentence; "" when a page can be opened here."""
    if chromium() is None:
        return "there is no Chromium here"
    if find_spec("playwright") is None:
        return "playwright is not installed: pip install -e '.[browser]'"
    return "" if AXE.is_file() else "axe-core is not there: python -m tests.pages fetches it"


def chromium() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def fetch_axe() -> None:
    """The checker, through npm, once; RuntimeError when it cannot be had."""
    if AXE.is_file():
        return
    AXE.parent.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm, which fetches axe-core, is not here")
    done = subprocess.run([npm, "pack", AXE_PACKAGE], cwd=AXE.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"npm pack {AXE_PACKAGE} failed: {done.stderr.strip()[-300:]}")
    archive = AXE.parent / done.stdout.split()[-1]
    with tarfile.open(archive) as packed, packed.extractfile("package/axe.min.js") as file:  # type: ignore[union-attr]
        AXE.write_bytes(file.read())
    archive.unlink()


class Browser:
    """One browser; every page is opened by somebody else, who has never been there before."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._axe = AXE.read_text(encoding="utf-8")

    @contextmanager
    def page(self, look: Look, *, bypass: bool = False) -> Iterator[Any]:
        """A blank page. ``bypass``: the policy does not hold, so that the checker can be put in; as it is a script too,
        a look without scripts then is one without ours.
        """
        context = self._inner.new_context(
            color_scheme=look.scheme,
            viewport={"width": look.width // look.zoom, "height": 900 // look.zoom},
            device_scale_factor=look.zoom,
            java_script_enabled=look.scripts or bypass,
            bypass_csp=bypass,
            reduced_motion="reduce",
        )
        if not look.scripts:
            context.route("**/static/*.js", lambda route: route.abort())
        try:
            yield context.new_page()
        finally:
            context.close()

    def violations(self, page: Any) -> list[str]:
        """What the checker finds on an open page: the rule, and the first element that breaks it."""
        page.evaluate(self._axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(result => result.violations)")
        return [f"{each['id']} ({len(each['nodes'])}): {each['nodes'][0]['html'][:160]}" for each in found]


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser without any past."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        inner = driver.chromium.launch(executable_path=chromium(), args=list(_FLAGS))
        try:
            yield Browser(inner)
        finally:
            inner.close()
