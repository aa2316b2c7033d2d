"""A story of passkeys in which every kind of event happens, for every reason."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from pwless_middleware import Passkeys
from pwless_middleware.errors import ApiError
from pwless_middleware.features.passkeys.ceremonies.ceremonies import LIFETIME, TRIES
from pwless_middleware.features.passkeys.ceremonies.options_budget import PER_MINUTE
from tests.features.passkeys.authenticator import BE, BS, UP, UV, Authenticator, cbor
from tests.features.passkeys.people import (
    API,
    KIM,
    STEP_API,
    answer,
    ask,
    enroll,
    id_of,
    make_passkey,
    prove_again,
    sign_in,
)
from tests.support import BASE, Browser, Site, Slow

ED448 = {1: 1, 3: -53, -1: 7, -2: b"k" * 57}
"""A key of an algorithm that we do not offer."""
OF_THE_ANSWER: tuple[dict[str, Any], ...] = (
    {"client_data": {"type": "webauthn.create"}},
    {"client_data": {"challenge": "AAAA"}},
    {"origin": "https://evil.example"},
    {"client_data": {"crossOrigin": True}},
    {"rp_id": "evil.example"},
    {"flags": UV | BE | BS},
    {"flags": UP | BE | BS},
    {"flags": UP | UV | BS},
    {"signature": b"x" * 70},
    {"client_data_bytes": b"{"},
    {"tail": b"x"},
    {"user_handle": b"u" * 32},
)
"""From type to user handle, in the order in which the reasons are listed."""


async def tell_of_passkeys(site: Site, jo: Browser) -> None:
    """Let everything happen; the site's store is a `Slow` one."""
    await jo.sign_in("jo@example.com")
    user_id = (await jo.get("/private")).json()["id"]
    verbs, authenticator = site.passwordless.verbs(Passkeys), Authenticator()
    await make_passkey(jo, Authenticator(), fmt="tpm", statement={})
    await make_passkey(jo, Authenticator(), public_key=cbor(ED448))
    first, second = [await verbs.creation_options(user_id) for _ in range(2)]
    for prompt in (first, second):  # the second has another user handle than the first
        made = authenticator.create(prompt.options, origin=BASE)
        await _end(verbs.add(user_id, ceremony_id=prompt.ceremony_id, credential=made))
    await _answer_wrongly(site, jo, authenticator)
    await _bring_what_is_anothers(site, jo, authenticator)
    await _enroll_second(site)
    await prove_again(jo, authenticator)
    path = f"{API}/{id_of(authenticator)}"
    await jo.request("PATCH", path, json={"name": "Phone"})
    await jo.request("DELETE", path)
    await sign_in(jo, authenticator, passkey=authenticator.passkeys[0])
    await _be_disabled_meanwhile(site)
    for _ in range(TRIES[0]):
        await sign_in(jo, authenticator, passkey=authenticator.passkeys[0])
    for _ in range(PER_MINUTE):
        await jo.request("POST", f"{API}/login/options")


async def _answer_wrongly(site: Site, jo: Browser, authenticator: Authenticator) -> None:
    passkey = authenticator.passkeys[0]
    for tampering in OF_THE_ANSWER:
        await sign_in(jo, authenticator, passkey=passkey, **tampering)
    await sign_in(jo, authenticator, passkey=passkey, sign_count=9)
    await sign_in(jo, authenticator, passkey=passkey, sign_count=8)  # synced: the count fell
    bound = Authenticator(is_synced=False)
    await make_passkey(jo, bound)
    await sign_in(jo, bound, sign_count=9)
    await sign_in(jo, bound, sign_count=9)
    asked = await ask(jo)
    right = authenticator.get(asked["options"], origin=BASE, passkey=passkey)
    for stranger, prompt in (
        (jo, asked),
        (jo, asked),  # used
        (jo, {"ceremony_id": "x"}),
        (site.backend().browser, asked),
        (jo, (await jo.get(STEP_API)).json()["methods"][0]),
    ):
        await answer(stranger, prompt, right)
    late = await ask(jo)
    site.clock.advance(LIFETIME)
    await answer(jo, late, right)


async def _bring_what_is_anothers(site: Site, jo: Browser, authenticator: Authenticator) -> None:
    kim, theirs = await enroll(site, KIM)
    asked = (await jo.get(STEP_API)).json()["methods"][0]
    credential = theirs.get({**asked["options"], "allowCredentials": []}, origin=BASE)
    body = {"method": "passkey", "ceremony_id": asked["ceremony_id"], "credential": credential}
    await jo.request("POST", STEP_API, json=body)
    await prove_again(kim, theirs)
    kept = authenticator.passkeys[0]
    await make_passkey(kim, Authenticator(), id=kept.id, key=kept.key)


async def _enroll_second(site: Site) -> None:
    """Be the second of two pending logins that would make a person's first passkey."""
    await site.passwordless.settings.set({"passkeys.required": True}, by="operator:u-1")
    asked = []
    for _ in range(2):
        browser = site.browser()
        await browser.ask("lee@example.com")
        await browser.type_code(site.mail("lee@example.com").code)
        asked.append((browser, (await browser.get(STEP_API)).json()))
    for browser, step in asked:
        prompt = step["methods"][0]
        body = {
            "login_id": step["login_id"],
            "method": "passkey",
            "ceremony_id": prompt["ceremony_id"],
            "credential": Authenticator().create(prompt["options"], origin=BASE),
        }
        await browser.request("POST", STEP_API, json=body)
    await site.passwordless.settings.set({"passkeys.required": False}, by="operator:u-1")


async def _be_disabled_meanwhile(site: Site) -> None:
    """Disable somebody between the check of their passkey and its row."""
    verbs, people = site.passwordless.verbs(Passkeys), site.passwordless.people
    id = (await people.create("ann@example.com", by="python")).id
    prompt = await verbs.creation_options(id)
    made = Authenticator().create(prompt.options, origin=BASE)
    store = site.store
    assert isinstance(store, Slow)

    async def disable() -> None:
        del store.before["write"]
        await people.disable(id, by="python")

    store.before["write"] = disable
    await _end(verbs.add(id, ceremony_id=prompt.ceremony_id, credential=made))


async def _end(call: Awaitable[object]) -> None:
    """Wait for a call that may be refused."""
    with suppress(ApiError):
        await call
