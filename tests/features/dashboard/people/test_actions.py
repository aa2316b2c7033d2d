"""What operators do to people: sign out, disable, profile, export, delete; and to whom not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.features.dashboard.operators import HELP, OPS, make_dashboard, make_dashboard_site
from tests.features.dashboard.people.pages import act, audits, id_of, path_of
from tests.features.dashboard.people.table import Table
from tests.own_account import JO, KIM, signed_in
from tests.support import led_to, said

pytestmark = pytest.mark.anyio


async def test_one_session_is_ended_and_the_others_go_on(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    jo, phone = await signed_in(site, JO), await signed_in(site, JO)
    first = (await site.passwordless.people.sessions(JO))[0].id
    done = await act(site, ops, JO, "sessions/end", {"session": first})
    assert led_to(done) == path_of(await id_of(site, JO), "?done=session")
    assert [await jo.who(), await phone.who()].count(None) == 1
    again = await act(site, ops, JO, "sessions/end", {"session": first})
    assert again.status_code == 404
    for form in ({}, {"session": ""}, {"session": "x"}):
        assert (await act(site, ops, JO, "sessions/end", form)).status_code == 404


async def test_another_person_s_session_is_not_ended(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site, JO)
    kim = await signed_in(site, KIM)
    [session] = await site.passwordless.people.sessions(KIM)
    assert (await act(site, ops, JO, "sessions/end", {"session": session.id})).status_code == 404
    assert await kim.who() == KIM


async def test_somebody_is_signed_out_everywhere(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    jo, phone, kim = await signed_in(site), await signed_in(site), await signed_in(site, KIM)
    page = await ops.get(led_to(await act(site, ops, JO, "sign-out")))
    assert "signed in nowhere" in said(page)
    assert await jo.who() is await phone.who() is None
    assert await kim.who() == KIM
    by = f"operator:{await id_of(site, OPS)}"
    [event] = await audits(site, "person.signed_out")
    assert (event.by, event.user_id) == (by, await id_of(site, JO))


async def test_whoever_did_something_is_named_by_their_address(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site)
    await act(site, ops, JO, "disable")
    page = (await ops.get(path_of(await id_of(site, JO)))).text.partition("What happened last")[2]
    assert OPS in page
    [event] = await audits(site, "person.disabled")
    told = await ops.get(f"/auth/dashboard/log/events/{event.id}")
    shown = told.text.partition("<main")[2].partition("<pre")[0]
    assert OPS in shown
    assert "operator:" not in page + shown


async def test_somebody_is_disabled_after_it_is_said_what_that_does_and_enabled(
    tmp_path: Path,
) -> None:
    site, ops = await make_dashboard(tmp_path)
    jo = await signed_in(site)
    page = await ops.get(path_of(await id_of(site, JO), "/disable"))
    assert f"Nobody can sign in as {JO}" in said(page)
    assert "1 session ends" in said(page)
    assert await jo.who() == JO, "a GET changes nothing"
    shown = await ops.get(led_to(await act(site, ops, JO, "disable")))
    assert "Disabled since" in said(shown)
    assert await jo.who() is None
    await ops.get(led_to(await act(site, ops, JO, "enable")))
    site.clock.advance(60)
    assert await (await signed_in(site)).who() == JO
    events = await audits(site, "person.disabled", "person.enabled")
    assert [one.by for one in events] == [f"operator:{await id_of(site, OPS)}"] * 2


async def test_name_and_language_are_set_and_bad_ones_are_told_beside_the_field(
    tmp_path: Path,
) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site)
    done = await act(site, ops, JO, "profile", {"name": " Jo Doe ", "language": "de"})
    assert "Jo Doe" in said(await ops.get(led_to(done)))
    for form, field in (
        ({"name": "a\nb", "language": "de"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "language": "xx"}, "language"),
    ):
        page = await act(site, ops, JO, "profile", form)
        assert page.status_code == 400
        assert f'id="f-{field}-error"' in page.text
    person = await site.passwordless.people.find(JO)
    assert person is not None
    assert (person.name, person.language) == ("Jo Doe", "de")
    [event] = await audits(site, "person.profile_changed")
    assert event.details == {"fields": "name,language"}


async def test_an_export_is_a_file_and_told_of(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site)
    answer = await act(site, ops, JO, "export")
    assert answer.headers["content-disposition"] == 'attachment; filename="person.json"'
    told = json.loads(answer.text)
    assert told["person"]["email"] == JO
    assert len(told["sessions"]) == 1
    [event] = [
        one for one in site.passwordless.events.recent(kind="person.exported") if one.by is not None
    ]
    assert event.by == f"operator:{await id_of(site, OPS)}"


async def test_somebody_is_deleted_by_typing_who_it_is(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    jo = await signed_in(site)
    path = path_of(await id_of(site, JO), "/delete")
    assert "1 session, which ends" in said(await ops.get(path))
    for typed in ("", KIM, "jo", f"{JO},{KIM}"):
        refused = await ops.post(path, {"typed": typed})
        assert refused.status_code == 400
        assert "Nothing was erased" in said(refused)
    assert await jo.who() == JO
    done = await ops.post(path, {"typed": " Jo@Example.com "})
    assert "is erased" in said(await ops.get(led_to(done)))
    assert await jo.who() is None
    assert await site.passwordless.people.find(JO) is None
    assert (await ops.get(path)).status_code == 404
    [event] = await audits(site, "person.deleted")
    assert (event.by, event.user_id) == (f"operator:{await id_of(site, OPS)}", None)


ACTIONS = ("sessions/end", "sign-out", "disable", "enable", "profile", "export")


async def test_nobody_acts_on_themselves_or_on_who_may_do_more(tmp_path: Path) -> None:
    """Security rule 63: a lesser operator signs no admin out of the way."""
    site, ops = await make_dashboard(tmp_path)
    help = await signed_in(site, HELP)
    before = site.snapshot()
    for operator, email in ((help, OPS), (help, HELP), (ops, OPS)):
        for what in ACTIONS:
            refused = await act(site, operator, email, what, {"name": "x", "typed": email})
            assert refused.status_code == 403, (email, what)
        for what in ("disable", "profile"):
            path = path_of(await id_of(site, email), f"/{what}")
            assert (await operator.get(path)).status_code == 403
    assert (await act(site, ops, OPS, "delete", {"typed": OPS})).status_code == 403
    assert site.snapshot()[0] == before[0]
    assert not await audits(site, "person.disabled", "person.signed_out", "person.deleted")


async def test_an_operator_of_the_same_role_or_a_lesser_one_is_acted_on(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    help = await signed_in(site, HELP)
    assert (await act(site, ops, HELP, "disable")).status_code == 303
    assert await help.who() is None


async def test_who_supports_deletes_nobody(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    jo, help = await signed_in(site), await signed_in(site, HELP)
    path = path_of(await id_of(site, JO), "/delete")
    nothing = await help.get("/auth/dashboard/no-such-page")
    for answer in (await help.get(path), await help.post(path, {"typed": JO})):
        assert (answer.status_code, answer.text) == (404, nothing.text)
    assert await jo.who() == JO


async def test_who_is_deleted_meanwhile_is_not_found(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site)
    id = await id_of(site, JO)
    await site.passwordless.people.delete(JO)
    for what in ACTIONS:
        assert (await ops.post(path_of(id, f"/{what}"), {})).status_code == 404


async def test_with_a_table_sessions_end_and_what_is_kept_is_erased(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, users=Table(OPS))
    jo = await signed_in(site)
    path = path_of(f"u-{JO}")
    assert json.loads((await ops.post(f"{path}/export", {})).text)["person"] is None
    assert (await ops.post(f"{path}/sign-out", {})).status_code == 303
    assert await jo.who() is None
    jo = await signed_in(site)
    assert "Your own table keeps its row" in said(await ops.get(f"{path}/delete"))
    assert (await ops.post(f"{path}/delete", {"typed": f"u-{JO}"})).status_code == 400
    assert (await ops.post(f"{path}/delete", {"typed": JO})).status_code == 303
    assert await jo.who() is None
    for what in ("disable", "enable", "profile"):
        assert (await ops.post(f"{path}/{what}", {})).status_code == 404
