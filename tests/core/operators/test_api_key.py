"""API keys: their text, their scopes, and when they are none (security rule 62)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pwless_middleware.core.operators.api_key import (
    SCOPES,
    ApiKey,
    allows,
    check_key_name,
    check_scopes,
    digest_of_key,
    id_of_key,
    new_key_text,
)
from pwless_middleware.errors import ConfigError

NOW = 1_767_225_600
TEXT = new_key_text()
KEY = ApiKey(
    id=id_of_key(TEXT) or "",
    name="backend",
    generation=1,
    digest=digest_of_key(TEXT),
    scopes=("passwordless",),
    created_at=NOW,
    by="jo",
)


def test_a_key_is_random_and_has_its_id_in_it() -> None:
    texts = {new_key_text() for _ in range(50)}
    assert len({id_of_key(text) for text in texts}) == len(texts) == 50
    assert all(text.startswith(f"pwk_{id_of_key(text)}.") for text in texts)
    assert {len(text) for text in texts} == {64}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pwk_",
        TEXT[:-1],
        TEXT + "x",
        TEXT.upper(),
        TEXT[4:],
        TEXT + "\n",
        TEXT.replace(".", "_"),
    ],
    ids=range(8),
)
def test_what_is_not_written_like_a_key_has_no_id_and_matches_nothing(text: str) -> None:
    assert id_of_key(text) is None
    assert not KEY.matches(text)


def test_a_key_matches_its_own_text_only_and_shows_no_digest() -> None:
    assert KEY.matches(TEXT)
    assert not KEY.matches(new_key_text())
    other_secret = f"pwk_{KEY.id}.{new_key_text()[21:]}"
    assert id_of_key(other_secret) == KEY.id
    assert not KEY.matches(other_secret)
    assert "digest" not in repr(KEY)


def test_a_key_ends_when_it_expires_or_is_revoked() -> None:
    assert KEY.is_alive(NOW)
    assert not replace(KEY, revoked_at=NOW).is_alive(NOW)
    ending = replace(KEY, expires_at=NOW + 1)
    assert (ending.is_alive(NOW), ending.is_alive(NOW + 1)) == (True, False)


def test_a_scope_allows_itself_and_what_it_includes() -> None:
    assert all(allows((scope,), scope) for scope in SCOPES)
    assert all(allows(None, scope) for scope in SCOPES)
    assert allows(("users",), "users:read")
    assert not allows(("users:read",), "users")
    assert not allows((), "passwordless")
    assert not allows(("events",), "nothing")


def test_names_and_scopes_say_what_they_may_be() -> None:
    assert check_scopes({"users", "events"}) == ("events", "users")
    for scopes in ("users", [], ["all"], None, [["users"]]):
        with pytest.raises(ConfigError, match="scopes: "):
            check_scopes(scopes)
    assert check_key_name("name", "A-b_c.9") == "A-b_c.9"
    for name in ("", "a b", "x" * 41, None, "a\n"):
        with pytest.raises(ConfigError, match="name keys by"):
            check_key_name("name", name)
