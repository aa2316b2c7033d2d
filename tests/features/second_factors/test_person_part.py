"""What operators see of a person's second factors, and how they reset them (security rule 46)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import Passkeys
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard, make_dashboard_site
from tests.features.dashboard.people.pages import act, audits, id_of, path_of
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import make_passkey
from tests.features.second_factors.enrolled import API, add_app, events_of
from tests.features.second_factors.people import JO, enroll, verbs_of
from tests.own_account import signed_in
from tests.support import Browser, Site, led_to, said

pytestmark = pytest.mark.anyio

WAIT = 3600
RESET, KEEP = "second-factors/reset", "second-factors/keep"


async def with_factors(folder: Path, **options: Any) -> tuple[Site, Browser]:
    return await make_dashboard(folder, features=[SecondFactors(**options), Passkeys()])


async def test_it_shows_what_somebody_has_and_no_secret(tmp_path: Path) -> None:
    site, ops = await with_factors(tmp_path, trusted_days=30)
    await signed_in(site)
    nothing = said(await ops.get(path_of(await id_of(site, JO))))
    assert "no second factor" in nothing
    assert "Reset second factors" not in nothing
    jo = await signed_in(site)
    app = await add_app(jo, name="Jo's <phone>")
    codes = (await jo.request("POST", f"{API}/recovery-codes")).json()["recovery_codes"]
    assert (await jo.request("POST", f"{API}/trusted-browsers")).status_code == 204
    page = await ops.get(path_of(await id_of(site, JO)))
    assert "Jo&#39;s &lt;phone&gt;" in page.text
    for told in ("Authenticator app", "10 of 10 left", "Reset second factors", "Trust no browser"):
        assert told in said(page)
    for secret in (app._secret, *codes):
        assert secret not in page.text


async def test_a_reset_is_said_and_done_at_once_where_nobody_waits(tmp_path: Path) -> None:
    site, ops = await with_factors(tmp_path)
    await enroll(site)
    before = said(await ops.get(path_of(await id_of(site, JO), f"/{RESET}")))
    assert "It is done at once" in before
    assert len(await verbs_of(site).list(await id_of(site, JO))) == 1
    done = await act(site, ops, JO, RESET)
    assert "All second factors are removed" in said(await ops.get(led_to(done)))
    assert await verbs_of(site).list(await id_of(site, JO)) == ()
    [event] = events_of(site, "factor.reset")
    assert event.by == f"operator:{await id_of(site, OPS)}"
    assert "second factors" in site.mail(JO).subject


async def test_where_somebody_can_object_it_waits_and_is_taken_back(tmp_path: Path) -> None:
    site, ops = await with_factors(tmp_path, reset_wait=WAIT)
    await enroll(site)
    id = await id_of(site, JO)
    assert "in 60 minutes it is done" in said(await ops.get(path_of(id, f"/{RESET}")))
    await act(site, ops, JO, RESET, {"wait": "0"})
    page = said(await ops.get(path_of(id)))
    assert "Unless the person objects" in page
    assert "Reset second factors" not in page
    assert len(await verbs_of(site).list(id)) == 1, "an operator cannot take the wait away"
    assert "Unless the person objects" in said(await ops.get(path_of(id, f"/{RESET}")))
    await act(site, ops, JO, RESET)
    assert "Nothing is removed." in said(await ops.get(led_to(await act(site, ops, JO, KEEP))))
    assert led_to(await act(site, ops, JO, KEEP)) == path_of(id)
    [event] = await audits(site, "factor.reset_objected")
    assert (event.by, event.client) == (f"operator:{await id_of(site, OPS)}", None)
    assert "Reset second factors" in said(await ops.get(path_of(id))), "it waits no more"


async def test_passkeys_are_not_removed_past_the_time_to_object(tmp_path: Path) -> None:
    site, ops = await with_factors(tmp_path, reset_wait=WAIT)
    jo = await signed_in(site)
    assert (await make_passkey(jo, Authenticator())).status_code == 201
    path = path_of(await id_of(site, JO))
    assert "Remove all passkeys" not in said(await ops.get(path))
    assert (await ops.get(f"{path}/passkeys/reset")).status_code == 404
    assert (await ops.post(f"{path}/passkeys/reset", {})).status_code == 404
    assert len(await site.passwordless.verbs(Passkeys).list(await id_of(site, JO))) == 1


async def test_trusted_browsers_are_forgotten(tmp_path: Path) -> None:
    site, ops = await with_factors(tmp_path, trusted_days=30)
    jo = await signed_in(site)
    await add_app(jo)
    await jo.request("POST", f"{API}/trusted-browsers")
    await act(site, ops, JO, "second-factors/forget-browsers")
    assert await verbs_of(site).trusted_browsers(await id_of(site, JO)) == []


async def test_who_looks_resets_nothing_and_nobody_resets_who_may_do_more(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path, features=[SecondFactors()])
    await enroll(site)
    look, help, ops = [await signed_in(site, one) for one in (LOOK, HELP, OPS)]
    await enroll(site, OPS)
    assert "Reset" not in said(await look.get(path_of(await id_of(site, JO))))
    for what in (RESET, KEEP, "second-factors/forget-browsers"):
        assert (await act(site, look, JO, what)).status_code == 404
        for email in (OPS, HELP):
            assert (await act(site, help, email, what)).status_code == 403
    assert len(await verbs_of(site).list(await id_of(site, OPS))) == 1
    assert (await act(site, help, JO, RESET)).status_code == 303
    del ops
