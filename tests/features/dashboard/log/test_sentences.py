"""Every kind of event has its sentence, and every reason and outcome its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

import pwless_middleware
from pwless_middleware.core.events.attempt import OUTCOMES
from pwless_middleware.core.events.event import Event, EventKind
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.features.dashboard.log import reasons, sentences, words
from pwless_middleware.languages.current import use_language
from pwless_middleware.languages.languages import Languages

PACKAGE = Path(pwless_middleware.__file__).parent


def declared() -> Iterator[EventKind]:
    """Go through the kinds of the product, those of all of its features included."""
    yield from KINDS.values()
    for file in sorted([*(PACKAGE / "features").rglob("*.py"), *(PACKAGE / "flows").rglob("*.py")]):
        if "EventKind(" in file.read_text("utf-8"):
            name = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
            for value in vars(import_module(name)).values():
                parts = value if isinstance(value, tuple) else (value,)
                yield from (part for part in parts if isinstance(part, EventKind))


ALL = {kind.name: kind for kind in declared()}


def test_kinds_of_features_are_among_them() -> None:
    assert {"operator.added", "factor.added", "send.requested"} <= ALL.keys()


@pytest.mark.parametrize("kind", ALL.values(), ids=[*ALL])
def test_every_kind_has_its_sentence_and_every_reason_its_answer(kind: EventKind) -> None:
    assert kind.name in sentences.SENTENCES, "add it to features/dashboard/log/sentences.py"
    given = {"wait", "tries", "left", "method", "methods", *kind.details}
    assert set(sentences._PLACE.findall(sentences.SENTENCES[kind.name])) <= given
    for reason in kind.reasons:
        event = Event(at=0, kind=kind.name, reason=reason)
        assert reasons.reason_text(event), f"{reason}: add it to features/dashboard/log/reasons.py"
    bare = sentences.sentence_of(Event(at=0, kind=kind.name), ALL)
    assert "%(" not in bare
    assert "None" not in bare


def test_no_sentence_and_no_answer_is_left_over() -> None:
    assert sentences.SENTENCES.keys() <= ALL.keys()
    told = {name: set(answers) for name, answers in reasons.REASONS.items()}
    assert told == {kind.name: set(kind.reasons) for kind in ALL.values() if kind.reasons}


def test_every_outcome_has_its_name_and_its_answer() -> None:
    assert set(words.OUTCOMES) == set(reasons.OUTCOMES) == set(OUTCOMES)
    refused = Event(at=0, kind="login.refused", reason="expired")
    assert "too old" in reasons.why_text("refused", refused)
    bounced = Event(at=0, kind="mail.failed", reason="550 no such box")
    assert reasons.why_text("not_delivered", bounced) == reasons.OUTCOMES["not_delivered"]
    assert reasons.why_text("not_delivered", None) == reasons.OUTCOMES["not_delivered"]


def test_a_sentence_has_its_values_in_the_language_of_the_page() -> None:
    event = Event(at=0, kind="limit.reached", reason="try_by_step", wait=300)
    assert "5 minutes" in sentences.sentence_of(event, ALL)
    told = Event(at=0, kind="session.created", methods=("email_code", "their_own"))
    assert "Email code + their_own" in sentences.sentence_of(told, ALL)
    german = Languages(("en", "de")).find("de")
    assert german is not None
    with use_language(german):
        assert "5 Minuten" in sentences.sentence_of(event, ALL)


def test_what_strangers_wrote_is_a_value_and_never_a_place() -> None:
    event = Event(
        at=0, kind="settings.changed", details={"name": "%(wait)s", "from": "<b>", "to": ""}
    )
    assert sentences.sentence_of(event, ALL) == ("The setting %(wait)s was changed from <b> to –.")
    erased = replace(event, details=None)
    assert sentences.sentence_of(erased, ALL) == "The setting … was changed from … to …."


def test_a_change_of_a_policy_is_told_by_the_words_of_the_dashboard() -> None:
    event = Event(
        at=0,
        kind="organization.policy_changed",
        details={
            "from": '{"mfa": "optional", "idle": 600, "break_glass": 1}',
            "to": '{"mfa": "required", "idle": 600, "methods": []}',
            "added": 0,
            "removed": 1,
        },
    )
    sentence = sentences.sentence_of(event, ALL)
    assert "Second factor: Asked of whoever has one → Required of everybody" in sentence
    assert "Ways to sign in: – → None" in sentence
    assert "Break-glass addresses: 1 address → –" in sentence
    assert "Sessions end" not in sentence, "it stays"
    for details in (None, {}, {"from": "{", "to": "[]"}):  # of who was erased, or cut
        assert "policy was changed" in sentences.sentence_of(replace(event, details=details), ALL)


def test_kinds_of_a_hosts_own_are_told_in_their_own_words() -> None:
    own = EventKind("terms.accepted", "somebody accepted the terms", ("user_id",))
    event = Event(at=0, kind="terms.accepted")
    assert sentences.sentence_of(event, {own.name: own}) == "somebody accepted the terms"
    assert sentences.sentence_of(event, {}) == "terms.accepted"
