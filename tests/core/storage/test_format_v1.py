"""Records in a store: what is written is read back, and what is not ours is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge import ID_BYTES, SALT_BYTES, Challenge, ChallengeId
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.device import NAMES
from pwless_middleware.core.logins.login import Login, PendingLogin, Step
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.storage.format_v1 import (
    pack_challenge,
    pack_job,
    pack_pending,
    pack_session,
    unpack_challenge,
    unpack_job,
    unpack_pending,
    unpack_session,
)
from pwless_middleware.errors import StoreError

seconds = st.integers(0, 2**33)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
callers = st.one_of(st.just("browser"), words.map(lambda name: f"server:{name}"))
templates = st.sampled_from(["SIGNIN", "SIGNUP"])
kinds = st.sampled_from(["OTP", "LINK", "LINK_OTP"])
lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
asked = st.shared(st.integers(0, 2**32 - 9000), key="asked")
challenges = st.builds(
    Challenge,
    id=st.binary(min_size=ID_BYTES, max_size=ID_BYTES).map(ChallengeId),
    key_id=st.binary(min_size=6, max_size=6).map(b64),
    salt=st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES),
    generation=st.integers(0, 255),
    address=lines.map(Address),
    kind=kinds,
    template=templates,
    caller=st.one_of(st.just("browser"), lines.map(lambda name: f"server:{name}")),
    asked_at=asked,
    started_at=st.builds(int.__add__, asked, st.integers(0, 900)),
    expires_at=st.builds(int.__add__, asked, st.integers(60, 4500)),
    lifetime=st.integers(60, 3600),
    resends=st.integers(0, 3),
    device=st.sampled_from(NAMES),
    next=lines,
    state=st.none() | words,
    link_uri=st.none() | words,
    variables=st.dictionaries(words, words, max_size=3),
    organization=st.none() | words.filter(bool),
    is_break_glass=st.booleans(),
)
authentications = st.lists(
    st.builds(
        Authentication, words, seconds, st.lists(words, max_size=2).map(tuple), st.booleans()
    ),
    max_size=3,
).map(tuple)
sessions = st.builds(
    Session,
    id=words,
    user_id=words,
    email=words,
    created_at=seconds,
    seen_at=seconds,
    idle=seconds,
    expires_at=seconds,
    authentications=authentications,
    device=words,
    organization=st.none() | words,
)
logins = st.builds(
    Login,
    user_id=words,
    email=words,
    is_new=st.booleans(),
    authentications=authentications,
    caller=callers,
    device=words,
    next=words,
    organization=st.none() | words,
    answer=st.dictionaries(words, words, max_size=3),
)
methods = st.lists(words, min_size=1, max_size=3).map(tuple)
steps = st.lists(st.builds(Step, methods, words), max_size=3).map(tuple)
pendings = st.builds(PendingLogin, logins, steps, seconds, st.none() | words)


@given(challenges)
def test_a_challenge_is_read_back_as_it_was(challenge: Challenge) -> None:
    read = unpack_challenge(challenge.id, pack_challenge(challenge), key_id=challenge.key_id)
    assert read == challenge


@given(challenges)
def test_a_job_is_read_back_as_it_was(challenge: Challenge) -> None:
    read = unpack_job(pack_job(challenge))
    assert read == (challenge.id, challenge.generation)


@given(sessions)
def test_a_session_is_read_back_as_it_was(session: Session) -> None:
    assert unpack_session(session.id, pack_session(session)) == session


@given(pendings)
def test_a_pending_login_is_read_back_as_it_was(pending: PendingLogin) -> None:
    assert unpack_pending(pack_pending(pending)) == pending


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b"[2]", b"null", b'"x"', b"[null]", b"\xff"])
def test_what_is_not_of_version_1_is_refused(value: bytes) -> None:
    for read in (
        lambda: unpack_challenge(ChallengeId(b"x" * ID_BYTES), value, key_id="k"),
        lambda: unpack_session("x", value),
        lambda: unpack_pending(value),
    ):
        with pytest.raises(StoreError):
            read()


@given(challenges)
def test_a_challenge_of_a_later_version_is_refused(challenge: Challenge) -> None:
    value = b"\x02" + pack_challenge(challenge)[1:]
    with pytest.raises(StoreError, match="version 1"):
        unpack_challenge(challenge.id, value, key_id=challenge.key_id)


def test_an_ordinary_challenge_is_small() -> None:
    """At most 300 bytes in Redis with its MAC, of which its own bookkeeping takes about 150."""
    challenge = Challenge(
        id=ChallengeId(b"x" * ID_BYTES), key_id="abcdefgh", salt=b"s" * SALT_BYTES, generation=0,
        address=Address("somebody.ordinary@mail.example.com"), kind="LINK_OTP", template="SIGNIN",
        caller="browser", asked_at=1_800_000_000, started_at=1_800_000_000,
        expires_at=1_800_000_300, lifetime=300, device="Firefox on Linux", next="/some/page",
    )  # fmt: skip
    value = pack_challenge(challenge)
    assert len(value) <= 90
    assert value[0] == 1
    assert bytes(challenge.id) not in value, "the id is the key"
