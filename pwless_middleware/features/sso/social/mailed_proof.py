"""An address that the provider does not vouch for: a mailed code proves it, and links the account.

What the provider said is kept for the browser that has come from it, and the browser is led into
the login by mail, with all its rules and limits. It is linked with whoever signs in by this very
mail, in this browser: the mail's login goes on at an address that holds the key of what was kept,
so that no other login of a shared browser links anything. Who does not read the mailbox gets no
further than anybody who types the address (security rule 50).
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.organizations.connection import Identity
from pwless_middleware.core.paths import SOCIAL_PATH
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.browser import SSOBrowser
from pwless_middleware.features.sso.logins.login_states import LIFETIME
from pwless_middleware.features.sso.social.flow import Unproven, link
from pwless_middleware.features.sso.social.mails import LinkMails
from pwless_middleware.features.sso.social.provider import SocialProvider
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import Part
from pwless_middleware.web.responses.responses import root_path

if TYPE_CHECKING:
    from pwless_middleware.database.people.identities import IdentityRepository

_EMAIL: Final = "email"
"""Name of the login method that mails a code."""
_MAILED: Final = frozenset(("email_code", "email_link"))
"""Proofs of a mailbox."""
_KEY_BYTES: Final = 16


class MailedProof:
    """Have addresses proven by mail.

    Args:
        kit: everything below.
        identities: are linked.
        mails: tell people of what is linked with their account.
    """

    def __init__(self, kit: Kit, identities: IdentityRepository, mails: LinkMails) -> None:
        self._kit = kit
        self._mails = mails
        self._identities = identities
        self._waiting = kit.records("waiting")

    async def ask(
        self,
        request: Request,
        browser: SSOBrowser,
        provider: SocialProvider,
        unproven: Unproven,
        *,
        next: str,
        organization: str | None,
    ) -> Response | Part:
        """Lead a browser into the login by mail.

        Args:
            request: of the browser, which has come from the provider.
            browser: its cookie.
            provider: where it has come from.
            unproven: the address, and what is linked once it is proven.
            next: where the login leads; already checked.
            organization: which one is to be entered; `None` names none.

        Returns:
            The way on; or what to show, where no mail could go out.

        Raises:
            SSOFault: nobody signs in by mail here.
            LoginDenied: a rule refuses it.
        """
        methods = [one for one in self._kit.offers.methods if one.name == _EMAIL]
        if not methods or methods[0].post is None:
            raise SSOFault("address_unverified")
        key = b64(secrets.token_bytes(_KEY_BYTES))
        await self._waiting.put(f"{browser.name} {key}", _pack(unproven), ttl=2 * LIFETIME)
        query = urlencode({"key": key, "next": next})
        linked = f"{root_path(request)}{self._kit.prefix}{provider.linked_path}?{query}"
        form = {"email": unproven.address, "organization": organization or ""}
        return await methods[0].post(request, form, linked)

    async def link(self, request: Request, done: LoginResult) -> None:
        """Link what has waited for this login; asked after every login by our pages."""
        url = urlsplit(done.login.next)
        if not url.path.startswith(f"{root_path(request)}{self._kit.prefix}{SOCIAL_PATH}"):
            return
        browser = SSOBrowser.unpack(self._kit.cookies.sso(request.scope["headers"]))
        (key, *_) = parse_qs(url.query).get("key", [""])
        if browser is None or not _MAILED & set(done.login.methods):
            return
        record = await self._waiting.take(f"{browser.name} {key}")
        if record is None:
            return
        identity = _unpack(record.value)
        if parse_address(identity.email) == done.login.email:
            identity = replace(identity, user_id=done.user.id)
            caller = self._kit.callers.browser(request)
            if not done.user.is_new:
                await self._mails.queue(identity, caller)
            await link(self._kit, self._identities, identity, caller, attempt=done.login.attempt)


def _pack(unproven: Unproven) -> bytes:
    one = unproven.identity
    return json.dumps([one.connection, one.subject, unproven.address, one.created_at]).encode()


def _unpack(value: bytes) -> Identity:
    connection, subject, email, at = json.loads(value)
    return Identity(
        connection=connection,
        subject=subject,
        user_id="",
        email=email,
        created_at=at,
        seen_at=at,
    )
