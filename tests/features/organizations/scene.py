"""A site with organizations and what people do in them, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware import Authentication, EmailLogin, Kit, Mounted
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.connection import sso_factor
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.errors import LoginDenied
from pwless_middleware.features.organizations import Organizations
from pwless_middleware.flows.logins.proofs import Proof
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.routing.routes import Route
from tests.organizations import floor_of, set_policy
from tests.sqlite_file import sqlite_url
from tests.support import ROOMY, Browser, Site, make_site

JO = "jo@acme.example"
BO = "bo@beta.example"
PATH = "/auth/account/organizations"
API = "/auth/api/v1/account/organizations"


class Company:
    """Sign in whoever a company's login vouches for: anybody, by the id of a connection."""

    def mount(self, kit: Kit) -> Mounted:
        self._kit = kit
        return Mounted(routes=(Route("/company", {"POST": self._post}),), proves=("sso",))

    async def _post(self, request: Request) -> Response:
        form = await read_form(request)
        factors = (sso_factor(form["connection"]), f"mfa:{form['connection']}")
        proof = Proof(
            subject=Address(form["email"]),
            authentication=Authentication("sso", self._kit.clock(), factors),
            takes=None,
            refusal=LoginDenied(),
            may_create=True,
            organization=form["organization"],
        )
        caller = self._kit.callers.browser(request)
        attempt = self._kit.logins.finish(proof, caller)
        return await respond_with_page(self._kit, request, caller, attempt)


def make_scene(folder: Path, *features: Any, join: Any = None, **options: Any) -> Site:
    """Make a site with organizations; `features` come on top.

    The store is in memory; with `store=None` it is the database, as of several processes.
    """
    organizations = Organizations() if join is None else Organizations(join=join)
    options.setdefault("store", MemoryStore())
    given = [EmailLogin(send_limits=ROOMY), *features, organizations]
    return make_site(database=sqlite_url(folder), features=given, **options)


async def make_organization(
    site: Site, name: str, *members: str, domain: str = "", **policy: Any
) -> Organization:
    """Make an organization with members, by address, a verified domain and a policy."""
    floor = floor_of(site)
    made = await floor.organizations.create(name)
    if domain:
        await verify_domain(floor, made.id, domain)
    for email in members:
        await add_member(site, made.id, email)
    return await set_policy(floor, made.id, **policy) if policy else made


async def verify_domain(floor: OrganizationFloor, organization: str, domain: str) -> None:
    """Have a domain be an organization's own, as if its record had been found."""
    await floor.domains.claim(organization, domain)
    await floor.domains.mark_verified(organization, domain, has_record=True)


async def add_member(site: Site, organization: str, email: str, role: str = "") -> str:
    """Make somebody a member, and return their id."""
    person = await site.passwordless.people.create(email)
    await floor_of(site).members.put(organization, person.id, role=role)
    return person.id


async def sign_in_to(site: Site, email: str, organization: str = "") -> Browser:
    """Return a browser in which somebody has signed in, by the link of an organization if any."""
    browser = site.browser()
    form = {"email": email, **({"organization": organization} if organization else {})}
    asked = await browser.post("/auth/login", form)
    assert asked.status_code == 303, asked.text
    done = await browser.type_code(site.mail(email).code)
    assert done.status_code == 303, done.text
    return browser


async def place_of(site: Site, browser: Browser) -> str | None:
    """Return the name of the organization that a browser's session is in, as the app is told."""
    answer = await browser.get("/private")
    assert answer.status_code == 200, answer.text
    state = site.inner.scope["state"]
    organization = state["organization"]
    assert (None if organization is None else organization.id) == state["session"].organization_id
    return None if organization is None else str(organization.name)
