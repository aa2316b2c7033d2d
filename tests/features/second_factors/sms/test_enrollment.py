"""A number is a further factor, and only once its code has come back (security rule 47)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.client import Client
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.errors import (
    ApiError,
    InvalidArgument,
    InvalidCode,
    RateLimited,
    RequestExpired,
    TooManyAttempts,
)
from pwless_middleware.features.second_factors.options import SecondFactors
from pwless_middleware.features.second_factors.sms.codes import holder_of
from tests.features.second_factors.sms.people import KIM, OTHER_PHONE, PHONE, TextSite
from tests.support import holds, wrong

pytestmark = pytest.mark.anyio

SESSION = "session:abc"
CALLER = Caller(client=Client("192.0.2.1"))
APP = "a" * 22


class Enrolling:
    """Somebody with an authenticator app, who adds a number."""

    def __init__(self, site: TextSite, user_id: str) -> None:
        self.site = site
        self.user_id = user_id
        flow = site.site.passwordless.verbs(SecondFactors)._flow
        self.enrollments = flow.require_sms().enrollments

    async def begin(self, phone: str = PHONE, holder: str = SESSION, **more: Any) -> Any:
        return await self.enrollments.begin(self.user_id, holder, phone, CALLER, **more)

    async def confirm(self, id: str, code: str, holder: str = SESSION, **more: Any) -> Any:
        return await self.enrollments.confirm(self.user_id, id, holder, code, CALLER, **more)

    async def phones(self) -> list[str]:
        state = await self.site.factors.state(self.user_id)
        return [factor.phone for factor in state.factors if factor.kind == "sms"]


@pytest.fixture
async def jo(tmp_path: Path) -> Enrolling:
    site = TextSite(tmp_path)
    return Enrolling(site, await with_app(site))


async def with_app(site: TextSite, email: str = "jo@example.com", id: str = APP) -> str:
    """Return the id of somebody with an authenticator app."""
    user_id = await site.user_id(email)
    app = Factor(id=id, user_id=user_id, kind="totp", secret=b"x", created_at=site.clock())
    assert await site.factors.add(app, most=10, may_be_alone=True) == "added"
    return user_id


async def test_a_number_is_kept_once_its_code_has_come_back(jo: Enrolling) -> None:
    begun = await jo.begin("0151 23456789", country="DE")
    assert begun.phone == "+49 1512 3456789"
    assert begun.to_json() == {
        "enrollment_id": begun.enrollment_id,
        "phone": "+49 1512 3456789",
        "expires_at": str(jo.site.clock() + 900),
        "resend_after": 60,
        "is_delayed": False,
    }
    assert await jo.phones() == []
    assert "add this phone" in jo.site.phones.last().body
    factor, proof = await jo.confirm(begun.enrollment_id, jo.site.phones.code(), name="My phone")
    assert await jo.phones() == [PHONE]
    assert (factor.id, factor.name) == (begun.enrollment_id, "My phone")
    assert proof.authentication.method == "sms"


async def test_who_has_nothing_else_is_sent_nothing(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    jo = Enrolling(site, await site.user_id())
    with pytest.raises(InvalidArgument, match="too weak"):
        await jo.begin()
    assert site.phones.messages == []


async def test_who_has_nothing_else_any_more_keeps_no_number(jo: Enrolling) -> None:
    begun = await jo.begin()
    await jo.site.factors.remove_all(jo.user_id)
    with pytest.raises(InvalidArgument, match="too weak"):
        await jo.confirm(begun.enrollment_id, jo.site.phones.code())
    assert await jo.phones() == []


async def test_a_wrong_code_keeps_nothing_and_five_are_the_most(jo: Enrolling) -> None:
    begun = await jo.begin()
    code = jo.site.phones.code()
    for n in range(5):
        with pytest.raises(InvalidCode) as raised:
            await jo.confirm(begun.enrollment_id, wrong(code, n))
        assert raised.value.attempts_left == 4 - n
        assert "newest text message" in str(raised.value)
    with pytest.raises(TooManyAttempts):
        await jo.confirm(begun.enrollment_id, code)
    # Asking again is no way to more of them, and nobody pays for what cannot be answered.
    jo.site.clock.now += 60
    with pytest.raises(TooManyAttempts) as spent:
        await jo.begin()
    assert len(jo.site.phones.messages) == 1
    jo.site.clock.now += spent.value.retry_after
    again = await jo.begin()
    await jo.confirm(again.enrollment_id, jo.site.phones.code())
    assert await jo.phones() == [PHONE]


async def test_asked_for_again_it_is_the_same_code(jo: Enrolling) -> None:
    begun = await jo.begin()
    with pytest.raises(RateLimited):
        await jo.begin()
    jo.site.clock.now += 60
    again = await jo.begin("+49 (0)151 234 567 89")
    assert again.enrollment_id == begun.enrollment_id
    assert [message.code for message in jo.site.phones.messages] == [jo.site.phones.code()] * 2
    await jo.confirm(begun.enrollment_id, jo.site.phones.code())
    assert await jo.phones() == [PHONE]


async def test_another_number_voids_the_first(jo: Enrolling) -> None:
    first = await jo.begin()
    second = await jo.begin(OTHER_PHONE)
    with pytest.raises(RequestExpired):
        await jo.confirm(first.enrollment_id, jo.site.phones.code(PHONE))
    with pytest.raises(InvalidCode):  # the code of one number proves no other
        await jo.confirm(second.enrollment_id, jo.site.phones.code(PHONE))
    await jo.confirm(second.enrollment_id, jo.site.phones.code(OTHER_PHONE))
    assert await jo.phones() == [OTHER_PHONE]


async def test_a_process_that_dies_on_the_way_to_another_number_confirms_none_by_its_code(
    jo: Enrolling,
) -> None:
    """It has sent the code of the second, and the enrollment is still the first's."""
    first = await jo.begin()
    await jo.enrollments._sending.send(
        holder_of("enrollment", jo.user_id),
        user_id=jo.user_id,
        factor_id="x" * 22,
        phone=OTHER_PHONE,
        caller=CALLER,
        is_enrollment=True,
    )
    with pytest.raises(InvalidCode):
        await jo.confirm(first.enrollment_id, jo.site.phones.code(OTHER_PHONE))
    assert await jo.phones() == []


