"""Organizations in the JSON API, for the host's own back office."""

from __future__ import annotations

import pytest

from tests.features.organizations_api.backend import ORGANIZATIONS, Backend
from tests.organizations import add_app, add_connection, floor_of, newest_event
from tests.support import Site, error_code

pytestmark = pytest.mark.anyio


async def test_they_are_made_found_changed_and_deleted(site: Site, backend: Backend) -> None:
    made = (await backend.post(name="Acme", external_id="customer-7", language="de"))[
        "organization"
    ]
    assert (made["name"], made["external_id"], made["version"]) == ("Acme", "customer-7", 1)
    assert made["created_at"] == str(site.clock.now)
    assert made["policy"]["mfa"] is None
    assert newest_event(site, "organization.created").by == "server:backend"
    assert (await backend.get("/customer-7"))["organization"] == made
    changed = await backend.patch(f"/{made['id']}", name="Acme AG", external_id="", version=1)
    assert changed["organization"]["name"] == "Acme AG"
    assert "external_id" not in changed["organization"]
    assert await backend.refusal("PATCH", f"/{made['id']}", name="x", version=1) == (
        "version",
        "version",
    )
    await backend.delete(f"/{made['id']}")
    gone = await backend.ask("GET", f"/{made['id']}")
    assert (gone.status_code, error_code(gone)) == (404, "NOT_FOUND")


async def test_they_are_paged_searched_and_found_by_their_domain(backend: Backend) -> None:
    ids = {name: await backend.create(name) for name in ("c", "A", "b")}
    first = await backend.get("?limit=2")
    assert [one["name"] for one in first["organizations"]] == ["A", "b"]
    rest = await backend.get(f"?limit=2&after={first['next']}")
    assert [one["name"] for one in rest["organizations"]] == ["c"]
    assert "next" not in rest
    assert [one["id"] for one in (await backend.get("?search=B"))["organizations"]] == [ids["b"]]
    await backend.post(f"/{ids['c']}/domains", domain="acme.example")
    found = await backend.get("?domain=ACME.example")
    assert [one["id"] for one in found["organizations"]] == [ids["c"]]
    assert (await backend.get("?domain=nobody"))["organizations"] == []
    await backend.delete(f"/{ids['b']}")
    assert await backend.refusal("GET", f"?after={ids['b']}") == ("after", "gone")


async def test_what_is_wrong_is_named(backend: Backend) -> None:
    assert await backend.refusal("POST") == ("name", "required")
    assert await backend.refusal("POST", name="x", external_id="org_1") == (
        "external_id",
        "prefix",
    )
    assert await backend.refusal("POST", name="x", policy={"mfa": "often"}) == (
        "policy.mfa",
        "enum",
    )
    assert await backend.refusal("GET", "?nam=x") == ("nam", "name")


# --- policy --------------------------------------------------------------------------------------


async def test_a_policy_is_changed_field_by_field(site: Site, backend: Backend) -> None:
    id = await backend.create(external_id="7", policy={"mfa": "optional"})
    changed = await backend.patch("/7/policy", policy={"idle": 600, "mfa": None}, version=1)
    assert (changed["policy"]["idle"], changed["policy"]["mfa"]) == (600, None)
    assert changed["version"] == 2
    assert await backend.get(f"/{id}/policy") == changed
    path = f"/{id}/policy"
    assert await backend.refusal("PATCH", path, policy={"idle": 1}, version=2) == (
        "policy.idle",
        "range",
    )
    stale = await backend.refusal("PATCH", path, policy={"idle": 700}, version=1)
    assert stale == ("version", "version")
    applied = await backend.post(f"/{id}/policy/apply")
    assert applied["version"] == 3
    assert (await backend.get(f"/{id}"))["organization"]["enforced_at"] == str(site.clock.now)


async def test_the_companys_login_is_required_only_once_it_can_be(
    site: Site, backend: Backend
) -> None:
    """Security rule 54."""
    jo = await site.passwordless.people.create("jo@acme.example")
    id = await backend.create()
    path = f"/{id}/policy"
    required = {"sso": "required", "break_glass": [jo.email]}
    assert (await backend.refusal("PATCH", path, policy=required, version=1))[1] == "second_factor"
    await add_app(site, jo.id)
    assert (await backend.refusal("PATCH", path, policy=required, version=1))[1] == "member"
    await floor_of(site).members.put(id, jo.id)
    assert (await backend.refusal("PATCH", path, policy=required, version=1))[1] == "no_connection"
    connection = await add_connection(floor_of(site), id)
    changed = await backend.patch(path, policy=required, version=1)
    assert changed["policy"]["sso"] == "required"
    off = await backend.refusal("PATCH", f"/{id}/connections/{connection.id}", is_enabled=False)
    assert off == ("is_enabled", "required")


