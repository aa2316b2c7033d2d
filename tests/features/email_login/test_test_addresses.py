"""Test addresses: a fixed code opens an address of nobody, and nothing else (security rule 67)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import ConfigError, EmailLogin, MemoryStore, User
from pwless_middleware.core.addresses.test_address import LONGEST
from pwless_middleware.errors import InvalidArgument, PwlessError, StoreError
from pwless_middleware.features.dashboard import Dashboard
from pwless_middleware.features.email_login.test_addresses import changes
from pwless_middleware.features.email_login.test_addresses.events import KINDS
from tests.breakable_store import BreakableStore
from tests.features.dashboard.operators import OPERATORS, OPS
from tests.guide import table
from tests.own_account import JO, KIM, make_kept_site, signed_in
from tests.support import ROOMY, Browser, Site, error_code, holds, make_site, run, wrong

pytestmark = pytest.mark.anyio

REVIEW = "review@acme.example"
DAY = 86400


def make_test_site(folder: Path, *, email: EmailLogin | None = None, **options: Any) -> Site:
    login = email or EmailLogin(send_limits=ROOMY, test_users=True)
    features = [login, Dashboard(operators=OPERATORS)]
    return make_kept_site(folder, features=features, **options)


def changes_of(site: Site) -> changes.TestAddressChanges:
    return site.passwordless.verbs(EmailLogin).test_addresses


async def make(
    site: Site, email: str = REVIEW, *, days: int = 7, **more: Any
) -> changes.NewTestAddress:
    return await changes_of(site).add(email, expires_in=days * DAY, **more)


async def sign_in(site: Site, code: str, **browser: Any) -> Browser | None:
    """Return a browser that has signed in by a code; `None` where it did not get in."""
    found = site.browser(**browser)
    asked = await found.ask(REVIEW)
    assert asked.status_code == 303
    done = await found.type_code(code)
    assert done.status_code in (303, 400), done.text
    return found if done.status_code == 303 else None


def told(site: Site, kind: str) -> list[Any]:
    return [one for one in site.passwordless.events.recent() if one.kind == f"test_address.{kind}"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_test_site(tmp_path)


# --- it signs in ---------------------------------------------------------------------------------


async def test_its_code_signs_in_again_and_again_and_no_mail_is_sent(site: Site) -> None:
    made = await make(site)
    for _ in range(3):
        browser = await sign_in(site, made.code)
        assert browser is not None
        assert await browser.who() == REVIEW
    assert not site.outbox.messages
    assert len({one.user_id for one in await changes_of(site).list()}) == 1


async def test_its_link_signs_in_in_the_browser_that_asked(site: Site) -> None:
    made = await make(site)
    elsewhere, browser = site.browser(), site.browser()
    await browser.ask(REVIEW)
    assert (await elsewhere.get(made.link)).status_code == 410
    page = await browser.get(made.link)
    assert page.status_code == 200
    token = page.text.partition('name="link_token" value="')[2].partition('"')[0]
    done = await browser.post("/auth/link", {"link_token": token})
    assert done.status_code == 303
    assert await browser.who() == REVIEW


async def test_its_link_can_be_pasted_where_the_code_goes(site: Site) -> None:
    made = await make(site)
    assert await sign_in(site, made.link) is not None


async def test_a_backend_verifies_it_by_code_and_by_link_token(tmp_path: Path) -> None:
    uris = ["https://shop.example/in"]
    login = EmailLogin(send_limits=ROOMY, test_users=True, link_uris=uris)
    site = make_test_site(tmp_path, email=login)
    made = await make(site)
    for given in ({"code": made.code}, {"link_token": made.link_token}):
        sent = (await site.backend().send(REVIEW, magiclink_auth_uri=uris[0])).json()
        done = await site.backend().verify(sent["auth_request_id"], **given)
        assert done.status_code == 200, done.text
        assert done.json()["email"] == REVIEW
    one = await site.passwordless.send(REVIEW)
    result = await site.passwordless.verify(auth_request_id=one.auth_request_id, code=made.code)
    assert result.user.email == REVIEW


async def test_the_code_is_of_the_app_s_own_style(tmp_path: Path) -> None:
    login = EmailLogin(send_limits=ROOMY, test_users=True, code="high")
    site = make_test_site(tmp_path, email=login)
    made = await make(site)
    assert len(made.code) == 9
    assert await sign_in(site, made.code) is not None


async def test_with_sign_up_closed_it_signs_in_all_the_same(tmp_path: Path) -> None:
    login = EmailLogin(send_limits=ROOMY, test_users=True, signup=False)
    site = make_test_site(tmp_path, email=login)
    made = await make(site)
    assert await sign_in(site, made.code) is not None


# --- and nothing else is opened ------------------------------------------------------------------


async def test_a_wrong_code_is_counted_as_for_anybody(site: Site) -> None:
    made = await make(site)
    browser = site.browser()
    await browser.ask(REVIEW)
    for number in range(5):
        assert (await browser.type_code(wrong(made.code, number))).status_code == 400
    assert (await browser.type_code(made.code)).status_code == 429


async def test_the_code_opens_no_other_address(site: Site) -> None:
    made = await make(site)
    jo = site.browser()
    await jo.ask(JO)
    assert (await jo.type_code(made.code)).status_code == 400
    assert (await jo.get(made.link)).status_code == 410


async def test_it_ends_and_so_do_its_sessions(site: Site) -> None:
    made = await make(site, days=1)
    browser = await sign_in(site, made.code)
    assert browser is not None
    site.clock.now += DAY - 10
    assert await browser.who() == REVIEW
    site.clock.now += 20
    assert await browser.who() is None
    assert await sign_in(site, made.code) is None
    assert told(site, "refused")[0].reason == "ended"
    assert not site.outbox.messages


async def test_it_can_be_fenced_to_networks(site: Site) -> None:
    made = await make(site, networks=["198.51.100.0/24"])
    assert await sign_in(site, made.code, ip="203.0.113.7") is None
    assert told(site, "refused")[0].reason == "network"
    assert await sign_in(site, made.code, ip="198.51.100.9") is not None
    one = await site.passwordless.send(REVIEW)
    with pytest.raises(PwlessError):  # a backend that does not say from where
        await site.passwordless.verify(auth_request_id=one.auth_request_id, code=made.code)


async def test_a_person_who_gets_the_address_later_is_not_opened(site: Site) -> None:
    made = await make(site)
    await site.passwordless.people.create(REVIEW)
    assert await sign_in(site, made.code) is None
    assert told(site, "refused")[0].reason == "person"


async def test_nobody_moves_to_a_test_address_by_its_code(site: Site) -> None:
    """Whoever knows the code would sign in as them from then on."""
    made = await make(site)
    jo = await signed_in(site, JO)
    site.outbox.clear()
    asked = await jo.post("/auth/account/address", {"email": REVIEW})
    page = await jo.get(asked.headers["location"].removeprefix(site.base_url))
    id = page.text.partition('name="request_id" value="')[2].partition('"')[0]
    done = await jo.post("/auth/account/address", {"request_id": id, "code": made.code})
    assert done.status_code == 400
    assert not site.outbox.messages
    assert (await site.passwordless.people.find(JO)) is not None


async def test_who_knows_the_code_gets_no_account_of_their_own_by_it(tmp_path: Path) -> None:
    """It would outlive the test address, and where sign-up is closed be one that nobody gets."""
    site = make_test_site(tmp_path, email=EmailLogin(test_users=True, signup=False))
    browser = await sign_in(site, (await make(site)).code)
    assert browser is not None
    refused = await browser.post("/auth/account/address", {"email": JO})
    assert refused.status_code == 400
    assert "stays as it is" in refused.text
    by_json = await browser.request(
        "POST",
        "/auth/api/v1/account/address",
        json={"email": JO},
        headers={"origin": site.base_url},
    )
    assert by_json.status_code == 400
    ops = site.passwordless.verbs(EmailLogin)
    with pytest.raises(InvalidArgument, match="stays as it is"):
        await ops.request_address(await site.passwordless.people.id_of(REVIEW), JO)
    kim = await site.passwordless.people.create(KIM)
    with pytest.raises(InvalidArgument, match="stays as it is"):
        await ops.request_address(kim.id, REVIEW)
    assert len(site.outbox.messages) == 0


async def test_an_operator_s_address_never_matches(tmp_path: Path) -> None:
    site = make_test_site(tmp_path)
    made = await make(site)
    with pytest.raises(InvalidArgument):
        await make(site, OPS)
    with pytest.raises(InvalidArgument):
        await site.passwordless.verbs(Dashboard).operators.add(REVIEW)
    await site.passwordless.lifetime.close()
    features = [EmailLogin(send_limits=ROOMY, test_users=True), Dashboard(operators=[REVIEW])]
    later = make_kept_site(tmp_path, features=features)
    assert await sign_in(later, made.code) is None
    assert told(later, "refused")[0].reason == "operator"


async def test_who_is_signed_in_is_out_once_they_are_an_operator(tmp_path: Path) -> None:
    site = make_test_site(tmp_path)
    made = await make(site)
    browser = await sign_in(site, made.code)
    assert browser is not None
    (one,) = await changes_of(site).list()
    assert one.user_id is not None
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    from pwless_middleware.core.operators.stored_operator import StoredOperator

    stored = StoredOperator(user_id=one.user_id, role="admin", added_at=0, by="python")
    await repositories.operators.put(stored, seen=None)
    rules = site.passwordless._kit.operators._rules
    assert rules is not None
    rules.role_of.__self__.forget()  # type: ignore[attr-defined]
    assert await sign_in(site, made.code) is None


async def test_removing_it_signs_it_out_and_kills_its_code(site: Site) -> None:
    made = await make(site)
    browser = await sign_in(site, made.code)
    assert browser is not None
    assert await changes_of(site).remove(made.address.id)
    assert await browser.who() is None
    assert await sign_in(site, made.code) is None
    assert site.outbox.messages, "an address like any other"


async def test_one_stays_while_its_sessions_cannot_be_ended(tmp_path: Path) -> None:
    """Else whoever has signed in by its code would stay in, and nothing would tell of it."""
    store = BreakableStore()
    site = make_test_site(tmp_path, store=store)
    made = await make(site)
    browser = await sign_in(site, made.code)
    assert browser is not None
    store.is_down = True
    with pytest.raises(StoreError):
        await changes_of(site).remove(made.address.id)
    store.is_down = False
    assert await changes_of(site).remove(made.address.id)
    assert await browser.who() is None


async def test_a_login_that_is_under_way_as_it_is_removed_opens_nothing(site: Site) -> None:
    made = await make(site)
    assert await sign_in(site, made.code) is not None
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    note_use = repositories.test_addresses.note_use

    async def remove_meanwhile(id: str, *, at: int) -> None:
        await note_use(id, at=at)
        await changes_of(site).remove(made.address.id)

    repositories.test_addresses.note_use = remove_meanwhile  # type: ignore[method-assign]
    browser = site.browser()
    await browser.ask(REVIEW)
    await browser.type_code(made.code)
    assert await browser.who() is None


async def test_a_new_code_kills_the_old_one(site: Site) -> None:
    old = await make(site)
    new = await changes_of(site).renew_code(old.address.id)
    assert await sign_in(site, old.code) is None
    assert await sign_in(site, old.link) is None
    assert await sign_in(site, new.code) is not None


async def test_it_is_extended(site: Site) -> None:
    made = await make(site, days=1)
    await changes_of(site).extend(made.address.id, expires_in=30 * DAY)
    site.clock.now += 20 * DAY
    assert await sign_in(site, made.code) is not None


async def test_a_key_that_is_gone_opens_nothing(tmp_path: Path) -> None:
    site = make_test_site(tmp_path)
    made = await make(site)
    await site.passwordless.lifetime.close()
    later = make_test_site(tmp_path, secret_key="zP4kWq9sBd2fGh6jKl8mNv3cXr5tYu7iOa0")
    assert await sign_in(later, made.code) is None
    assert told(later, "refused")[0].reason == "unreadable"
    new = await changes_of(later).renew_code(made.address.id)
    assert await sign_in(later, new.code) is not None


async def test_codes_are_encrypted_at_rest_and_rewrapped(tmp_path: Path) -> None:
    old, new = "mXr8vQ2tYz5bWn4cHs7dLf9gJa3eRu6pTk1", "zP4kWq9sBd2fGh6jKl8mNv3cXr5tYu7iOa0"
    site = make_test_site(tmp_path, secret_key=old)
    made = await make(site)
    stored = (tmp_path / "pwless.db").read_bytes() + (tmp_path / "pwless.db-wal").read_bytes()
    assert made.code.encode() not in stored
    assert made.link_token.encode() not in stored
    await site.passwordless.lifetime.close()
    both = make_test_site(tmp_path, secret_key=[old, new])
    assert (await both.passwordless.rewrap())["EmailLogin"] == 1
    await both.passwordless.lifetime.close()
    assert await sign_in(make_test_site(tmp_path, secret_key=new), made.code) is not None


# --- what cannot be one --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("email", "more", "field"),
    [
        ("nobody", {}, "email"),
        (OPS.upper(), {}, "email"),
        (JO, {}, "email"),
        (REVIEW, {"expires_in": LONGEST + 1}, "expires_in"),
        (REVIEW, {"expires_in": 60}, "expires_in"),
        (REVIEW, {"networks": ["everywhere"]}, "networks"),
        (REVIEW, {"note": "a\nb"}, "note"),
    ],
)
async def test_what_is_none_is_refused_by_its_field(
    site: Site, email: str, more: dict[str, Any], field: str
) -> None:
    await signed_in(site, JO)
    with pytest.raises(InvalidArgument) as refused:
        await changes_of(site).add(email, **{"expires_in": DAY, **more})
    assert [one.field for one in refused.value.violations] == [field]
    assert not await changes_of(site).list()


async def test_whom_the_allow_list_does_not_serve_is_none(tmp_path: Path) -> None:
    login = EmailLogin(send_limits=ROOMY, test_users=True, allow=["*@example.com"])
    site = make_test_site(tmp_path, email=login)
    with pytest.raises(InvalidArgument):
        await make(site)


class Table:
    """Be a host's user table that knows Kim, and takes new ones."""

    def __init__(self) -> None:
        self.known = [KIM]

    async def find(self, email: str) -> User | None:
        return User(id=f"u-{email}", email=email) if email in self.known else None

    async def create(self, email: str) -> User | None:
        self.known.append(email)
        return await self.find(email)

    async def load(self, user_id: str) -> User | None:
        return await self.find(user_id.removeprefix("u-"))


