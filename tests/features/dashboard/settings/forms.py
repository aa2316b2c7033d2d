"""The forms of the settings' pages, as a browser reads, fills and sends them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import httpx

from tests.support import Browser

SETTINGS = "/auth/dashboard/settings"


class _Fields(HTMLParser):
    """Collect what the fields of each form of a page hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif tag == "input" and name and given.get("type") != "checkbox":
            self.forms[-1][1][name] = given.get("value", "")
        elif tag == "input" and name and "checked" in given:
            self.forms[-1][1][name] = given["value"]
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            if "selected" in given or self._select not in self.forms[-1][1]:
                self.forms[-1][1][self._select] = given["value"]
        elif tag == "textarea":
            self._area = name
            self.forms[-1][1][name] = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1][1][self._area] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""


def fields_of(answer: httpx.Response, action: str) -> dict[str, str]:
    """Return what the fields of a page's form hold.

    Args:
        answer: the page.
        action: how the form's address ends.
    """
    for address, fields in _Fields(answer.text).forms:
        if address.endswith(action):
            return fields
    raise AssertionError(f"no form {action}: {answer.status_code} {answer.text[:2000]}")


async def open_form(browser: Browser, group: str) -> dict[str, str]:
    """Return the form of a group as it is shown."""
    answer = await browser.get(f"{SETTINGS}/{group}")
    assert answer.status_code == 200, answer.text
    return fields_of(answer, f"/{group}")


async def look(browser: Browser, group: str, form: dict[str, str], **more: str) -> httpx.Response:
    """Send the form of a group, and return the page that says what it would do."""
    return await browser.post(f"{SETTINGS}/{group}", {**form, **more})


async def fill(browser: Browser, group: str, values: dict[str, str]) -> httpx.Response:
    """Open the form of a group, change some fields, and return what they would do."""
    return await look(browser, group, {**await open_form(browser, group), **values})


async def save(browser: Browser, looked: httpx.Response) -> httpx.Response:
    """Press the button of the page that says what a change would do."""
    return await browser.post(f"{SETTINGS}/save", fields_of(looked, "/save"))


async def change(browser: Browser, group: str, values: dict[str, str]) -> Any:
    """Make a change: the form, the page that says what it does, and its button."""
    saved = await save(browser, await fill(browser, group, values))
    assert saved.status_code == 303, saved.text
    return saved
