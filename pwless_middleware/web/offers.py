"""What mounted features offer on the pages that they share: the login page, step-up, the account.

A feature hands over records (`Mounted.methods`, `.step_up`, `.account_pages`), and the features
that own those pages read them here. So none imports another, and a page shows what is mounted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import field

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.authentication import Strength
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.accounts import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a method shows in its part of a shared page.

    Attributes:
        context: the values of its template. An `error` or `problem` among them, if it is not
            `None`, is told in the page's title too.
        next: where the login leads, if the method has kept that itself; empty takes the page's.
        status: HTTP status of the page.
        retry_after: seconds for `Retry-After`; `None` sends none.
    """

    context: Mapping[str, object] = field(default_factory=dict)
    next: str = ""
    status: int = 200
    retry_after: int | None = None


Form = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginMethod:
    """One way to sign in, as the login page offers it.

    Attributes:
        name: of the method, once in an app, e.g. `email`.
        template: its part of the page. It is given the part's `context`, and `next` and
            `signed_in`: whether somebody is signed in already and may use another account.
        show: gives the part for a GET, from the request and the `next` that was asked for.
        post: answers a form posted to the login page, from the request, the form and its `next`:
            with a response, or with the part to show again. `None` if its form goes elsewhere.
        field: the field by which its form is known; the first method with a `post` takes the
            forms that no method knows.
        order: where it stands on the page; lower comes first, equals in the order of `features`.
    """

    name: str
    template: str
    show: Callable[[Request, str], Awaitable[Part]]
    post: Callable[[Request, Form, str], Awaitable[Response | Part]] | None = None
    field: str = ""
    order: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpMethod:
    """One way in which who is signed in proves once more who they are.

    Attributes:
        name: of the method, once in an app, e.g. `email`. Its forms have it in a field `method`.
        template: its part of the page. It is given the part's `context`, and `action`:
            where its forms go.
        show: gives the part for a GET, from the request and who is signed in.
        post: answers a form, from the request, who is signed in, the form and where it leads: with
            a response, or with the part to show again.
        strength: what its proof is worth; it is offered where no more is asked for.
        order: where it stands on the page; lower comes first.
    """

    name: str
    template: str
    show: Callable[[Request, Account], Awaitable[Part]]
    post: Callable[[Request, Account, Form, str], Awaitable[Response | Part]]
    strength: Strength = "any"
    order: int = 100


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


OnAddressUndone = Callable[[str, int], Awaitable[None]]
"""Is told, with a user's id and the unix second of the change, that a change of address was undone:
what was added to the account since then is not to be trusted. May be called again for the same."""


class Offers:
    """Hold what all features offer, in order; empty until the product is put together.

    Attributes:
        methods: ways to sign in.
        step_up: ways to prove once more who it is.
        account_pages: pages of the account.
        on_address_undone: who is told that a change of address was undone.
    """

    def __init__(self) -> None:
        self.methods: tuple[LoginMethod, ...] = ()
        self.step_up: tuple[StepUpMethod, ...] = ()
        self.account_pages: tuple[AccountPage, ...] = ()
        self.on_address_undone: tuple[OnAddressUndone, ...] = ()

    def bind(
        self,
        methods: Iterable[LoginMethod],
        step_up: Iterable[StepUpMethod],
        account_pages: Iterable[AccountPage],
        on_address_undone: Iterable[OnAddressUndone],
    ) -> None:
        """Take the offers of all features, once.

        Raises:
            ConfigError: two methods have one name, or two account pages one path.
        """
        self.methods = tuple(sorted(methods, key=lambda method: method.order))
        self.step_up = tuple(sorted(step_up, key=lambda method: method.order))
        self.account_pages = tuple(sorted(account_pages, key=lambda page: page.order))
        self.on_address_undone = tuple(on_address_undone)
        _check_unique("login method", [method.name for method in self.methods])
        _check_unique("step-up method", [method.name for method in self.step_up])
        _check_unique("account page", [page.path for page in self.account_pages])


def _check_unique(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError("features", f"two of them offer the {what} {name!r}: take one out")
