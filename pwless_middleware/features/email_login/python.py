"""The Python interface: the three verbs as coroutines, without any HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from pwless_middleware.core.challenges.challenge import Template
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import ConfigError, InvalidArgument
from pwless_middleware.features.email_login.fields import RESEND, send_fields, verify_fields
from pwless_middleware.features.email_login.flow import EmailFlow, SendRequest
from pwless_middleware.flows.challenges.challenges import SentChallenge
from pwless_middleware.flows.store_deadline import request_deadline
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.python_calls import check_arguments, make_caller
from pwless_middleware.web.requests.user_path import find_user
from pwless_middleware.web.responses import login_responses

if TYPE_CHECKING:  # not loaded where there is no database, or they are off
    from pwless_middleware.features.email_login.test_addresses.changes import TestAddressChanges
    from pwless_middleware.flows.people.address_requests import AddressRequests


@dataclass(frozen=True, slots=True)
class SendResult:
    """The answer to `send` and `resend`.

    Attributes:
        auth_request_id: keep it for `verify` and `resend`; whoever holds it and the code signs in.
        expires_at: unix seconds.
        expires_in: seconds.
        passwordless_type: what the mail carries: `OTP`, `LINK` or `LINK_OTP`.
        resend_after: seconds until the next resend would be accepted.
    """

    auth_request_id: str = field(repr=False)
    expires_at: int
    expires_in: int
    passwordless_type: str
    resend_after: int


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The answer to `verify`: somebody is signed in.

    Attributes:
        user: who; `is_new` if this login made the user.
        session: the record.
        session_token: `pws_…`, for a client without cookies (`bearer=True`).
        set_cookie: the value of a `Set-Cookie` header that signs a browser in.
        email: the proven address.
        state: what `send` was given.
        template: what `send` was given.
        passwordless_type: what the mail carried.
        device_token: keep it with the person's device (a cookie of yours that lives a year), for
            the next `send` and `verify`. It signs nobody in.
    """

    user: User
    session: Session
    session_token: str = field(repr=False)
    set_cookie: str = field(repr=False)
    email: str = field(repr=False)
    state: str | None = field(repr=False)
    template: str
    passwordless_type: str
    device_token: str = field(default="", repr=False)


