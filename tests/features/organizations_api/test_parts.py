"""What is of an organization, in the JSON API: domains, members, invitations, connections."""

from __future__ import annotations

import pytest

from pwless_middleware.flows.organizations.connections import ConnectionFault
from pwless_middleware.flows.organizations.txt_records import TXTRecords
from tests.features.organizations_api.backend import Backend
from tests.organizations import floor_of, newest_event
from tests.support import Site, error_code

pytestmark = pytest.mark.anyio


async def test_a_domain_is_claimed_verified_and_removed(site: Site, backend: Backend) -> None:
    id = await backend.create()
    claimed = (await backend.post(f"/{id}/domains", domain="Acme.example"))["domain"]
    assert (claimed["domain"], claimed["is_verified"]) == ("acme.example", False)
    assert claimed["record_name"] == "_pwless-challenge.acme.example"
    texts: list[str] = []

    async def look_up(name: str) -> TXTRecords:
        return TXTRecords(tuple(texts) if name == claimed["record_name"] else ())

    floor_of(site).verification.look_up_by(look_up)
    path = f"/{id}/domains/acme.example"
    missing = await backend.post(f"{path}/verify")
    assert (missing["state"], missing["domain"]["is_verified"]) == ("missing", False)
    assert missing["text"].startswith("The record is not there yet.")
    texts.append(claimed["record_value"])
    assert (await backend.post(f"{path}/verify"))["state"] == "verified"
    (listed,) = (await backend.get(f"/{id}/domains"))["domains"]
    assert listed["verified_at"] == str(site.clock.now)
    assert (await backend.get(path))["domain"] == listed
    await backend.delete(path)
    assert (await backend.get(f"/{id}/domains"))["domains"] == []
    assert await backend.refusal("POST", f"/{id}/domains", domain="gmail.com") == (
        "domain",
        "mailbox_provider",
    )


async def test_members_are_added_changed_and_removed(site: Site, backend: Backend) -> None:
    id = await backend.create()
    jo = await site.passwordless.people.create("jo@acme.example")
    member = (await backend.post(f"/{id}/members", email="Jo@acme.example", role="admin"))["member"]
    assert (member["user_id"], member["role"], member["origin"]) == (jo.id, "admin", "api")
    path = f"/{id}/members/{jo.id}"
    changed = await backend.patch(path, role="", external_id="e-1", is_active=False)
    assert (changed["member"]["role"], changed["member"]["is_active"]) == ("", False)
    again = (await backend.post(f"/{id}/members", user_id=jo.id, role="user"))["member"]
    assert (again["role"], again["is_active"]) == ("user", False), "that is what PATCH is for"
    assert (await backend.get(path))["member"] == again
    assert (await backend.get(f"/{id}/members"))["members"] == [again]
    await backend.delete(path)
    assert (await backend.get(f"/{id}/members")) == {"members": []}
    nobody = await backend.ask("POST", f"/{id}/members", email="al@acme.example")
    assert (nobody.status_code, error_code(nobody)) == (404, "NOT_FOUND")
    both = await backend.refusal("POST", f"/{id}/members", email=jo.email, user_id=jo.id)
    assert both == ("user_id", "one")
    assert await backend.refusal("POST", f"/{id}/members", email="x") == ("email", "email")


async def test_members_are_paged(site: Site, backend: Backend) -> None:
    id = await backend.create()
    people = [await site.passwordless.people.create(f"u{n}@acme.example") for n in range(3)]
    for one in people:
        await backend.post(f"/{id}/members", user_id=one.id)
    first = await backend.get(f"/{id}/members?limit=2")
    rest = await backend.get(f"/{id}/members?limit=2&after={first['next']}")
    found = [one["user_id"] for one in (*first["members"], *rest["members"])]
    assert found == sorted(one.id for one in people)
    assert "next" not in rest