async def test_it_explains_what_would_happen_at_a_login(backend: Backend) -> None:
    id = await backend.create(policy={"methods": ["passkey"]})
    answer = await backend.get(f"/{id}/policy/explain?email=Jo@acme.example")
    assert (answer["email"], answer["organization"]) == ("jo@acme.example", id)
    assert {one["outcome"] for one in answer["ways"]} == {"denied"}
    path = f"/{id}/policy/explain"
    assert await backend.refusal("GET", path) == ("email", "required")
    assert await backend.refusal("GET", f"{path}?email=x") == ("email", "email")


# --- who may ask ---------------------------------------------------------------------------------


async def test_it_is_for_servers_alone(site: Site, backend: Backend) -> None:
    id = await backend.create()
    own = {"origin": site.base_url, "sec-fetch-site": "same-origin"}
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    for path in ("", f"/{id}", f"/{id}/members", f"/{id}/connections"):
        for headers in ({}, own, {"authorization": "Bearer pwk_" + "x" * 24}):
            answer = await jo.get(ORGANIZATIONS + path, headers=headers)
            assert (answer.status_code, error_code(answer)) == (401, "UNAUTHENTICATED")


async def test_every_route_asks_for_the_scope_that_it_needs(site: Site, backend: Backend) -> None:
    """No route forgets: each method of each, with a key that may only read, and with a foreign."""
    await backend.create(external_id="7")
    keys = site.passwordless.api_keys
    reads = await keys.create("reader", scopes=["organizations:read"])
    other = await keys.create("other", scopes=["users", "events"])
    asked = 0
    for route in site.passwordless.routes.all:
        if not route.path.startswith("/api/v1/organizations"):
            continue
        path = route.path.removeprefix("/api/v1/organizations").replace("{id}", "7")
        for name in ("domain", "user", "invitation", "connection", "link"):
            path = path.replace(f"{{{name}}}", "x")
        for method in route.methods:
            asked += 1
            foreign = await Backend(site, other.text).ask(method, path)
            assert (foreign.status_code, error_code(foreign)) == (403, "MISSING_SCOPE"), path
            read = await Backend(site, reads.text).ask(method, path)
            if method == "GET":
                assert read.status_code != 403, path
            else:
                assert error_code(read) == "MISSING_SCOPE", (method, path)
    assert asked > 25


async def test_nothing_of_one_organization_is_reached_by_way_of_another(
    site: Site, backend: Backend
) -> None:
    """Every route, every id: what is Acme's is not there below Beta."""
    acme, beta = await backend.create("Acme"), await backend.create("Beta")
    jo = await site.passwordless.people.create("jo@acme.example")
    await backend.post(f"/{acme}/domains", domain="acme.example")
    await backend.post(f"/{acme}/members", user_id=jo.id)
    invited = await backend.post(f"/{acme}/invitations", email="al@acme.example")
    made = await backend.post(f"/{acme}/connections", kind="oidc", name="Okta")
    link = await backend.post(f"/{acme}/setup-links")
    ids = {
        "domain": "acme.example",
        "user": jo.id,
        "invitation": invited["invitation"]["id"],
        "connection": made["connection"]["id"],
        "link": link["setup_link"]["id"],
    }
    before = [await backend.get(f"/{acme}/{kind}") for kind in _KINDS]
    asked = 0
    for route in site.passwordless.routes.all:
        inner = [name for name in ids if f"{{{name}}}" in route.path]
        if not route.path.startswith("/api/v1/organizations") or not inner:
            continue
        path = route.path.removeprefix("/api/v1/organizations").replace("{id}", beta)
        path = path.replace(f"{{{inner[0]}}}", ids[inner[0]])
        for method in route.methods:
            asked += 1
            answer = await backend.ask(method, path)
            assert (answer.status_code, error_code(answer)) == (404, "NOT_FOUND"), (method, path)
    assert asked >= 12
    assert [await backend.get(f"/{acme}/{kind}") for kind in _KINDS] == before


_KINDS = ("domains", "members", "invitations", "connections", "setup-links")
