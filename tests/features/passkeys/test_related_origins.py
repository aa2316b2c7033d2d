"""`/.well-known/webauthn`: which pages of other hosts may use the passkeys (WebAuthn L3 §5.11)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pwless_middleware import EmailLogin, Kit, Mounted
from pwless_middleware.features.passkeys.related_origins import related_origins_routes
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from tests.support import Site, make_site

pytestmark = pytest.mark.anyio

PATH = "/.well-known/webauthn"
BELOW = "https://login.app.example.com"
SHOP = "https://shop.example"
APP = "android:apk-key-hash:" + "A" * 43


class Related:
    """A feature that tells the origins of a relying party, and nothing else."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = origins

    def mount(self, kit: Kit) -> Mounted:
        party = RelyingParty.of(kit.origin, origins=self._origins)
        return Mounted(routes=related_origins_routes(party))


def make(*origins: str) -> Site:
    return make_site(features=[EmailLogin(), Related(origins)], public=[PATH])


async def test_pages_of_other_hosts_are_named_to_anybody() -> None:
    site = make(SHOP, APP, BELOW, SHOP, "https://shop.example:8443")
    answer = await site.browser().get(PATH)
    assert answer.status_code == 200
    assert answer.json() == {"origins": [SHOP, "https://shop.example:8443"]}
    assert answer.headers["content-type"] == "application/json"
    assert site.inner.scopes == []


@pytest.mark.parametrize("origins", [(), (APP, BELOW)])
async def test_where_there_are_none_the_path_is_the_app_s(origins: tuple[str, ...]) -> None:
    """A browser asks for it only where the page's host is outside of the relying party id."""
    assert (await make(*origins).browser().get(PATH)).json()["path"] == PATH
