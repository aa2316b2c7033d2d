"""A login from a browser that is not known: a mail tells of it, and its link ends the session.

Told are logins by more than the mailbox. Of one by a mail alone its person knows already: it is the
mailbox that this mail would go to.

A browser is known by its device cookie, which it got at its last login. A server's logins are not
told: which device of the person it serves is its own to know.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64, unb64
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.device import NAMES, UNKNOWN, device_text
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.logins.session import DAY, Session
from pwless_middleware.core.storage.store_keys import user_slot
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.features.second_factors.mails import FactorMails, FactorNotice
from pwless_middleware.features.second_factors.trusted_browsers import TrustedBrowsers
from pwless_middleware.flows.capabilities.feature_secrets import MOST_BYTES
from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
from pwless_middleware.flows.challenges.challenge_verifier import FACTOR as MAILBOX
from pwless_middleware.languages.current import current_language, translate
from pwless_middleware.languages.times import format_time
from pwless_middleware.stores.base import Writes
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import SIGNED_OUT, with_cookies
from pwless_middleware.web.routing.routes import Route

NEW_SIGN_IN: Final = "new_sign_in"
"""Topic of the job, name of the mail, and what the handle in it is sealed for."""
PATH: Final = "/account/second-factors/not-me"
LIFETIME: Final = 7 * DAY
"""Seconds that the link works: a mail may lie for a few days."""
_HEAD: Final = struct.Struct(">QB16s")  # when, the browser's place in `NAMES`, a session's id


@dataclass(frozen=True, slots=True)
class NewSignIn:
    """What a link tells of.

    Attributes:
        user_id: who signed in.
        session_id: the id that the login gave the session.
        at: unix seconds.
        device: the browser in our closed vocabulary.
    """

    user_id: str
    session_id: str
    at: int
    device: str

    def pack(self) -> bytes | None:
        """Return it as bytes; `None` where the user's id is too long for a link."""
        device = NAMES.index(self.device if self.device in NAMES else UNKNOWN)
        packed = _HEAD.pack(self.at, device, unb64(self.session_id) or b"") + self.user_id.encode()
        return packed if len(packed) <= MOST_BYTES else None

    @classmethod
    def unpack(cls, packed: bytes) -> NewSignIn:
        """Return what `pack` made."""
        at, device, session_id = _HEAD.unpack_from(packed)
        name = NAMES[device] if device < len(NAMES) else UNKNOWN
        return cls(packed[_HEAD.size :].decode(), b64(session_id), at, name)


