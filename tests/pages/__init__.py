"""The pages in a real browser: what a person sees, hears, types and waits for.

``python -m tests.pages`` opens every page with 0, 1 and 1,000 resources, light, dark, narrow, enlarged and without
JavaScript, and beside a real agent on all platforms; ``test_pages`` is its short form. They want Chromium, the package
``playwright`` (the extra ``browser``), and axe-core, the accessibility checker, which the command fetches through npm.
"""
