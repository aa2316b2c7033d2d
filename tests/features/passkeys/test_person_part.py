"""What operators see of a person's passkeys, and how they remove all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Passkeys
from tests.features.dashboard.operators import OPS, make_dashboard
from tests.features.dashboard.people.pages import act, id_of, path_of
from tests.features.passkeys.people import JO, enroll, newest_event
from tests.features.passkeys.people import id_of as credential_id_of
from tests.own_account import signed_in
from tests.support import led_to, said

pytestmark = pytest.mark.anyio


async def test_passkeys_are_listed_and_no_key_is_shown(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, features=[Passkeys()])
    await signed_in(site)
    assert "no passkey" in said(await ops.get(path_of(await id_of(site, JO))))
    _, authenticator = await enroll(site)
    verbs, id = site.passwordless.verbs(Passkeys), await id_of(site, JO)
    [passkey] = await verbs.list(id)
    await verbs.rename(id, passkey.id, "<i>Phone</i>")
    page = await ops.get(path_of(id))
    assert "&lt;i&gt;Phone" in page.text
    assert credential_id_of(authenticator) not in page.text
    assert "Remove all passkeys" in said(page)


async def test_all_are_removed_once_it_is_confirmed(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, features=[Passkeys()])
    jo, _ = await enroll(site)
    id = await id_of(site, JO)
    asked = await ops.get(path_of(id, "/passkeys/reset"))
    assert "1 passkey is removed" in said(asked)
    assert len(await site.passwordless.verbs(Passkeys).list(id)) == 1
    done = await act(site, ops, JO, "passkeys/reset")
    assert "All passkeys of this person are removed" in said(await ops.get(led_to(done)))
    assert await site.passwordless.verbs(Passkeys).list(id) == []
    assert newest_event(site, "passkey.removed").by == f"operator:{await id_of(site, OPS)}"
    assert "passkey" in site.mail(JO).subject
    assert (await act(site, ops, OPS, "passkeys/reset")).status_code == 403
    del jo
