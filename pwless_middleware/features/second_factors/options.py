"""The feature itself: its options, checked, and what it mounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from pwless_middleware.core.logins.session import DAY
from pwless_middleware.core.options.given_options import given_options, remember_given
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_flag
from pwless_middleware.core.organizations.policy import MFA
from pwless_middleware.delivery.texts.base import TextSender
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.second_factors.events import KINDS
from pwless_middleware.features.second_factors.settings import (
    MOST,
    SETTINGS,
    make_rules,
    seconds_of,
)
from pwless_middleware.features.second_factors.sms.limits import SMSLimits
from pwless_middleware.features.second_factors.sms.options import check_sms
from pwless_middleware.flows.capabilities.periodic import Periodic
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.features.second_factors.flow import SecondFactorFlow
    from pwless_middleware.features.second_factors.python import SecondFactorVerbs


@named_options()
@remember_given
class SecondFactors:
    """Ask people who have a second factor, or everybody, for it at every login.

    Needs a database, and the extra `[totp]`.

    Args:
        totp: people can add authenticator apps (default). People who have one are asked for it even
            if this is off.
        sms: who sends text messages, e.g. `TwilioTexts(...)`: people with another second factor can
            then add a phone number, and get a code by text message. `None` (default): nobody does.
            Needs the extra `[sms]`.
        sms_countries: the countries (ISO 3166-1, e.g. `["DE", "AT"]`) to whose mobile numbers text
            messages may go; by default, none. If you remove a country, it gets no more messages,
            and its numbers no longer count as second factors.
        sms_limits: how many text messages are sent; `None` (default) is `SMSLimits()`.
        recovery_codes: people can make recovery codes (default).
        mfa: `optional` (default): whoever has a second factor is asked for it. `required`: whoever
            has none adds one before there is a session. `off`: nobody is asked.
        required_from: the day from which `mfa="required"`, which it needs, holds, in UTC; until
            then people are reminded. `None` (default) is at once.
        trusted_days: days for which people can have a browser not ask again; 0 to 30, default 0:
            never.
        reset_wait: seconds in which a person can object to the reset of their second factors; 0 to
            30 days, default 0.
        issuer: what authenticator apps call the deployment; `None` (default) is the brand's name.
        max_per_user: second factors of one person, passkeys aside; 1 to 10, default 10.
        new_browser_mail: a mail tells of a sign-in from a browser that is not known (default).

    All but `totp` and `issuer` are settings: those that are not given here an operator may change
    while the app runs.

    Raises:
        ConfigError: an option outside its range, named; or a library is not installed; or, as the
            app is made, nobody could add a first factor where one is needed.
    """

    def __init__(
        self,
        *,
        totp: bool = True,
        sms: TextSender | None = None,
        sms_countries: Sequence[str] = (),
        sms_limits: SMSLimits | None = None,
        recovery_codes: bool = True,
        mfa: MFA = "optional",
        required_from: date | None = None,
        trusted_days: int = 0,
        reset_wait: int = 0,
        issuer: str | None = None,
        max_per_user: int = MOST,
        new_browser_mail: bool = True,
    ) -> None:
        check_flag("totp", totp)
        if issuer is not None and not _is_issuer(issuer):
            raise ConfigError("issuer", "set a name of 1 to 60 characters, e.g. 'Acme', or None")
        self._totp = totp
        self._sms = check_sms(sms, sms_countries, sms_limits)
        self._issuer = issuer
        self._values = {
            "recovery_codes": recovery_codes,
            "mfa": mfa,
            "required_from": seconds_of(required_from),
            "trusted_days": trusted_days,
            "reset_wait": reset_wait,
            "max_per_user": max_per_user,
            "new_browser_mail": new_browser_mail,
        }
        make_rules(self._values)
        if required_from is not None and mfa != "required":
            raise ConfigError("required_from", "set mfa='required' as well: it says from when")
        try:
            for library in ("pyotp", "segno", "cryptography"):
                import_module(library)
        except ImportError as error:
            raise ConfigError(
                "features", "SecondFactors needs: pip install 'pwless-middleware[totp]'"
            ) from error

    @property
    def session_rules(self) -> object:
        """What decides who is in: whoever shares sessions has to have the same."""
        return tuple(self._values[name] for name in ("mfa", "required_from", "trusted_days"))

    def mount(self, kit: Kit) -> Mounted[SecondFactorVerbs]:
        """Return the rule, the steps, and what people do with their factors.

        Raises:
            ConfigError: there is no database.
        """
        from pwless_middleware.features.second_factors.api.routes import FactorApi
        from pwless_middleware.features.second_factors.findings import SecondFactorFindings
        from pwless_middleware.features.second_factors.flow import SecondFactorFlow
        from pwless_middleware.features.second_factors.names import RECOVERY_CODE
        from pwless_middleware.features.second_factors.pages.pages import Pages
        from pwless_middleware.features.second_factors.person_part import SecondFactorPart
        from pwless_middleware.features.second_factors.python import SecondFactorVerbs
        from pwless_middleware.features.second_factors.recovery.objection_page import ObjectionPage

        kit.require_database()
        if kit.repositories is None:
            raise ConfigError(
                "features",
                f"{kit.name} does not reach the second factors: mount SecondFactors(...) itself, "
                "not a subclass, and not from within another feature",
            )
        given = given_options(self)
        rules = LiveSettings(
            "second_factors",
            SETTINGS,
            make=make_rules,
            given={name: value for name, value in self._values.items() if name in given},
            title=Text("Second factors"),
        )
        rules.check({})
        flow = SecondFactorFlow(
            kit, kit.repositories, rules, totp=self._totp, issuer=self._issuer, sms=self._sms
        )
        sms, pages = flow.sms, Pages(kit, flow, adds_totp=self._totp)
        shown = SecondFactorPart(kit, flow)
        return Mounted(
            routes=(
                *pages.routes,
                *FactorApi(kit, flow).routes,
                *ObjectionPage(kit, flow.resets).routes,
                *flow.sign_ins.routes,
                *shown.routes,
                *_routes_of(kit, flow),
            ),
            text_senders=(sms.sender,) if sms is not None else (),
            steps=pages.steps,
            account_pages=pages.account_pages,
            person_parts=(shown.part,),
            after_login=pages.after_login,
            policies=(flow.policy_of,),
            before_session=(flow.rule,),
            proves=tuple(flow.steps),
            recovers=(RECOVERY_CODE,),
            with_session=(flow.sign_ins.with_session,),
            jobs={
                **flow.mails.readers,
                **flow.resets.readers,
                **flow.sign_ins.readers,
                **(sms.jobs if sms is not None else {}),
            },
            event_kinds=KINDS,
            on_address_undone=(flow.own.remove_since,),
            keeps=(flow.own.why_it_stays,),
            periodic=(
                flow.resets.periodic,
                Periodic("end_trust", DAY, flow.browsers.sweep),
            ),
            settings=rules,
            findings=(SecondFactorFindings(flow.stored).find,),
            rewrap=flow.stored.encrypt_all_anew,
            check=partial(self._check, flow),
            verbs=SecondFactorVerbs(kit, flow),
        )

    def _check(self, flow: SecondFactorFlow) -> None:
        if self._totp or flow.others.names:
            return
        if self._sms is not None:
            raise ConfigError(
                "sms",
                "a phone number is never the only second factor: leave totp on, or add Passkeys",
            )
        if self._values["mfa"] == "required":
            raise ConfigError(
                "mfa", "nobody could add the second factor: leave totp on, or add Passkeys"
            )


def _routes_of(kit: Kit, flow: SecondFactorFlow) -> tuple[Route, ...]:
    """Return the paths of text messages, where there are any."""
    if flow.sms is None:
        return ()
    from pwless_middleware.features.second_factors.sms.api import SMSApi  # and the library

    return (*SMSApi(kit, flow, flow.sms).routes, *flow.sms.routes)


def _is_issuer(value: object) -> bool:
    return (
        isinstance(value, str)
        and 1 <= len(value.strip()) == len(value) <= 60
        and value.isprintable()
    )
