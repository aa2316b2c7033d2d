"""All pages of the passkeys, put together."""

from __future__ import annotations

from dataclasses import replace

from pwless_middleware.features.passkeys.flow import PasskeyFlow
from pwless_middleware.features.passkeys.pages.account_page import PasskeyPages
from pwless_middleware.features.passkeys.pages.login_part import LoginPart
from pwless_middleware.features.passkeys.pages.offer_page import OfferPage
from pwless_middleware.features.passkeys.pages.step_page import StepPages
from pwless_middleware.features.passkeys.pages.step_part import PasskeyStepPart
from pwless_middleware.features.passkeys.step_up import StepUpByPasskey
from pwless_middleware.features.passkeys.steps import PasskeySteps
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import AccountPage, AfterLogin, LoginMethod, StepUpMethod
from pwless_middleware.web.parts.steps import StepMethod
from pwless_middleware.web.routing.routes import Route


class Pages:
    """Make them.

    Args:
        kit: everything below.
        flow: does what they ask for.

    Attributes:
        routes: their paths.
        methods: the part of the login page.
        step_up: the part of the page that asks again who it is.
        steps: the step, and its part of a page that other second factors satisfy too.
        account_pages: the one of a person's own passkeys.
        after_login: the offer.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        account, offer = PasskeyPages(kit, flow), OfferPage(kit, flow)
        self.routes: tuple[Route, ...] = (
            *account.routes,
            *offer.routes,
            *StepPages(kit, flow).routes,
        )
        self.methods: tuple[LoginMethod, ...] = (LoginPart(kit, flow).method,)
        self.step_up: tuple[StepUpMethod, ...] = (StepUpByPasskey(kit, flow).method,)
        steps = PasskeySteps(kit, flow)
        self.steps: tuple[StepMethod, ...] = (
            replace(steps.method, page=PasskeyStepPart(kit, steps).page),
        )
        self.account_pages: tuple[AccountPage, ...] = (account.account_page,)
        self.after_login: tuple[AfterLogin, ...] = (offer.after_login,)
