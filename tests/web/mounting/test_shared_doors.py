"""Two instances of one process that share sessions have to share the rules for them."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from pwless_middleware import (
    ConfigError,
    EmailLogin,
    Kit,
    MemoryStore,
    Mounted,
    Outbox,
    Passwordless,
    RedisStore,
    SessionPolicy,
)

KEY = secrets.token_hex(32)


class Factor:
    """A rule with an option."""

    def __init__(self, *, required: bool) -> None:
        self.required = required

    def mount(self, kit: Kit) -> Mounted:
        return Mounted()


def make(store: Any, *features: Any, **options: Any) -> Passwordless:
    given = {"base_url": "https://app.example.com", "secret_key": KEY, "mailer": Outbox()}
    return Passwordless(store=store, features=features or None, **{**given, **options})


@pytest.mark.parametrize(
    ("features", "options", "differs"),
    [
        ([EmailLogin(), Factor(required=True)], {}, "Factor"),
        ([EmailLogin(allow=["*@acme.example"])], {}, "EmailLogin"),
        ([], {"sessions": SessionPolicy.strict()}, "SessionPolicy"),
    ],
)
def test_other_rules_for_the_same_sessions_are_refused(
    features: list[object], options: dict[str, Any], differs: str
) -> None:
    store = MemoryStore()
    first = make(store)
    with pytest.raises(ConfigError, match=f"the rules of {differs}: .*cookie_name"):
        make(store, *features, **options)
    assert first


def test_an_option_of_a_rule_counts() -> None:
    store = MemoryStore()
    first = make(store, EmailLogin(), Factor(required=True))
    second = make(store, EmailLogin(), Factor(required=True))
    with pytest.raises(ConfigError, match="the rules of Factor"):
        make(store, EmailLogin(), Factor(required=False))
    assert first
    assert second


def test_how_mails_look_is_no_rule() -> None:
    store = MemoryStore()
    assert make(store, EmailLogin(kind="OTP"))
    assert make(store, EmailLogin(kind="LINK", lifetime=600, max_lifetime=600))


def test_sessions_that_are_not_shared_may_obey_other_rules() -> None:
    store = MemoryStore()
    there = [
        make(store),
        make(store, Factor(required=True), EmailLogin(), cookie_name="admin"),
        make(store, Factor(required=True), EmailLogin(), base_url="https://b.example.com"),
        make(MemoryStore(), Factor(required=True), EmailLogin()),
    ]
    assert len(there) == 4


def test_the_same_redis_is_one_store() -> None:
    first = make(RedisStore("redis://localhost:1/0"))
    with pytest.raises(ConfigError, match="share"):
        make(RedisStore("redis://localhost:1/0"), Factor(required=True), EmailLogin())
    assert make(RedisStore("redis://localhost:1/0", prefix="b"), Factor(required=True))
    assert first


def test_an_instance_that_is_gone_is_in_nobodys_way() -> None:
    store = MemoryStore()
    make(store)
    assert make(store, Factor(required=True), EmailLogin())
