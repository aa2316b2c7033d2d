"""What a person does with their own account, for tests: on the pages, as a browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx

from pwless_middleware.stores.memory import MemoryStore
from tests.sqlite_file import sqlite_url
from tests.support import Browser, Site, led_to, make_site, token_of

PROFILE, ADDRESS, UNDO = (
    "/auth/account/profile",
    "/auth/account/address",
    "/auth/account/address/undo",
)
EXPORT, DELETE = "/auth/account/export", "/auth/account/delete"
ACCOUNT_API = "/auth/api/v1/account"
JO, NEW, KIM = "jo@example.com", "new@example.com", "kim@example.com"


def make_kept_site(folder: Path, **options: Any) -> Site:
    """Make a site whose people a database keeps; the store is in memory, which is quicker."""
    options.setdefault("store", MemoryStore())
    return make_site(database=sqlite_url(folder), **options)


async def signed_in(site: Site, email: str = JO, **browser: Any) -> Browser:
    """Return a browser that has just signed in."""
    found = site.browser(**browser)
    await found.sign_in(email)
    return found


async def ask_for(browser: Browser, new: str = NEW) -> str:
    """Ask for another address, and return the id of the request."""
    asked = await browser.post(ADDRESS, {"email": new})
    assert asked.status_code == 303, asked.text
    page = await browser.get(led_to(asked))
    found = re.search(r'name="request_id" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def confirm(browser: Browser, request_id: str, code: str | None) -> httpx.Response:
    """Type the code for a new address."""
    return await browser.post(ADDRESS, {"request_id": request_id, "code": code or ""})


async def change(browser: Browser, new: str = NEW) -> httpx.Response:
    """Change the address, by the code from the new one."""
    request_id = await ask_for(browser, new)
    done = await confirm(browser, request_id, browser.home.mail(new).code)
    assert done.status_code == 303, done.text
    return done


async def press_undo(browser: Browser, link: str | None) -> httpx.Response:
    """Open the page of a link that undoes a change, and press its button."""
    await browser.get(link or "")
    return await browser.post(UNDO, {"link_token": token_of(link)})
