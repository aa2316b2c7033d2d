"""What other tests tell, told in the pseudo-language: their answers and mails are read on the way.

A story asserts what it always does: what a site says is turned back into English for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from pwless_middleware import Passwordless
from pwless_middleware.delivery.base import Message
from pwless_middleware.delivery.texts.base import TextMessage
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.pytest_plugin.mailbox import Mailbox
from tests import support
from tests.languages.pseudo import LEFT_TO_RIGHT, english, plain_words, plain_words_of_page
from tests.support import Browser

_send = Browser.request
_send_text = TextOutbox.send


@dataclass
class Reader:
    """Read all that sites say.

    Attributes:
        values: what is data, and stands in no catalogue.
        texts: how many pages, mails, text messages and errors were read.
        escaped: the words in plain letters, and where they stood.
    """

    values: tuple[str, ...]
    texts: int = 0
    escaped: list[str] = field(default_factory=list)

    async def request(self, browser: Browser, method: str, url: str, **more: Any) -> httpx.Response:
        """Send a request as a browser does, read the answer, and return it in English."""
        answer = await _send(browser, method, url, **more)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        is_ours = answer.headers.get("content-language") == LEFT_TO_RIGHT
        where = f"{method} {answer.request.url.path} {answer.status_code}"
        if kind == "text/html":
            if is_ours:
                self._read(where, answer.text, is_html=True)
            body = answer.text
        elif kind == "application/json":
            said = answer.json()
            if is_ours and answer.status_code >= 400:
                for text in said_in_json(said):
                    self._read(where, text)
            body = json.dumps(said, ensure_ascii=False)
        else:
            return answer
        headers = [pair for pair in answer.headers.multi_items() if pair[0] != "content-length"]
        return httpx.Response(
            answer.status_code, headers=headers, text=english(body), request=answer.request
        )

    def mailbox(self) -> type[Mailbox]:
        """Return a kind of mailer whose mails are read before they are kept in English."""
        read = self._read_mail

        class ReadMailbox(Mailbox):
            async def send(self, message: Message) -> None:
                read(message)
                parts = {part: english(getattr(message, part)) for part in _PARTS}
                await super().send(replace(message, **parts))

        return ReadMailbox

    async def send_text(self, phones: TextOutbox, message: TextMessage) -> None:
        """Read a text message, and have it come as it is: tests read only its code."""
        self._read("text message", message.body)
        await _send_text(phones, message)

    def _read_mail(self, mail: Message) -> None:
        where = f"mail {english(mail.subject)}"
        self._read(where, f"{mail.subject}\n{mail.text}")
        self._read(where, mail.html, is_html=True)

    def _read(self, where: str, text: str, *, is_html: bool = False) -> None:
        self.texts += 1
        read = plain_words_of_page if is_html else plain_words
        values = {*self.values, *_ATTEMPT.findall(text)}
        words = read(_SPACE.sub(" ", _DATA.sub(" ", text)), values)
        if words:
            self.escaped.append(f"{where}: {' '.join(words)}")


_DATA = re.compile(
    r"""
      https?://[^\s<>"]+               # links
    | [^\s<>"@]+@[^\s<>"@]+            # addresses
    | (?:[\w-]+\.)+(?:example|com)\b   # domains
    | <(code|textarea)\b.*?</\1>      # what is for machines, and what is edited
    | \b[a-z_]+(?:\.[a-z_]+)+\b        # kinds of events, and variables
    | \#[\w-]{6,8}(?![\w-])           # colors, and pseudonyms
    | (?<![\w-])[\w-]{22}(?![\w-])    # ids, which may begin or end with a hyphen
    """,
    re.VERBOSE | re.DOTALL,
)
_ATTEMPT = re.compile(r"/log/([\w-]{8})(?![\w-])")  # the id of a login
_SPACE = re.compile(r"\s+")  # a mail may be broken within a name
_PARTS = ("subject", "text", "html")


def said_in_json(body: dict[str, Any]) -> Iterator[str]:
    """Go through the texts of a JSON error."""
    yield body["message"]
    info = body["details"][0].get("validation_error_info", {"field_violations": []})
    yield from (violation["description"] for violation in info["field_violations"])


def stories_of(module: ModuleType, *names: str) -> dict[str, Callable[..., Any]]:
    """Return tests of another module, to be collected in one that has `told_in_pseudo`."""
    part = module.__name__.removeprefix("tests.features.").replace(".", "_").replace("test_", "")
    return {f"test_{part}_{name.removeprefix('test_')}": getattr(module, name) for name in names}


@contextmanager
def told_in_pseudo(folder: Path, values: Iterable[str]) -> Iterator[Reader]:
    """Have all sites speak the pseudo-language within a `with` block, and hold them to it.

    Args:
        folder: of templates, with the pseudo-language.
        values: what is data, and stands in no catalogue.
    """
    reader = Reader(tuple(values))

    async def request(browser: Browser, method: str, url: str, **more: Any) -> httpx.Response:
        return await reader.request(browser, method, url, **more)

    async def send_text(phones: TextOutbox, message: TextMessage) -> None:
        await reader.send_text(phones, message)

    with pytest.MonkeyPatch.context() as patch:
        options: dict[str, Any] = {"templates": folder, "languages": [LEFT_TO_RIGHT]}
        patch.setattr(support, "Passwordless", partial(Passwordless, **options))
        patch.setattr(support, "Mailbox", reader.mailbox())
        patch.setattr(Browser, "request", request)
        patch.setattr(TextOutbox, "send", send_text)
        yield reader
    assert not reader.escaped, "\n".join(dict.fromkeys(reader.escaped))
    assert reader.texts > 0
