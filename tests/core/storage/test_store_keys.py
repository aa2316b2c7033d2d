"""Names in the store: no two things have one, and what belongs together is in one slot."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.challenges.challenge import ID_BYTES, ChallengeId
from pwless_middleware.core.storage import store_keys
from pwless_middleware.core.storage.store_keys import (
    TAG_BYTES,
    session_id_of,
    session_key,
    session_place,
    user_slot,
)

words = st.text(max_size=20)


def slot_of(key: str) -> str:
    """Return what a Redis Cluster takes of a key to find its slot."""
    return key[: key.index("}") + 1]


def all_keys(realm: str, user: str, method: str) -> dict[str, list[str]]:
    """Return a key of each kind, by the slot that it should be in."""
    id = ChallengeId(bytes(range(ID_BYTES)))
    slot = user_slot(realm, user)
    pending = slot + b"p" * 12
    group = store_keys.feature_slot(realm, "f", "n", "group", user)
    alone = store_keys.feature_slot(realm, "f", "n", "key", user)
    return {
        "address": [
            store_keys.challenge_key(id),
            store_keys.challenge_tries(id),
            *(store_keys.address_budget(id, what) for what in "st"),
            *(store_keys.device_budget(id, what, b"e" * 8) for what in "st"),
        ],
        "user": [
            session_place(b"r" * 32 + slot)[0],
            store_keys.session_list(slot),
            store_keys.pending_key(pending),
            store_keys.pending_tries(pending),
            store_keys.pending_list(slot),
            store_keys.pending_tries(pending, recovers=True),
            store_keys.step_tries(slot),
            store_keys.step_tries(slot, recovers=True),
            store_keys.change_budget(slot),
            store_keys.change_record(slot, b"r" * 12),
            store_keys.withdrawal_mark(slot, "session", method),
            store_keys.device_mark(slot),
            store_keys.user_signal(slot),
        ],
        "feature": [
            store_keys.feature_list(group),
            store_keys.feature_record(group, method + "x"),
        ],
        "other feature": [store_keys.feature_record(alone)],
    }


@given(words, words, words)
def test_all_of_one_address_and_of_one_user_is_in_one_slot(realm: str, user: str, m: str) -> None:
    found = all_keys(realm, user, m)
    slots = [{slot_of(key) for key in keys} for keys in found.values()]
    assert all(len(each) == 1 for each in slots)
    assert len(set.union(*slots)) == len(found)


@given(words, words, words)
def test_no_two_things_have_one_name_and_no_input_is_in_it(realm: str, user: str, m: str) -> None:
    keys = [key for each in all_keys(realm, user, m).values() for key in each]
    keys += [store_keys.client_budget(realm, user, what) for what in "st"]
    keys.append(store_keys.overall_budget(realm))
    assert len(set(keys)) == len(keys)
    for key in keys:
        assert key.isascii()
        assert key.replace("{", "").replace("}", "").replace("-", "").replace("_", "").isalnum()


@given(
    st.binary(min_size=TAG_BYTES, max_size=TAG_BYTES), st.from_regex(r"[\w-]{22}", fullmatch=True)
)
def test_the_id_of_a_session_is_read_from_its_key(slot: bytes, id: str) -> None:
    assert session_id_of(session_key(slot, id)) == id