async def test_a_number_that_is_refused_leaves_the_first_as_it_was(jo: Enrolling) -> None:
    begun = await jo.begin()
    for phone in ("+1 900 555 1234", "+33 6 12 34 56 78", "nonsense"):
        with pytest.raises(InvalidArgument):
            await jo.begin(phone)
    await jo.confirm(begun.enrollment_id, jo.site.phones.code())


async def test_it_is_of_its_session_and_user_alone(jo: Enrolling) -> None:
    begun = await jo.begin()
    code = jo.site.phones.code()
    kim = Enrolling(jo.site, await with_app(jo.site, KIM, "b" * 22))
    for holder, who in (("session:other", jo), (SESSION, kim)):
        with pytest.raises(RequestExpired):
            await who.confirm(begun.enrollment_id, code, holder)
        assert await who.enrollments.find(who.user_id, begun.enrollment_id, holder) is None
    # From another session it is begun anew, by another code.
    jo.site.clock.now += 60
    again = await jo.begin(holder="session:other")
    assert again.enrollment_id != begun.enrollment_id
    with pytest.raises(InvalidCode):
        await jo.confirm(again.enrollment_id, code, "session:other")


async def test_of_parallel_right_codes_one_keeps_the_number(jo: Enrolling) -> None:
    begun = await jo.begin()
    code = jo.site.phones.code()
    answers = await asyncio.gather(
        *(jo.confirm(begun.enrollment_id, code) for _ in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert all(isinstance(a, ApiError) for a in answers if isinstance(a, Exception))
    assert await jo.phones() == [PHONE]


async def test_its_code_is_good_for_300_seconds_and_the_enrollment_for_900(jo: Enrolling) -> None:
    begun = await jo.begin()
    code = jo.site.phones.code()
    jo.site.clock.now += 300
    found = await jo.enrollments.find(jo.user_id, begun.enrollment_id, SESSION)
    assert found is not None
    assert found.sent is None
    assert "resend_after" not in found.to_json()
    with pytest.raises(InvalidCode):
        await jo.confirm(begun.enrollment_id, code)
    jo.site.clock.now += 600
    with pytest.raises(RequestExpired):
        await jo.confirm(begun.enrollment_id, code)


async def test_a_number_that_the_person_has_is_not_sent_a_code_again(jo: Enrolling) -> None:
    begun = await jo.begin()
    await jo.confirm(begun.enrollment_id, jo.site.phones.code())
    jo.site.clock.now += 60
    with pytest.raises(InvalidArgument, match="already"):
        await jo.begin()
    assert len(jo.site.phones.messages) == 1


async def test_who_claims_the_number_of_another_leaves_them_half_of_its_day(
    jo: Enrolling,
) -> None:
    await jo.site.add_phone(await jo.site.user_id(KIM), PHONE, id="k" * 22)
    for _ in range(2):
        await jo.begin()
        jo.site.clock.now += 60
    with pytest.raises(RateLimited):
        await jo.begin()
    kim, login_id = await jo.site.begin_login(KIM)
    for _ in range(3):
        assert (await jo.site.send(kim, login_id)).status_code == 200
        jo.site.clock.now += 60


async def test_fifty_numbers_of_a_block_cost_ten_text_messages(tmp_path: Path) -> None:
    site = TextSite(tmp_path)
    refused = 0
    for n in range(25):  # 25 users, two numbers each
        user_id = await with_app(site, f"user{n}@example.com", f"{n:022d}")
        mallory = Enrolling(site, user_id)
        for phone in (f"+491512345{n:04d}", f"+491512345{n + 50:04d}"):
            caller = Caller(client=Client(f"198.51.{n}.1"))
            try:
                await mallory.enrollments.begin(user_id, SESSION, phone, caller)
            except RateLimited:
                refused += 1
    assert len(site.phones.messages) == 10
    assert refused == 40


async def test_nothing_of_it_is_in_events_or_logs(
    jo: Enrolling, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    begun = await jo.begin()
    code = jo.site.phones.code()
    with pytest.raises(InvalidCode) as raised:
        await jo.confirm(begun.enrollment_id, wrong(code))
    await jo.confirm(begun.enrollment_id, code)
    await asyncio.sleep(0)
    said = repr([event.to_dict() for event in jo.site.told]) + caplog.text + repr(raised.value)
    assert {"sms.requested", "enrollment.wrong", "factor.added"} <= {
        event.kind for event in jo.site.told
    }
    for secret in (code, PHONE, PHONE[3:]):
        assert not holds(said, secret)
    assert PHONE not in repr(begun)
    assert "1512 345" not in repr(begun)
