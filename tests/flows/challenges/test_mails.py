"""The mail of a challenge, made as it is sent: what it says, and when none is sent."""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.challenges.challenge import ID_BYTES, RESEND_WINDOW
from pwless_middleware.core.keys.keyring import MAC_BYTES
from pwless_middleware.delivery.base import Message
from pwless_middleware.errors import DeliveryError
from pwless_middleware.flows.capabilities.topics import LONGEST
from pwless_middleware.flows.challenges.mails import with_token
from pwless_middleware.languages.times import format_time
from pwless_middleware.stores.memory import MemoryStore
from tests.support import KEY, OTHER_KEY, ROOMY, Clock, Site, challenge_of, make_site

pytestmark = pytest.mark.anyio


class Post:
    """A mailer that the worker uses: it notes, or refuses."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.error: DeliveryError | None = None

    async def send(self, message: Message) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(message)

    async def aclose(self) -> None: ...


async def queued(**options: object) -> tuple[Site, Post]:
    """Ask for a mail that nobody has delivered yet: the worker is not running."""
    post = Post()
    feature = EmailLogin(send_limits=ROOMY, rotate_on_resend=True)
    site = make_site(mailer=post, features=[feature], **options)  # type: ignore[arg-type]
    site.passwordless.lifetime.start = lambda: None  # type: ignore[method-assign]
    site.jo = site.browser()  # type: ignore[attr-defined]
    await site.jo.ask("jo@example.com")  # type: ignore[attr-defined]
    return site, post


async def deliver(site: Site) -> None:
    await site.passwordless.deliveries.run_due()


async def test_the_queue_holds_an_id_a_generation_an_end_and_no_more() -> None:
    """Besides the MAC that binds them: neither a secret nor the salt that one is made from."""
    site, post = await queued()
    (job,) = await site.store.jobs.claim(now=site.clock.now, limit=9)
    assert len(job.payload) == 5 + MAC_BYTES + ID_BYTES + 1 + 4
    assert challenge_of(site).salt not in job.payload
    assert post.sent == []


@pytest.mark.parametrize("at", [5, 25, 53, 57], ids=["mac", "id", "generation", "end"])
async def test_a_job_that_somebody_else_wrote_sends_nothing_and_leaves_in_the_end(at: int) -> None:
    site, post = await queued()
    (job,) = await site.store.jobs.claim(now=site.clock.now, limit=9)
    await site.store.jobs.complete(job)
    changed = bytearray(job.payload)
    changed[at] ^= 1
    noise = (b"\x04mail", b"\x04mail" + bytes(16), job.payload[:-1], b"\x04mail" + b"\xff" * 60)
    for payload in (bytes(changed), *noise):
        site.store.jobs.add(payload, now=site.clock.now)  # type: ignore[attr-defined]
    await deliver(site)
    assert post.sent == []
    site.clock.advance(LONGEST + 1)
    await deliver(site)
    assert post.sent == []
    assert len(site.store.jobs) == 0  # type: ignore[arg-type]


async def test_a_mail_whose_challenge_is_used_is_not_sent() -> None:
    site, post = await queued()
    store = site.store
    assert isinstance(store, MemoryStore)
    store._records.clear()
    await deliver(site)
    assert post.sent == []
    assert len(store.jobs) == 0


async def test_a_mail_that_a_resend_has_overtaken_is_not_sent() -> None:
    site, post = await queued()
    await site.jo.post("/auth/resend", {})  # type: ignore[attr-defined]
    await deliver(site)
    assert len(post.sent) == 1


async def test_a_mail_that_is_late_is_reported_and_not_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site, post = await queued()
    site.clock.advance(300)
    await deliver(site)
    assert post.sent == []
    assert "not delivered after" in caplog.text
    assert "jo@example.com" not in caplog.text


async def test_a_mail_of_a_key_that_is_not_here_waits_for_a_process_that_has_it() -> None:
    site, post = await queued(secret_key=[KEY])
    elsewhere, other_post = (
        make_site(secret_key=[OTHER_KEY], store=site.store, clock=site.clock, mailer=Post()),
        post,
    )
    await deliver(elsewhere)
    assert other_post.sent == []
    assert len(site.store.jobs) == 1  # type: ignore[arg-type]
    site.clock.advance(1)
    await deliver(site)
    assert [message.to for message in post.sent] == ["jo@example.com"]


async def test_a_mail_that_fails_is_tried_again_with_the_same_code() -> None:
    site, post = await queued()
    post.error = DeliveryError("greylisted")
    await deliver(site)
    post.error = None
    site.clock.advance(60)
    await deliver(site)
    (mail,) = post.sent
    assert "4 minutes" in mail.text


async def test_a_job_of_a_feature_that_is_not_mounted_is_left_to_others() -> None:
    site, post = await queued()
    until = (site.clock.now + 60).to_bytes(4, "big")
    site.store.jobs.add(b"\x01xunknown" + until, now=site.clock.now)  # type: ignore[attr-defined]
    await deliver(site)
    assert len(post.sent) == 1
    assert len(site.store.jobs) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["OTP", "LINK", "LINK_OTP"])
@pytest.mark.parametrize("template", ["SIGNIN", "SIGNUP"])
async def test_a_mail_carries_what_its_kind_says_in_text_and_in_html(
    kind: str, template: str
) -> None:
    uri = "https://www.example.com/magic"
    site = make_site(features=[EmailLogin(kind=kind, link_uris=[uri])])  # type: ignore[arg-type]
    fields = {} if kind == "OTP" else {"magiclink_auth_uri": uri}
    answer = await site.backend().send("jo@example.com", template=template, **fields)
    assert answer.json()["passwordless_type"] == kind
    mail = site.mail()
    assert (mail.code is not None) is (kind != "LINK")
    assert (mail.link is not None) is (kind != "OTP")
    for part in (mail.code, mail.link):
        if part is not None:
            assert part in mail.text
            assert part in mail.html
    assert "5 minutes" in mail.text
    assert "an unknown browser" in mail.text


async def test_the_last_minute_is_one_minute() -> None:
    site = make_site(features=[EmailLogin(lifetime=60)])
    await site.browser().ask("jo@example.com")
    assert "1 minute." in site.mail().text


def test_a_token_is_appended_to_any_uri() -> None:
    assert with_token("https://a.example", "t") == "https://a.example?link_token=t"
    assert with_token("https://a.example/b?c=d", "t") == "https://a.example/b?c=d&link_token=t"
    assert with_token("https://a.example/b?c", "t-_") == "https://a.example/b?c&link_token=t-_"


def test_times_are_written_for_people_the_same_everywhere() -> None:
    assert format_time(1_800_000_000) == "15 January 2027, 08:00 UTC"
    assert format_time(Clock().now) == format_time(1_800_000_000)


async def test_a_mail_whose_challenge_the_store_has_forgotten_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site, post = await queued()
    assert isinstance(site.store, MemoryStore)
    site.store._records.clear()
    site.clock.advance(RESEND_WINDOW + 3600)
    await deliver(site)
    assert post.sent == []
    assert "expired before it could be delivered" in caplog.text
