"""The mails that tell of a passkey: in the person's language, with no text of others.

Security rule 34.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Passkeys
from pwless_middleware.errors import QueueFull
from pwless_middleware.stores.memory import MemoryStore
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import (
    API,
    JO,
    ask,
    enroll,
    id_of,
    make_passkey,
    make_passkey_site,
    prove_again,
    sign_in,
)
from tests.support import BASE, Site, error_code

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_passkey_site(tmp_path)


async def test_a_mail_tells_of_a_new_passkey_and_of_one_that_is_gone(site: Site) -> None:
    jo, authenticator = await enroll(site)
    added = site.mail(JO)
    assert "passkey" in added.subject
    assert "added" in added.subject
    for text in (added.text, added.html):
        assert "Google Password Manager" in " ".join(text.split())
    assert (added.code, added.link) == (None, None)
    await prove_again(jo, authenticator)
    await jo.request("DELETE", f"{API}/{id_of(authenticator)}")
    assert "removed" in site.mail(JO).subject
    assert "Google Password Manager" in " ".join(site.mail(JO).text.split())


async def test_the_mail_says_nothing_that_somebody_has_typed(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    name = "see https://evil.example now"
    assert (await make_passkey(jo, Authenticator(), name=name)).json()["name"] == name
    assert "evil" not in site.mail(JO).text + site.mail(JO).html + site.mail(JO).subject


async def test_the_mail_is_in_the_language_of_the_page(site: Site) -> None:
    jo = site.browser(headers={"accept-language": "de"})
    await jo.sign_in(JO)
    await make_passkey(jo, Authenticator())
    assert "Neuer Passkey" in site.mail(JO).subject


async def test_nothing_is_added_in_silence_while_no_mail_can_be_queued(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    jo, authenticator = site.browser(), Authenticator()
    await jo.sign_in(JO)
    asked = await ask(jo, "/options")
    credential = authenticator.create(asked["options"], origin=BASE)
    assert isinstance(site.store, MemoryStore)
    site.store.jobs._most = 0
    body = {"ceremony_id": asked["ceremony_id"], "credential": credential}
    refused = await jo.request("POST", API, json=body)
    assert refused.status_code == QueueFull.status
    assert (await jo.get(API)).json()["passkeys"] == []


async def test_no_mail_tells_of_what_did_not_come_about(site: Site) -> None:
    jo, authenticator = await enroll(site)
    await prove_again(jo, authenticator)
    told = len(site.outbox.messages)
    asked = await ask(jo, "/options")
    asked["options"]["excludeCredentials"] = []
    kept = authenticator.passkeys[0]
    same = Authenticator().create(asked["options"], origin=BASE, id=kept.id, key=kept.key)
    body = {"ceremony_id": asked["ceremony_id"], "credential": same}
    assert error_code(await jo.request("POST", API, json=body)) == "INVALID_CREDENTIAL"
    assert len(site.outbox.messages) == told


async def test_a_reset_tells_the_person_once(site: Site) -> None:
    jo, authenticator = await enroll(site)
    await prove_again(jo, authenticator)
    await make_passkey(jo, Authenticator())
    user_id = (await jo.get("/private")).json()["id"]
    told = len(site.outbox.messages)
    assert await site.passwordless.verbs(Passkeys).reset(user_id) == 2
    assert len(site.outbox.messages) == told + 1
    assert "removed" in site.mail(JO).subject
    assert error_code(await sign_in(site.browser(), authenticator)) == "INVALID_CREDENTIAL"
