"""Every kind of event comes out of a real story over HTTP, with the fields that the table says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware import (
    Authentication,
    Dashboard,
    DeliveryError,
    EmailLogin,
    Event,
    Kit,
    Login,
    LoginDenied,
    MemoryStore,
    Message,
    Mounted,
    Passkeys,
    SendLimits,
    TryLimits,
    User,
    Verdict,
)
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge import Challenge
from pwless_middleware.core.events.event import EventKind
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.client import Client
from pwless_middleware.core.operators.mail_template import MailTemplate
from pwless_middleware.errors import ConfigError, InvalidCode, RateLimited
from pwless_middleware.flows.logins.proofs import Proof
from pwless_middleware.flows.people.change_budget import PER_DAY
from pwless_middleware.pytest_plugin.mailbox import Mailbox
from pwless_middleware.rendering.mail_templates.template import Texts
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.routing.routes import Route
from tests.features.passkeys.stories import tell_of_passkeys
from tests.features.second_factors.sms.people import TextSite
from tests.features.second_factors.sms.stories import FEW, tell_of_every_fate, tell_of_too_many
from tests.own_account import change, press_undo
from tests.security.factor import RIGHT, Factor, Policy
from tests.support import ROOMY, Browser, Site, Slow, make_site, wrong

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"
ORGANIZATION = "org_" + "a" * 22
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


class Story:
    """Hold a site whose events are kept, and who visits it."""

    def __init__(self, **options: Any) -> None:
        self.told: list[Event] = []
        options.setdefault("features", [EmailLogin(send_limits=ROOMY)])
        self.site: Site = make_site(on_event=self.told.append, **options)
        self.jo: Browser = self.site.browser(headers={"user-agent": FIREFOX})

    @classmethod
    def of(cls, site: Site, told: list[Event]) -> Story:
        """Return the story of a site that was made elsewhere."""
        story = cls.__new__(cls)
        story.site, story.told, story.jo = site, told, site.browser()
        return story

    async def events(self) -> list[Event]:
        """Return what has been told by now."""
        await asyncio.sleep(0)
        return self.told

    async def kinds(self) -> list[str]:
        """Return the kinds, in order."""
        return [event.kind for event in await self.events()]

    @property
    def code(self) -> str:
        return self.site.mail().code or ""


class Flaky(Mailbox):
    """Refuse messages as long as there is an error to refuse them with."""

    error: Exception | None = None

    async def send(self, message: Message) -> None:
        if self.error is not None:
            raise self.error
        await super().send(message)


class Table:
    """Be a user table that knows one person, or nobody, and takes new ones."""

    def __init__(self, *known: str) -> None:
        self.known = list(known)

    async def find(self, email: str) -> User | None:
        return User(id=f"u-{sum(email.encode())}", email=email) if email in self.known else None

    async def create(self, email: str) -> User | None:
        self.known.append(email)
        return await self.find(email)

    async def load(self, user_id: str) -> User | None:
        return None


class Fresh:
    """Take a form as a fresh proof for the live session; `gone` ends it just before."""

    def mount(self, kit: Kit) -> Mounted:
        self._kit = kit
        return Mounted(routes=(Route("/fresh", {"POST": self._post}),), proves=("word",))

    async def _post(self, request: Request) -> Response:
        kit, now = self._kit, self._kit.clock()
        caller = kit.callers.browser(request)
        session = await kit.sessions.find(caller.session or "")
        assert session is not None
        words = kit.records("words")
        await words.put("word", b"", ttl=60)
        if "gone" in await read_form(request):
            await kit.sessions.end(session)
        proof = Proof(
            subject=Address(session.email),
            authentication=Authentication("word", now),
            takes=words.place("word"),
            refusal=InvalidCode(0),
            attempt=b"a-random",
        )
        done = kit.logins.step_up(proof, caller, session)
        return await respond_with_page(kit, request, caller, done)


class Acme:
    """Have everybody enter one organization."""

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(before_session=(self._enter,))

    async def _enter(self, login: Login) -> Verdict:
        return Verdict(organization=login.organization or "acme")


async def a_login() -> Story:
    story = Story()
    await story.jo.ask(EMAIL)
    await story.jo.type_code(wrong(story.code))
    await story.jo.post("/auth/resend", {})
    await story.jo.type_code(story.code)
    return story


async def a_send_too_many() -> Story:
    few = SendLimits(per_minute=1, client_per_minute=2, overall_per_hour=3)
    story = Story(features=[EmailLogin(send_limits=few)])
    for address, ip in (("a", 1), ("a", 1), ("b", 1), ("c", 1), ("d", 2), ("e", 3)):
        await story.site.browser(ip=f"203.0.113.{ip}").ask(f"{address}@example.com")
    return story


async def a_resend_too_many() -> Story:
    story = Story()
    await story.jo.ask(EMAIL)
    for _ in range(4):
        await story.jo.post("/auth/resend", {})
    return story


async def a_code_too_many() -> Story:
    story = Story(
        features=[
            EmailLogin(
                send_limits=ROOMY, try_limits=TryLimits(client_per_ten_minutes=12), attempts=5
            )
        ]
    )
    for _ in range(3):
        await story.jo.ask(EMAIL)
        for n in range(6):
            await story.jo.type_code(wrong(story.code, n))
    for other in ("a", "b"):
        await story.jo.ask(f"{other}@example.com")
        for n in range(4):
            await story.jo.type_code(wrong(story.code, n))
    return story


async def mails_that_fail() -> Story:
    flaky = Flaky()
    story = Story(mailer=flaky)
    flaky.error = DeliveryError("greylisted")
    await story.jo.ask(EMAIL)
    flaky.error = DeliveryError("no such mailbox", permanent=True)
    story.site.clock.advance(2)
    await story.site.browser().ask("other@example.com")
    flaky.error = None
    return story


async def mails_too_late() -> Story:
    flaky = Flaky()
    story = Story(mailer=flaky)
    flaky.error = DeliveryError("greylisted")
    await story.jo.ask(EMAIL)
    story.site.clock.advance(301)
    await story.site.browser().ask("other@example.com")
    return story


async def nobody_to_serve() -> Story:
    story = Story(users=Table(), features=[EmailLogin(signup=False, allow=["*@example.com"])])
    await story.jo.ask(EMAIL)
    await story.jo.ask("jo@elsewhere.example")
    return story


async def a_user_table_that_refuses() -> Story:
    class Confused(Table):
        async def find(self, email: str) -> User | None:
            return User(id="u-1", email="other@example.com")

    story = Story(users=Confused())
    await story.jo.ask(EMAIL)
    return story


async def a_mail_that_is_not_needed() -> Story:
    flaky = Flaky()
    story = Story(mailer=flaky, features=[EmailLogin(send_limits=ROOMY, rotate_on_resend=True)])
    flaky.error = DeliveryError("greylisted")
    await story.jo.ask(EMAIL)
    flaky.error = None
    story.site.clock.advance(2)
    await story.jo.post("/auth/resend", {})
    return story


async def a_link_elsewhere() -> Story:
    story = Story()
    await story.jo.ask(EMAIL)
    link = story.site.mail().link or ""
    phone = story.site.browser(headers={"user-agent": FIREFOX, "accept": "text/html"})
    await phone.get(link)
    scanner = story.site.browser(headers={"user-agent": FIREFOX, "accept": "*/*"})
    await scanner.get(link)
    return story


async def a_code_too_late() -> Story:
    story = Story()
    await story.jo.ask(EMAIL)
    code = story.code
    story.site.clock.advance(301)
    await story.jo.type_code(code)
    await story.jo.post("/auth/link", {"link_token": "a" * 96})
    return story


async def strange_calls() -> Story:
    story = Story()
    foreign = {"origin": "https://evil.example", "user-agent": FIREFOX}
    await story.jo.call("send", {"email": EMAIL}, headers=foreign)
    key = {"authorization": "Bearer pwk_" + "x" * 24, "user-agent": FIREFOX}
    await story.jo.call("send", {"email": EMAIL}, headers=key)
    return story


async def a_step() -> Story:
    story = Story(features=[EmailLogin(send_limits=ROOMY), Factor()])
    await story.jo.ask(EMAIL)
    await story.jo.type_code(story.code)
    await story.jo.post("/auth/step/secret", {"secret": "wrong"})
    await story.jo.post("/auth/step/secret", {"secret": RIGHT})
    return story


async def a_step_into_an_organization() -> Story:
    limits = SendLimits(per_minute=2, client_per_minute=100, overall_per_hour=1000)
    story = Story(features=[EmailLogin(send_limits=limits), Factor(), Acme()])
    for _ in range(3):
        await story.jo.post("/auth/login", {"email": EMAIL, "organization": ORGANIZATION})
    await story.jo.type_code(wrong(story.code))
    story.site.clock.now += 60
    await story.jo.post("/auth/resend", {})
    await story.jo.type_code(story.code)
    await story.jo.post("/auth/step/secret", {"secret": "wrong"})
    await story.jo.post("/auth/step/secret", {"secret": RIGHT})
    return story


async def a_step_too_many() -> Story:
    story = Story(features=[EmailLogin(send_limits=ROOMY), Factor()])
    await story.jo.post("/auth/step/secret", {"secret": RIGHT})
    await story.jo.ask(EMAIL)
    await story.jo.type_code(story.code)
    for _ in range(6):
        await story.jo.post("/auth/step/secret", {"secret": "wrong"})
    return story


async def a_rule_that_refuses() -> Story:
    refusing = Policy(domain="refused.example")
    story = Story(features=[EmailLogin(send_limits=ROOMY), refusing])
    await story.jo.ask("jo@refused.example")
    return story


async def a_rule_that_leads_elsewhere() -> Story:
    leading = Policy(address=EMAIL, leads_to="/sso/start")
    story = Story(features=[EmailLogin(send_limits=ROOMY), leading])
    await story.jo.ask(EMAIL)
    await story.jo.type_code(story.code)
    return story


async def one_code_twice_at_once() -> Story:
    store, both = Slow(MemoryStore()), asyncio.Barrier(2)

    async def wait() -> None:
        await both.wait()

    store.before["take"] = wait
    story = Story(store=store)
    await story.jo.ask(EMAIL)
    code, cookies = story.code, story.jo.cookies
    tabs = [story.site.browser(cookies=cookies) for _ in range(2)]
    await asyncio.gather(*(tab.type_code(code) for tab in tabs))
    return story


async def a_first_login() -> Story:
    table = Table()
    story = Story(users=table)
    await story.jo.sign_in(EMAIL)
    return story


async def a_user_who_goes_meanwhile() -> Story:
    table = Table(EMAIL)
    story = Story(users=table, features=[EmailLogin(signup=False)])
    await story.jo.ask(EMAIL)
    table.known.clear()
    await story.jo.type_code(story.code)
    return story


@asynccontextmanager
async def with_database(**options: Any) -> AsyncIterator[Story]:
    """A story with a database, which goes with it once nothing works on it any more."""
    with TemporaryDirectory() as folder:
        story = Story(database=f"sqlite:///{folder}/pwless.db", **options)
        yield story
        await story.site.passwordless.lifetime.close()


async def a_person_who_is_disabled_meanwhile() -> Story:
    async with with_database() as story:
        people = story.site.passwordless.people
        jo = await people.create(EMAIL)
        verbs = story.site.passwordless.verbs(EmailLogin)
        await verbs.request_address(jo.id, "new@example.com")
        await verbs.withdraw_address(jo.id)
        await people.invite(EMAIL)
        await story.jo.ask(EMAIL)
        await people.disable(EMAIL)
        await story.jo.type_code(story.code)
        await story.jo.ask(EMAIL)
        await people.enable(EMAIL)
        await people.set_profile(EMAIL, name="Jo")
        await people.export(EMAIL)
        story.site.clock.advance(60)
        await story.jo.sign_in(EMAIL)
        [session] = await people.sessions(EMAIL)
        await people.end_session(EMAIL, session.id)
        await people.sign_out(EMAIL)
        await people.delete(EMAIL)
    return story


async def an_operator_who_changes_settings() -> Story:
    async with with_database() as story:
        await story.site.passwordless.settings.set({"email_login.lifetime": 120}, by="operator:u-1")
    return story


async def templates_that_are_good_and_bad() -> Story:
    async with with_database() as story:
        kit = story.site.passwordless._kit
        templates, repositories = kit.mail_templates, kit.repositories
        assert templates is not None
        assert repositories is not None
        good = Texts("Hi", "{{ code }}", "<b>{{ code }}</b>")
        version = await templates.save("signin", "en", good, seen=0, by="operator:u-1")
        await story.jo.ask(EMAIL)
        templates._current.leave_out("signin", "en")
        bad = MailTemplate(version=replace(version, version=2), html="<script>")
        await repositories.mail_templates.add(bad)
        await templates._current.load()
        await story.jo.ask("kim@example.com")
    return story


async def a_mail_to_a_test_address() -> Story:
    features = [EmailLogin(send_limits=ROOMY, test_users=True), Dashboard()]
    async with with_database(features=features) as story:
        test_addresses = story.site.passwordless.verbs(EmailLogin).test_addresses
        await test_addresses.add(EMAIL, expires_in=86400)
        await story.jo.ask(EMAIL)
    return story


async def an_address_that_is_changed_and_changed_back() -> Story:
    async with with_database() as story:
        await story.jo.sign_in(EMAIL)
        await change(story.jo)
        await press_undo(story.jo, story.site.mail(EMAIL).link)
    return story


async def passkeys_that_are_good_and_bad() -> Story:
    features = [EmailLogin(send_limits=ROOMY), Passkeys()]
    async with with_database(features=features, store=Slow(MemoryStore())) as story:
        await tell_of_passkeys(story.site, story.jo)
    return story


async def text_messages_of_every_fate() -> Story:
    with TemporaryDirectory() as folder:
        texts = TextSite(Path(folder))
        await tell_of_every_fate(texts)
    return Story.of(texts.site, texts.told)


async def text_messages_too_many() -> Story:
    with TemporaryDirectory() as folder:
        texts = TextSite(Path(folder), sms_limits=FEW)
        await tell_of_too_many(texts)
    return Story.of(texts.site, texts.told)


async def an_operator_who_makes_keys() -> Story:
    async with with_database() as story:
        keys = story.site.passwordless.api_keys
        made = await keys.create("reader", scopes=["events"])
        await story.site.backend(made.text).send(EMAIL)
        await keys.rotate("reader")
        await keys.revoke("reader")
    return story


async def sessions_that_end() -> Story:
    story = Story(features=[EmailLogin(send_limits=ROOMY), Fresh(), Acme()])
    await story.jo.sign_in(EMAIL)
    await story.jo.sign_in(EMAIL)
    await story.jo.post("/auth/fresh", {})
    phone = story.site.browser()
    await phone.sign_in(EMAIL)
    await story.jo.post("/auth/sessions/revoke", {"others": "1"})
    await story.jo.post("/auth/logout", {})
    await story.jo.sign_in(EMAIL)
    await story.jo.post("/auth/sessions/revoke", {"all": "1"})
    await story.jo.sign_in(EMAIL)
    story.site.clock.advance(1)
    await story.jo.post("/auth/fresh", {"gone": "1"})
    await story.jo.sign_in(EMAIL)
    await story.jo.who()
    user_id = story.site.inner.scope["user"].id
    await story.site.passwordless.sessions.withdraw(user_id, "email_code")
    return story


class Changing:
    """Let everybody change what they sign in with, as often as they may."""

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted()


async def a_change_too_many() -> Story:
    changing = Changing()
    story = Story(features=[EmailLogin(send_limits=ROOMY), changing])
    caller = Caller(client=Client.at(ip_address("203.0.113.7")), device="Firefox on Linux")
    with suppress(RateLimited):
        for _ in range(PER_DAY + 1):
            await changing.kit.change_budget.spend("jo", caller)
    return story


async def more_events_than_the_database_takes() -> Story:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pwless_middleware.flows.events.events.UNWRITTEN", 1)
        story = Story(database=f"sqlite:///{folder}/pwless.db")
        await story.jo.ask(EMAIL)
        await story.site.passwordless.lifetime.close()
    return story


class Closed:
    """Hold all mails back."""

    def mount(self, kit: Kit) -> Mounted:
        async def may_mail(challenge: Challenge) -> bool:
            return False

        return Mounted(may_mail=(may_mail,))


async def a_mail_that_a_rule_holds_back() -> Story:
    story = Story(features=[EmailLogin(send_limits=ROOMY), Closed()])
    await story.jo.ask(EMAIL)
    return story


async def an_organization_that_nobody_is_let_into() -> Story:
    refusing = Policy(address=EMAIL, error=LoginDenied(reason="method_not_allowed"))
    story = Story(features=[EmailLogin(send_limits=ROOMY), refusing])
    await story.jo.ask(EMAIL)
    await story.jo.type_code(story.code)
    kim = story.site.browser()
    await kim.post("/auth/login", {"email": "kim@example.com", "organization": ORGANIZATION})
    await kim.type_code(story.code)
    return story


async def somebody_whose_second_factor_does_not_count() -> Story:
    refusing = Policy(address=EMAIL, error=LoginDenied(reason="no_second_factor"))
    story = Story(features=[EmailLogin(send_limits=ROOMY), refusing])
    await story.jo.ask(EMAIL)
    await story.jo.type_code(story.code)
    return story


STORIES: list[Callable[[], Awaitable[Story]]] = [
    a_login,
    a_send_too_many,
    a_resend_too_many,
    a_code_too_many,
    mails_that_fail,
    mails_too_late,
    nobody_to_serve,
    a_user_table_that_refuses,
    a_mail_that_is_not_needed,
    a_link_elsewhere,
    a_code_too_late,
    strange_calls,
    a_step,
    a_step_too_many,
    a_rule_that_refuses,
    a_rule_that_leads_elsewhere,
    one_code_twice_at_once,
    a_first_login,
    a_user_who_goes_meanwhile,
    a_person_who_is_disabled_meanwhile,
    an_operator_who_changes_settings,
    templates_that_are_good_and_bad,
    a_mail_to_a_test_address,
    an_address_that_is_changed_and_changed_back,
    passkeys_that_are_good_and_bad,
    text_messages_of_every_fate,
    text_messages_too_many,
    an_operator_who_makes_keys,
    sessions_that_end,
    a_change_too_many,
    a_mail_that_a_rule_holds_back,
    an_organization_that_nobody_is_let_into,
    a_step_into_an_organization,
    somebody_whose_second_factor_does_not_count,
    more_events_than_the_database_takes,
]


async def test_every_kind_and_reason_happens_with_the_fields_of_the_table() -> None:
    fields: dict[str, set[str]] = {kind: set() for kind in KINDS}
    reasons: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for tell in STORIES:
        for event in await (await tell()).events():
            if event.kind not in KINDS:
                continue  # a feature's own, which its own tests tell of
            told = event.to_dict()
            assert list(told)[:3] == ["at", "kind", "id"]
            fields[event.kind] |= told.keys() - {"at", "kind", "id"}
            if event.reason is not None:
                reasons[event.kind].add(event.reason)
    for name, kind in KINDS.items():
        assert fields[name] == set(kind.fields), name
        if kind.reasons:
            assert reasons[name] == set(kind.reasons), name


async def test_a_login_with_a_step_is_one_story() -> None:
    """What waits for a step keeps the name of its login."""
    events = await (await a_step()).events()
    assert [event.kind for event in events] == [
        "send.requested",
        "mail.sent",
        "login.verified",
        "step.required",
        "step.wrong",
        "step.verified",
        "session.created",
    ]
    assert len({event.attempt for event in events}) == 1
    assert events[-1].methods == ("email_code", "secret")


async def test_each_event_of_a_login_names_the_organization_that_is_wanted() -> None:
    """So that what has failed of one organization's logins is found by it."""
    events = await (await a_step_into_an_organization()).events()
    kinds = {event.kind for event in events if event.organization == ORGANIZATION}
    assert kinds == {
        *("send.requested", "limit.reached", "code.wrong", "resend.requested", "login.verified"),
        *("step.required", "step.wrong", "step.verified", "session.created"),
    }
    refused = [e for e in await (await an_organization_that_nobody_is_let_into()).events()
               if e.reason == "not_a_member"]  # fmt: skip
    assert [event.organization for event in refused] == [ORGANIZATION]


