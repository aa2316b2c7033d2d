"""What a person does with their own second factors, and what it does to what they had proven."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pwless_middleware import EmailLogin, Kit, Mounted, Passkeys
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.database.repositories import Repositories
from pwless_middleware.errors import InvalidArgument, NotFound, StoreError
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.routing.routes import Route
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import make_passkey
from tests.features.second_factors.people import (
    JO,
    KIM,
    by_mail,
    confirm_by_mail,
    do_step,
    enroll,
    id_of,
    make_factor_site,
    newest_event,
    sign_in,
    verbs_of,
    wait_for_step,
)
from tests.own_account import change, press_undo
from tests.support import ROOMY, Site, Slow, error_code, make_site

pytestmark = pytest.mark.anyio
PHONE = "+4915112345678"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path)


def repositories_of(site: Site) -> Repositories:
    found = site.passwordless._kit.repositories
    assert found is not None
    return found


async def add_phone(site: Site) -> str:
    """Add a phone number to a person, as if its code had come back; return its id."""
    phone = Factor(id="p" * 22, user_id=await id_of(site), kind="sms", phone=PHONE, created_at=1)
    added = await repositories_of(site).factors.add(phone, most=10, may_be_alone=False)
    assert added == "added"
    return phone.id


# --- rename and remove ---------------------------------------------------------------------------


async def test_a_factor_gets_another_name(site: Site) -> None:
    app, user_id = await enroll(site, name="Old"), await id_of(site)
    await verbs_of(site).rename(user_id, app.id, "New")
    assert [factor.name for factor in await verbs_of(site).list(user_id)] == ["New"]
    assert newest_event(site, "factor.renamed").by == "python"
    with pytest.raises(InvalidArgument):
        await verbs_of(site).rename(user_id, app.id, " ")
    with pytest.raises(NotFound):
        await verbs_of(site).rename(await id_of(site, KIM), app.id, "Mine")


async def test_an_id_that_no_database_takes_is_nobodys(postgres_url: str) -> None:
    """Else whoever is signed in makes the database look as if it were down."""
    site = make_site(
        database=postgres_url,
        store=MemoryStore(),
        features=[EmailLogin(send_limits=ROOMY), SecondFactors()],
    )
    jo = site.browser()
    await jo.sign_in(JO)
    form = {"id": "a\x00b", "name": "Mine"}
    assert (await jo.post("/auth/account/second-factors/rename", form)).status_code == 404


async def test_nothing_is_removed_while_the_store_cannot_be_written(tmp_path: Path) -> None:
    store = Slow(MemoryStore())
    site = make_factor_site(tmp_path, store=store)
    app, jo = await enroll(site), site.browser()
    await sign_in(jo, app)

    async def fail() -> None:
        raise StoreError("no connection")

    store.before["read_list"] = fail
    removed = await jo.request("DELETE", f"/auth/api/v1/factors/{app.id}")
    assert removed.status_code == 503
    store.before.clear()
    assert (await sign_in(site.browser(), app)).status_code == 200


async def test_a_removed_one_is_asked_for_no_more(site: Site) -> None:
    app, user_id = await enroll(site), await id_of(site)
    with pytest.raises(NotFound):
        await verbs_of(site).remove(await id_of(site, KIM), app.id)
    await verbs_of(site).remove(user_id, app.id)
    assert newest_event(site, "factor.removed").details == {"count": 1}
    assert (await by_mail(site.browser())).status_code == 200
    with pytest.raises(NotFound):
        await verbs_of(site).remove(user_id, app.id)


async def test_what_a_removed_one_had_proven_counts_no_more_at_once(site: Site) -> None:
    """Security rule 46: also in a login that waits for its step."""
    app, jo, waiting = await enroll(site), site.browser(), site.browser()
    await sign_in(jo, app)
    asked = await wait_for_step(waiting)
    await jo.who()
    assert site.inner.scope["state"]["session"].strength == "second_factor"
    await verbs_of(site).remove(await id_of(site), app.id)
    assert await jo.who() == JO
    assert site.inner.scope["state"]["session"].strength == "any"
    answer = await do_step(waiting, asked["login_id"], app.next_code())
    assert error_code(answer) in ("INVALID_CODE", "REQUEST_EXPIRED")


async def test_the_last_one_stays_where_one_is_required(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path)
    first, second, user_id = await enroll(site), await enroll(site), await id_of(site)
    await site.passwordless.settings.set({"second_factors.mfa": "required"}, by="operator:u-1")
    await verbs_of(site).remove(user_id, first.id)
    with pytest.raises(InvalidArgument, match="A second factor is required here"):
        await verbs_of(site).remove(user_id, second.id)
    assert (await sign_in(site.browser(), second)).status_code == 200


async def test_a_phone_number_is_not_left_alone(site: Site) -> None:
    """Security rule 47."""
    app, user_id = await enroll(site), await id_of(site)
    phone = await add_phone(site)
    with pytest.raises(InvalidArgument, match="alone is too weak"):
        await verbs_of(site).remove(user_id, app.id)
    await verbs_of(site).remove(user_id, phone)
    await verbs_of(site).remove(user_id, app.id)


async def test_what_a_recovery_code_had_proven_goes_with_the_last_factor(site: Site) -> None:
    app, user_id, jo = await enroll(site), await id_of(site), site.browser()
    codes = await verbs_of(site).make_recovery_codes(user_id)
    asked = await wait_for_step(jo)
    await do_step(jo, asked["login_id"], codes[0], method="recovery_code")
    await jo.who()
    assert site.inner.scope["state"]["session"].strength == "second_factor"
    await verbs_of(site).remove(user_id, app.id)
    assert await jo.who() == JO
    assert site.inner.scope["state"]["session"].strength == "any"


async def test_recovery_codes_go_with_the_last_factor(site: Site) -> None:
    app, user_id = await enroll(site), await id_of(site)
    await verbs_of(site).make_recovery_codes(user_id)
    await verbs_of(site).remove(user_id, app.id)
    state = await verbs_of(site).state(user_id)
    assert (state.recovery_codes, state.recovery_codes_left) == (0, 0)


async def test_the_last_passkey_stays_where_a_phone_number_would_be_left_alone(
    tmp_path: Path,
) -> None:
    features = [EmailLogin(send_limits=ROOMY), SecondFactors(), Passkeys()]
    site = make_factor_site(tmp_path, features=features)
    jo, authenticator = site.browser(), Authenticator()
    await jo.sign_in(JO)
    await make_passkey(jo, authenticator)
    user_id, passkeys = await id_of(site), site.passwordless.verbs(Passkeys)
    own = verbs_of(site)._flow.own
    await own.check_phone(user_id, PHONE)
    phone = Factor(id="p" * 22, user_id=user_id, kind="sms", phone=PHONE, created_at=1)
    await repositories_of(site).factors.add(phone, most=10, may_be_alone=True)
    id = authenticator.passkeys[0].id
    with pytest.raises(InvalidArgument, match="alone is too weak"):
        await passkeys.remove(user_id, id)
    await enroll(site)
    await passkeys.remove(user_id, id)


async def test_the_last_passkey_stays_where_a_second_factor_is_required(tmp_path: Path) -> None:
    features = [EmailLogin(send_limits=ROOMY), SecondFactors(), Passkeys()]
    site = make_factor_site(tmp_path, features=features)
    jo, authenticator = site.browser(), Authenticator()
    await jo.sign_in(JO)
    await make_passkey(jo, authenticator)
    await site.passwordless.settings.set({"second_factors.mfa": "required"}, by="operator:u-1")
    user_id, passkeys = await id_of(site), site.passwordless.verbs(Passkeys)
    with pytest.raises(InvalidArgument, match="A second factor is required here"):
        await passkeys.remove(user_id, authenticator.passkeys[0].id)
    await enroll(site)
    await passkeys.remove(user_id, authenticator.passkeys[0].id)


async def test_a_number_that_could_not_be_added_is_refused_before_anything_is_sent(
    site: Site,
) -> None:
    user_id = await id_of(site)
    own = verbs_of(site)._flow.own
    await site.passwordless._kit.settings.require()
    with pytest.raises(InvalidArgument, match="Add an authenticator app or a passkey first"):
        await own.check_phone(user_id, PHONE)
    await enroll(site)
    await own.check_phone(user_id, PHONE)
    await add_phone(site)
    with pytest.raises(InvalidArgument, match="have this phone number already"):
        await own.check_phone(user_id, PHONE)


# --- an address that was taken -------------------------------------------------------------------


async def test_what_was_added_since_an_undone_change_of_address_goes(site: Site) -> None:
    mine, jo = await enroll(site), site.browser()
    await sign_in(jo, mine)
    site.clock.advance(60)
    await change(jo, KIM)
    undo = site.mail(JO).link
    user_id = (await site.passwordless.people.find(KIM)).id  # type: ignore[union-attr]
    site.clock.advance(60)
    await verbs_of(site).make_recovery_codes(user_id)
    begun = await verbs_of(site).begin_totp(user_id)
    theirs = type(mine)(site, begun.secret)
    await verbs_of(site).confirm_totp(
        user_id, enrollment_id=begun.enrollment_id, code=theirs.code()
    )
    site.clock.advance(60)
    await press_undo(site.browser(), undo)
    state = await verbs_of(site).state(user_id)
    assert [factor.id for factor in state.factors] == [mine.id]
    assert state.recovery_codes == 0
    assert newest_event(site, "factor.removed").details == {"count": 1}
    assert (await sign_in(site.browser(), mine)).status_code == 200


# --- who may ---------------------------------------------------------------------------------


class Change:
    """A route of the product's that changes second factors."""

    def __init__(self, verbs: object = None) -> None:
        self.own: object = verbs

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(routes=(Route("/api/v1/change", {"POST": self._post}, "api"),))

    async def _post(self, request: Request) -> Response:
        account = await self.own.require(request)  # type: ignore[attr-defined]
        return JSONResponse({"is_weak": self.own.is_weak(account.session)})  # type: ignore[attr-defined]


async def test_a_change_takes_a_fresh_proof_by_the_strongest_there_is(tmp_path: Path) -> None:
    route = Change()
    features = [EmailLogin(send_limits=ROOMY), SecondFactors(), route]
    site = make_factor_site(tmp_path, features=features)
    route.own = verbs_of(site)._flow.own
    jo, path = site.browser(), "/auth/api/v1/change"
    await jo.sign_in(JO)
    assert (await jo.request("POST", path)).json() == {"is_weak": True}
    app = await enroll(site)
    assert error_code(await jo.request("POST", path)) == "STEP_UP_REQUIRED"
    assert (await do_step(jo, None, app.next_code())).status_code == 200
    assert (await jo.request("POST", path)).json() == {"is_weak": False}
    site.clock.advance(301)
    assert error_code(await jo.request("POST", path)) == "STEP_UP_REQUIRED"
    await confirm_by_mail(jo)
    assert error_code(await jo.request("POST", path)) == "STEP_UP_REQUIRED"
    site.clock.advance(301)
    assert (await do_step(jo, None, app.next_code())).status_code == 200
    assert (await jo.request("POST", path)).json() == {"is_weak": False}
