"""The budget of asking for options: each client its own, bounded, and nobody's is forgotten.

Security rule 35.
"""

from __future__ import annotations

import pytest

from pwless_middleware.core.logins.client import Client
from pwless_middleware.errors import RateLimited, Unavailable
from pwless_middleware.features.passkeys.ceremonies.options_budget import PER_MINUTE, OptionsBudget

NOW = 1_800_000_000


def count(budget: OptionsBudget, client: Client | None, *, now: int = NOW, most: int) -> int:
    """Ask until it is refused, and return how often it was not."""
    for number in range(most):
        try:
            budget.draw(client, now=now)
        except RateLimited:
            return number
    return most


def test_a_client_has_120_a_minute_and_then_waits() -> None:
    budget = OptionsBudget()
    one, other = Client("192.0.2.1"), Client("192.0.2.2")
    assert count(budget, one, most=500) == PER_MINUTE
    with pytest.raises(RateLimited) as raised:
        budget.draw(one, now=NOW)
    assert raised.value.retry_after == 60
    assert "emails" not in str(raised.value)
    assert count(budget, other, most=10) == 10
    assert count(budget, one, now=NOW + 54, most=1) == 0
    assert count(budget, one, now=NOW + 60, most=500) == PER_MINUTE


def test_a_wide_network_and_a_proxy_have_ten_times_as_much() -> None:
    budget = OptionsBudget()
    narrow = [Client(f"2001:db8:0:{n:x}::/64", "2001:db8::/48") for n in range(20)]
    assert sum(count(budget, one, most=500) for one in narrow) == PER_MINUTE * 10
    proxy = Client("10.0.0.1", is_shared=True)
    assert count(budget, proxy, most=5000) == PER_MINUTE * 10


def test_a_refused_request_does_not_prolong_the_wait() -> None:
    budget, client = OptionsBudget(), Client("192.0.2.1")
    count(budget, client, most=500)
    for second in range(60):
        count(budget, client, now=NOW + second, most=1)
    assert count(budget, client, now=NOW + 60, most=500) == PER_MINUTE


def test_a_server_is_not_counted() -> None:
    assert count(OptionsBudget(most=1), None, most=500) == 500


def test_full_is_unavailable_and_forgets_nobody() -> None:
    budget = OptionsBudget(most=3)
    clients = [Client(f"192.0.2.{n}") for n in range(4)]
    for client in clients[:3]:
        count(budget, client, most=500)
    with pytest.raises(Unavailable):
        budget.draw(clients[3], now=NOW + 1)
    assert count(budget, clients[0], now=NOW + 1, most=1) == 0
    budget.draw(clients[3], now=NOW + 60)  # the others' minute is over
    wide = Client("2001:db8::/64", "2001:db8::/48")
    budget.draw(wide, now=NOW + 60)
    with pytest.raises(Unavailable):
        budget.draw(clients[2], now=NOW + 60)
