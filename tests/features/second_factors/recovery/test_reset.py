"""An operator resets a person's second factors: at once, or after a time to object.

Security rule 46.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pwless_middleware import Passkeys
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.database.factors.factors import SQLFactors
from pwless_middleware.errors import InvalidArgument, QueueFull
from pwless_middleware.features.second_factors.recovery.reset import ASKED, DONE
from pwless_middleware.flows.people.change_jobs import UNDER_WAY
from pwless_middleware.kit import Kit, Mounted
from tests.factors import make_factor
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import API as PASSKEYS
from tests.features.passkeys.people import make_passkey
from tests.features.passkeys.people import sign_in as sign_in_by_passkey
from tests.features.second_factors.enrolled import (
    API,
    enroll,
    events_of,
    factors_of,
    make_factor_site,
    prove_again,
    user_id_of,
)
from tests.features.second_factors.people import (
    JO,
    KIM,
    verbs_of,
)
from tests.support import Site, error_code, led_to

pytestmark = pytest.mark.anyio

WAIT = 3600
TRUSTED = f"{API}/trusted-browsers"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path, trusted_days=30)


@pytest.fixture
def patient(tmp_path: Path) -> Site:
    """A site on which a person has an hour to object."""
    return make_factor_site(tmp_path, reset_wait=WAIT)


async def do_due(site: Site) -> None:
    """Do what a process does every minute."""
    periodics = site.passwordless.lifetime._periodics
    assert periodics is not None
    [turn] = [one for one in periodics._all if one.title == "SecondFactors.resets"]
    await turn._periodic.run()


def subjects(site: Site) -> list[str]:
    return [mail.subject for mail in site.outbox.messages if "second factors" in mail.subject]


# --- at once -------------------------------------------------------------------------------------


async def test_all_that_a_person_has_is_gone_and_everybody_is_signed_out(site: Site) -> None:
    jo, _ = await enroll(site)
    user_id = await user_id_of(jo)
    await jo.request("POST", f"{API}/recovery-codes")
    assert (await jo.request("POST", TRUSTED)).status_code == 204
    waiting = site.browser()
    await waiting.sign_in(JO)
    result = await verbs_of(site).reset(user_id)
    assert (result.removed, result.due_at) == (1, None)
    assert (await jo.who(), site.sessions, site.pending) == (None, 0, [])
    done = await jo.sign_in(JO)
    assert led_to(done) == "/"  # by the mail alone
    assert await factors_of(jo) == {"factors": [], "recovery_codes": 0, "recovery_codes_left": 0}
    assert (await jo.get(TRUSTED)).json() == {"trusted_browsers": []}
    [event] = events_of(site, "factor.reset", "factor.reset_asked")
    assert (event.kind, event.user_id, event.by) == ("factor.reset", user_id, "python")
    assert event.details == {"count": 1}


async def test_of_many_operators_one_removes_it(site: Site) -> None:
    jo, _ = await enroll(site)
    user_id = await user_id_of(jo)
    done = await asyncio.gather(*(verbs_of(site).reset(user_id) for _ in range(6)))
    assert sum(one.removed for one in done) == 1
    assert await verbs_of(site).list(user_id) == ()


async def test_the_person_is_told_once(site: Site) -> None:
    jo, _ = await enroll(site)
    await verbs_of(site).reset(await user_id_of(jo))
    [subject] = subjects(site)
    assert "were removed" in subject
    assert site.mail(JO).link is None
    site.clock.now += 2 * UNDER_WAY
    await site.browser().ask(KIM)  # what waits in the queue is tried again
    assert subjects(site) == [subject]


async def test_nobody_else_is_touched(site: Site) -> None:
    jo, _ = await enroll(site)
    kim, _ = await enroll(site, KIM)
    await verbs_of(site).reset(await user_id_of(jo))
    assert await kim.who() == KIM
    assert len((await factors_of(kim))["factors"]) == 1


async def test_passkeys_go_as_well(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, Passkeys())
    jo, authenticator = site.browser(), Authenticator()
    await jo.sign_in(JO)
    await make_passkey(jo, authenticator)
    await verbs_of(site).reset(await user_id_of(jo))
    assert await jo.who() is None
    assert error_code(await sign_in_by_passkey(jo, authenticator)) == "INVALID_CREDENTIAL"
    await jo.sign_in(JO)
    assert (await jo.get(PASSKEYS)).json()["passkeys"] == []


async def test_nor_does_one_stay_that_a_session_adds_as_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is in as the reset begins is in until all sessions are ended, and no longer."""
    site, authenticator = make_factor_site(tmp_path, Passkeys()), Authenticator()
    jo, _ = await enroll(site)
    sessions = verbs_of(site)._kit.sessions
    end_all = sessions.revoke_all

    async def add_and_end_all(user_id: str) -> int:
        assert (await make_passkey(jo, authenticator)).status_code == 201
        return await end_all(user_id)

    monkeypatch.setattr(sessions, "revoke_all", add_and_end_all)
    await verbs_of(site).reset(await user_id_of(jo))
    assert error_code(await sign_in_by_passkey(jo, authenticator)) == "INVALID_CREDENTIAL"


