"""The feature itself: its options, checked, and what it mounts."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.core.challenges.challenge import Kind
from pwless_middleware.core.challenges.codes import CodeStyle
from pwless_middleware.core.options.given_options import given_options, remember_given
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_flag, check_kind
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.email_login.api import EmailApi
from pwless_middleware.features.email_login.flow import EmailFlow
from pwless_middleware.features.email_login.link_uris import LinkUris
from pwless_middleware.features.email_login.login_form import LoginForm
from pwless_middleware.features.email_login.pages import EmailPages
from pwless_middleware.features.email_login.python import EmailVerbs
from pwless_middleware.features.email_login.sessions import EmailSessions
from pwless_middleware.features.email_login.settings import (
    SETTINGS,
    check_values,
    make_rules,
    values_of_limits,
)
from pwless_middleware.features.email_login.step_up import StepUpByCode
from pwless_middleware.flows.challenges.challenge_rules import AllowRule
from pwless_middleware.flows.challenges.challenge_verifier import (
    CODE_METHOD,
    LINK_METHOD,
    ChallengeVerifier,
)
from pwless_middleware.flows.challenges.challenges import MAIL, Challenges
from pwless_middleware.flows.challenges.device_grants import DeviceGrants
from pwless_middleware.flows.challenges.limits import SendLimits, TryLimits
from pwless_middleware.flows.challenges.mails import ChallengeMails
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit, Mounted


@named_options()
@remember_given
class EmailLogin:
    """Sign people in by email.

    Args:
        kind: what the mail contains: `LINK_OTP` (default), `LINK` or `OTP`.
        lifetime: seconds that code and link are valid; 60 to 600 (with `kind="LINK"`, up to 3600),
            default 300.
        max_lifetime: the most seconds that an API caller may request, and that resends of the same
            secrets may add up to; `lifetime` to 600 (with `kind="LINK"`, up to 3600), default 600.
        code: `standard`, 6 digits, or `high`, 8 letters shown as `XXXX-XXXX`.
        same_browser: the link works only in the browser that asked for it (default). Off, any
            browser that opens it shows a button.
        rotate_on_resend: a resend invalidates the code and link sent before. Off (default), the
            same ones are sent again, so that a late first mail still works.
        attempts: wrong codes allowed per challenge; 3 to 10, default 5.
        allow: who may sign in: whole addresses, `*@domain`, `*@*.domain` for all its subdomains, or
            `*` for everybody (default); or a function, plain or async, that gets the canonical
            address and returns whether it may. Others see the same pages but get no mail.
        signup: an unknown address becomes a user (default). Off needs `users` or a database;
            strangers then see the same pages but get no mail.
        code_in_subject: put the code into the subject too, so that it can be read without opening
            the mail, also on a lock screen. Off by default.
        link_uris: your pages that an API caller may name as `magiclink_auth_uri`: exact, or ending
            in `/*` for everything below a folder.
        send_limits: how many mails may be requested.
        try_limits: how many wrong codes are allowed.
        test_users: lets operators make test addresses, which belong to nobody and have a fixed
            code, for testers who cannot read a mailbox. Off by default. Needs a database, and the
            extra `[crypto]`.

    With a database, all of these except `code`, `link_uris` and `test_users` are settings:
    operators can change those that you don't set here, while the app runs.

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
        test_users: bool = False,
    ) -> None:
        check_flag("test_users", test_users)
        self._test_users = test_users
        if code not in ("standard", "high"):
            raise ConfigError("code", "set 'standard' or 'high'")
        sends = SendLimits() if send_limits is None else send_limits
        tries = TryLimits() if try_limits is None else try_limits
        check_kind("send_limits", sends, SendLimits, example="SendLimits(...)")
        check_kind("try_limits", tries, TryLimits, example="TryLimits(...)")
        if isinstance(allow, Sequence) and not allow:
            raise ConfigError("allow", "name somebody, or leave it out for everybody")
        self._code: CodeStyle = code
        self._link_uris = LinkUris(link_uris)
        self._values = check_values(
            {
                "kind": kind,
                "lifetime": lifetime,
                "max_lifetime": max_lifetime,
                "same_browser": same_browser,
                "rotate_on_resend": rotate_on_resend,
                "attempts": attempts,
                "allow": allow,
                "signup": signup,
                "code_in_subject": code_in_subject,
                **values_of_limits(sends, tries),
            }
        )
        # Of an option that holds several, those are fixed that it was given itself.
        self._given_limits = {
            *(f"send_limits.{option}" for option in given_options(sends)),
            *(f"try_limits.{option}" for option in given_options(tries)),
        }

    @property
    def session_rules(self) -> object:
        """What decides who is in: whoever shares sessions has to have the same."""
        return self._values["allow"], self._values["signup"], self._test_users

    def mount(self, kit: Kit) -> Mounted[EmailVerbs]:
        """Return the pages, the JSON API, and who delivers the mails.

        Raises:
            ConfigError: `signup=False` without `users` or a database: then everybody is known; or
                it is another class's kit.
        """
        if kit.keyring.current != kit.cookies.key_id:
            raise ConfigError(
                "features",
                f"{kit.name} has no keys of codes: mount EmailLogin(...) itself, not a subclass, "
                "and not from within another feature",
            )
        given = given_options(self) | self._given_limits
        rules = LiveSettings(
            "email_login",
            SETTINGS,
            make=lambda values: make_rules(
                values,
                code=self._code,
                keyring=kit.keyring,
                knows_people=kit.users.is_table,
            ),
            given={name: value for name, value in self._values.items() if name in given},
            title=Text("Sign-in by email"),
        )
        rules.check({})
        challenges = Challenges(
            kit.store,
            kit.keyring,
            rules,
            jobs=kit.jobs,
            clock=kit.clock,
            events=kit.events,
        )
        tests = None
        if self._test_users:
            from pwless_middleware.features.email_login.test_addresses.part import TestAddressPart

            tests = TestAddressPart(kit, challenges, rules)
        fixed = None if tests is None else tests.addresses
        verifier = ChallengeVerifier(
            challenges,
            kit.store,
            kit.keyring,
            rules,
            clock=kit.clock,
            events=kit.events,
            fixed=fixed,
        )
        grants = DeviceGrants(challenges, kit.store, kit.keyring, rules, clock=kit.clock)
        address_change = None
        if kit.repositories is not None:  # who has no database imports none of this
            from pwless_middleware.features.email_login.address_changes.address_change import (
                make_address_change,
            )

            address_change = make_address_change(kit, challenges, verifier, fixed)
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
            clock=kit.clock,
            events=kit.events,
            may_mail=kit.logins.may_mail,
            may_sign_up=kit.logins.may_sign_up,
            looks=kit.looks,
            is_taken=address_change.is_taken if address_change is not None else None,
            fixed=fixed,
        )
        flow = EmailFlow(kit, challenges, verifier, grants, rules, link_uris=self._link_uris)
        pages, api = EmailPages(kit, flow, rules), EmailApi(kit, flow)
        step_up = StepUpByCode(kit, flow, challenges, verifier, rules)
        mounted = Mounted(
            routes=(*pages.routes, *api.routes),
            methods=(LoginForm(kit, flow).method,),
            step_up=(step_up.method,),
            on_session=(EmailSessions(rules).rule,),
            proves=(CODE_METHOD, LINK_METHOD),
            jobs={MAIL: mails.read},
            verbs=EmailVerbs(kit, flow, None if tests is None else tests.changes),
            settings=rules,
        )
        if tests is not None:
            mounted = tests.add_to(mounted)
        if address_change is None:
            return mounted
        return address_change.add_to(mounted, flow, challenges, rules)