async def test_what_is_no_id_of_an_organization_is_not_recorded_as_one() -> None:
    """A form can name anything: an address, say."""
    story = Story()
    await story.jo.post("/auth/login", {"email": EMAIL, "organization": "kim@example.com"})
    await story.jo.type_code(story.code)
    events = await story.events()
    assert [event.kind for event in events if event.reason == "not_a_member"] == ["login.refused"]
    assert {event.organization for event in events} == {None}


async def test_each_end_of_a_session_says_how() -> None:
    events = await (await sessions_that_end()).events()
    created = [e.session for e in events if e.kind in ("session.created", "session.renewed")]
    ended = [(e.session, e.reason) for e in events if e.kind == "session.ended"]
    assert ended == [
        (created[0], "replaced"),
        (created[1], "renewed"),
        (created[3], "revoked"),
        (created[2], "logout"),
        (created[4], "revoked_all"),
        (created[5], "logout"),
        (created[5], "replaced"),
        (created[6], "withdrawn"),
    ]


async def test_a_feature_records_kinds_of_its_own_and_hears_of_all() -> None:
    heard: list[Event] = []

    class Keys:
        def mount(self, kit: Kit) -> Mounted:
            self.events = kit.events
            added = EventKind("key.added", "…", ("user_id", "details"), details=("name",))
            return Mounted(event_kinds=(added,), on_event=heard.append)

    keys = Keys()
    story = Story(features=[EmailLogin(), keys])
    keys.events.record("key.added", user_id="u-1", details={"name": "phone"})
    await story.jo.ask(EMAIL)
    await story.events()
    assert heard == story.told
    assert heard[0].details == {"name": "phone"}
    assert story.site.passwordless.events.recent(user_id="u-1") == heard[:1]


