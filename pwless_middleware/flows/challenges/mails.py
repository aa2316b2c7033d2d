"""The mail of a challenge, made as it is sent.

The queue holds an id and a generation, nothing else. Code and link are derived here, in the worker;
and here alone it is decided whether there is anybody to serve, so that the request which asked for
the mail took the same path, and the same time, for every address (security rule 14).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode, urlsplit, urlunsplit

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.brand import Brand
from pwless_middleware.core.challenges.challenge import Challenge, attempt_of
from pwless_middleware.core.challenges.codes import format_code
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.links import break_links
from pwless_middleware.core.logins.caller import ADDRESS_CHANGE, BROWSER, STEP_UP
from pwless_middleware.core.logins.device import UNKNOWN, device_text
from pwless_middleware.core.storage.format_v1 import unpack_job
from pwless_middleware.delivery.base import Mailer, Message
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import LoginDenied, PersonDisabled
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenges import Challenges
from pwless_middleware.flows.challenges.device_grants import DeviceGrants
from pwless_middleware.flows.challenges.fixed_codes import FixedCodes
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.logins.login_rules import MayMail, MaySignUp
from pwless_middleware.flows.organization_looks import OrganizationLooks
from pwless_middleware.flows.people.users import Users
from pwless_middleware.languages.current import translate, use_language
from pwless_middleware.languages.languages import Languages
from pwless_middleware.languages.times import format_time
from pwless_middleware.rendering.current_brand import use_current_brand
from pwless_middleware.rendering.renderer import Email, Renderer
from pwless_middleware.text import Text

IsTaken = Callable[[Address, str], Awaitable[bool]]
"""Whether an address belongs to somebody else than the user with an id."""


@dataclass(frozen=True, slots=True)
class _Wording:
    """Which mail a challenge gets.

    Attributes:
        template: its wording.
        language: the code of its language.
        has_secrets: whether the code and the link are in it.
    """

    template: str
    language: str
    has_secrets: bool = True


class ChallengeMails:
    """Make the mails of challenges.

    Args:
        challenges, grants, keyring, users: what it works with.
        rules: how challenges behave.
        renderer: makes the texts.
        languages: those that people read.
        mailer: takes the message.
        link_page: absolute URL of our own link page.
        host: the login's own host, which a domain-bound code names.
        clock: gives unix seconds.
        events: records which emails are not needed or too late.
        may_mail: asks every rule whether the mail may go out.
        may_sign_up: asks whether somebody may become a user, where strangers may not.
        looks: how the mails of an organization look.
        is_taken: whether a new address is somebody else's already; `None` where nobody can change
            their address.
        fixed: knows the test addresses, to which none is sent; `None` where there are none.
    """

    def __init__(
        self,
        challenges: Challenges,
        grants: DeviceGrants,
        rules: CurrentRules,
        keyring: Keyring,
        users: Users,
        renderer: Renderer,
        mailer: Mailer,
        languages: Languages,
        *,
        link_page: str,
        host: str,
        clock: Callable[[], int],
        events: Events,
        may_mail: MayMail,
        may_sign_up: MaySignUp,
        looks: OrganizationLooks,
        is_taken: IsTaken | None = None,
        fixed: FixedCodes | None = None,
    ) -> None:
        self._challenges = challenges
        self._grants = grants
        self._rules = rules
        self._keyring = keyring
        self._users = users
        self._renderer = renderer
        self._mailer = mailer
        self._languages = languages
        self._link_page = link_page
        self._host = host
        self._clock = clock
        self._events = events
        self._may_mail = may_mail
        self._may_sign_up = may_sign_up
        self._looks = looks
        self._is_taken = is_taken
        self._fixed = fixed

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Read what a job stands for: a mail, or why there is none.

        Where there is nobody to serve it is a delivery all the same, which sends nothing.

        Raises:
            Unavailable: store or directory could not be asked.
        """
        id, generation = unpack_job(job.body)
        challenge = await self._challenges.read(id, key_id=job.key_id)
        attempt = attempt_of(id)
        if challenge is None and self._clock() >= job.until:
            # Nobody looked at the queue for so long that the store has forgotten the challenge.
            self._events.record("mail.failed", attempt=attempt, reason="expired")
            return Outcome.EXPIRED
        if challenge is None or challenge.generation != generation:
            self._events.record("mail.suppressed", attempt=attempt, reason="superseded")
            return Outcome.DROPPED
        if not challenge.is_live(self._clock()):
            self._events.record("mail.failed", attempt=attempt, reason="expired")
            return Outcome.EXPIRED
        # A code alone cannot be typed while strangers have spent the tries: then a link helps.
        is_code = challenge.kind == "OTP" and challenge.caller == BROWSER
        is_locked = is_code and await self._grants.is_locked(challenge)
        found = await self._choose(challenge)
        if isinstance(found, str):
            return Delivery(challenge.address, send=None, attempt=attempt, reason=found)
        look = await self._looks.of(challenge.organization)
        brand = None if look is None else look.brand

        async def send() -> None:
            message = self.message(challenge, found, unlocks=is_locked, brand=brand)
            await self._mailer.send(message)

        return Delivery(challenge.address, send, attempt)

    async def _choose(self, challenge: Challenge) -> _Wording | str:
        """Return which mail there is, or why there is nobody to serve."""
        address, language = challenge.address, challenge.language
        if not await self._rules().serves(address):
            return "not_allowed"
        if not await self._may_mail(challenge):
            return "held_back"
        if self._fixed is not None and await self._fixed.covers(address):
            return "test_address"
        if challenge.caller.startswith(ADDRESS_CHANGE):
            is_taken = self._is_taken is None or await self._is_taken(
                address, challenge.state or ""
            )
            if is_taken:
                return _Wording("address_in_use", language, has_secrets=False)
            return _Wording("address_change", language)
        try:
            user = await self._users.find(address)
        except PersonDisabled:
            return "disabled"
        except LoginDenied:
            return "refused_by_users"
        if user is None and not self._rules().signup and not await self._may_sign_up(address):
            return "unknown_user"
        is_step_up = challenge.caller.startswith(STEP_UP)
        template = "step_up" if is_step_up else challenge.template.lower()
        # Who has chosen a language gets it, in whichever browser the mail was asked for.
        return _Wording(template, user.language if user and user.language else language)

    def message(
        self,
        challenge: Challenge,
        wording: _Wording,
        *,
        unlocks: bool = False,
        brand: Brand | None = None,
    ) -> Message:
        """Render the mail of a challenge, with its code and link.

        Args:
            challenge: whose.
            wording: which mail.
            unlocks: whether an email with a code alone also has a link, which signs nobody in.
            brand: of the organization that is to be entered; `None` is the deployment's.
        """
        code = link = None
        if challenge.kind != "LINK" and wording.has_secrets:
            style = self._rules().code
            code = format_code(self._keyring.code(challenge, style), style)
        if (challenge.kind != "OTP" or unlocks) and wording.has_secrets:
            token = self._keyring.link_token(challenge)
            link = with_token(challenge.link_uri or self._link_page, token)
        # Always set: a worker begun by a request would go on in the language of that one.
        with use_language(self._languages[wording.language]), use_current_brand(brand):
            email = self._render(challenge, wording.template, code, link)
        return Message(challenge.address, email.subject, email.text, email.html)

    def _render(
        self, challenge: Challenge, template: str, code: str | None, link: str | None
    ) -> Email:
        minutes = max(1, round((challenge.expires_at - self._clock()) / 60))
        return self._renderer.email(
            template,
            variables={name: break_links(text) for name, text in challenge.variables.items()},
            kind=challenge.kind,
            code=code,
            otp=code,
            link=link,
            subject_code=code if self._rules().code_in_subject else None,
            email=challenge.address,
            host=self._host,
            device=translate(device_text(challenge.device or UNKNOWN)),
            asked_at=format_time(challenge.asked_at),
            expiry_time_relative=translate(
                Text.for_count("%(n)s minute", "%(n)s minutes", minutes)
            ),
            expire_time=str(challenge.expires_at),
            expiry_time=format_time(challenge.expires_at),
        )


def with_token(uri: str, token: str) -> str:
    """Append the link token to a URL as a query parameter; the rest stays as it is."""
    parts = urlsplit(uri)
    query = "&".join(filter(None, (parts.query, urlencode({"link_token": token}))))
    return urlunsplit(parts._replace(query=query))
