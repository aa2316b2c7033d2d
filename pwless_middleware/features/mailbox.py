"""The development mailbox: a page with the mails of an `Outbox`, for whoever reads the console.

Text messages that a `TextOutbox` keeps stand among them.

It opens by an address with a token, which is derived from the secret key, so that reloads and
workers agree on it, and which the console alone prints. Peer, `Host` and forwarding headers are
looked at as well, but they prove little: a plain TCP forwarder on this machine makes a visitor
from anywhere look local.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.logins.client import parse_ip
from pwless_middleware.delivery.outbox import Outbox, OutboxMessage
from pwless_middleware.errors import NotFound
from pwless_middleware.languages.times import format_time
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.responses.responses import EVERYWHERE
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.delivery.texts.outbox import OutboxTextMessage

PATH = "/outbox"

# What proxies add: Forwarded, X-Forwarded-*, X-Real-IP, True-Client-IP, CF-Connecting-IP, Via, …
_FORWARDING = re.compile(r"forwarded|real-ip|client-ip|connecting-ip|\Avia\Z|\Ax-original-")

# A mail is a document of its own, as in a mail client: no script, no request to anywhere, and a
# click on its link opens in the whole tab.
_MAIL_POLICY = (
    "sandbox allow-top-navigation-by-user-activation; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'"
)


class Mailbox:
    """Mount the mailbox; without an `Outbox`, or on https, there is none."""

    def mount(self, kit: Kit) -> Mounted:
        """Return its pages."""
        url = mailbox_url(kit)
        if url is None or not isinstance(kit.mailer, Outbox):
            return Mounted()
        pages = MailboxPages(kit, kit.mailer)
        return Mounted(
            routes=(
                Route(PATH, {"GET": pages.show}),
                Route(f"{PATH}/{{id}}", {"GET": pages.show_mail}),
            )
        )


def mailbox_url(kit: Kit) -> str | None:
    """Return the address of the mailbox, token and all, or `None` where there is none.

    It exists with an `Outbox` on http and localhost only: any other origin is no development.
    """
    if not isinstance(kit.mailer, Outbox) or not kit.origin.is_development:
        return None
    query = urlencode({"token": kit.keyring.derive_secret("mailbox")})
    return f"{kit.origin.url}{kit.prefix}{PATH}?{query}"


class MailboxPages:
    """Show what an `Outbox` keeps.

    Args:
        kit: everything below.
        outbox: keeps the mails.
    """

    def __init__(self, kit: Kit, outbox: Outbox) -> None:
        self._kit = kit
        self._outbox = outbox
        self._token = kit.keyring.derive_secret("mailbox")

    async def show(self, request: Request) -> Response:
        """Show all mails, the newest first; without the token, say where the address stands."""
        self._check_place(request)
        if not self._has_token(request):
            return self._kit.pages.page(request, "outbox.html", status=403, messages=None, token="")
        # Of one second the text messages are the newer ones: they follow a mail in a login.
        shown = [(m.sent_at, _show_text(m)) for m in self._texts_newest_first()]
        shown += [(m.sent_at, _show_mail(id, m)) for id, m in self._newest_first()]
        shown.sort(key=lambda one: one[0], reverse=True)
        messages = [message for _, message in shown]
        page = self._kit.pages.page(request, "outbox.html", messages=messages, token=self._token)
        policy = page.headers["content-security-policy"]
        page.headers["content-security-policy"] = f"{policy}; frame-src 'self'"
        return page

    async def show_mail(self, request: Request) -> Response:
        """Show one mail as a mail client would: rendered, in a sandbox."""
        self._check_place(request)
        if self._has_token(request):
            for id, message in self._newest_first():
                if id == request.path_params["id"]:
                    return _show_rendered(message)
        raise NotFound

    def _newest_first(self) -> Iterator[tuple[str, OutboxMessage]]:
        for message in reversed(self._outbox.messages):
            yield _mark(message.sent_at, message.to, message.text), message

    def _texts_newest_first(self) -> Iterator[OutboxTextMessage]:
        # Here and not above: who sends no text messages need not wait for it.
        from pwless_middleware.delivery.texts.outbox import TextOutbox

        for sender in self._kit.text_senders.flatten():
            if isinstance(sender, TextOutbox):
                yield from reversed(sender.messages)

    def _has_token(self, request: Request) -> bool:
        given = request.query_params.getlist("token")
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self._token.encode())

    def _check_place(self, request: Request) -> None:
        """Refuse whoever surely does not sit at this machine.

        The peer must be this machine, the `Host` ours (a page elsewhere could have its name point
        here: DNS rebinding), and no proxy may say that it stands between.
        """
        peer = parse_ip((request.scope.get("client") or ("",))[0])
        is_here = peer is not None and peer.is_loopback
        if not is_here or request.headers.getlist("host") != [self._kit.origin.host]:
            raise NotFound
        if any(_FORWARDING.search(name) for name in request.headers):
            raise NotFound


def _mark(sent_at: int, to: str, text: str) -> str:
    """Return what names a message on the page, the same after a reload."""
    return sha256(f"{sent_at}\n{to}\n{text}".encode()).hexdigest()[:16]


def _show_mail(id: str, message: OutboxMessage) -> dict[str, object]:
    return {
        "id": id,
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "code": message.code,
        "link": message.link,
        "sent_at": format_time(message.sent_at),
        "is_mail": True,
    }


def _show_text(message: OutboxTextMessage) -> dict[str, object]:
    return {
        "id": _mark(message.sent_at, message.to, message.body),
        "to": message.to,
        "text": message.body,
        "code": message.code,
        "sent_at": format_time(message.sent_at),
        "is_mail": False,
    }


def _show_rendered(message: OutboxMessage) -> Response:
    html = message.html.replace("<head>", '<head><base target="_top">', 1)
    headers = {**EVERYWHERE, "content-security-policy": _MAIL_POLICY}
    return Response(html, 200, headers, "text/html; charset=utf-8")