async def test_who_has_none_is_signed_out_all_the_same(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    assert (await verbs_of(site).reset(await user_id_of(jo))).removed == 0
    assert await jo.who() is None


async def test_where_one_is_required_the_next_login_adds_another(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path)
    jo, _ = await enroll(site)
    await verbs_of(site).reset(await user_id_of(jo))
    strict = make_factor_site(tmp_path, mfa="required", clock=site.clock)
    again = strict.browser()
    assert "/step/second-factor/new" in led_to(await again.sign_in(JO))
    assert await again.who() is None


async def test_nothing_is_removed_in_silence_while_no_mail_can_be_queued(site: Site) -> None:
    jo, _ = await enroll(site)
    site.store.jobs._most = 0  # type: ignore[attr-defined]  # the memory store's
    with pytest.raises(QueueFull):
        await verbs_of(site).reset(await user_id_of(jo))
    assert await jo.who() == JO
    assert len((await factors_of(jo))["factors"]) == 1


class Balky:
    """A feature of a host that cannot be told of a reset, the first time."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(on_factors_reset=(self.hear,))

    async def hear(self, user_id: str, by: str) -> None:
        self.told.append(user_id)
        if len(self.told) == 1:
            raise ConnectionError("out of reach")


async def test_what_was_cut_off_is_done_before_the_person_is_told(tmp_path: Path) -> None:
    balky = Balky()
    site = make_factor_site(tmp_path, balky)
    jo, _ = await enroll(site)
    user_id = await user_id_of(jo)
    with pytest.raises(ConnectionError):
        await verbs_of(site).reset(user_id)
    assert await jo.who() == JO
    assert subjects(site) == []
    site.clock.now += UNDER_WAY
    for _ in range(3):
        await site.browser().ask(KIM)
        site.clock.now += UNDER_WAY
    assert balky.told == [user_id] * 3, "once more after all sessions have ended"
    assert await jo.who() is None
    assert len(subjects(site)) == 1


class Thief:
    """Adds a factor while all are being removed, as a session that still lives could."""

    def __init__(self) -> None:
        self.factors: SQLFactors | None = None
        self.at = 0

    def mount(self, kit: Kit) -> Mounted:
        self.factors = SQLFactors(kit.require_database())
        return Mounted(on_factors_reset=(self.hear,))

    async def hear(self, user_id: str, by: str) -> None:
        assert self.factors is not None
        if await self.factors.find(make_factor(number=7).id) is not None:
            return
        factor = make_factor(user_id, 7, created_at=self.at)
        assert await self.factors.add(factor, most=10, may_be_alone=True) == "added"


async def test_nothing_that_is_added_meanwhile_stays(tmp_path: Path) -> None:
    thief = Thief()
    site = make_factor_site(tmp_path, thief)
    jo, _ = await enroll(site)
    user_id = await user_id_of(jo)
    thief.at = site.clock.now
    await verbs_of(site).reset(user_id)
    assert await verbs_of(site).list(user_id) == ()


async def test_after_a_process_that_died_there_is_one_mail(patient: Site) -> None:
    """It had queued the mail, and no more."""
    jo, _ = await enroll(patient)
    user_id = await user_id_of(jo)
    await verbs_of(patient).reset(user_id)
    patient.clock.now += WAIT
    resets = verbs_of(patient)._flow.resets
    reset = await resets.find_open(user_id)
    assert reset is not None
    notice = resets._make_notice(reset, patient.clock.now)
    await verbs_of(patient)._flow.mails.queue(DONE, notice)
    patient.clock.now += UNDER_WAY
    await do_due(patient)
    for _ in range(3):
        patient.clock.now += UNDER_WAY
        await patient.browser().ask(KIM)
    assert sum("were removed" in subject for subject in subjects(patient)) == 1


# --- after a time to object ----------------------------------------------------------------------


async def test_until_then_everything_stays_and_the_person_is_told(patient: Site) -> None:
    jo, app = await enroll(patient)
    user_id = await user_id_of(jo)
    due_at = patient.clock.now + WAIT
    result = await verbs_of(patient).reset(user_id)
    assert (result.due_at, result.removed) == (due_at, 0)
    mail = patient.mail(JO)
    assert "will be removed" in mail.subject
    assert mail.link is not None
    patient.clock.now = due_at - 60
    await do_due(patient)
    await prove_again(jo, app)
    assert len((await factors_of(jo))["factors"]) == 1
    [event] = events_of(patient, "factor.reset_asked")
    assert (event.user_id, event.by, event.wait) == (user_id, "python", WAIT)


async def test_when_it_is_due_it_is_done(patient: Site) -> None:
    jo, _ = await enroll(patient)
    await verbs_of(patient).reset(await user_id_of(jo), by="operator:u-1")
    patient.clock.now += WAIT
    await do_due(patient)
    assert await jo.who() is None
    await jo.sign_in(JO)
    assert (await factors_of(jo))["factors"] == []
    assert [subject.split()[-1] for subject in subjects(patient)] == ["removed", "removed"]
    assert [event.by for event in events_of(patient, "factor.reset")] == ["operator:u-1"]
    await do_due(patient)
    assert len(subjects(patient)) == 2


async def test_asked_for_once_more_it_waits_no_longer(patient: Site) -> None:
    jo, _ = await enroll(patient)
    user_id = await user_id_of(jo)
    first = await verbs_of(patient).reset(user_id)
    patient.clock.now += 60
    assert (await verbs_of(patient).reset(user_id, wait=2 * WAIT)).due_at == first.due_at
    assert len(subjects(patient)) == 1
    assert len(events_of(patient, "factor.reset_asked")) == 1


async def test_one_that_waits_can_be_done_at_once(patient: Site) -> None:
    jo, _ = await enroll(patient)
    user_id = await user_id_of(jo)
    await verbs_of(patient).reset(user_id)
    assert (await verbs_of(patient).reset(user_id, wait=0)).removed == 1
    assert await jo.who() is None
    patient.clock.now += WAIT
    await jo.sign_in(JO)
    await do_due(patient)
    assert await jo.who() == JO


@pytest.mark.parametrize("wait", [-1, 30 * 86400 + 1, True, 1.5, "3600"])
async def test_a_wait_that_is_none_is_refused(site: Site, wait: object) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await verbs_of(site).reset("jo", wait=wait)  # type: ignore[arg-type]
    assert [violation.field for violation in refused.value.violations] == ["wait"]


async def test_a_person_who_is_erased_meanwhile_is_told_nothing(patient: Site) -> None:
    jo, _ = await enroll(patient)
    user_id = await user_id_of(jo)
    await verbs_of(patient).reset(user_id)
    await patient.passwordless.people.delete(user_id, by="python")
    told = len(subjects(patient))
    patient.clock.now += WAIT
    await do_due(patient)
    await patient.browser().ask(KIM)
    assert len(subjects(patient)) == told


async def test_a_look_that_came_before_the_objection_does_nothing(patient: Site) -> None:
    """One process has seen it due; then the person objects; then the process goes on."""
    jo, _ = await enroll(patient)
    await verbs_of(patient).reset(await user_id_of(jo))
    told = len(patient.outbox.messages)
    patient.clock.now += WAIT
    resets = verbs_of(patient)._flow.resets
    reset = await resets.find_open(await user_id_of(jo))
    assert reset is not None
    assert await resets.object(reset, Caller())
    assert await resets._finish(reset) is None
    # And a mail that tells of what is to come is late.
    await verbs_of(patient)._flow.mails.queue(ASKED, resets._make_notice(reset, patient.clock.now))
    for _ in range(3):
        patient.clock.now += UNDER_WAY
        await patient.browser().ask(KIM)
    assert [mail.to for mail in patient.outbox.messages[told:]] == [KIM] * 3
    assert len((await factors_of(jo))["factors"]) == 1


async def test_whoever_resets_at_once_is_stopped_by_no_objection(patient: Site) -> None:
    jo, _ = await enroll(patient)
    user_id, resets = await user_id_of(jo), verbs_of(patient)._flow.resets
    for _ in range(10):
        await verbs_of(patient).reset(user_id)
        reset = await resets.find_open(user_id)
        assert reset is not None
        patient.clock.now += 1
        await asyncio.gather(
            resets.object(reset, Caller()), verbs_of(patient).reset(user_id, wait=0)
        )
        assert await resets.find_open(user_id) is None
    assert await verbs_of(patient).list(user_id) == ()
    assert len(events_of(patient, "factor.reset")) == 10


async def test_of_many_at_the_same_time_there_is_one(patient: Site) -> None:
    jo, _ = await enroll(patient)
    user_id = await user_id_of(jo)
    asked = await asyncio.gather(*(verbs_of(patient).reset(user_id) for _ in range(10)))
    assert len({one.due_at for one in asked}) == 1
    assert len(events_of(patient, "factor.reset_asked")) == 1
    done = await asyncio.gather(*(verbs_of(patient).reset(user_id, wait=0) for _ in range(10)))
    assert sorted(one.removed for one in done)[-2:] == [0, 1]
    patient.clock.now += 2 * UNDER_WAY
    await patient.browser().ask(KIM)
    # Whoever came after all was done has done it once more, and each is told of once.
    events = events_of(patient, "factor.reset")
    assert sum("were removed" in subject for subject in subjects(patient)) == len(events)