async def test_two_features_with_one_kind_are_refused() -> None:
    class Keys:
        def __init__(self, name: str) -> None:
            self.name = name

        def mount(self, kit: Kit) -> Mounted:
            return Mounted(event_kinds=(EventKind("key.added", "…", ("user_id",)),))

    with pytest.raises(ConfigError, match=r"Two declares events 'key\.added', which exist"):
        Story(features=[EmailLogin(), Keys("One"), Keys("Two")])


async def test_a_form_of_a_foreign_page_is_refused_and_recorded() -> None:
    story = Story()
    await story.jo.post("/auth/login", {"email": EMAIL}, headers={"origin": "https://evil.example"})
    (event,) = await story.events()
    assert (event.kind, event.reason) == ("caller.refused", "foreign_origin")


async def test_a_login_is_one_story() -> None:
    """From the email to the session, `attempt` is the same; another login has another."""
    story = await a_login()
    events = await story.events()
    assert [event.kind for event in events] == [
        "send.requested",
        "mail.sent",
        "code.wrong",
        "resend.requested",
        "mail.sent",
        "login.verified",
        "session.created",
    ]
    assert len({event.attempt for event in events}) == 1
    assert {event.at for event in events} == {story.site.clock.now}
    await story.site.browser().ask(EMAIL)
    assert (await story.events())[-1].attempt != events[0].attempt
    assert (await story.events())[-2].address == events[0].address
