"""The step by a recovery code, and what it costs to guess or share one."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from pwless_middleware.errors import InvalidArgument, PersonDisabled
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.second_factors.people import (
    JO,
    KIM,
    STEP_API,
    do_step,
    enroll,
    id_of,
    make_factor_site,
    make_instances,
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


async def make_codes(site: Site, email: str = JO) -> list[str]:
    """Return the recovery codes of a person."""
    return list(await verbs_of(site).make_recovery_codes(await id_of(site, email)))


async def recover(browser: Browser, code: str, email: str = JO) -> str:
    """Sign in by a mail and a recovery code, and return how that went."""
    asked = await wait_for_step(browser, email)
    answer = await do_step(browser, asked["login_id"], code, method="recovery_code")
    return "in" if answer.status_code == 200 else error_code(answer)


def read_all(folder: Path) -> bytes:
    """Return what stands in the database's files."""
    return b"".join(path.read_bytes() for path in folder.glob("pwless.db*"))


async def test_a_code_opens_once(site: Site) -> None:
    await enroll(site)
    codes, jo = await make_codes(site), site.browser()
    asked = await wait_for_step(jo)
    assert asked["step_methods"] == [["totp", "recovery_code"]]
    told = (await jo.get(STEP_API)).json()["methods"][1]
    assert told == {"method": "recovery_code", "strength": "second_factor", "codes_left": 10}
    assert await recover(jo, codes[0]) == "in"
    assert await jo.who() == JO
    assert site.inner.scope["state"]["session"].strength == "second_factor"
    assert newest_event(site, "recovery_code.used").user_id == await id_of(site)
    for spelled in (codes[0], codes[0].lower(), codes[0].replace("-", "")):
        assert await recover(site.browser(), spelled) == "INVALID_CODE"
    state = await verbs_of(site).state(await id_of(site))
    assert (state.recovery_codes, state.recovery_codes_left) == (10, 9)


async def test_it_is_read_however_it_is_typed(site: Site) -> None:
    await enroll(site)
    codes = await make_codes(site)
    assert await recover(site.browser(), codes[0].lower()) == "in"
    assert await recover(site.browser(), codes[1].replace("-", " ")) == "in"
    assert await recover(site.browser(), codes[2].replace("0", "o").replace("1", "l")) == "in"


async def test_of_twenty_who_bring_one_code_to_four_instances_one_gets_in(
    tmp_path: Path,
) -> None:
    """Four that share nothing but the database, as four processes do."""
    sites = make_instances(tmp_path, 4)
    await enroll(sites[0])
    code = (await make_codes(sites[0]))[0]
    browsers = [site.browser(ip=f"203.0.113.{n}") for n, site in enumerate(sites)]
    logins = [(await wait_for_step(browser))["login_id"] for browser in browsers]
    answers = await asyncio.gather(
        *(
            do_step(browser, id, code, method="recovery_code")
            for browser, id in zip(browsers, logins, strict=True)
            for _ in range(5)
        )
    )
    assert Counter(answer.status_code for answer in answers)[200] == 1
    assert [await browser.who() for browser in browsers].count(JO) == 1
    for site in sites:
        await site.store.aclose()


async def test_another_persons_code_is_a_wrong_one(site: Site) -> None:
    await enroll(site)
    await enroll(site, KIM)
    await make_codes(site)
    theirs = await make_codes(site, KIM)
    assert await recover(site.browser(), theirs[0]) == "INVALID_CODE"
    assert await recover(site.browser(), theirs[0], KIM) == "in"


async def test_a_new_set_voids_the_old_one(site: Site) -> None:
    await enroll(site)
    old, new = await make_codes(site), await make_codes(site)
    assert set(old).isdisjoint(new)
    assert await recover(site.browser(), old[0]) == "INVALID_CODE"
    assert await recover(site.browser(), new[0]) == "in"


async def test_who_has_used_up_the_tries_at_the_app_still_has_the_codes(site: Site) -> None:
    """Security rule 42: the lock is of the factors, not of the account."""
    app = await enroll(site)
    codes, jo = await make_codes(site), site.browser()
    site.clock.advance(30)
    for _ in range(3):
        asked = await wait_for_step(jo)
        for _ in range(4):
            locked = await do_step(jo, asked["login_id"], wrong(app.code()))
    assert error_code(locked) == "TOO_MANY_ATTEMPTS"
    assert await recover(jo, codes[0]) == "in"


async def test_codes_have_a_smaller_budget_of_their_own(site: Site) -> None:
    app = await enroll(site)
    codes = await make_codes(site)
    nobodys = "ZZZZ-ZZZZ-ZZZZ-ZZZZ"
    answers = [await recover(site.browser(), nobodys) for _ in range(6)]
    assert answers == ["INVALID_CODE"] * 5 + ["TOO_MANY_ATTEMPTS"]
    assert await recover(site.browser(), codes[0]) == "TOO_MANY_ATTEMPTS"
    assert (await sign_in(site.browser(), app)).status_code == 200


async def test_without_a_code_left_nobody_is_asked_for_one(site: Site) -> None:
    await enroll(site)
    for code in await make_codes(site):
        assert await recover(site.browser(), code) == "in"
    assert (await wait_for_step(site.browser()))["steps"] == ["totp"]


async def test_nothing_of_the_codes_can_be_read_in_the_database(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path)
    await enroll(site)
    codes = await make_codes(site)
    assert site.passwordless.database is not None
    await site.passwordless.database.aclose()
    kept = read_all(tmp_path)
    for code in codes:
        assert code.encode() not in kept
        assert code.replace("-", "").encode() not in kept


async def test_they_are_for_who_has_a_second_factor(site: Site) -> None:
    with pytest.raises(InvalidArgument, match="Add a second factor first"):
        await verbs_of(site).make_recovery_codes(await id_of(site))


async def test_nobody_makes_them_for_who_is_disabled(site: Site) -> None:
    await enroll(site)
    user_id = await id_of(site)
    await site.passwordless.people.disable(user_id, by="python")
    with pytest.raises(PersonDisabled):
        await verbs_of(site).make_recovery_codes(user_id)


@pytest.mark.parametrize("typed", ["123456", "horse battery staple", "7K3M-Q0V1-9ZHP"])
async def test_what_is_no_code_is_a_wrong_one(site: Site, typed: str) -> None:
    await enroll(site)
    await make_codes(site)
    assert await recover(site.browser(), typed) == "INVALID_CODE"


async def test_a_deployment_may_have_none(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, second_factors=SecondFactors(recovery_codes=False))
    await enroll(site)
    with pytest.raises(InvalidArgument, match="no recovery codes here"):
        await verbs_of(site).make_recovery_codes(await id_of(site))
