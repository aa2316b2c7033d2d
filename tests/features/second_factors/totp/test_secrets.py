"""Secrets of authenticator apps at rest: encrypted, bound to their row, and encrypted anew."""

from __future__ import annotations

from base64 import b32decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.errors import ConfigError
from tests.features.second_factors.people import (
    KIM,
    App,
    enroll,
    id_of,
    make_factor_site,
    sign_in,
    verbs_of,
)
from tests.support import KEY, OTHER_KEY, Site, error_code

pytestmark = pytest.mark.anyio


def read_all(folder: Path) -> bytes:
    """Return what stands in the database's files."""
    return b"".join(path.read_bytes() for path in folder.glob("pwless.db*"))


async def test_neither_secret_nor_code_can_be_read_in_database_or_store(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, store=None)
    app = await enroll(site)
    begun = await verbs_of(site).begin_totp(await id_of(site))
    await site.store.aclose()
    kept = read_all(tmp_path)
    for secret in (app._secret, begun.secret):
        assert secret.encode() not in kept
        assert b32decode(secret) not in kept


async def test_a_secret_moved_to_another_person_is_worth_nothing(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path)
    mine, theirs = await enroll(site), await enroll(site, KIM)
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    factors = repositories.factors
    (jos,) = await verbs_of(site).list(await id_of(site))
    (kims,) = await verbs_of(site).list(await id_of(site, KIM))
    await factors.replace_secret(kims.id, old=kims.secret, new=jos.secret)
    for app in (mine, theirs):
        assert error_code(await sign_in(site.browser(), app, KIM)) == "INVALID_CODE"


async def rotate(tmp_path: Path, *keys: str, app: App, **options: Any) -> Site:
    """Return the site as it comes up with other keys."""
    site = make_factor_site(tmp_path, secret_key=list(keys), **options)
    app._site = site
    return site


async def test_a_use_encrypts_it_under_the_newest_key(tmp_path: Path) -> None:
    app = await enroll(make_factor_site(tmp_path))
    site = await rotate(tmp_path, KEY, OTHER_KEY, app=app)
    (before,) = await verbs_of(site).list(await id_of(site))
    assert (await sign_in(site.browser(), app)).status_code == 200
    (after,) = await verbs_of(site).list(await id_of(site))
    assert replace(after, secret=before.secret, used_at=before.used_at) == before
    assert after.secret != before.secret
    site = await rotate(tmp_path, OTHER_KEY, app=app)
    app.next_code()
    assert (await sign_in(site.browser(), app)).status_code == 200


async def test_those_that_nobody_uses_are_encrypted_anew_all_at_once(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path)
    app, _ = await enroll(site), await enroll(site, KIM)
    site = await rotate(tmp_path, KEY, OTHER_KEY, app=app)
    assert await site.passwordless.rewrap() == {"SecondFactors": 2}
    assert await site.passwordless.rewrap() == {"SecondFactors": 0}
    site = await rotate(tmp_path, OTHER_KEY, app=app)
    assert (await sign_in(site.browser(), app)).status_code == 200


async def test_one_that_was_begun_before_is_kept_under_the_newest_key(tmp_path: Path) -> None:
    """Nobody goes through those that are not confirmed, and the old key may go at once."""
    site = make_factor_site(tmp_path, store=None)
    user_id = await id_of(site)
    begun = await verbs_of(site).begin_totp(user_id)
    app = App(site, begun.secret)
    site = await rotate(tmp_path, KEY, OTHER_KEY, app=app, store=None)
    await site.passwordless.rewrap()
    await verbs_of(site).confirm_totp(user_id, enrollment_id=begun.enrollment_id, code=app.code())
    site = await rotate(tmp_path, OTHER_KEY, app=app, store=None)
    app.next_code()
    app.next_code()
    assert (await sign_in(site.browser(), app)).status_code == 200


async def test_nobody_is_told_that_all_is_well_where_a_key_is_missing(tmp_path: Path) -> None:
    """Whoever believed it would throw the key away that people's apps still need."""
    site = make_factor_site(tmp_path)
    app = await enroll(site)
    site = await rotate(tmp_path, OTHER_KEY, app=app)
    await enroll(site, KIM)
    with pytest.raises(ConfigError, match=r"no key of the list decrypts .* apps \(1\)"):
        await site.passwordless.rewrap()
    [found] = await site.passwordless.findings.of_features()
    assert (found.level, found.check) == ("fail", "second_factors")
    assert "put the secret_key back" in str(found.message)
    assert await site.passwordless.findings.of_features(may_ask=False) == []
    site = await rotate(tmp_path, KEY, OTHER_KEY, app=app)
    assert await site.passwordless.findings.of_features() == []
    assert await site.passwordless.rewrap() == {"SecondFactors": 1}
