"""Sign a client in through the real pages, whichever client it is.

The steps of a login stand here once, as a generator of what is to be done. A sync client has done a
thing when its method returns; an async one returns something to be awaited. So the generator yields
what the client's methods returned, and gets back what came of it, from one of two short drivers.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar, overload
from urllib.parse import parse_qs, urlsplit

import pytest

PATIENCE = 5.0
"""Seconds to wait for a mail: the `Outbox` has it at once, a mail server in between does not."""
_PAGE_MS = 10_000
"""Milliseconds for a browser's page to follow."""
_KINDS = ("new_page", "goto", "post")
"""What a Playwright context, a Playwright page, and an HTTP client can do, and no other."""
_WORDS = re.compile(r'(?:role="alert"|<h1)[^>]*>\s*([^<]+)')

Steps = Generator[Any, Any, None]


class Mail(Protocol):
    """A mail as a person reads it; what `Outbox` keeps is one."""

    @property
    def code(self) -> str | None:
        """The code in it; `None` for none."""
        ...

    @property
    def link(self) -> str | None:
        """The link in it; `None` for none."""
        ...


class Mailbox(Protocol):
    """Where the app's mails arrive; `Outbox` is one."""

    def latest(self, to: str | None = None) -> Mail | None:
        """Return the newest mail to an address, another object for each mail; `None` if none."""
        ...


class _Context(Protocol):
    def new_page(self) -> Any: ...


class _Page(Protocol):
    def goto(self, url: str, /) -> Any: ...


class _Http(Protocol):
    def post(self, url: str, /) -> Any: ...


class _AsyncContext(Protocol):
    def new_page(self) -> Coroutine[Any, Any, Any]: ...


class _AsyncPage(Protocol):
    def goto(self, url: str, /) -> Coroutine[Any, Any, Any]: ...


class _AsyncHttp(Protocol):
    def post(self, url: str, /) -> Coroutine[Any, Any, Any]: ...


SyncClient = TypeVar("SyncClient", bound=_Context | _Page | _Http)
AsyncClient = TypeVar("AsyncClient", bound=_AsyncContext | _AsyncPage | _AsyncHttp)


class SignIn:
    """Sign clients in.

    Args:
        mailbox: where the app's mails arrive, unless a call says otherwise.
        patience: seconds to wait for a mail.
    """

    def __init__(self, mailbox: Mailbox, *, patience: float = PATIENCE) -> None:
        self._mailbox = mailbox
        self._patience = patience

    @overload
    def __call__(
        self,
        client: AsyncClient,
        email: str,
        *,
        mailbox: Mailbox | None = None,
        prefix: str | None = None,
        base_url: str | None = None,
    ) -> Coroutine[Any, Any, AsyncClient]: ...

    @overload
    def __call__(
        self,
        client: SyncClient,
        email: str,
        *,
        mailbox: Mailbox | None = None,
        prefix: str | None = None,
        base_url: str | None = None,
    ) -> SyncClient: ...

    def __call__(
        self,
        client: Any,
        email: str,
        *,
        mailbox: Mailbox | None = None,
        prefix: str | None = None,
        base_url: str | None = None,
    ) -> Any:
        """Sign a client in as this address, through the pages; what goes wrong fails the test.

        Args:
            client: Starlette's `TestClient`, `httpx.Client`, `httpx.AsyncClient`, or a Playwright
                page or context, sync or async.
            email: any address that the app lets in.
            mailbox: where the app's mails arrive; `None` is the fixture's `Outbox`.
            prefix: where the login is mounted; `None` looks into the client's app, else `/auth`.
            base_url: the app's own; `None` looks into the client's app, else takes the client's
                base URL, or the address of the page that is open.

        Returns:
            The client; for an async one, a coroutine that gives it.

        Raises:
            TypeError: it is none of these clients, or nothing says where the app is.
        """
        kind = next((kind for kind in _KINDS if hasattr(client, kind)), None)
        if kind is None:
            raise TypeError(f"{type(client).__name__} is no client that pwless_sign_in knows")
        is_async = inspect.iscoroutinefunction(getattr(client, kind))
        box = self._mailbox if mailbox is None else mailbox
        address = email.strip().lower()
        letters = _Letters(box, address, self._patience, asyncio.sleep if is_async else time.sleep)
        place = _Place.of(client, base_url=base_url, prefix=prefix)
        steps = {"new_page": _in_context, "goto": _on_page, "post": _over_http}[kind]
        todo = steps(client, place, letters)
        return _drive_async(client, todo) if is_async else _drive(client, todo)