async def test_addresses_are_invited_and_uninvited(site: Site, backend: Backend) -> None:
    id = await backend.create()
    path = f"/{id}/invitations"
    made = (await backend.post(path, email="Jo@acme.example", role="admin", expires_in=3600))[
        "invitation"
    ]
    assert (made["email"], made["by"]) == ("jo@acme.example", "server:backend")
    assert made["expires_at"] == str(site.clock.now + 3600)
    assert (await backend.get(path))["invitations"] == [made]
    await backend.delete(f"{path}/{made['id']}")
    assert (await backend.get(path))["invitations"] == []
    assert await backend.refusal("POST", path, email="x") == ("email", "email")
    assert await backend.refusal("POST", path, email="a@b.example", expires_in=1) == (
        "expires_in",
        "range",
    )


async def test_an_answer_has_a_connection_and_never_its_secret(
    site: Site, backend: Backend
) -> None:
    """Security rule 56."""
    id = await backend.create()
    path = f"/{id}/connections"
    config = {"issuer": "https://idp.acme.example", "client_id": "c"}
    made = await backend.ask(
        "POST", path, kind="oidc", name="Okta", config=config, secret="very-s3cret"
    )
    connection = made.json()["connection"]
    assert connection["has_secret"]
    assert not connection["is_enabled"]
    one = f"{path}/{connection['id']}"
    changed = await backend.ask("PATCH", one, secret="m0re-s3cret", is_enabled=True, name="Entra")
    assert changed.json()["connection"]["is_enabled"]
    answers = [made, changed, await backend.ask("GET", path), await backend.ask("GET", one)]
    assert not any("s3cret" in answer.text for answer in answers)
    assert await floor_of(site).connection_secrets.of(connection["id"]) == b"m0re-s3cret"
    token = (await backend.post(f"{one}/scim-token"))["token"]
    assert token.startswith("pwscim_")
    for answer in (await backend.ask("GET", path), await backend.ask("GET", one)):
        assert "pwscim" not in answer.text
    assert newest_event(site, "connection.scim_token_created").by == "server:backend"
    await backend.delete(f"{one}/scim-token")
    forgotten = await backend.patch(one, secret="")
    assert not forgotten["connection"]["has_secret"]
    await backend.delete(one)
    assert (await backend.get(path))["connections"] == []


async def test_a_connection_says_what_is_wrong_with_it(site: Site, backend: Backend) -> None:
    id = await backend.create()
    made = await backend.post(f"/{id}/connections", kind="oidc", name="Okta")
    path = f"/{id}/connections/{made['connection']['id']}/test"
    floor_of(site).connections.probe_by(_find_fault)
    answer = await backend.post(path)
    (fault,) = answer["faults"]
    assert (fault["code"], fault["received"]) == ("connection_incomplete", "x")
    assert fault["text"].startswith("The connection is not set up completely.")


async def _find_fault(_: object) -> list[ConnectionFault]:
    return [ConnectionFault("connection_incomplete", received="x")]


async def test_a_set_up_link_is_shown_once(site: Site, backend: Backend) -> None:
    id = await backend.create()
    path = f"/{id}/setup-links"
    made = await backend.post(path, expires_in=3600)
    assert made["url"].startswith(f"{site.base_url}/auth/sso/setup?setup_token=")
    assert (await backend.get(path))["setup_links"] == [made["setup_link"]]
    await backend.delete(f"{path}/{made['setup_link']['id']}")
    assert (await backend.get(path))["setup_links"] == []


async def test_the_document_describes_the_resource(site: Site, backend: Backend) -> None:
    await backend.create()  # the settings are known
    document = (await site.browser().get("/auth/api/v1/openapi.json")).json()
    paths = [path for path in document["paths"] if "/organizations" in path]
    assert len(paths) > 14
    operation = document["paths"]["/auth/api/v1/organizations/{id}/policy"]["patch"]
    assert operation["operationId"] == "changePolicy"
