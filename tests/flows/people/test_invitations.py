"""Invitations: who is told that they can sign in, and what the email holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.delivery.queue.outcomes import Outcome
from pwless_middleware.errors import ConfigError, InvalidArgument, RateLimited
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.flows.people.invitations import AGAIN_AFTER
from pwless_middleware.kit import Kit, Mounted
from tests.own_account import JO, make_kept_site, signed_in
from tests.support import START, Site

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site on which nobody signs up."""
    return make_kept_site(tmp_path, features=[EmailLogin(signup=False)])


async def test_who_is_invited_is_told_where_to_sign_in_and_may(site: Site) -> None:
    person = await site.passwordless.people.invite("Jo@Example.com", name="Jo", language="de")
    await site.passwordless.deliveries.run_due()
    mail = site.mail(JO)
    assert "\nhttps://app.example.com/auth/login\n" in mail.text
    assert 'href="https://app.example.com/auth/login"' in mail.html
    assert mail.code is None
    assert "Sie sind eingeladen" in mail.text
    assert mail.subject == "Sie sind zu app.example.com eingeladen"
    assert "Never tell" not in mail.text + mail.html
    assert await (await signed_in(site)).who() == JO
    kinds = [one.kind for one in site.passwordless.events.recent(user_id=person.id)]
    assert kinds[-2:] == ["person.invited", "person.created"]


async def test_one_is_invited_again_after_ten_minutes_and_stays_as_they_are(site: Site) -> None:
    people = site.passwordless.people
    first = await people.invite(JO, name="Jo")
    with pytest.raises(RateLimited):
        await people.invite(JO)
    site.clock.advance(AGAIN_AFTER)
    assert await people.invite(JO, name="Other") == first
    await site.passwordless.deliveries.run_due()
    assert len(site.outbox.messages) == 2


async def test_who_is_disabled_is_not_invited(site: Site) -> None:
    people = site.passwordless.people
    await people.create(JO)
    await people.disable(JO)
    with pytest.raises(InvalidArgument, match="Enable them first"):
        await people.invite(JO)
    assert site.outbox.messages == []


async def test_who_is_disabled_or_gone_meanwhile_is_not_told(site: Site) -> None:
    people = site.passwordless.people
    jo, kim = await people.create(JO), await people.create("kim@example.com")
    await people.disable(jo.id)
    await people.delete(kim.id)
    for id in (jo.id, kim.id):
        body = json.dumps({"user_id": id, "at": START, "language": "en"}).encode()
        job = QueuedJob(body, until=START + 60, key_id="")
        assert await people._invitations.read(job) == Outcome.DROPPED


@pytest.mark.parametrize(
    ("email", "more"),
    [("no address", {}), (JO, {"name": "a\nb"}), (JO, {"language": "xx"}), ("", {})],
)
async def test_what_is_no_person_is_not_invited(
    site: Site, email: str, more: dict[str, str]
) -> None:
    with pytest.raises(InvalidArgument):
        await site.passwordless.people.invite(email, **more)
    assert site.outbox.messages == []
    assert await site.passwordless.people.find(JO) is None


class Greedy:
    """A feature that would read our invitations."""

    def mount(self, kit: Kit) -> Mounted:
        async def read(job: object) -> None: ...

        return Mounted(jobs={"person_invited": read})  # type: ignore[dict-item]


def test_no_feature_reads_them_instead(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="person_invited"):
        make_kept_site(tmp_path, features=[EmailLogin(), Greedy()])