def _drive(client: Any, steps: Steps) -> Any:
    try:
        done = next(steps)
        while True:
            done = steps.send(done)
    except StopIteration:
        return client


async def _drive_async(client: Any, steps: Steps) -> Any:
    try:
        todo = next(steps)
        while True:
            todo = steps.send(await todo)
    except StopIteration:
        return client


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the login is: its origin as browsers write it, and how its pages' URLs begin."""

    origin: str
    pages: str

    @classmethod
    def of(cls, client: Any, *, base_url: str | None, prefix: str | None) -> _Place:
        own = str(getattr(client, "base_url", "")).rstrip("/")
        app = getattr(client, "app", None) or getattr(
            getattr(client, "_transport", None), "app", None
        )
        if app is not None:
            from pwless_middleware.discovery import find

            for found in find(app)[:1]:
                passwordless = found.middleware.passwordless
                base_url = base_url or passwordless.origin.origin
                prefix = prefix or found.mount + passwordless.prefix
        shown = getattr(client, "url", "")
        if not base_url and isinstance(shown, str) and shown.startswith("http"):
            base_url = _origin(shown)
        base_url = base_url or own
        if not base_url:
            raise TypeError("give base_url=…: nothing says where the app is")
        # A client with a base URL of its own reaches the app there, wherever the app says it is.
        return cls(_origin(base_url), (own or base_url.rstrip("/")) + (prefix or "/auth"))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(slots=True)
class _Letters:
    """Wait for the mail that a login asks for."""

    box: Mailbox
    address: str
    patience: float
    sleep: Callable[[float], Any]

    def await_new(self, before: Mail | None) -> Generator[Any, Any, Mail]:
        """Return the mail that was not there before."""
        ends = time.monotonic() + self.patience
        while (mail := self.box.latest(self.address)) is None or mail is before:
            if time.monotonic() > ends:
                pytest.fail(
                    f"no email came to {self.address}: is this mailbox the app's mailer, and does "
                    "the app let this address in?",
                    pytrace=False,
                )
            yield self.sleep(0.01)
        return mail


def _over_http(client: Any, place: _Place, letters: _Letters) -> Steps:
    """Send the forms that a browser would send."""

    def post(page: str, **form: str) -> Any:
        return client.post(
            place.pages + page, data=form, headers={"origin": place.origin}, follow_redirects=False
        )

    if place.origin.startswith("https:") and place.pages.startswith("http:"):
        pytest.fail(
            "the cookies are Secure, and this client would not send them: make it with "
            f"base_url={place.origin!r}",
            pytrace=False,
        )
    before = letters.box.latest(letters.address)
    _expect((yield post("/login", email=letters.address)), "asking for the mail")
    mail = yield from letters.await_new(before)
    if mail.code is not None:
        _expect((yield post("/verify", code=mail.code)), "typing the code")
    else:
        token = parse_qs(urlsplit(mail.link or "").query)["link_token"][0]
        _expect((yield post("/link", link_token=token)), "opening the link")


_MEND: Final = {
    429: " In a test, take other addresses, advance the clock (pwless_clock), or make the limits "
    "roomy: EmailLogin(send_limits=SendLimits(...))."
}
"""What to do about an answer, by its status."""


def _expect(answer: Any, step: str) -> None:
    """Fail the test, saying what the page said, unless the login went on."""
    if answer.status_code != 303:
        said = _WORDS.findall(answer.text)
        words = said[-1].strip() if said else answer.text[:200]
        mend = _MEND.get(answer.status_code, "")
        pytest.fail(f"{step} was answered with {answer.status_code}: {words}{mend}", pytrace=False)


def _in_context(context: Any, place: _Place, letters: _Letters) -> Steps:
    """Sign in on a page of its own; the context's other pages share its cookies."""
    page = yield context.new_page()
    yield from _on_page(page, place, letters)
    yield page.close()


def _on_page(page: Any, place: _Place, letters: _Letters) -> Steps:
    """Do what a person does."""
    before = letters.box.latest(letters.address)
    yield page.goto(place.pages + "/login")
    yield page.fill("input[name=email]", letters.address)
    yield page.keyboard.press("Enter")
    yield page.wait_for_url(place.pages + "/verify", timeout=_PAGE_MS)
    mail = yield from letters.await_new(before)
    if mail.code is not None:
        yield page.fill("input[name=code]", mail.code)
        # The page's script may have sent the form already; it lets no form go twice.
        yield page.keyboard.press("Enter")
    else:
        # Its script goes on by itself, maybe before the page has loaded.
        yield page.goto(mail.link, wait_until="commit")
    yield page.wait_for_url(lambda url: not url.startswith(place.pages), timeout=_PAGE_MS)
