"""The page on which an operator invites somebody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.features.dashboard.operators import LOOK, OPS, make_dashboard, make_dashboard_site
from tests.features.dashboard.people.pages import LIST, audits, id_of
from tests.features.dashboard.people.table import Table
from tests.own_account import JO, signed_in
from tests.support import led_to, said

pytestmark = pytest.mark.anyio

INVITE = f"{LIST}/invite"


async def test_who_is_invited_gets_an_email_and_a_page(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    assert "holds no secret" in said(await ops.get(INVITE))
    done = await ops.post(INVITE, {"email": "Jo@Example.com", "name": "Jo", "language": "de"})
    page = said(await ops.get(led_to(done)))
    assert "This person is invited" in page
    assert "Deutsch" in page
    assert "https://app.example.com/auth/login" in site.mail(JO).text
    events = await audits(site, "person.created", "person.invited")
    by = f"operator:{await id_of(site, OPS)}"
    assert {(one.kind, one.by) for one in events} == {
        ("person.created", by),
        ("person.invited", by),
    }
    again = await ops.post(INVITE, {"email": JO})
    assert again.status_code == 429
    assert again.headers["retry-after"]
    assert "invited just now" in said(again)


async def test_what_cannot_be_is_told_beside_its_field_and_what_was_typed_stays(
    tmp_path: Path,
) -> None:
    site, ops = await make_dashboard(tmp_path)
    sent = len(site.outbox.messages)
    for form, field in (
        ({"email": "<b>no</b>", "name": "Jo"}, "email"),
        ({"email": f"{JO},kim@example.com"}, "email"),
        ({"name": "Jo"}, "email"),
        ({"email": JO, "name": "x" * 101}, "name"),
        ({"email": JO, "language": "xx"}, "language"),
    ):
        page = await ops.post(INVITE, form)
        assert page.status_code == 400
        assert f'id="f-{field}-error"' in page.text
        assert "<b>no" not in page.text
    assert len(site.outbox.messages) == sent
    assert await site.passwordless.people.find(JO) is None


async def test_who_looks_invites_nobody_and_no_table_is_invited_to(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    look = await signed_in(site, LOOK)
    assert (await look.get(INVITE)).status_code == 404
    assert "Invite" not in said(await look.get(LIST))
    (tmp_path / "other").mkdir()
    site, ops = await make_dashboard(tmp_path / "other", users=Table(OPS))
    assert (await ops.get(INVITE)).status_code == 200, "the id of somebody, who may have any"
    assert "Invite" not in said(await ops.get(LIST))
    assert (await ops.post(INVITE, {"email": JO})).status_code == 404
