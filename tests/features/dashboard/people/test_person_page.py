"""The page of one person: what it shows to whom, and of whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from pwless_middleware.kit import Kit, Mounted, PersonPart, ShownPerson, Text
from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard, make_dashboard_site
from tests.features.dashboard.people.pages import LIST, id_of, path_of
from tests.features.dashboard.people.table import Table
from tests.own_account import JO, signed_in
from tests.support import said

pytestmark = pytest.mark.anyio


async def test_it_shows_who_it_is_where_they_are_signed_in_and_what_happened(
    tmp_path: Path,
) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site, JO, headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
    await site.passwordless.people.set_profile(JO, name="Jo <b>Doe</b>", language="de")
    id = await id_of(site, JO)
    page = await ops.get(path_of(id))
    text = said(page)
    assert "&lt;b&gt;Doe" in page.text
    assert "<b>Doe" not in page.text
    for told in (
        JO,
        id,
        "Deutsch",
        "Firefox",
        "Email code",
        "The person was signed in",
        "Sign out",
    ):
        assert told in text
    assert "The profile was changed: name,language" in text


async def test_who_only_looks_is_offered_nothing(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    await signed_in(site, JO)
    page = await (await signed_in(site, LOOK)).get(path_of(await id_of(site, JO)))
    assert page.status_code == 200
    assert JO in said(page)
    assert '<form class="act"' not in page.text
    assert "Delete" not in said(page)
    support = await (await signed_in(site, HELP)).get(path_of(await id_of(site, JO)))
    assert "Disable" in said(support)
    assert "Delete" not in said(support)


async def test_nobody_is_offered_to_act_on_themselves_or_on_who_may_do_more(
    tmp_path: Path,
) -> None:
    site, ops = await make_dashboard(tmp_path)
    help = await signed_in(site, HELP)
    for operator, email, why in (
        (ops, OPS, "This is you"),
        (help, HELP, "This is you"),
        (help, OPS, "may do more than you"),
    ):
        page = await operator.get(path_of(await id_of(site, email)))
        assert why in said(page)
        assert '<form class="act"' not in page.text
    page = await ops.get(path_of(await id_of(site, HELP)))
    assert "Support" in said(page)
    assert "Disable" in said(page)


@pytest.mark.parametrize("id", ["nobody", JO, "%00", "x" * 300, "%ff", "a%0ab"])
async def test_what_is_nobody_s_id_is_not_found(tmp_path: Path, id: str) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site, JO)
    assert (await ops.get(path_of(id))).status_code == 404


async def test_a_word_that_no_form_leads_back_with_is_refused(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site, JO)
    path = path_of(await id_of(site, JO))
    assert "signed out everywhere." in said(await ops.get(f"{path}?done=signed-out"))
    for query in ("?done=<b>", "?done=", "?other=1", "?done=enabled&done=disabled"):
        page = await ops.get(path + query)
        assert page.status_code == 400
        assert 'role="alert"' in page.text


# --- parts of features ---------------------------------------------------------------------------


class Badges:
    """A feature that shows something of a person, and nothing of some."""

    def mount(self, kit: Kit) -> Mounted:
        async def show(request: Request, person: ShownPerson) -> dict[str, object] | None:
            if person.email != JO:
                return None
            return {"badges": 3}

        part = PersonPart(
            title=Text("Language"),
            template="badges.html",
            show=show,
            done={"badge": Text("Sessions")},
        )
        return Mounted(person_parts=(part,))


async def test_a_feature_shows_its_part_of_whom_it_has_something(tmp_path: Path) -> None:
    text = "{{ badges }} badges of {{ person.email }}, to be changed: {{ person.may_act }}"
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "badges.html").write_text(text)
    site, ops = await make_dashboard(tmp_path, features=[Badges()], templates=templates)
    await signed_in(site, JO)
    await signed_in(site, "kim@example.com")
    part = f"3 badges of {JO}, to be changed: True"
    jo = await ops.get(path_of(await id_of(site, JO), "?done=badge"))
    assert jo.status_code == 200
    assert part in said(jo)
    assert part.replace("True", "False") in said(
        await (await signed_in(site, LOOK)).get(path_of(await id_of(site, JO)))
    )
    assert part not in said(await ops.get(path_of(await id_of(site, "kim@example.com"))))


# --- with a table of the host's own --------------------------------------------------------------


async def test_with_a_table_what_hangs_on_an_id_is_there_and_the_rest_is_said(
    tmp_path: Path,
) -> None:
    table = Table(OPS)
    site, ops = await make_dashboard(tmp_path, users=table)
    await signed_in(site, JO)
    page = await ops.get(path_of(f"u-{JO}"))
    text = said(page)
    assert "Email code" in text
    assert "Your own table has name, language and address" in text
    for path in ("disable", "profile"):
        assert (await ops.get(path_of(f"u-{JO}", f"/{path}"))).status_code == 404
    del table.users[f"u-{JO}"]
    gone = await ops.get(path_of(f"u-{JO}"))
    assert "Your table has nobody with this id" in said(gone)
    assert "Delete" in said(gone), "what is kept here can still be erased"


async def test_an_id_that_no_path_can_have_is_listed_without_a_page(tmp_path: Path) -> None:
    table = Table(OPS)
    table.users = {f"u-{OPS}": OPS, "a/b": "slash@example.com"}
    _, ops = await make_dashboard(tmp_path, users=table)
    page: Any = await ops.get(f"{LIST}?q=slash@example.com")
    assert "slash@example.com" in said(page)
    assert "a/b" not in page.text
