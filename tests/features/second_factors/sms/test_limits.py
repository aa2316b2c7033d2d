"""Text messages are counted per number, block, user, client, and together (security rule 47)."""

from __future__ import annotations

import pytest

from pwless_middleware.core.keys.keyring import Keyring, new_operation
from pwless_middleware.core.logins.client import Client
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.second_factors.sms.limits import SMSLimits, TextLimits
from pwless_middleware.features.second_factors.sms.numbers import PhoneNumber
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.stores.base import Put
from pwless_middleware.stores.memory import MemoryStore
from tests.support import BASE, KEY, OTHER_KEY, START

HERE = Client("192.0.2.1")
DAY, HOUR = 86400, 3600
KEYRING = Keyring(KEY, realm=BASE)


def number(last: int = 0, *, block: str = "+49151234") -> PhoneNumber:
    return PhoneNumber(f"{block}{last:05d}", "DE")


def limits(keyring: Keyring = KEYRING, **numbers: int) -> TextLimits:
    return TextLimits(SMSLimits(**numbers), FeatureSecrets(keyring), realm=BASE)


class Counter:
    """Ask for text messages, in a store."""

    def __init__(self, limits: TextLimits) -> None:
        self.limits = limits
        self.store = MemoryStore()

    async def ask(
        self,
        to: PhoneNumber,
        user_id: str = "jo",
        client: Client | None = HERE,
        *,
        now: int = START,
        is_confirmed: bool = True,
    ) -> tuple[str | None, int]:
        """Return whose limit refuses one more, or `None`, and the wait."""
        draws = self.limits.draws(to, user_id, client, is_confirmed=is_confirmed)
        op = new_operation()
        done = await self.store.admit(
            [one.draw for one in draws],
            Put("{x}" + op, b"", now + 60),
            job=None,
            replaces=None,
            now=now,
            op=op,
        )
        return (None if done.refused_by is None else draws[done.refused_by].scope, done.wait)


@pytest.mark.anyio
async def test_a_number_gets_one_a_minute_and_five_a_day() -> None:
    counter = Counter(limits())
    assert await counter.ask(number()) == (None, 60)
    assert await counter.ask(number(), "other", Client("192.0.2.2"), now=START + 59) == (
        "number",
        1,
    )
    for minute in range(1, 5):
        assert (await counter.ask(number(), now=START + 60 * minute))[0] is None
    scope, wait = await counter.ask(number(), "other", Client("192.0.2.3"), now=START + HOUR)
    assert (scope, wait) == ("number", DAY - HOUR)
    assert (await counter.ask(number(), now=START + DAY))[0] is None


@pytest.mark.anyio
async def test_fifty_numbers_of_a_block_get_twenty_a_day_between_them() -> None:
    counter = Counter(limits())
    sent = [
        (await counter.ask(number(n), f"user{n}", Client(f"192.0.2.{n}"), now=START + n))[0]
        for n in range(50)
    ]
    assert sent.count(None) == 20
    assert set(sent[20:]) == {"prefix"}
    assert (await counter.ask(number(block="+49151999"), "another"))[0] is None


@pytest.mark.anyio
async def test_a_user_gets_ten_a_day_to_whatever_numbers_and_from_wherever() -> None:
    counter = Counter(limits())
    sent = [
        (await counter.ask(number(block=f"+4915{n:04d}"), client=None, now=START + n))[0]
        for n in range(12)
    ]
    assert sent == [None] * 10 + ["user"] * 2


@pytest.mark.anyio
async def test_a_client_gets_ten_an_hour_for_whatever_users() -> None:
    counter = Counter(limits())
    sent = [
        (await counter.ask(number(block=f"+4915{n:04d}"), f"user{n}", now=START + n))[0]
        for n in range(12)
    ]
    assert sent == [None] * 10 + ["client"] * 2
    assert (await counter.ask(number(block="+49160"), "late", now=START + HOUR))[0] is None


@pytest.mark.anyio
async def test_a_wide_network_gets_ten_times_as_many() -> None:
    counter = Counter(limits(client_per_hour=1))
    sent = [
        (
            await counter.ask(
                number(block=f"+4915{n:04d}"),
                f"user{n}",
                Client(f"2001:db8:0:{n:x}::/64", "2001:db8::/48"),
            )
        )[0]
        for n in range(12)
    ]
    assert sent == [None] * 10 + ["client"] * 2


@pytest.mark.anyio
async def test_all_together_have_a_day_of_their_own() -> None:
    counter = Counter(limits(overall_per_day=300))  # more than a ledger counts to the second
    sent = [
        (await counter.ask(number(block=f"+4915{n:04d}"), f"user{n}", None, now=START + n))[0]
        for n in range(301)
    ]
    assert sent == [None] * 300 + ["overall"]


@pytest.mark.anyio
async def test_who_claims_a_number_cannot_spend_the_day_of_its_owner() -> None:
    counter = Counter(limits())
    claimed = [
        (
            await counter.ask(
                number(), f"mallory{n}", Client(f"192.0.2.{n}"), now=START + 60 * n,
                is_confirmed=False,
            )
        )[0]
        for n in range(5)
    ]  # fmt: skip
    assert claimed == [None, None, "number", "number", "number"]
    owned = [(await counter.ask(number(), now=START + HOUR + 60 * n))[0] for n in range(4)]
    assert owned == [None, None, None, "number"]  # one bucket: five in all


@pytest.mark.anyio
@pytest.mark.parametrize("scope", ["prefix", "overall"])
@pytest.mark.parametrize("per_day", [7, 300])
async def test_who_claims_many_numbers_leaves_half_a_day_to_those_who_have_one(
    scope: str, per_day: int
) -> None:
    """A stranger with many accounts and addresses begins to add numbers, and drops them all."""
    numbers = {"prefix_per_day": 60_000, f"{scope}_per_day": per_day}
    counter = Counter(TextLimits(SMSLimits(**numbers), FeatureSecrets(KEYRING), realm=BASE))
    claimed = [
        (await counter.ask(number(n), f"mallory{n}", None, now=START + n, is_confirmed=False))[0]
        for n in range(per_day)
    ]
    half = per_day // 2
    assert claimed == [None] * half + [scope] * (per_day - half)
    owned = [
        (await counter.ask(number(1000 + n), f"jo{n}", None, now=START + HOUR + n))[0]
        for n in range(per_day - half + 1)
    ]
    assert owned == [None] * (per_day - half) + [scope]  # one bucket


def test_no_budget_is_named_by_a_number_and_none_can_be_found_without_the_key() -> None:
    def names(keyring: Keyring) -> set[str]:
        draws = limits(keyring).draws(number(), "jo", HERE, is_confirmed=True)
        return {one.draw.key for one in draws if one.scope in ("number", "prefix", "overall")}

    assert not names(KEYRING) & names(Keyring(OTHER_KEY, realm=BASE))
    assert not any("49151" in name for name in names(KEYRING))
    assert names(KEYRING) == names(Keyring(KEY, realm=BASE))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("per_minute", 0),
        ("per_minute", 6),
        ("per_day", 21),
        ("per_day", 1),  # half of it is none, and all of it would be a stranger's
        ("prefix_per_day", 1),
        ("overall_per_day", 1),
        ("user_per_day", -1),
        ("client_per_hour", True),
        ("prefix_per_day", 60_001),
        ("overall_per_day", None),
        ("overall_per_day", 1_000_001),
    ],
)
def test_a_number_outside_its_range_is_refused(option: str, value: int) -> None:
    with pytest.raises(ConfigError, match=rf"sms_limits\.{option}: set a number from [12] to"):
        SMSLimits(**{option: value})
