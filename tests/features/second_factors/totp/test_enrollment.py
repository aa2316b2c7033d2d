"""Adding an authenticator app: in an account, and in the login that requires the first one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pyotp
import pytest

from pwless_middleware import Brand
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import InvalidArgument, InvalidCode, RequestExpired, TooManyAttempts
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.features.second_factors.flow import SecondFactorFlow, held_by_session
from pwless_middleware.web.identity.accounts import Account
from tests.factors import make_factor
from tests.features.second_factors.people import (
    JO,
    KIM,
    STEP_API,
    App,
    by_mail,
    do_step,
    enroll,
    id_of,
    make_factor_site,
    newest_event,
    sign_in,
    verbs_of,
    wait_for_step,
)
from tests.support import Browser, Site, error_code, wrong

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path)


def flow_of(site: Site) -> SecondFactorFlow:
    return verbs_of(site)._flow


async def account_of(browser: Browser) -> Account:
    """Return who is signed in, as a page of theirs has it."""
    await browser.who()
    state = browser.home.inner.scope["state"]
    return Account(state["user"], state["session"], browser.cookie() or "")


# --- in an account -------------------------------------------------------------------------------


async def test_a_person_adds_one_and_the_session_is_renewed_by_it(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    account, flow = await account_of(jo), flow_of(site)
    begun = await flow.totp.begin(account.user.id, JO, held_by_session(account.session))
    app = App(site, begun.secret)
    factor, done = await flow.confirm_totp(
        account, begun.enrollment_id, app.code(), Caller(), name="Phone"
    )
    assert (factor.id, factor.kind, factor.name) == (begun.enrollment_id, "totp", "Phone")
    assert done.session.strength == "second_factor"
    assert done.session.is_fresh(now=site.clock.now, within=300, strength="second_factor")
    assert newest_event(site, "factor.added").method == "totp"
    assert (await sign_in(site.browser(), app)).status_code == 200


async def test_half_an_enrollment_is_no_factor(site: Site) -> None:
    """Security rule 43: it asks nobody for anything, and its codes open nothing."""
    user_id = await id_of(site)
    await verbs_of(site).begin_totp(user_id)
    assert await verbs_of(site).list(user_id) == ()
    assert (await by_mail(site.browser())).status_code == 200


async def test_a_second_enrollment_voids_the_first(site: Site) -> None:
    user_id = await id_of(site)
    first, second = [await verbs_of(site).begin_totp(user_id) for _ in range(2)]
    confirm = verbs_of(site).confirm_totp
    code = App(site, first.secret).code()
    with pytest.raises(RequestExpired):
        await confirm(user_id, enrollment_id=first.enrollment_id, code=code)
    code = App(site, second.secret).code()
    await confirm(user_id, enrollment_id=second.enrollment_id, code=code)
    assert len(await verbs_of(site).list(user_id)) == 1


async def test_it_is_confirmed_by_who_has_begun_it(site: Site) -> None:
    await site.passwordless._kit.settings.require()
    flow, user_id, kim = flow_of(site), await id_of(site), await id_of(site, KIM)
    begun = await flow.totp.begin(user_id, JO, "session:s-1")
    code = App(site, begun.secret).code()
    for whose, holder in ((user_id, "session:s-2"), (user_id, "login:x"), (kim, "session:s-1")):
        with pytest.raises(RequestExpired):
            await flow.totp.confirm(whose, begun.enrollment_id, holder, code, Caller())
    await flow.totp.confirm(user_id, begun.enrollment_id, "session:s-1", code, Caller())


async def test_five_codes_may_be_wrong(site: Site) -> None:
    user_id = await id_of(site)
    begun = await verbs_of(site).begin_totp(user_id)
    app, confirm = App(site, begun.secret), verbs_of(site).confirm_totp
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(InvalidCode) as refused:
            await confirm(user_id, enrollment_id=begun.enrollment_id, code=wrong(app.code()))
        assert refused.value.attempts_left == left
    assert newest_event(site, "enrollment.wrong").tries_left == 0
    with pytest.raises(TooManyAttempts, match="Begin again"):
        await confirm(user_id, enrollment_id=begun.enrollment_id, code=app.code())


async def test_of_twenty_right_codes_at_once_one_adds_it(site: Site) -> None:
    user_id = await id_of(site)
    begun = await verbs_of(site).begin_totp(user_id)
    code, confirm = App(site, begun.secret).code(), verbs_of(site).confirm_totp
    tries = (confirm(user_id, enrollment_id=begun.enrollment_id, code=code) for _ in range(20))
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert len(await verbs_of(site).list(user_id)) == 1


async def test_what_is_shown_lets_an_app_be_set_up_and_is_nowhere_in_the_open(
    site: Site, tmp_path: Path
) -> None:
    user_id = await id_of(site)
    begun = await verbs_of(site).begin_totp(user_id)
    assert begun.groups.replace(" ", "") == begun.secret
    assert {len(group) for group in begun.groups.split()} == {4}
    assert begun.qr_svg.startswith("<svg ")
    assert 'fill="#fff"' in begun.qr_svg, "white behind it, in the dark as well"
    assert "style=" not in begun.qr_svg, "which the pages' CSP would drop"
    assert begun.secret not in repr(begun)
    assert begun.secret in begun.uri
    found = await flow_of(site).totp.find(
        user_id, JO, begun.enrollment_id, f"server:user:{user_id}"
    )
    assert found == begun, "beside a wrong code it is shown again"


async def test_the_longest_names_fit_into_a_qr_code(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, brand=Brand(name="😀" * 100))
    email = f"{'&' * 64}@{'.'.join(['a' * 60] * 3)}.de"
    begun = await verbs_of(site).begin_totp(await id_of(site, email))
    assert begun.qr_svg.startswith("<svg")
    found = pyotp.parse_uri(begun.uri)
    assert (found.name, found.issuer) == (email, "😀" * 60)


async def test_a_person_has_as_many_as_the_deployment_lets(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, second_factors=SecondFactors(max_per_user=2))
    await enroll(site)
    user_id = await id_of(site)
    begun = await verbs_of(site).begin_totp(user_id)
    await enroll(site, KIM)
    code = App(site, begun.secret).code()
    await verbs_of(site).confirm_totp(user_id, enrollment_id=begun.enrollment_id, code=code)
    with pytest.raises(InvalidArgument, match="You have 2 second factors"):
        await verbs_of(site).begin_totp(user_id)


async def test_a_deployment_may_add_none(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, second_factors=SecondFactors(totp=False))
    with pytest.raises(InvalidArgument, match="cannot be added here"):
        await verbs_of(site).begin_totp(await id_of(site))


async def test_a_name_is_one_line_of_plain_text(site: Site) -> None:
    user_id = await id_of(site)
    begun = await verbs_of(site).begin_totp(user_id)
    code = App(site, begun.secret).code()
    for name in ("x" * 61, "a\nb", "\u202ex"):
        with pytest.raises(InvalidArgument):
            await verbs_of(site).confirm_totp(
                user_id, enrollment_id=begun.enrollment_id, code=code, name=name
            )
    app = await enroll(site, name="  My phone ")
    (factor,) = await verbs_of(site).list(user_id)
    assert (factor.id, factor.name) == (app.id, "My phone")


# --- in a login that requires one ----------------------------------------------------------------


@pytest.fixture
def strict(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path, second_factors=SecondFactors(mfa="required"))


async def begin_in_login(browser: Browser, login_id: str) -> dict[str, str]:
    body = {"login_id": login_id, "method": "totp"}
    answer = await browser.request("POST", f"{STEP_API}/enroll", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_one_flow_from_the_first_mail_to_the_app_and_the_session(strict: Site) -> None:
    jo = strict.browser()
    asked = await wait_for_step(jo)
    assert asked["steps"] == ["totp"]
    told = (await jo.get(STEP_API)).json()
    assert (told["enrolls"], told["methods"][0]["method"]) == (True, "totp")
    begun = await begin_in_login(jo, asked["login_id"])
    app, more = App(strict, begun["secret"]), {"enrollment_id": begun["enrollment_id"]}
    refused = await do_step(jo, asked["login_id"], wrong(app.code()), **more)
    assert error_code(refused) == "INVALID_CODE"
    unnamed = await do_step(jo, asked["login_id"], app.code())
    assert unnamed.status_code == 400
    assert "enrollment_id" in unnamed.text, "what is missing is named"
    assert await jo.who() is None
    done = await do_step(jo, asked["login_id"], app.code(), name="Phone", **more)
    assert done.status_code == 200, done.text
    assert await jo.who() == JO
    assert strict.inner.scope["state"]["session"].strength == "second_factor"
    assert (await sign_in(strict.browser(), app)).status_code == 200


async def test_a_server_does_the_same_with_its_key(strict: Site) -> None:
    server = strict.backend().browser
    asked = await wait_for_step(server)
    begun = await begin_in_login(server, asked["login_id"])
    app, more = App(strict, begun["secret"]), {"enrollment_id": begun["enrollment_id"]}
    done = await do_step(server, asked["login_id"], app.code(), **more)
    assert done.json()["session_token"].startswith("pws_")


async def test_a_pending_login_adds_nothing_where_something_has_come_meanwhile(
    strict: Site,
) -> None:
    """Security rule 48: what a mail alone proves adds nothing where something is enrolled."""
    thief, jo = strict.browser(ip="198.51.100.9"), strict.browser()
    asked = await wait_for_step(thief)
    begun = await begin_in_login(thief, asked["login_id"])
    await enroll(strict)
    stolen, more = App(strict, begun["secret"]), {"enrollment_id": begun["enrollment_id"]}
    refused = await do_step(thief, asked["login_id"], stolen.code(), **more)
    assert error_code(refused) == "REQUEST_EXPIRED"
    again = await thief.request(
        "POST", f"{STEP_API}/enroll", json={"login_id": asked["login_id"], "method": "totp"}
    )
    assert error_code(again) == "REQUEST_EXPIRED"
    assert (await thief.get(STEP_API)).json()["methods"] == []
    assert await thief.who() is None
    assert (await wait_for_step(jo))["steps"] == ["totp"]
    assert len(await verbs_of(strict).list(await id_of(strict))) == 1


async def test_what_has_come_by_another_way_is_enough(strict: Site) -> None:
    """Its own enrollment is not void then: it is the factor itself that forbids another one."""
    thief, user_id = strict.browser(), await id_of(strict)
    asked = await wait_for_step(thief)
    begun = await begin_in_login(thief, asked["login_id"])
    repositories = strict.passwordless._kit.repositories
    assert repositories is not None
    await repositories.factors.add(make_factor(user_id), most=10, may_be_alone=True)
    stolen, more = App(strict, begun["secret"]), {"enrollment_id": begun["enrollment_id"]}
    refused = await do_step(thief, asked["login_id"], stolen.code(), **more)
    assert error_code(refused) == "REQUEST_EXPIRED"
    assert len(await verbs_of(strict).list(user_id)) == 1


async def test_of_two_pending_logins_at_once_one_adds_the_first(strict: Site) -> None:
    browsers = [strict.browser(ip=f"203.0.113.{n}") for n in range(2)]
    asked = [await wait_for_step(browser) for browser in browsers]
    first = await begin_in_login(browsers[0], asked[0]["login_id"])
    second = await begin_in_login(browsers[1], asked[1]["login_id"])
    code = App(strict, first["secret"]).code()
    more = {"enrollment_id": first["enrollment_id"]}
    assert (await do_step(browsers[0], asked[0]["login_id"], code, **more)).status_code == 410
    code = App(strict, second["secret"]).code()
    more = {"enrollment_id": second["enrollment_id"]}
    assert (await do_step(browsers[0], asked[0]["login_id"], code, **more)).status_code == 410
    assert (await do_step(browsers[1], asked[1]["login_id"], code, **more)).status_code == 200


async def test_a_step_that_does_not_enroll_begins_nothing(site: Site) -> None:
    await enroll(site)
    jo = site.browser()
    asked = await wait_for_step(jo)
    body = {"login_id": asked["login_id"], "method": "totp"}
    answer = await jo.request("POST", f"{STEP_API}/enroll", json=body)
    assert error_code(answer) == "REQUEST_EXPIRED"
