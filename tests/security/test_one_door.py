"""One place makes sessions, one verifier (security rules 1, 2, 20 and 24).

That nothing else can make one is in `test_capabilities.py` and `test_hostile_feature.py`.
"""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from pwless_middleware.stores.memory import MemoryStore
from tests.support import BASE, JSON_BASE, Site, Slow, make_site, our_paths, token_of, wrong

pytestmark = pytest.mark.anyio
DOORS = {
    ("POST", "/verify"),
    ("POST", "/link"),
    ("POST", "/api/v1/passwordless/email/verify"),
}
"""Every route that can reach the mint."""


async def test_every_other_route_makes_no_session_though_it_gets_all_proofs() -> None:
    """Give every route the right code, link, cookies and key; only the doors may open."""
    tried = 0
    for path, route in our_paths(make_site().passwordless).items():
        # One site for the methods of a path; each has a mail and a client of its own.
        site = make_site(roomy=True)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            if (method, path) in DOORS:
                continue
            jo = site.browser(ip=f"203.0.113.{tried % 250}")
            await jo.ask("jo@example.com")
            mail = site.mail()
            token = token_of(mail.link)
            form = {"code": mail.code or "", "link_token": token, "email": "kim@example.com"}
            query = f"?link_token={token}&code={mail.code}"
            kind = {"json": form} if route.kind == "api" else {"form": form}
            await jo.request(method, f"/auth{path}{query}", **kind)  # type: ignore[arg-type]
            assert site.sessions == 0, (method, path)
            assert jo.cookie() is None, (method, path)
            tried += 1
    assert tried > 60


async def test_the_doors_do_open() -> None:
    """The other half of the test above: the list is not only complete, it is right."""
    opened = set()
    site = make_site(roomy=True)
    jo = site.browser()
    await jo.ask("a@example.com")
    assert (await jo.type_code(site.mail().code)).status_code == 303
    opened.add(("POST", "/verify"))
    await jo.ask("b@example.com")
    assert (await jo.press_link(site.mail().link)).status_code == 303
    opened.add(("POST", "/link"))
    sent = await jo.call("send", {"email": "c@example.com"})
    body = {"auth_request_id": sent.json()["auth_request_id"], "code": site.mail().code}
    assert (await jo.call("verify", body)).status_code == 200
    opened.add(("POST", JSON_BASE.removeprefix("/auth") + "/verify"))
    assert opened == DOORS


async def test_the_try_is_counted_before_the_challenge_is_loaded_or_compared() -> None:
    """A guess that is cut off after the store answered has cost its try all the same."""
    store = Slow(MemoryStore())
    site = make_site(store=store)
    jo = site.browser()
    await jo.ask("jo@example.com")
    store.calls.clear()
    await jo.type_code(wrong(site.mail().code))
    assert store.calls[0] == "attempt", "one atomic step: count, then read"
    store.calls.clear()
    await jo.type_code(site.mail().code)
    assert store.calls == ["attempt", "take"]


async def test_codes_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Any, Any]] = []
    real = hmac.compare_digest

    def watched(a: Any, b: Any) -> bool:
        compared.append((a, b))
        return real(a, b)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    code = str(site.mail().code)
    await jo.type_code(wrong(code))
    assert (code, wrong(code)) in compared


# --- a login ends what was there (security rule 20) ----------------------------------------------


async def test_a_new_login_revokes_the_browsers_older_session_also_of_another_user() -> None:
    site = make_site(roomy=True)
    jo = site.browser()
    for email in ("jo@example.com", "jo@example.com", "kim@example.com"):
        old = site.browser(cookies=jo.cookies)
        had_session = await old.who() is not None
        await jo.sign_in(email)
        if had_session:
            assert await old.who() is None, "the cookie from before is dead"
        assert await jo.who() == email
        assert site.sessions == 1


async def test_a_session_id_planted_before_the_login_is_not_the_one_after_it() -> None:
    site = make_site(roomy=True)
    eve = site.browser()
    await eve.sign_in("eve@example.com")
    planted = eve.cookie()
    jo = site.browser(cookies={eve.cookie_name(): str(planted)})
    await jo.sign_in("jo@example.com")
    assert jo.cookie() != planted
    assert await jo.who() == "jo@example.com"
    assert await eve.who() is None


async def test_a_forged_cookie_ends_nothing_and_does_not_stop_a_login() -> None:
    site = make_site()
    jo = site.browser(cookies={site.browser().cookie_name(): "forged"})
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"


async def test_an_id_the_store_has_not_seen_is_nobody() -> None:
    """A right signature is not enough: a record must stand behind it."""
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    empty = make_site()
    assert await empty.browser(cookies=jo.cookies).who() is None


async def test_every_login_has_an_id_of_its_own() -> None:
    site = make_site(roomy=True)
    ids = set()
    for n in range(5):
        jo = site.browser(ip=f"203.0.113.{n}")
        await jo.sign_in("jo@example.com")
        ids.add((await jo.get("/auth/api/v1/session")).json()["session"]["id"])
    assert len(ids) == 5


async def test_a_backends_login_ends_no_browsers_session() -> None:
    site: Site = make_site(roomy=True)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    backend = site.backend()
    backend.browser.cookies = dict(jo.cookies)
    sent = await backend.send("jo@example.com")
    done = await backend.verify(sent.json()["auth_request_id"], code=site.mail().code)
    assert done.status_code == 200
    assert await jo.who() == "jo@example.com"
    assert site.base_url == BASE