async def test_with_a_host_s_table_it_is_nobody_s_there(tmp_path: Path) -> None:
    site = make_test_site(tmp_path, users=Table())
    with pytest.raises(InvalidArgument):
        await make(site, KIM)
    made = await make(site)
    assert await sign_in(site, made.code) is not None
    assert await sign_in(site, made.code) is not None


# --- off, and loud -------------------------------------------------------------------------------


async def test_off_there_is_none_of_it(tmp_path: Path) -> None:
    on = make_test_site(tmp_path)
    made = await make(on)
    await on.passwordless.lifetime.close()
    site = make_kept_site(tmp_path, features=[EmailLogin(send_limits=ROOMY)])
    assert await sign_in(site, made.code) is None
    with pytest.raises(ConfigError, match="test_users=True"):
        changes_of(site)


def test_it_needs_a_database() -> None:
    with pytest.raises(ConfigError, match="test_users"):
        make_site(features=[EmailLogin(test_users=True)], store=MemoryStore())
    with pytest.raises(ConfigError, match="test_users"):
        EmailLogin(test_users="yes")  # type: ignore[arg-type]


async def test_each_use_is_an_event_and_a_warning(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    made = await make(site)
    caplog.clear()
    await sign_in(site, made.code)
    (used,) = told(site, "used")
    assert used.details == {"id": made.address.id}
    lines = [one for one in caplog.records if "signs in by the fixed code" in one.getMessage()]
    assert [one.levelno for one in lines] == [logging.WARNING]
    assert REVIEW not in caplog.text
    assert not holds(repr(list(site.passwordless.events.recent())), made.code)


async def test_the_start_the_dashboard_and_check_say_how_many(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    await make(site)
    await run(site.app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}})
    assert "1 test addresses sign in by a fixed code" in caplog.text
    ops = await signed_in(site, OPS)
    for path in ("/auth/dashboard/operators", "/auth/dashboard/api-keys"):
        assert "1 test address signs in by a fixed code" in (await ops.get(path)).text
    found = await site.passwordless.findings.of_features()
    assert [one.level for one in found if one.check == "test_users"] == ["warn"]


async def test_strangers_see_no_difference(site: Site) -> None:
    await make(site)
    answers: list[tuple[int, int, int, int]] = []
    for email in (REVIEW, "stranger@acme.example"):
        browser = site.browser(ip=f"203.0.113.{len(answers) + 1}")
        asked = await browser.ask(email)
        page = await browser.get("/auth/verify")
        tried = await browser.type_code("000000")
        text = (asked.text + page.text + tried.text).replace(email, "")
        answers.append((asked.status_code, page.status_code, tried.status_code, len(text)))
    assert answers[0] == answers[1]


async def test_a_browser_of_the_json_api_uses_it_too(site: Site) -> None:
    made = await make(site)
    browser = site.browser(headers={"origin": site.base_url})
    sent = (await browser.call("send", {"email": REVIEW})).json()
    body = {"auth_request_id": sent["auth_request_id"], "link_token": made.link_token}
    done = await browser.call("verify", body)
    assert done.status_code == 200, error_code(done)


def test_the_readme_tells_all_their_events() -> None:
    rows = table("test address events")
    told = {row[0].strip("`"): (row[1], row[2].replace("`", "")) for row in rows}
    assert told == {kind.name: (kind.meaning, ", ".join(kind.fields)) for kind in KINDS}
