"""The life of challenges, as a state machine over the real flow, beside a plain model of the rules.

Two browsers of one household ask for one address, resend, guess, type, open links and wait; the
model says what each answer must be, from the security numbers and nothing else.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pwless_middleware import EmailLogin
from tests.support import ROOMY, Browser, make_site, token_of, wrong

EMAIL = "jo@example.com"
BROWSERS = st.integers(0, 1)


@dataclass(eq=False)
class Model:
    """What a challenge must be like."""

    asked: int
    started: int
    expires: int
    code: str
    tokens: list[str]
    generation: int = 0
    resends: int = 0
    tries: list[int] = field(default_factory=list)
    is_used: bool = False

    def stands(self, now: int) -> bool:
        """Whether the store still has it."""
        return not self.is_used and now < max(self.expires, self.asked + 900)


@dataclass(eq=False)
class ModelBrowser:
    """A browser, and what the model knows of it."""

    browser: Browser
    holds: list[Model] = field(default_factory=list)
    is_known: bool = False
    is_in: bool = False


class Life(RuleBasedStateMachine):
    """Drive both."""

    rotate = False

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        feature = EmailLogin(send_limits=ROOMY, rotate_on_resend=self.rotate)
        self.site = make_site(features=[feature])
        self.people = [ModelBrowser(self.site.browser()) for _ in range(2)]
        self.made: list[Model] = []
        # Wrong tries: of strangers at this address, of each known browser, of the one client.
        self.ledgers: dict[object, list[int]] = {None: [], "client": []}

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.close()

    def do(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    @property
    def now(self) -> int:
        return self.site.clock.now

    def count(self, events: list[int], window: int) -> int:
        return sum(at > self.now - window for at in events)

    # --- rules -----------------------------------------------------------------------------------

    @rule(who=BROWSERS)
    def send(self, who: int) -> None:
        person = self.people[who]
        assert self.do(person.browser.ask(EMAIL)).status_code == 303
        mail = self.site.mail()
        token = token_of(mail.link)
        made = Model(self.now, self.now, self.now + 300, str(mail.code), [token])
        self.made.append(made)
        person.holds = [made, *person.holds][:3]

    @rule(who=BROWSERS)
    def resend(self, who: int) -> None:
        person = self.people[who]
        mails = len(self.site.outbox.messages)
        status = self.do(person.browser.post("/auth/resend", {})).status_code
        held = person.holds[0] if person.holds else None
        if held is None or not held.stands(self.now) or self.now >= held.asked + 900:
            assert status == 410
        elif held.resends == 3:
            assert status == 429
        else:
            assert status == 303
            held.resends += 1
            mail = self.site.mail()
            if self.now < held.expires and not self.rotate:
                held.expires = min(self.now + 300, held.started + 600)
                assert (mail.code, token_of(mail.link)) == (held.code, held.tokens[-1])
            else:
                held.generation += 1
                held.started, held.expires = self.now, self.now + 300
                held.code = str(mail.code)
                held.tokens.append(token_of(mail.link))
        assert len(self.site.outbox.messages) == mails + (status == 303)

    def guess(self, person: ModelBrowser, code: str) -> None:
        status = self.do(person.browser.type_code(code)).status_code
        held = person.holds[0] if person.holds else None
        if held is None or not held.stands(self.now):
            assert status == 410
            return
        own = person if person.is_known else None
        address, client = self.ledgers.setdefault(own, []), self.ledgers["client"]
        share = 20 if person.is_known else 10  # one client's half; there is only one here
        is_open = (
            self.count(held.tries, 7200) < 5
            and self.count(address, 900) < 10
            and self.count(address, 86400) < share
            and self.count(client, 600) < 30
        )
        if not is_open:
            assert status == 429
            return
        held.tries.append(self.now)
        if self.now < held.expires and code == held.code:
            assert status == 303
            self.entered(person, held)
            return
        assert status == (400 if self.now < held.expires else 410)
        address.append(self.now)
        client.append(self.now)

    def entered(self, person: ModelBrowser, held: Model) -> None:
        held.is_used = True
        person.is_known = person.is_in = True

    @rule(who=BROWSERS, n=st.integers(0, 8))
    @precondition(lambda self: self.made)
    def wrong_code(self, who: int, n: int) -> None:
        person = self.people[who]
        right = person.holds[0].code if person.holds else "000000"
        self.guess(person, wrong(right, n))

    @rule(who=BROWSERS)
    @precondition(lambda self: self.made)
    def right_code(self, who: int) -> None:
        person = self.people[who]
        self.guess(person, person.holds[0].code if person.holds else self.made[-1].code)

    @rule(who=BROWSERS, data=st.data())
    @precondition(lambda self: self.made)
    def link(self, who: int, data: st.DataObject) -> None:
        person = self.people[who]
        held = data.draw(st.sampled_from(self.made[-4:]))
        generation = data.draw(st.integers(0, len(held.tokens) - 1))
        form = {"link_token": held.tokens[generation]}
        status = self.do(person.browser.post("/auth/link", form)).status_code
        if not any(held is other for other in person.holds):
            assert status == 403
        elif not held.stands(self.now) or self.now >= held.expires or generation != held.generation:
            assert status == 410
        else:
            assert status == 303
            self.entered(person, held)

    @rule(seconds=st.sampled_from([1, 59, 60, 240, 299, 300, 600, 899, 900, 7200]))
    def wait(self, seconds: int) -> None:
        self.site.clock.advance(seconds)

    @rule(who=BROWSERS)
    def open_pages(self, who: int) -> None:
        person = self.people[who]
        shown = self.do(person.browser.get("/auth/verify"))
        is_waiting = any(held.stands(self.now) for held in person.holds)
        assert shown.status_code == (200 if is_waiting else 303)

    # --- what is always true ---------------------------------------------------------------------

    @invariant()
    def sessions_are_those_of_the_model(self) -> None:
        if hasattr(self, "people"):
            assert self.site.sessions == sum(person.is_in for person in self.people)

    @invariant()
    def nothing_pends(self) -> None:
        if hasattr(self, "home"):
            assert self.site.pending == []


class RotatingLife(Life):
    """The same with new secrets at each resend."""

    rotate = True


# Ids and keys are random, so that a failing walk cannot be made smaller by trying again.
_walks = settings(stateful_step_count=30, phases=[Phase.explicit, Phase.generate])

TestLife = Life.TestCase
TestLife.settings = settings(_walks, max_examples=25)
TestRotatingLife = RotatingLife.TestCase
TestRotatingLife.settings = settings(_walks, max_examples=12)
