"""What mounted features offer on the pages that they share: the login page, step-up, the account.

A feature hands over records (`Mounted.methods`, `.step_up`, `.account_pages`), and the features
that own those pages read them here. So none imports another, and a page shows what is mounted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.challenges.challenge_context import ChallengeContext
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import STRENGTHS, Strength
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.operators.operator import Role
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.parts.organization_parts import OrganizationTab
from pwless_middleware.web.parts.parts import Form, Part
from pwless_middleware.web.parts.person_parts import PersonPart
from pwless_middleware.web.parts.steps import OfferedStep, StepPart


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginMethod:
    """One way to sign in, as the login page offers it.

    Attributes:
        name: of the method, once in an app, e.g. `email`.
        template: its part of the page. It is given the part's `context`, and `next` and
            `signed_in`: whether somebody is signed in already and may use another account.
        show: gives the part for a GET, from the request and the `next` that was asked for; `None`
            where there is nothing to show.
        post: answers a form posted to the login page, from the request, the form and its `next`:
            with a response, or with the part to show again. `None` if its form goes elsewhere.
        field: the field by which its form is known; the first method with a `post` takes the
            forms that no method knows.
        order: where it stands on the page; lower comes first, equals in the order of `features`.
        autofill: what the address fields of other methods have in `autocomplete` besides
            `username`, so that a browser offers this method there, e.g. `webauthn`; empty for
            nothing.
        is_scripted: whether it works by a script alone. Then it is hidden until its script shows
            it: who has no JavaScript does not hear of it.
        script: a file of ours that the page loads for it, e.g. `passkeys.js`; empty for none.
        leads_away: whether its form ends on another site.
        lets_in: tells whether a person has what it takes to sign in by it, from their user id, so
            that the last way in of somebody is not removed; `None` where everybody has it.
    """

    name: str
    template: str
    show: Callable[[Request, str], Awaitable[Part | None]]
    post: Callable[[Request, Form, str], Awaitable[Response | Part]] | None = None
    field: str = ""
    order: int = 100
    autofill: str = ""
    is_scripted: bool = False
    script: str = ""
    leads_away: bool = False
    lets_in: Callable[[str], Awaitable[bool]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpMethod:
    """One way in which who is signed in proves once more who they are.

    Attributes:
        name: of the method, once in an app, e.g. `email`. Its forms have it in a field `method`.
        template: its part of the page. It is given the part's `context`, and `action`:
            where its forms go.
        show: gives the part for a GET, from the request and who is signed in; `None` where this
            person cannot prove it this way.
        post: answers a form, from the request, who is signed in, the form and where it leads: with
            a response, or with the part to show again.
        strength: what its proof is worth; it is offered where no more is asked for.
        title: in the list of ways, e.g. `Passkey`; empty (default) takes the name.
        order: where it stands on the page; lower comes first, and is the one that is shown.
        is_scripted, script: as of `LoginMethod`.
    """

    name: str
    template: str
    show: Callable[[Request, Account], Awaitable[Part | None]]
    post: Callable[[Request, Account, Form, str], Awaitable[Response | Part]]
    strength: Strength = "any"
    title: str = ""
    order: int = 100
    is_scripted: bool = False
    script: str = ""


def scripts_of(methods: Iterable[LoginMethod | StepUpMethod | StepPart]) -> list[str]:
    """Return the scripts that a page loads for these methods, each once."""
    return list(dict.fromkeys(method.script for method in methods if method.script))


AfterLogin = Callable[[Request, LoginResult], Awaitable[str | None]]
"""Returns the page, below the prefix, that a browser is shown between a login by our pages and its
`next`, which the page gets in its query; `None` for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPage:
    """One page of a person's account; the navigation follows.

    Attributes:
        title: in the navigation, e.g. `Sessions`.
        path: below the prefix, e.g. `/account/passkeys`.
        order: where it stands; lower comes first. The first one is where `/account` leads.
    """

    title: str
    path: str
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardPage:
    """One page of the dashboard, for operators; the navigation follows.

    Its routes ask `kit.operators` first, as those of all pages there (security rule 60).

    Attributes:
        title: in the navigation, e.g. `People`.
        path: below the prefix, e.g. `/dashboard/people`.
        order: where it stands; lower comes first. The first one is where `/dashboard` leads.
        group: the title above it and its neighbors; empty (default) for none.
        role: who sees it; default `view`, all operators.
        icon: the name of one in `dashboard/icons.html`; default `page`.
        key: the letter that leads there behind a `g`; empty (default) for none.
    """

    title: str
    path: str
    order: int = 100
    group: str = ""
    role: Role = "view"
    icon: str = "page"
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another way to sign in, for whoever has asked for a mail.

    Attributes:
        title: of its button, e.g. `Continue with Acme`.
        path: below the prefix, with its query.
    """

    title: str
    path: str


Alternatives = Callable[[Request, ChallengeContext], Awaitable[Alternative | None]]
"""Asked by the page that waits for a code, which other way there is for an address of this domain;
`None` for none. It is told the domain alone, so that it answers the same for known and unknown
addresses (security rule 14)."""


SignOuts = Callable[[Request, Session], Awaitable[Alternative | None]]
"""Asked by the page that signs out, which other way there is out of a session: one that ends it and
more, such as the login at a provider. The path takes a form; `None` for none."""


OnAddressUndone = Callable[[str, int], Awaitable[None]]
"""Is told, with a user's id and the unix second of the change, that a change of address was undone:
what was added to the account since then is not to be trusted. May be called again for the same."""


Keeps = Callable[[str, str], Awaitable[Text | None]]
"""Is asked, with a user's id and a method, before the last proof by it is removed: why it has to
stay, or `None`."""
OnFactorsReset = Callable[[str, str], Awaitable[None]]
"""Is told, with a user's id and who does it, that somebody has lost what they prove themselves by:
remove all of it. May be called again for the same."""


class Offers:
    """Hold what all features offer, in order; empty until the product is put together.

    Attributes:
        methods: ways to sign in.
        step_up: ways to prove once more who it is.
        account_pages: pages of the account.
        dashboard_pages: pages of the dashboard.
        person_parts: what features show of a person on the dashboard.
        on_address_undone: who is told that a change of address was undone.
        steps: ways to do a step by the JSON API.
        after_login: who may show a page after a login.
        keeps: who may say that the last proof of a method has to stay.
        on_factors_reset: who is told that somebody's factors are reset.
        alternatives: who may know another way than a mail.
        sign_outs: who may know another way to sign out.
        organization_tabs: pages of an organization on the dashboard.
    """

    def __init__(self) -> None:
        self.methods: tuple[LoginMethod, ...] = ()
        self.step_up: tuple[StepUpMethod, ...] = ()
        self.account_pages: tuple[AccountPage, ...] = ()
        self.dashboard_pages: tuple[DashboardPage, ...] = ()
        self.person_parts: tuple[PersonPart, ...] = ()
        self.on_address_undone: tuple[OnAddressUndone, ...] = ()
        self.steps: tuple[OfferedStep, ...] = ()
        self.after_login: tuple[AfterLogin, ...] = ()
        self.keeps: tuple[Keeps, ...] = ()
        self.on_factors_reset: tuple[OnFactorsReset, ...] = ()
        self.alternatives: tuple[Alternatives, ...] = ()
        self.sign_outs: tuple[SignOuts, ...] = ()
        self.organization_tabs: tuple[OrganizationTab, ...] = ()

    def bind(
        self,
        methods: Iterable[LoginMethod],
        step_up: Iterable[StepUpMethod],
        account_pages: Iterable[AccountPage],
        dashboard_pages: Iterable[DashboardPage],
        person_parts: Iterable[PersonPart],
        on_address_undone: Iterable[OnAddressUndone],
        steps: Iterable[OfferedStep],
        after_login: Iterable[AfterLogin],
        keeps: Iterable[Keeps],
        on_factors_reset: Iterable[OnFactorsReset],
        alternatives: Iterable[Alternatives],
        sign_outs: Iterable[SignOuts],
        organization_tabs: Iterable[OrganizationTab],
    ) -> None:
        """Take the offers of all features, once.

        Raises:
            ConfigError: two methods have one name, or two pages one path or key.
        """
        self.methods = tuple(sorted(methods, key=lambda method: method.order))
        self.step_up = tuple(sorted(step_up, key=lambda method: method.order))
        self.account_pages = tuple(sorted(account_pages, key=lambda page: page.order))
        self.dashboard_pages = tuple(sorted(dashboard_pages, key=lambda page: page.order))
        self.person_parts = tuple(sorted(person_parts, key=lambda part: part.order))
        self.on_address_undone = tuple(on_address_undone)
        self.steps, self.after_login = tuple(steps), tuple(after_login)
        self.keeps, self.on_factors_reset = tuple(keeps), tuple(on_factors_reset)
        self.alternatives = tuple(alternatives)
        self.sign_outs = tuple(sign_outs)
        self.organization_tabs = tuple(sorted(organization_tabs, key=lambda tab: tab.order))
        _check_unique("login method", [method.name for method in self.methods])
        _check_unique("step-up method", [method.name for method in self.step_up])
        _check_unique("step method", [step.method.name for step in self.steps])
        _check_unique("account page", [page.path for page in self.account_pages])
        _check_unique("dashboard page", [page.path for page in self.dashboard_pages])
        _check_unique("tab of an organization", [tab.path for tab in self.organization_tabs])
        words = [word for part in self.person_parts for word in part.done]
        _check_unique("part of a person's page that says", words)
        keys = [page.key for page in self.dashboard_pages if page.key]
        _check_unique("dashboard page with the key", keys)

    async def strength_of(self, user_id: str, *, but: str = "") -> Strength:
        """Return what the strongest factor that a user has is worth; `any` for who has none.

        Args:
            user_id: whose.
            but: a method that is left out; empty (default) for none.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        found: Strength = "any"
        for offered in self.steps:
            method = offered.method
            if method.name == but or STRENGTHS.index(method.strength) <= STRENGTHS.index(found):
                continue
            if method.is_enrolled is not None and await method.is_enrolled(user_id):
                found = method.strength
        return found

    async def is_only_way(self, user_id: str, method: str) -> bool:
        """Whether no other login method lets a person in.

        Args:
            user_id: whose.
            method: the login method that they have anyway.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        for other in self.methods:
            if other.name == method:
                continue
            if other.lets_in is None or await other.lets_in(user_id):
                return False
        return True

    async def why_it_stays(self, user_id: str, method: str) -> Text | None:
        """Return why the last proof by a method cannot be removed; `None` where it can.

        Args:
            user_id: whose.
            method: of the authentication that it ends in.
        """
        for ask in self.keeps:
            problem = await ask(user_id, method)
            if problem is not None:
                return problem
        return None


def _check_unique(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError("features", f"two of them offer the {what} {name!r}: take one out")