class EmailVerbs:
    """Offer the three verbs to the host's own code, and the change of somebody's address.

    Args:
        kit: everything below.
        flow: the three verbs.
        tests: make test addresses; `None` where they are off.
        requests: ask for other addresses of people; `None` where nothing changes any.
    """

    def __init__(
        self,
        kit: Kit,
        flow: EmailFlow,
        tests: TestAddressChanges | None = None,
        requests: AddressRequests | None = None,
    ) -> None:
        self._kit = kit
        self._flow = flow
        self._tests = tests
        self._requests = requests

    def with_requests(self, requests: AddressRequests) -> EmailVerbs:
        """Return the same, with what asks for other addresses of people."""
        return EmailVerbs(self._kit, self._flow, self._tests, requests)

    @property
    def test_addresses(self) -> TestAddressChanges:
        """What makes, changes and removes test addresses.

        Raises:
            ConfigError: they are off.
        """
        if self._tests is None:
            raise ConfigError("test_users", "set EmailLogin(test_users=True) to have them")
        return self._tests

    async def send(
        self,
        email: str,
        *,
        template: Template = "SIGNIN",
        magiclink_auth_uri: str | None = None,
        state: str | None = None,
        expires_in: int | None = None,
        template_variables: Mapping[str, str] | None = None,
        language: str | None = None,
        client: str | None = None,
        user_agent: str | None = None,
        device_token: str | None = None,
        organization: str | None = None,
    ) -> SendResult:
        """Send a mail; arguments, answer and errors are those of `Passwordless.send`."""
        caller = make_caller(client, user_agent)
        _check_language(language)
        await self._kit.settings.require()
        variables = template_variables
        values = check_arguments(
            send_fields(longest=self._flow.rules().max_lifetime),
            email=email,
            template=template,
            magiclink_auth_uri=magiclink_auth_uri,
            state=state,
            expires_in=expires_in,
            template_variables=dict(variables) if isinstance(variables, Mapping) else variables,
            device_token=device_token,
            organization=organization,
        )
        caller = self._flow.with_device(caller, device_token)
        send_request = SendRequest(
            email=values.text("email"),
            template="SIGNUP" if values.get("template") == "SIGNUP" else "SIGNIN",
            magiclink_auth_uri=magiclink_auth_uri,
            state=state,
            expires_in=values.integer("expires_in"),
            template_variables=values.texts("template_variables"),
            language=await self._language(language, values.get("organization")),
            organization=values.get("organization"),
        )
        with request_deadline():
            return self._make_result(await self._flow.send(send_request, caller))

    async def _language(self, asked: str | None, organization: str | None) -> str:
        """Return the code of the language of a mail: what is asked for, else the organization's."""
        look = await self._kit.looks.of(organization) if asked is None else None
        return self._kit.languages.negotiate(asked or (look.language if look else "")).code

    async def resend(
        self,
        auth_request_id: str,
        *,
        language: str | None = None,
        client: str | None = None,
        device_token: str | None = None,
    ) -> SendResult:
        """Send it again; arguments, answer and errors are those of `Passwordless.resend`."""
        caller = make_caller(client)
        _check_language(language)
        await self._kit.settings.require()
        check_arguments(RESEND, auth_request_id=auth_request_id, device_token=device_token)
        caller = self._flow.with_device(caller, device_token)
        id, caller = self._flow.open_request(auth_request_id, caller)
        found = self._kit.languages.negotiate(language).code if language else ""
        with request_deadline():
            return self._make_result(await self._flow.resend(id, caller, found))

    async def verify(
        self,
        *,
        auth_request_id: str,
        code: str | None = None,
        link_token: str | None = None,
        client: str | None = None,
        ends: Session | None = None,
        device_token: str | None = None,
    ) -> VerifyResult:
        """Check a code or link; arguments, answer and errors are those of `Passwordless.verify`."""
        caller = make_caller(client, ends=ends)
        if (code is None) == (link_token is None):
            raise InvalidArgument.of("code", "Give a code or a link token.", "one_of")
        check_arguments(RESEND, auth_request_id=auth_request_id, device_token=device_token)
        caller = self._flow.with_device(caller, device_token)
        await self._kit.settings.require()
        rules = self._flow.rules()
        fields = verify_fields(code=rules.code, same_browser=rules.same_browser)
        check_arguments(fields, code=code, link_token=link_token)
        id, caller = self._flow.open_request(auth_request_id, caller)
        with request_deadline():
            if code is not None:
                done = await self._flow.verify_code(id, code, caller)
            else:
                token = await self._flow.find_link_token(link_token or "", caller)
                self._flow.check_link_request(token, id)
                done = await self._flow.verify_link(token, caller)
        answer = done.login.answer
        return VerifyResult(
            user=done.user,
            session=done.session,
            session_token=done.token,
            set_cookie=login_responses.session_cookie(self._kit, done),
            email=done.login.email,
            state=answer.get("state"),
            template=answer["template"],
            passwordless_type=answer["passwordless_type"],
            device_token=login_responses.device_token(self._kit, caller, done),
        )

    async def request_address(self, user_id: str, email: str, *, by: str = "python") -> int:
        """Ask for another address of a user; it is changed once somebody there confirms it.

        For who reads the old mailbox no more. The new address is sent a link; after the change the
        user is signed out everywhere, and the old address is told and can undo it for 72 hours.

        Args:
            user_id: whose.
            email: the new address, as typed.
            by: who asks, for the events; default `python`.

        Returns:
            Until when it can be confirmed, unix seconds.

        Raises:
            PersonNotFound: there is no such user.
            InvalidArgument: it is no address, theirs already, somebody else's, or not served; or
                nobody can sign in as this user.
            RateLimited: it was asked for just now.
            StoreError, Unavailable: database, store or queue cannot take it; it can be asked again.
            ConfigError: nothing here changes addresses: there is no database, or `users=` has no
                `change_email`.
        """
        await self._kit.settings.require()
        requests = self._require_requests()
        asked = await requests.ask(await find_user(self._kit, user_id), email, by=by)
        return asked.confirm_until

    async def withdraw_address(self, user_id: str, *, by: str = "python") -> bool:
        """Take back what `request_address` asked for; false where nothing waits any more.

        Args:
            user_id: whose.
            by: who takes it back, for the events; default `python`.

        Raises:
            StoreError: the database cannot be asked.
            ConfigError: as of `request_address`.
        """
        return await self._require_requests().withdraw(user_id, by=by)

    def _require_requests(self) -> AddressRequests:
        if self._requests is None:
            raise ConfigError(
                "database",
                "nothing here changes addresses: add database=, or change_email() to users=",
            )
        return self._requests

    def _make_result(self, started: SentChallenge) -> SendResult:
        challenge = started.challenge
        return SendResult(
            auth_request_id=self._flow.request_id(challenge),
            expires_at=challenge.expires_at,
            expires_in=challenge.expires_at - self._kit.clock(),
            passwordless_type=challenge.kind,
            resend_after=started.resend_after,
        )


def _check_language(language: object) -> None:
    if language is not None and not isinstance(language, str):
        raise InvalidArgument.of("language", "Give a language tag, or None.", "string")