class NewSignIns:
    """Queue the mails, and end what was not the person.

    Args:
        kit: everything below.
        mails: make the mails.
        browsers: the trusted ones, of which the stranger's may be one.
        is_on: returns whether mails are wanted.
    """

    def __init__(
        self,
        kit: Kit,
        mails: FactorMails,
        browsers: TrustedBrowsers,
        *,
        is_on: Callable[[], bool],
    ) -> None:
        self._kit = kit
        self._mails = mails
        self._browsers = browsers
        self._is_on = is_on
        self._used = kit.records("sign_in_links")
        self._page_url = f"{kit.origin.url}{kit.prefix}{PATH}"
        self.routes = (Route(PATH, {"GET": self.show, "POST": self.post}),)

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topics."""
        return {NEW_SIGN_IN: self.read}

    def with_session(self, login: Login, session: Session, caller: Caller) -> Writes:
        """Return the job of the mail, where one is due, for the write that begins the session."""
        if not (
            self._is_on()
            and caller.is_browser
            and not login.is_new
            and _is_more_than_mailbox(session)
            and not self._is_known(login, caller)
        ):
            return Writes()
        notice = FactorNotice(
            login.user_id,
            session.created_at,
            caller.device,
            current_language().code,
            id=session.first_id,
        )
        return self._kit.jobs.writes(NEW_SIGN_IN, notice.pack())

    def _is_known(self, login: Login, caller: Caller) -> bool:
        # By whom, not by which address: that may have changed. That all sessions were revoked since
        # does not count here, since the store would have to be asked for it, at each login.
        owner = user_slot(self._kit.keyring.realm, login.user_id)
        return any(row.owner == owner for row in caller.known_to)

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of the login, with the link by which it is ended."""
        notice = FactorNotice.unpack(job.body)
        packed = NewSignIn(notice.user_id, notice.id, notice.at, notice.device).pack()
        link = None
        if packed is not None:
            handle = self._kit.secrets.seal(NEW_SIGN_IN, packed)
            link = f"{self._page_url}?{urlencode({'link_token': handle})}"
        return await self._mails.deliver(
            NEW_SIGN_IN, notice, link=link, until=notice.at + LIFETIME if link else None
        )

    # --- "this was not me" ---------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """Ask what to end. Mail scanners open links: this changes nothing."""
        handle = request.query_params.get("link_token", "")
        found = await self._find(handle)
        if found is None:
            return self._page(request, "expired", status=410)
        return self._page(
            request,
            "confirm",
            handle=handle,
            signed_in_at=format_time(found.at),
            device=translate(device_text(found.device or UNKNOWN)),
        )

    async def post(self, request: Request) -> Response:
        """End the session, or all, and trust no browser of the person any more; once."""
        form = await read_form(request)
        handle = form.get("link_token", "")
        found = await self._find(handle)
        if found is None:
            return self._page(request, "expired", status=410)
        account = await self._kit.accounts.find(request)
        user_id, ends_all = found.user_id, form.get("all") == "yes"
        caller = self._kit.callers.browser(request)
        self._kit.events.record("login.disowned", caller, user_id=user_id, session=found.session_id)
        # Where it has ended already, whoever began it may have signed in once more in the same
        # browser, of which no mail tells.
        ends_all = ends_all or not await self._end_session(found)
        if ends_all:
            await self._kit.sessions.revoke_all(user_id)
        # After the sessions: none that has ended can have its browser trusted again.
        await self._browsers.distrust_all(user_id, caller=caller)
        # Last: what has failed can be pressed again.
        await self._used.put(found.session_id, b"", ttl=LIFETIME)
        response = self._page(request, "all" if ends_all else "one")
        if account is not None and account.session.user_id == user_id:
            is_ended = ends_all or account.session.first_id == found.session_id
            if is_ended:
                response.headers.update(SIGNED_OUT)
                response = with_cookies(response, [self._kit.cookies.clear_session()])
        return response

    async def _find(self, handle: str) -> NewSignIn | None:
        """Return what a link tells of; `None` where it is none of ours, too old, or was used."""
        packed = self._kit.secrets.open(NEW_SIGN_IN, handle)
        found = NewSignIn.unpack(packed) if packed is not None else None
        if found is None or self._kit.clock() >= found.at + LIFETIME:
            return None
        if await self._used.read(found.session_id) is not None:
            return None
        # Of who is gone nothing is told.
        user = await self._kit.users.load(found.user_id)
        return found if user is not None else None

    async def _end_session(self, found: NewSignIn) -> bool:
        """End the session, under whatever id it is now: each fresh proof has given it another.

        Returns:
            Whether it was there.
        """
        sessions = await self._kit.sessions.list(found.user_id)
        same = [one for one in sessions if one.first_id == found.session_id]
        for session in same:
            await self._kit.sessions.revoke(found.user_id, session.id)
        return bool(same)

    def _page(
        self,
        request: Request,
        state: str,
        *,
        status: int = 200,
        handle: str = "",
        signed_in_at: str = "",
        device: str = "",
    ) -> Response:
        return self._kit.pages.page(
            request,
            "second_factors/sign_in.html",
            status=status,
            state=state,
            link_token=handle,
            signed_in_at=signed_in_at,
            device=device,
        )


def _is_more_than_mailbox(session: Session) -> bool:
    proofs = session.authentications
    factors = {factor for one in proofs for factor in one.factors or (one.method,)}
    return bool(factors - {MAILBOX})
