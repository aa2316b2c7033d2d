"""How operators ask for another address of a person, and servers do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.features.dashboard import Dashboard
from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard, make_dashboard_site
from tests.features.dashboard.people.pages import act, audits, id_of, path_of
from tests.features.dashboard.people.table import Table
from tests.own_account import JO, KIM, NEW, make_kept_site, signed_in
from tests.support import API_KEY, START, Site, led_to, said, token_of

pytestmark = pytest.mark.anyio

KEY = {"authorization": f"Bearer {API_KEY}"}


async def press_confirm(site: Site, email: str) -> Any:
    """Press the button of the newest link to a new address, as whoever has that mailbox."""
    form = {"link_token": token_of(site.mail(email).link)}
    return await site.browser().post("/auth/account/address/confirm", form)


async def test_an_address_is_asked_for_shown_and_taken_back(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    jo = await signed_in(site)
    path = path_of(await id_of(site, JO))
    assert "Nothing changes until somebody there confirms it" in said(
        await ops.get(f"{path}/address")
    )
    done = await act(site, ops, JO, "address", {"email": "New@Example.com"})
    page = said(await ops.get(led_to(done)))
    assert "An email is on its way" in page
    assert f"{OPS} has asked for {NEW}" in page.replace("  ", " ")
    assert await jo.who() == JO
    assert site.mail(NEW).link is not None
    done = await act(site, ops, JO, "address/withdraw")
    assert "stays as it is" in said(await ops.get(led_to(done)))
    assert led_to(await act(site, ops, JO, "address/withdraw")) == path
    by = f"operator:{await id_of(site, OPS)}"
    events = await audits(site, "person.address_requested", "person.address_withdrawn")
    assert [one.by for one in events] == [by, by]


@pytest.mark.parametrize("email", ["", "<b>no</b>", JO, OPS, "a@example.com,b@example.com"])
async def test_what_cannot_be_is_told_beside_the_field(tmp_path: Path, email: str) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site)
    sent = len(site.outbox.messages)
    page = await act(site, ops, JO, "address", {"email": email})
    assert page.status_code == 400
    assert 'id="f-email-error"' in page.text
    assert "<b>no" not in page.text
    assert len(site.outbox.messages) == sent


async def test_nobody_gets_a_person_of_theirs_the_address_of_an_admin(tmp_path: Path) -> None:
    """Operators of the code are known by their addresses (security rule 63)."""
    site = make_dashboard_site(tmp_path)
    await signed_in(site)
    help = await signed_in(site, HELP)
    refused = await act(site, help, JO, "address", {"email": OPS.upper()})
    assert refused.status_code == 403
    assert "may do more than you" in said(refused)
    assert site.outbox.latest(OPS) is None
    allowed = await act(site, help, JO, "address", {"email": LOOK})
    assert allowed.status_code == 303


async def test_who_looks_or_is_lesser_asks_for_nothing(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    await signed_in(site)
    look, help, ops = [await signed_in(site, one) for one in (LOOK, HELP, OPS)]
    assert "Change address" not in said(await look.get(path_of(await id_of(site, JO))))
    for what in ("address", "address/withdraw"):
        assert (await act(site, look, JO, what, {"email": NEW})).status_code == 404
        assert (await act(site, help, OPS, what, {"email": NEW})).status_code == 403
        assert (await act(site, ops, OPS, what, {"email": NEW})).status_code == 403
    assert site.outbox.latest(NEW) is None


async def test_who_became_an_operator_meanwhile_is_moved_by_nobody_lesser(tmp_path: Path) -> None:
    """Security rule 63: an account of an admin is not taken by what was asked for before."""
    site = make_dashboard_site(tmp_path)
    jo, help = await signed_in(site), await signed_in(site, HELP)
    assert (await act(site, help, JO, "address", {"email": NEW})).status_code == 303
    await site.passwordless.verbs(Dashboard).operators.add(JO, role="admin")
    assert (await press_confirm(site, NEW)).status_code == 410
    assert await jo.who() == JO


async def test_what_a_removed_operator_has_asked_for_comes_to_nothing(tmp_path: Path) -> None:
    site, _ = await make_dashboard(tmp_path)
    operators = site.passwordless.verbs(Dashboard).operators
    await operators.add(KIM, role="support")
    jo, kim = await signed_in(site), await signed_in(site, KIM)
    assert (await act(site, kim, JO, "address", {"email": NEW})).status_code == 303
    await operators.remove(KIM)
    assert (await press_confirm(site, NEW)).status_code == 410
    assert await jo.who() == JO
    await operators.add(KIM, role="support")
    assert (await press_confirm(site, NEW)).status_code == 200
    assert await jo.who() is None


async def test_a_table_that_changes_no_address_has_no_such_part(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, users=Table(OPS))
    await signed_in(site)
    assert "Change address" not in said(await ops.get(path_of(f"u-{JO}")))
    assert (await ops.get(path_of(f"u-{JO}", "/address"))).status_code == 404


# --- servers -------------------------------------------------------------------------------------


async def call(site: Site, method: str, id: str, **more: Any) -> Any:
    return await site.browser().request(
        method, f"/auth/api/v1/users/{id}/address", headers=KEY, **more
    )


async def test_a_server_does_not_move_an_operator(tmp_path: Path) -> None:
    """A key that changes users is none of an operator (security rule 63)."""
    site, _ = await make_dashboard(tmp_path)
    await signed_in(site)
    operators = site.passwordless.verbs(Dashboard).operators
    for email, new in ((OPS, NEW), (JO, HELP)):
        refused = await call(site, "POST", await id_of(site, email), json={"email": new})
        assert refused.status_code == 400
        assert "about an operator" in refused.text
    assert (await call(site, "POST", await id_of(site, JO), json={"email": NEW})).is_success
    await operators.add(JO, role="view")
    assert (await press_confirm(site, NEW)).status_code == 410


async def test_a_server_asks_for_one_and_takes_it_back(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    id = (await site.passwordless.people.create(JO)).id
    answer = await call(site, "POST", id, json={"email": NEW})
    assert answer.status_code == 200
    assert answer.json() == {"email": NEW, "expires_at": str(START + 72 * 3600)}
    assert (await call(site, "POST", id, json={"email": NEW})).status_code == 429
    assert (await call(site, "POST", id, json={"email": "x"})).status_code == 400
    assert (await call(site, "DELETE", id)).status_code == 204
    assert (await call(site, "DELETE", id)).status_code == 404
    assert (await call(site, "POST", "nobody", json={"email": NEW})).status_code == 404
    stranger = await site.browser().request(
        "POST", f"/auth/api/v1/users/{id}/address", json={"email": NEW}
    )
    assert stranger.status_code == 401
