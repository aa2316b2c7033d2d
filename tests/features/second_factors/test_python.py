"""Second factors in Python, for hosts with pages of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.errors import (
    InvalidArgument,
    InvalidCode,
    PersonNotFound,
    RequestExpired,
    StepRequired,
)
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.second_factors.people import (
    JO,
    App,
    enroll,
    id_of,
    make_factor_site,
    newest_event,
    verbs_of,
    wait_for_step,
)
from tests.support import Site, wrong

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path, bearer=True)


async def wait_in_python(site: Site, email: str = JO) -> str:
    """Return the id of a login that waits for its step."""
    sent = await site.passwordless.send(email)
    code = site.mail(email).code or ""
    with pytest.raises(StepRequired) as asked:
        await site.passwordless.verify(auth_request_id=sent.auth_request_id, code=code)
    return asked.value.login_id


async def test_a_host_asks_and_signs_in(site: Site) -> None:
    app, verbs = await enroll(site), verbs_of(site)
    await verbs.make_recovery_codes(await id_of(site))
    login_id = await wait_in_python(site)
    step = await verbs.ask(login_id)
    assert step.methods == {"totp": {"digits": 6}, "recovery_code": {"codes_left": 10}}
    assert step.enrolls is False
    assert step.expires_at == site.clock.now + 600
    with pytest.raises(InvalidCode) as refused:
        await verbs.verify(login_id, method="totp", code=wrong(app.next_code()))
    assert refused.value.attempts_left == 4
    done = await verbs.verify(
        login_id, method="totp", code=app.code(), client="203.0.113.9", user_agent="Firefox"
    )
    assert (done.email, done.session.strength) == (JO, "second_factor")
    bearer = site.browser(headers={"authorization": f"Bearer {done.session_token}"})
    assert await bearer.who() == JO
    assert done.session_token not in repr(done)
    with pytest.raises(RequestExpired):
        await verbs.ask(login_id)


async def test_a_host_leads_through_the_first_enrollment(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, second_factors=SecondFactors(mfa="required"))
    verbs, login_id = verbs_of(site), await wait_in_python(site)
    assert (await verbs.ask(login_id)).enrolls is True
    begun = await verbs.enroll(login_id)
    app = App(site, begun.secret)
    done = await verbs.verify(
        login_id,
        method="totp",
        code=app.code(),
        enrollment_id=begun.enrollment_id,
        name="Phone",
    )
    assert done.session.methods == ("email_code", "totp")
    (factor,) = await verbs.list(done.user.id)
    assert factor.name == "Phone"
    login_id = await wait_in_python(site)
    with pytest.raises(RequestExpired):
        await verbs.enroll(login_id)


async def test_a_browsers_login_is_not_a_hosts(site: Site) -> None:
    app, verbs = await enroll(site), verbs_of(site)
    asked = await wait_for_step(site.browser())
    with pytest.raises(RequestExpired):
        await verbs.ask(asked["login_id"])
    with pytest.raises(RequestExpired):
        await verbs.verify(asked["login_id"], method="totp", code=app.next_code())


BAD: dict[str, dict[str, Any]] = {
    "method": {"method": "sms"},
    "code": {"code": ""},
    "client": {"client": "here"},
    "user_agent": {"user_agent": 5},
    "ends": {"ends": "session"},
    "name": {"name": "x" * 61},
    "enrollment_id": {"enrollment_id": ""},
}


@pytest.mark.parametrize(("field", "given"), BAD.items())
async def test_a_bad_argument_is_named_and_costs_no_try(
    site: Site, field: str, given: dict[str, Any]
) -> None:
    app, verbs = await enroll(site), verbs_of(site)
    login_id = await wait_in_python(site)
    arguments = {"method": "totp", "code": wrong(app.next_code()), **given}
    with pytest.raises(InvalidArgument) as refused:
        await verbs.verify(login_id, **arguments)
    assert [one.field for one in refused.value.violations] == [field]
    with pytest.raises(InvalidCode) as wrong_code:
        await verbs.verify(login_id, method="totp", code=wrong(app.code()))
    assert wrong_code.value.attempts_left == 4


async def test_nobody_has_no_factors(site: Site) -> None:
    with pytest.raises(PersonNotFound):
        await verbs_of(site).begin_totp("nobody")
    assert await verbs_of(site).list("nobody") == ()


async def test_what_python_changes_is_told_as_such(site: Site) -> None:
    await enroll(site)
    assert newest_event(site, "factor.added").by == "python"
    await verbs_of(site).make_recovery_codes(await id_of(site))
    assert newest_event(site, "recovery_codes.made").by == "python"
    assert await verbs_of(site).trusted_browsers(await id_of(site)) == []
