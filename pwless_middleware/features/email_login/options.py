"""The feature itself: its options, checked, and what it mounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pwless_middleware.core.address import parse_pattern
from pwless_middleware.core.challenge import RESEND_WINDOW, Kind
from pwless_middleware.core.codes import CodeStyle
from pwless_middleware.core.named_options import named_options
from pwless_middleware.core.options import check_flag, check_kind, check_texts
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.email_login.api import EmailApi
from pwless_middleware.features.email_login.flow import EmailFlow
from pwless_middleware.features.email_login.link_uris import LinkUris
from pwless_middleware.features.email_login.login_form import LoginForm
from pwless_middleware.features.email_login.pages import EmailPages
from pwless_middleware.features.email_login.python import EmailVerbs
from pwless_middleware.features.email_login.sessions import EmailSessions
from pwless_middleware.features.email_login.step_up import StepUpByCode
from pwless_middleware.flows.challenge_rules import AllowRule, ChallengeRules
from pwless_middleware.flows.challenge_verifier import (
    CODE_METHOD,
    LINK_METHOD,
    ChallengeVerifier,
)
from pwless_middleware.flows.challenges import MAIL, Challenges
from pwless_middleware.flows.device_grants import DeviceGrants
from pwless_middleware.flows.limits import Limits, SendLimits, TryLimits
from pwless_middleware.flows.mails import ChallengeMails
from pwless_middleware.web.kit import Kit, Mounted

LONGEST = 600
"""Seconds that an emailed secret may live (NIST SP 800-63B-4 §3.1.3.2)."""
LONGEST_LINK = 3600
"""Seconds that a link may live where there is no code to guess (security numbers)."""


@named_options()
class EmailLogin:
    """Sign people in by a mail.

    Args:
        kind: what the mail carries: `LINK_OTP` (default), `LINK` or `OTP`.
        lifetime: seconds that code and link live; 60 to 600 (links alone: to 3600), default 300.
        max_lifetime: the most that an API caller may ask for, and that resends of the same secrets
            may add up to; `lifetime` to 600 (links alone: to 3600), default 600.
        code: `standard`, 6 digits, or `high`, 8 letters shown as `XXXX-XXXX`.
        same_browser: a link works only in the browser that asked for it (default). Off, any browser
            that opens it may press its button.
        rotate_on_resend: a resend kills the code and link sent before. Off (default), the same ones
            go out again, so that a late first mail is not a dead one.
        attempts: wrong codes that one challenge bears; 3 to 10, default 5.
        allow: who is served: whole addresses, `*@domain`, `*@*.domain` for all its subdomains, or
            `*` for everybody (default); or a function, plain or async, that is given the canonical
            address and says whether. Others see the same pages and get no mail.
        signup: an unknown address becomes a user. Off needs `users` or a database; strangers then
            see the same pages and get no mail.
        code_in_subject: whether the mail's subject holds the code, so that it is read without
            opening the mail; also by who sees a locked screen. Off by default.
        link_uris: the pages of yours that an API caller may name as `magiclink_auth_uri`: compared
            exactly, or ending in `/*` for all below that folder.
        send_limits: how many mails may be asked for.
        try_limits: how many wrong codes are borne.

    Raises:
        ConfigError: an option outside its range, named.
    """

    def __init__(
        self,
        *,
        kind: Kind = "LINK_OTP",
        lifetime: int = 300,
        max_lifetime: int = 600,
        code: CodeStyle = "standard",
        same_browser: bool = True,
        rotate_on_resend: bool = False,
        attempts: int = 5,
        allow: Sequence[str] | AllowRule = ("*",),
        signup: bool = True,
        code_in_subject: bool = False,
        link_uris: Sequence[str] = (),
        send_limits: SendLimits | None = None,
        try_limits: TryLimits | None = None,
    ) -> None:
        if kind not in ("OTP", "LINK", "LINK_OTP"):
            raise ConfigError("kind", "set LINK_OTP, LINK or OTP")
        if code not in ("standard", "high"):
            raise ConfigError("code", "set 'standard' or 'high'")
        most = LONGEST_LINK if kind == "LINK" else LONGEST
        _check_number("lifetime", lifetime, 60, most)
        _check_number("max_lifetime", max_lifetime, lifetime, most)
        _check_number("attempts", attempts, 3, 10)
        for option, value in (
            ("same_browser", same_browser),
            ("rotate_on_resend", rotate_on_resend),
            ("signup", signup),
            ("code_in_subject", code_in_subject),
        ):
            check_flag(option, value)
        self._sends = SendLimits() if send_limits is None else send_limits
        self._tries = TryLimits() if try_limits is None else try_limits
        check_kind("send_limits", self._sends, SendLimits, example="SendLimits(...)")
        check_kind("try_limits", self._tries, TryLimits, example="TryLimits(...)")
        self._kind: Kind = kind
        self._attempts = attempts
        self._code_in_subject = code_in_subject
        self._link_uris = LinkUris(link_uris)
        self._rules = ChallengeRules(
            lifetime=lifetime,
            max_lifetime=max_lifetime,
            code=code,
            same_browser=same_browser,
            rotate_on_resend=rotate_on_resend,
            allow=_check_allow(allow),
            signup=signup,
        )

    @property
    def session_rules(self) -> object:
        """What decides who is in: whoever shares sessions has to have the same."""
        return self._rules.allow, self._rules.signup

    def mount(self, kit: Kit) -> Mounted[EmailVerbs]:
        """Return the pages, the JSON API, and who delivers the mails.

        Raises:
            ConfigError: `signup=False` without `users` or a database: then everybody is known; or
                it is another class's kit.
        """
        rules = self._rules
        if kit.keyring.current != kit.cookies.key_id:
            raise ConfigError(
                "features",
                f"{kit.name} has no keys of codes: mount EmailLogin(...) itself, not a subclass, "
                "and not from within another feature",
            )
        if not rules.signup and not kit.users.is_table:
            raise ConfigError(
                "signup", "signup=False needs users= or database=: who is known, without a table?"
            )
        limits = Limits(kit.keyring, sends=self._sends, tries=self._tries, attempts=self._attempts)
        challenges = Challenges(
            kit.store,
            kit.keyring,
            limits,
            rules,
            jobs=kit.jobs,
            clock=kit.clock,
            events=kit.events,
        )
        verifier = ChallengeVerifier(
            challenges,
            kit.store,
            kit.keyring,
            limits,
            rules,
            clock=kit.clock,
            events=kit.events,
        )
        grants = DeviceGrants(challenges, kit.store, kit.keyring, limits, clock=kit.clock)
        mails = ChallengeMails(
            challenges,
            grants,
            rules,
            kit.keyring,
            kit.users,
            kit.renderer,
            kit.mailer,
            kit.languages,
            link_page=f"{kit.origin.url}{kit.prefix}/link",
            host=kit.origin.host.partition(":")[0],
            code_in_subject=self._code_in_subject,
            clock=kit.clock,
            events=kit.events,
        )
        flow = EmailFlow(
            kit,
            challenges,
            verifier,
            grants,
            rules,
            kind=self._kind,
            sends_per_minute=self._sends.per_minute,
            link_uris=self._link_uris,
        )
        keep = RESEND_WINDOW + rules.max_lifetime
        pages = EmailPages(kit, flow, rules, flow_seconds=keep)
        api = EmailApi(kit, flow, flow_seconds=keep)

        step_up = StepUpByCode(kit, flow, challenges, verifier, rules, flow_seconds=keep)
        return Mounted(
            routes=(*pages.routes, *api.routes),
            methods=(LoginForm(kit, flow, flow_seconds=keep).method,),
            step_up=(step_up.method,),
            on_session=(EmailSessions(rules).rule,),
            proves=(CODE_METHOD, LINK_METHOD),
            jobs={MAIL: mails.read},
            verbs=EmailVerbs(kit, flow),
        )


def _check_number(option: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise ConfigError(option, f"set a whole number from {low} to {high}")


def _check_allow(allow: Sequence[str] | AllowRule) -> tuple[str, ...] | AllowRule:
    if not isinstance(allow, Sequence) and callable(allow) and not isinstance(allow, type):
        return allow
    example = "['*@acme.example', 'jo@partner.example'], or a function"
    check_texts("allow", allow or "", example=example)
    found = []
    for text in cast("Sequence[str]", allow):
        pattern = parse_pattern(text)
        if pattern is None:
            kinds = "an address, nor '*@domain', '*@*.domain' or '*'"
            raise ConfigError("allow", f"{text!r} is neither {kinds}")
        found.append(pattern)
    return tuple(found)
