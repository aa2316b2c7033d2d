"""All pages of second factors, put together."""

from __future__ import annotations

from pwless_middleware.features.second_factors.flow import SecondFactorFlow
from pwless_middleware.features.second_factors.names import RECOVERY_CODE, TOTP
from pwless_middleware.features.second_factors.pages.account_page import AccountPages
from pwless_middleware.features.second_factors.pages.after_login import AfterLogin
from pwless_middleware.features.second_factors.pages.enrollment_pages import EnrollmentPages
from pwless_middleware.features.second_factors.pages.parts import (
    with_recovery_page,
    with_totp_page,
)
from pwless_middleware.features.second_factors.pages.recovery_codes_page import RecoveryCodesPage
from pwless_middleware.features.second_factors.pages.step_page import StepPage
from pwless_middleware.features.second_factors.pages.totp_page import TOTPPage
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.parts.offers import AfterLogin as AskAfterLogin
from pwless_middleware.web.parts.steps import StepMethod
from pwless_middleware.web.routing.routes import Route


class Pages:
    """Make them.

    Args:
        kit: everything below.
        flow: does what they ask for.
        adds_totp: whether authenticator apps can be added.

    Attributes:
        routes: their paths.
        steps: the ways to do a step, each with its part of a page.
        account_pages: the one of a person's own second factors.
        after_login: the recovery codes, and the deadline.
    """

    def __init__(self, kit: Kit, flow: SecondFactorFlow, *, adds_totp: bool) -> None:
        if flow.sms is not None:  # whose library is imported by it
            from pwless_middleware.features.second_factors.pages.sms_page import SMSPage
            from pwless_middleware.features.second_factors.pages.sms_part import SMSPart
        account = AccountPages(kit, flow, adds_totp=adds_totp, adds_sms=flow.sms is not None)
        after_login = AfterLogin(kit, flow)
        self.routes: tuple[Route, ...] = (
            *StepPage(kit, flow.browsers).routes,
            *EnrollmentPages(kit, flow.totp_step, flow.totp).routes,
            *account.routes,
            *(TOTPPage(kit, flow).routes if adds_totp else ()),
            *(SMSPage(kit, flow, flow.sms).routes if flow.sms is not None else ()),
            *RecoveryCodesPage(kit, flow).routes,
            *after_login.routes,
        )
        self.steps: tuple[StepMethod, ...] = (
            with_totp_page(flow.steps[TOTP]),
            *((SMSPart(kit, flow.sms).method,) if flow.sms is not None else ()),
            with_recovery_page(flow.steps[RECOVERY_CODE]),
        )
        self.account_pages: tuple[AccountPage, ...] = (account.account_page,)
        self.after_login: tuple[AskAfterLogin, ...] = (after_login.after_login,)
