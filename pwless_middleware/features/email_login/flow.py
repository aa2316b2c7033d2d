"""The three verbs, send, resend and verify, as pages, JSON and Python all use them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace

from pwless_middleware.core.addresses.address import domain_of, parse_address
from pwless_middleware.core.challenges.challenge import (
    ID_BYTES,
    RESEND_WINDOW,
    Challenge,
    ChallengeId,
    Kind,
    Template,
)
from pwless_middleware.core.challenges.challenge_context import ChallengeContext, seal_hint
from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import Link
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.device_cookie import Known, open_known
from pwless_middleware.errors import (
    ApiError,
    FieldViolation,
    InvalidArgument,
    RateLimited,
    RequestExpired,
)
from pwless_middleware.features.email_login.link_uris import LinkUris
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenge_verifier import ChallengeVerifier
from pwless_middleware.flows.challenges.challenges import Challenges, NewChallenge, SentChallenge
from pwless_middleware.flows.challenges.device_grants import DeviceGrants
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.rendering.renderer import RESERVED_VARIABLES
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

MAX_VARIABLES = 30

_CONTROL = re.compile(f"[{CONTROL}{LINE_ENDS}{BIDI}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """What a caller of `send` gives; `None` takes the default.

    Attributes:
        email: as typed; checked here.
        template: the mail's wording.
        magiclink_auth_uri: the page that the link opens.
        state: the caller's own text.
        expires_in: seconds.
        template_variables: the caller's words.
        next: where a page's login goes on; already checked.
        language: the code of the language of the mail.
        organization: which one is to be entered; `None` names none.
        is_break_glass: whether it is asked for instead of the company's login that is required.
    """

    email: str = field(repr=False)
    template: Template = "SIGNIN"
    magiclink_auth_uri: str | None = None
    state: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    template_variables: Mapping[str, str] | None = field(default=None, repr=False)
    next: str = "/"
    language: str = ""
    organization: str | None = None
    is_break_glass: bool = False


class EmailFlow:
    """Do what a caller asks, by whichever interface.

    Args:
        kit: everything below.
        challenges: their keeper.
        verifier: checks codes and links.
        grants: what an email gives its reader besides a login.
        rules: how challenges behave.
        link_uris: checks `magiclink_auth_uri`.

    The interfaces check each field by the tables of `fields`; here is checked what needs the
    caller, the deployment, or the grammar of addresses.
    """

    def __init__(
        self,
        kit: Kit,
        challenges: Challenges,
        verifier: ChallengeVerifier,
        grants: DeviceGrants,
        rules: CurrentRules,
        *,
        link_uris: LinkUris,
    ) -> None:
        self._kit = kit
        self._challenges = challenges
        self._verifier = verifier
        self._grants = grants
        self.rules = rules
        self._link_uris = link_uris

    @property
    def kind(self) -> Kind:
        """What an email carries now."""
        return self.rules().kind

    @property
    def flow_seconds(self) -> int:
        """How long a browser keeps its flow cookie."""
        return RESEND_WINDOW + self.rules().max_lifetime

    async def send(self, send_request: SendRequest, caller: Caller) -> SentChallenge:
        """Start a login: check every field, ask the rules, count, write, queue the mail.

        Raises:
            InvalidArgument: every bad field, named; nothing was counted or sent.
            LoginDenied: a rule refuses the domain.
            LoginElsewhere: a rule sends this login to another page.
            RateLimited: a budget is spent.
            Unavailable: store or queue cannot take it.
        """
        with self._kit.spans.step("pwless.send") as note:
            note("pwless.template", send_request.template)
            new = self._check_send(send_request, caller)
            if new.organization is not None:
                id = await self._kit.looks.id_of(new.organization)
                new = replace(new, organization=id)
            await self._check_rules(new, caller)
            started = await self._challenges.start(new, caller)
            await self._kit.wake_delivery()
        return started

    async def resend(self, id: ChallengeId, caller: Caller, language: str = "") -> SentChallenge:
        """Send a challenge's mail again.

        Args:
            id: of the challenge.
            caller: who asks.
            language: the code of the mail's from now on; empty leaves it.

        Raises:
            RequestExpired: used, unknown, too old, or not this caller's.
            RateLimited: its three resends, or a budget, are spent.
            Unavailable: store or queue cannot take it.
        """
        with self._kit.spans.step("pwless.resend"):
            started = await self._challenges.resend(id, caller, language)
            await self._kit.wake_delivery()
        return started

    async def verify_code(self, id: ChallengeId, code: str, caller: Caller) -> LoginResult:
        """Check a code, and sign in. Raises what `ChallengeVerifier` and the door raise."""
        with self._kit.spans.step("pwless.verify") as note:
            note("pwless.method", "email_code")
            proof = await self._verifier.verify_code(id, code, caller)
            return await self._kit.logins.finish(proof, caller)

    async def verify_link(self, token: str, caller: Caller) -> LoginResult:
        """Check a link token, and sign in. Raises what `ChallengeVerifier` and the door raise."""
        with self._kit.spans.step("pwless.verify") as note:
            note("pwless.method", "email_link")
            proof = await self._verifier.verify_link(token, caller)
            return await self._kit.logins.finish(proof, caller)

    async def grant(self, token: str, caller: Caller) -> Known | None:
        """Return what a link lets a browser's device cookie say; see `DeviceGrants.grant`."""
        return await self._grants.grant(token, caller)

    async def read(self, id: ChallengeId, caller: Caller) -> Challenge | None:
        """Return a challenge that the caller holds, or `None` if it is used, gone or not theirs."""
        key_id = caller.holds.get(id)
        challenge = await self._challenges.read(id, key_id=key_id) if key_id is not None else None
        return challenge if challenge is not None and challenge.caller == caller.name else None

    async def newest(self, caller: Caller) -> Challenge | None:
        """Return the newest of the caller's challenges that is not used or gone."""
        for id in caller.holds:
            challenge = await self.read(id, caller)
            if challenge is not None:
                return challenge
        return None

    def resend_after(self, challenge: Challenge, error: ApiError | None) -> int:
        """Return how many seconds a page should let its resend button wait.

        Worked out from the challenge alone, without asking the store; who presses earlier, or has
        asked in another browser too, hears the exact wait from the budget itself.
        """
        now = self._kit.clock()
        if isinstance(error, RateLimited):
            return error.retry_after
        if not challenge.may_resend(now):
            return max(0, challenge.asked_at + RESEND_WINDOW - now)
        if challenge.resends + 1 < self.rules().limits.sends_per_minute:
            return 0
        return max(0, challenge.expires_at - challenge.lifetime + 60 - now)

    def with_device(self, caller: Caller, token: str | None) -> Caller:
        """Return a server with what its device token says; one that is not ours says nothing.

        A browser has a cookie for this.
        """
        if caller.is_browser or token is None:
            return caller
        return replace(caller, known_to=open_known(self._kit.keyring, token))

    # --- the request id ------------------------------------------------------------------------

    def request_id(self, challenge: Challenge) -> str:
        """Return a challenge's `auth_request_id`."""
        return self._kit.keyring.seal("request", challenge.id, key_id=challenge.key_id)

    def open_request(self, request_id: str, caller: Caller) -> tuple[ChallengeId, Caller]:
        """Read an `auth_request_id`; a server holds the challenge by presenting it.

        Raises:
            RequestExpired: it is not one of ours.
        """
        opened = self._kit.keyring.open("request", request_id, size=ID_BYTES)
        if opened is None:
            raise RequestExpired
        id = ChallengeId(opened.payload)
        return id, caller if caller.is_browser else replace(caller, holds={id: opened.key_id})

    def open_link(self, text: str) -> Link | None:
        """Return what the link token in a text holds, or `None` if there is none of ours."""
        return self._verifier.open_link(text)

    async def find_link_token(self, text: str, caller: Caller) -> str:
        """Return a text, or, if it holds a test address's link, the token that this stands for.

        Raises:
            Unavailable: it cannot be known.
        """
        return await self._verifier.find_link_token(text, caller)

    def note_elsewhere(self, link: Link, caller: Caller, *, by_page: bool) -> None:
        """Note that a link was opened where its challenge is not held."""
        self._verifier.note_elsewhere(link, caller, by_page=by_page)

    def check_link_request(self, token: str, id: ChallengeId) -> None:
        """Refuse a link token that belongs to another challenge than the request id says.

        Raises:
            RequestExpired: it does, or it is not ours.
        """
        link = self.open_link(token)
        if link is None or link.id != id:
            raise RequestExpired

    async def _check_rules(self, new: NewChallenge, caller: Caller) -> None:
        if not self._kit.logins.may_lead_away:
            return
        hint = seal_hint(self._kit.hints, new.address, now=self._kit.clock())
        context = ChallengeContext(
            domain=domain_of(new.address),
            next=new.next,
            organization=new.organization,
            hint=hint,
            is_break_glass=new.is_break_glass,
        )
        await self._kit.logins.check_challenge(context, caller)

    # --- checking a send -----------------------------------------------------------------------

    def _check_send(self, send_request: SendRequest, caller: Caller) -> NewChallenge:
        """Check every field, so that the caller hears of all that is wrong at once."""
        bad: list[FieldViolation] = []
        address = parse_address(send_request.email)
        if address is None:
            bad.append(
                FieldViolation(
                    "email", Text("Enter one email address, like jo@example.com."), "email"
                )
            )
        lifetime = (
            self.rules().lifetime if send_request.expires_in is None else send_request.expires_in
        )
        uri = send_request.magiclink_auth_uri
        if uri is not None and not self._link_uris.allows(uri):
            listed = Text("This URI is not listed in EmailLogin(link_uris=...).")
            bad.append(FieldViolation("magiclink_auth_uri", listed, "link_uris"))
        kind = self.kind
        if not caller.is_browser and uri is None:
            if kind == "LINK":
                bad.append(
                    FieldViolation(
                        "magiclink_auth_uri", Text("Name the page of the link."), "required"
                    )
                )
            kind = "OTP"
        bad += self._bad_variables(send_request, caller)
        if bad or address is None:
            raise InvalidArgument(bad)
        return NewChallenge(
            address=address,
            kind=kind,
            template=send_request.template,
            lifetime=lifetime,
            next=send_request.next,
            state=send_request.state,
            link_uri=uri,
            variables=send_request.template_variables or {},
            language=send_request.language,
            organization=send_request.organization,
            is_break_glass=send_request.is_break_glass,
        )

    def _bad_variables(self, send_request: SendRequest, caller: Caller) -> list[FieldViolation]:
        field_name = "template_variables"
        given = send_request.template_variables
        if caller.is_browser:
            if given is not None:
                return [FieldViolation(field_name, Text("Only a server may set these."), "server")]
            return []
        given = given or {}
        bad = []
        if len(given) > MAX_VARIABLES:
            bad.append(FieldViolation(field_name, Text("At most 30 variables."), "max_items"))
        for name, value in list(given.items())[:MAX_VARIABLES]:
            where = f"{field_name}.{name[:25]}"
            if not 2 <= len(name) <= 25 or _CONTROL.search(name):
                bad.append(FieldViolation(where, Text("Names have 2 to 25 characters."), "length"))
            if name in RESERVED_VARIABLES:
                bad.append(FieldViolation(where, Text("This name is reserved."), "reserved"))
            if len(value) > 256:
                bad.append(FieldViolation(where, Text("At most 256 characters."), "max_length"))
            lowered = value.lower()
            if _CONTROL.search(value) or "://" in value or "www." in lowered:
                bad.append(
                    FieldViolation(where, Text("No control characters and no links."), "plain_text")
                )
        for name in sorted(self._kit.renderer.template_variables(send_request.template.lower())):
            if name not in given:
                where = f"{field_name}.{name}"
                bad.append(
                    FieldViolation(where, Text("The email's template needs this."), "required")
                )
        return bad
