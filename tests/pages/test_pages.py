"""The short form of `python -m tests.pages`: the two pages that people open most, with a few resources."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages import acts
from tests.pages.browser import LOOKS, missing, opened
from tests.pages.checks import findings
from tests.pages.scenes import served

lacks = missing()


@pytest.mark.skipif(bool(lacks), reason=lacks)
def test_pages_in_a_browser_have_no_finding(tmp_path: Path) -> None:
    with served(tmp_path, 12) as address, opened() as browser:
        seen = [*findings(browser, address, ("/",), LOOKS[1]), *findings(browser, address, ("/resources",), LOOKS[2])]
        assert not seen, "\n".join(seen)
        acts.search(browser, address)
