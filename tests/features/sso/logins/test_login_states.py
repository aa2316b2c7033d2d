"""Logins at a provider: sealed, of one browser and one connection, and answered once (rule 51)."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.core.keys.keyring import Keyring, new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.client import Client
from pwless_middleware.errors import TooManyAttempts
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.login_states import LIFETIME, TRIES, LoginStates
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.stores.memory import MemoryStore
from tests.support import KEY, OTHER_KEY, Clock

pytestmark = pytest.mark.anyio

REALM = "https://app.example.com\x00pwless"
CALLER = Caller(client=Client("192.0.2.1"))


def make_states(
    store: MemoryStore | None = None, clock: Clock | None = None, key: str = KEY
) -> LoginStates:
    store = MemoryStore() if store is None else store
    clock = Clock() if clock is None else clock
    keyring = Keyring(key, realm=REALM)
    records = Records(store, keyring, clock, feature="SSO", name="logins")
    return LoginStates(FeatureSecrets(keyring), records, store, realm=REALM, clock=clock)


def fault_of(states: LoginStates, handle: str, connection: str = "conn_1") -> str:
    with pytest.raises(SSOFault) as caught:
        states.open(handle, connection)
    return caught.value.code


def test_a_handle_fits_into_a_relay_state_and_shows_nothing() -> None:
    states = make_states()
    handles = [states.begin("login", "browser:a", "conn_1")[0] for _ in range(2)]
    assert handles[0] != handles[1]
    assert all(len(handle) <= 80 for handle in handles)


def test_what_is_begun_is_opened() -> None:
    states = make_states()
    handle, state = states.begin("step_up", "browser:a", "conn_1")
    assert states.open(handle, "conn_1") == state
    states.check_holder(state, "browser:a")


@pytest.mark.parametrize("holder", ["browser:b", "", None])
def test_another_browser_is_refused(holder: str | None) -> None:
    states = make_states()
    _, state = states.begin("login", "browser:a", "conn_1")
    with pytest.raises(SSOFault) as caught:
        states.check_holder(state, holder)
    assert caught.value.code == "other_browser"


def test_an_answer_of_another_connection_is_refused() -> None:
    states = make_states()
    handle, _ = states.begin("login", "browser:a", "conn_1")
    assert fault_of(states, handle, "conn_2") == "other_connection"


@pytest.mark.parametrize(
    ("handle", "code"),
    [("", "state_missing"), ("x", "state_unknown"), ("A" * 71, "state_unknown")],
)
def test_what_is_no_handle_of_ours_is_refused(handle: str, code: str) -> None:
    assert fault_of(make_states(), handle) == code


def test_a_handle_of_another_deployment_or_purpose_is_refused() -> None:
    states = make_states()
    handle, state = make_states(key=OTHER_KEY).begin("login", "browser:a", "conn_1")
    assert fault_of(states, handle) == "state_unknown"
    assert fault_of(states, states.derive("verifier", state)) == "state_unknown"


def test_a_handle_ends() -> None:
    clock = Clock()
    states = make_states(clock=clock)
    handle, _ = states.begin("login", "browser:a", "conn_1")
    clock.advance(LIFETIME - 1)
    states.open(handle, "conn_1")
    clock.advance(1)
    assert fault_of(states, handle) == "state_expired"


async def test_of_parallel_answers_one_is_looked_at() -> None:
    states = make_states()
    _, state = states.begin("login", "browser:a", "conn_1")
    done = await asyncio.gather(
        *(states.spend(state, CALLER) for _ in range(10)), return_exceptions=True
    )
    faults = [one for one in done if isinstance(one, SSOFault)]
    assert [fault.code for fault in faults] == ["state_used"] * 9


async def test_a_login_stays_spent_for_as_long_as_its_handle_can_be_opened() -> None:
    clock = Clock()
    states = make_states(clock=clock)
    handle, state = states.begin("login", "browser:a", "conn_1")
    await states.spend(state, CALLER)
    clock.advance(LIFETIME - 1)
    with pytest.raises(SSOFault):
        await states.spend(states.open(handle, "conn_1"), CALLER)


async def test_answers_that_come_to_nothing_are_counted_and_those_that_sign_in_are_not() -> None:
    store, clock = MemoryStore(), Clock()
    states = make_states(store, clock)

    async def answer() -> None:
        _, state = states.begin("login", "browser:a", "conn_1")
        then = await states.spend(state, CALLER)
        if signs_in:
            await store.write(then, now=clock(), op=new_operation())

    signs_in = True
    for _ in range(TRIES[0] + 5):
        await answer()
    signs_in = False
    for _ in range(TRIES[0]):
        await answer()
    with pytest.raises(TooManyAttempts):
        await answer()
    clock.advance(TRIES[1] + 1)
    await answer()


def test_the_secrets_of_a_login_are_its_own_and_long_enough_for_pkce() -> None:
    states = make_states()
    _, a = states.begin("login", "browser:a", "conn_1")
    _, b = states.begin("login", "browser:a", "conn_1")
    texts = {
        states.derive(purpose, state)
        for purpose in ("nonce", "verifier", "request")
        for state in (a, b)
    }
    assert len(texts) == 6
    assert all(43 <= len(text) <= 128 for text in texts)
    assert states.derive("nonce", a) == states.derive("nonce", a)
    assert make_states(key=OTHER_KEY).derive("nonce", a) not in texts
