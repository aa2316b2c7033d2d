"""The browser of browser tests, one Chromium for many tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.needs import CHROMIUM, CHROMIUM_FLAGS, need_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run the system's Chromium while the block runs."""
    # Slow to import, and most tests need none.
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # of what hangs; a busy machine takes its time
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return one Chromium for each file. Its event loop must end before other files' begin.

    The folder of browser tests has one for all of its files.
    """
    need_chromium()
    with chromium() as browser:
        yield browser
