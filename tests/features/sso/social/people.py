"""A site with social login at a provider of the tests' own, and people who use it.

async with social_site(tmp_path) as (site, provider):
    jo = Visitor(site, provider)
    done = await jo.sign_in(sub="1", email="jo@acme.example", email_verified=True)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from pwless_middleware import EmailLogin
from pwless_middleware.features.sso.social import OIDC
from tests.identity_providers.own_oidc import OwnProvider, own_oidc
from tests.identity_providers.provider import CLIENT_ID, CLIENT_SECRET, query_of
from tests.live import clock_of_today
from tests.own_account import make_kept_site
from tests.support import Browser, Site

PATH = "/auth/sso/oidc/acme"
SIGNS_IN: dict[str, Any] = {"email": "jo@acme.example", "email_verified": True}
"""Claims that the provider is believed."""


def acme(provider: OwnProvider, **options: Any) -> OIDC:
    """Return the feature, for a provider that is believed about `acme.example`."""
    given: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "issuer": provider.issuer,
        "name": "Acme",
        "authoritative_for": ["acme.example"],
        "unsafe_loopback": True,
        **options,
    }
    return OIDC(given.pop("id", "acme"), **given)


@asynccontextmanager
async def social_site(
    folder: Path, *more: Any, email: bool = True, options: dict[str, Any] | None = None, **site: Any
) -> AsyncIterator[tuple[Site, OwnProvider]]:
    """Have a site and its provider for as long as the context lasts.

    Args:
        folder: for the database.
        more: further features.
        email: whether people can sign in by mail too.
        options: of `OIDC`.
        site: of `make_site`.
    """
    async with own_oidc() as provider:
        features = [*([EmailLogin()] if email else []), acme(provider, **(options or {})), *more]
        clock = clock_of_today()
        yield make_kept_site(folder, features=features, clock=clock, **site), provider


class Visitor:
    """Somebody with a browser and an account at the provider."""

    def __init__(self, site: Site, provider: OwnProvider, browser: Browser | None = None) -> None:
        self.site = site
        self.provider = provider
        self.browser = browser or site.browser()

    async def press(self, **form: str) -> httpx.Response:
        """Press the button on the login page."""
        return await self.browser.post(f"{PATH}/start", form)

    async def consent(self, pressed: httpx.Response, sub: str = "1", **claims: Any) -> str:
        """Sign in at the provider, and return the URL that it leads back to."""
        assert pressed.status_code == 303, pressed.text
        asked = query_of(pressed.headers["location"])
        self.provider.nonce = asked["nonce"]
        self.provider.claims = {"sub": sub, "email": None, **claims}
        self.provider.userinfo = {"sub": sub}
        answer = {"code": "a-code", "state": asked["state"], "iss": self.provider.issuer}
        return f"{PATH}/callback?{urlencode(answer)}"

    async def sign_in(self, sub: str = "1", *, next: str = "", **claims: Any) -> httpx.Response:
        """Press the button, sign in at the provider, and come back."""
        pressed = await self.press(**({"next": next} if next else {}))
        url = await self.consent(pressed, sub, **(claims or SIGNS_IN))
        return await self.browser.get(url)
