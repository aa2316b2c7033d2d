"""A customer's directory keeps the members of its organization (RFC 7643, RFC 7644)."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pwless_middleware.features.sso.options import SSO
from tests.features.organizations.scene import (
    add_member,
    make_organization,
    make_scene,
    place_of,
    sign_in_to,
    verify_domain,
)
from tests.features.sso.scim.directory import (
    JO,
    Directory,
    make_directory,
    make_directory_site,
)
from tests.live import served
from tests.organizations import floor_of, newest_event

pytestmark = pytest.mark.anyio


@pytest.fixture
async def directory(tmp_path: Path) -> Directory:
    return await make_directory_site(tmp_path)


# --- its life ------------------------------------------------------------------------------------


async def test_a_person_is_made_and_may_sign_in_to_the_organization(directory: Directory) -> None:
    name = "Jo Doe " + "x" * 90
    made = await directory.create("Jo@Acme.example", externalId="00u1", displayName=name)
    assert made.status_code == 201, made.text
    assert made.headers["content-type"] == "application/scim+json"
    user = made.json()
    assert (user["userName"], user["externalId"], user["active"]) == (JO, "00u1", True)
    assert user["displayName"] == name
    by = f"scim {directory.connection.id}"
    for kind in ("person.profile_changed", "member.added"):
        assert newest_event(directory.site, kind).by == by
    assert user["emails"] == [{"value": JO, "type": "work", "primary": True}]
    assert made.headers["location"] == user["meta"]["location"]
    assert (await directory.ask("GET", f"/Users/{user['id']}")).json() == user
    jo = await sign_in_to(directory.site, JO)
    assert await place_of(directory.site, jo) == "Acme"


async def test_who_is_deactivated_is_out_at_once_and_in_again_later(directory: Directory) -> None:
    id = (await directory.create()).json()["id"]
    jo = await sign_in_to(directory.site, JO)
    assert await place_of(directory.site, jo) == "Acme"
    off = await directory.patch(id, {"op": "replace", "path": "active", "value": False})
    assert (off.status_code, off.json()["active"]) == (200, False)
    assert await jo.who() is None
    again = directory.site.browser()
    await again.ask(JO)
    assert (await again.type_code(directory.site.mail(JO).code)).status_code == 403
    assert await again.who() is None
    await directory.patch(id, {"op": "replace", "value": {"active": True}})
    back = await sign_in_to(directory.site, JO)
    assert await place_of(directory.site, back) == "Acme"


async def test_who_is_deactivated_is_out_of_every_process(tmp_path: Path) -> None:
    directory = await make_directory_site(tmp_path, store=None)
    other = make_scene(tmp_path, SSO(), store=None)
    id = (await directory.create()).json()["id"]
    jo = await sign_in_to(directory.site, JO)
    elsewhere = other.browser(cookies=dict(jo.cookies))
    assert await place_of(other, elsewhere) == "Acme"
    await directory.patch(id, {"op": "replace", "path": "active", "value": False})
    assert await jo.who() is None
    ends = asyncio.get_running_loop().time() + 0.1
    while await elsewhere.who() is not None:
        assert asyncio.get_running_loop().time() < ends


async def test_who_is_deleted_is_no_member_and_keeps_the_account(directory: Directory) -> None:
    id = (await directory.create()).json()["id"]
    jo = await sign_in_to(directory.site, JO)
    assert (await directory.ask("DELETE", f"/Users/{id}")).status_code == 204
    assert await jo.who() is None
    assert (await directory.ask("GET", f"/Users/{id}")).status_code == 404
    assert (await directory.ask("DELETE", f"/Users/{id}")).status_code == 404
    assert await directory.site.passwordless.people.find(JO) is not None
    assert (await directory.create()).json()["id"] == id


async def test_a_replacement_takes_away_what_it_does_not_name(directory: Directory) -> None:
    id = (await directory.create(externalId="00u1", active=False)).json()["id"]
    replaced = await directory.ask("PUT", f"/Users/{id}", {"userName": JO})
    assert "externalId" not in replaced.json()
    assert replaced.json()["active"] is False, "nobody is let in by what is not said"


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "replace", "path": "active", "value": False}, {"active": False}),
        ({"op": "Replace", "path": "active", "value": "False"}, {"active": False}),
        ({"op": "replace", "value": {"active": False}}, {"active": False}),
        ({"op": "Add", "value": {"Active": "false"}}, {"active": False}),
        (
            {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active",
             "value": False},
            {"active": False},
        ),
        (
            {"op": "replace",
             "value": {"urn:ietf:params:scim:schemas:core:2.0:User:active": False}},
            {"active": False},
        ),
        ({"op": "add", "path": "externalId", "value": "new"}, {"externalId": "new"}),
        ({"op": "remove", "path": "externalId"}, {"externalId": None}),
        ({"op": "replace", "path": "userName", "value": "JO@acme.example"}, {}),
        ({"op": "replace", "path": "name.givenName", "value": "Jo"}, {}),
        ({"op": "replace", "path": 'emails[type eq "work"].value', "value": "x@y.example"}, {}),
        (
            {"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"
             "department", "value": "Sales"},
            {},
        ),
        ({"op": "add", "path": "urn:acme:scim:User:externalId", "value": "another's"}, {}),
        ({"op": "remove", "path": "urn:acme:scim:User:active"}, {}),
        ({"op": "replace", "path": "phoneNumbers", "value": []}, {}),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
async def test_changes_are_read_as_directories_write_them(
    directory: Directory, operation: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Entra and Okta each have a dialect of their own."""
    before = (await directory.create(externalId="00u1")).json()
    answer = await directory.patch(before["id"], operation)
    assert answer.status_code == 200, answer.text
    given = {**before, **expected}
    assert answer.json() == {name: value for name, value in given.items() if value is not None}


@pytest.mark.parametrize(
    ("body", "scim_type"),
    [
        ({}, "invalidSyntax"),
        ({"Operations": []}, "invalidSyntax"),
        ({"Operations": [7]}, "invalidSyntax"),
        ({"Operations": [{"op": "move", "path": "active"}]}, "invalidSyntax"),
        ({"Operations": [{"op": "remove"}]}, "noTarget"),
        ({"Operations": [{"op": "remove", "path": "active"}]}, "mutability"),
        ({"Operations": [{"op": "replace", "value": 7}]}, "invalidValue"),
        ({"Operations": [{"op": "replace", "path": "a b", "value": 7}]}, "invalidPath"),
        ({"Operations": [{"op": "replace", "path": 7, "value": 7}]}, "invalidPath"),
        ({"Operations": [{"op": "replace", "path": "active", "value": "no"}]}, "invalidValue"),
        ({"Operations": [{"op": "replace", "path": "externalId", "value": 7}]}, "invalidValue"),
        (
            {"Operations": [{"op": "replace", "path": "externalId", "value": "org_x"}]},
            "invalidValue",
        ),
        (
            {"Operations": [{"op": "replace", "path": "userName", "value": "bo@acme.example"}]},
            "mutability",
        ),
    ],
    ids=lambda value: str(value)[:70],
)
async def test_a_bad_change_changes_nothing_and_says_why(
    directory: Directory, body: dict[str, Any], scim_type: str
) -> None:
    before = (await directory.create(externalId="00u1")).json()
    answer = await directory.ask("PATCH", f"/Users/{before['id']}", body)
    assert answer.status_code == 400
    assert answer.json()["scimType"] == scim_type
    assert answer.json()["status"] == "400"
    assert (await directory.ask("GET", f"/Users/{before['id']}")).json() == before


async def test_two_users_do_not_share_a_key(directory: Directory) -> None:
    await directory.create(externalId="00u1")
    answer = await directory.create("bo@acme.example", externalId="00u1")
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    answer = await directory.create()
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")


# --- whom it may keep ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "user_name",
    ["jo@elsewhere.example", "jo@sub.acme.example", "jo", "", None, "jo@unverified.example",
     "jo@beta.example", "jo@acme.example, bo@acme.example", 7],
)  # fmt: skip
async def test_only_addresses_of_its_own_verified_domains_are_made_members(
    directory: Directory, user_name: Any
) -> None:
    """A directory could else make anybody a member, by an address alone (security rule 50)."""
    floor = floor_of(directory.site)
    await floor.domains.claim(directory.connection.organization, "unverified.example")
    beta = await make_organization(directory.site, "Beta")
    await verify_domain(floor, beta.id, "beta.example")
    answer = await directory.create(user_name)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert await floor.members.count(directory.connection.organization) == 0


async def test_a_directory_sees_and_changes_its_own_organization_alone(
    directory: Directory,
) -> None:
    floor = floor_of(directory.site)
    beta = await make_organization(directory.site, "Beta", "bo@beta.example")
    (member,) = await floor.members.list(beta.id)
    id = member.user_id
    for method, body in (
        ("GET", None),
        ("PUT", {"userName": "bo@beta.example", "active": False}),
        ("PATCH", {"Operations": [{"op": "replace", "path": "active", "value": False}]}),
        ("DELETE", None),
    ):
        answer = await directory.ask(method, f"/Users/{id}", body)
        assert (answer.status_code, answer.json()["status"]) == (404, "404"), method
    assert await directory.find('userName eq "bo@beta.example"') == []
    assert (await floor.members.require(beta.id, id)).is_active


async def test_a_token_is_of_one_connection_and_good_until_it_is_revoked(
    directory: Directory,
) -> None:
    floor = floor_of(directory.site)
    other = await make_directory(directory.site, (await floor.organizations.create("Beta")).id)
    good, connections = directory.token, floor.connections
    for token in (other.token, "", "pwscim_", good[:-1], f"{good}x", good.upper()):
        directory.token = token
        answer = await directory.ask("GET", "/Users")
        assert answer.status_code == 401, token
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["status"] == "401"
    nobody = await directory.site.browser().get(f"{directory.base}/Users")
    assert nobody.status_code == 401
    directory.token, missing = good, directory.base
    directory.base = "/auth/scim/v2/conn_none"
    assert (await directory.ask("GET", "/Users")).json() == answer.json()
    directory.base = missing
    assert (await directory.ask("GET", "/Users")).status_code == 200
    directory.token = await connections.create_scim_token(directory.connection.id)
    assert (await directory.ask("GET", "/Users")).status_code == 200
    again, directory.token = directory.token, good
    assert (await directory.ask("GET", "/Users")).status_code == 401
    directory.token = again
    await connections.revoke_scim_token(directory.connection.id)
    assert (await directory.ask("GET", "/Users")).status_code == 401


async def test_a_session_is_no_token(directory: Directory) -> None:
    """Nor is a page of another site served by somebody's cookie."""
    await directory.create()
    jo = await sign_in_to(directory.site, JO)
    assert (await jo.get(f"{directory.base}/Users")).status_code == 401
    assert (await jo.post(f"{directory.base}/Users", {})).status_code == 401


# --- lists ---------------------------------------------------------------------------------------


async def test_users_are_found_as_directories_ask(directory: Directory) -> None:
    await directory.create(externalId="00u1")
    await directory.create("bo@acme.example", externalId="00u2")
    for text in (
        'userName eq "jo@acme.example"',
        'USERNAME EQ "Jo@ACME.example"',
        'externalId eq "00u1"',
        'emails[type eq "work"].value eq "jo@acme.example"',
        'emails.value eq "jo@acme.example"',
        'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "jo@acme.example"',
    ):
        assert [one["userName"] for one in await directory.find(text)] == [JO], text
    for text in ('userName eq "kim@acme.example"', 'externalId eq "none"', 'userName eq ""'):
        assert await directory.find(text) == []


@pytest.mark.parametrize(
    "text",
    ["userName", 'userName co "jo"', 'userName eq jo', 'userName eq true', 'displayName eq "x"',
     'userName eq "a" or userName eq "b"', 'userName eq "a', 'userName eq "\\u12"',
     "(" * 900, 'userName eq "' + "a" * 2000 + '"'],
    ids=lambda text: text[:40],
)  # fmt: skip
async def test_another_filter_is_refused(directory: Directory, text: str) -> None:
    answer = await directory.ask("POST", "/Users/.search", {"filter": text})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")


async def test_all_users_come_in_pages(directory: Directory) -> None:
    organization = directory.connection.organization
    names = {f"p{number}@acme.example" for number in range(7)}
    for name in names:
        await add_member(directory.site, organization, name)
    seen = set()
    for start in (1, 4, 7):
        page = (await directory.ask("GET", f"/Users?startIndex={start}&count=3")).json()
        assert (page["totalResults"], page["startIndex"]) == (7, start)
        assert page["itemsPerPage"] == len(page["Resources"])
        seen |= {one["userName"] for one in page["Resources"]}
    assert seen == names
    for query, count in (("count=0", 0), ("startIndex=9", 0), ("startIndex=-1&count=2", 2)):
        page = (await directory.ask("GET", f"/Users?{query}")).json()
        assert len(page["Resources"]) == count
    assert (await directory.ask("GET", "/Users?count=many")).status_code == 400


async def test_a_part_of_a_user_can_be_asked_for(directory: Directory) -> None:
    id = (await directory.create(externalId="00u1")).json()["id"]
    some = (await directory.ask("GET", f"/Users/{id}?attributes=active,emails.value")).json()
    assert some.keys() == {"schemas", "id", "active", "emails"}
    rest = (await directory.ask("GET", f"/Users/{id}?excludedAttributes=EMAILS,meta")).json()
    assert rest.keys() == {"schemas", "id", "active", "userName", "externalId"}


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400), (b"[]", 400), (b"{", 400), (b'{"userName": "a", "userName": "b"}', 400),
        (b'{"a": ' * 20 + b"1" + b"}" * 20, 400), (b'{"a": "' + b"a" * 70_000 + b'"}', 413),
        (b'{"userName": "\\ud800@acme.example"}', 400), (b"\xff", 400),
    ],
    ids=["empty", "list", "cut", "twice", "deep", "large", "surrogate", "bytes"],
)  # fmt: skip
async def test_a_body_that_is_none_is_refused(
    directory: Directory, content: bytes, status: int
) -> None:
    browser = directory.site.browser(headers={"authorization": f"Bearer {directory.token}"})
    answer = await browser.request("POST", f"{directory.base}/Users", content=content)
    assert answer.status_code == status
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


async def test_groups_are_told_that_there_are_none(directory: Directory) -> None:
    for method in ("GET", "POST"):
        answer = await directory.ask(method, "/Groups", {} if method == "POST" else None)
        assert (answer.status_code, answer.json()["status"]) == (404, "404")


# --- another author's judgment -------------------------------------------------------------------


def test_scim2_tester_finds_nothing_to_object_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scim2_client.engines.httpx2 import SyncSCIMClient
    from scim2_tester import Status, check_server

    monkeypatch.setattr(random, "random", random.Random(1).random)
    found: dict[str, Directory] = {}

    def make_app(url: str) -> Any:
        found["it"] = asyncio.run(make_directory_site(tmp_path, base_url=url))
        return found["it"].site.app

    with served(make_app) as url:
        directory = found["it"]
        headers = {"authorization": f"Bearer {directory.token}"}
        with httpx2.Client(base_url=f"{url}{directory.base}", headers=headers, timeout=30) as http:
            client = SyncSCIMClient(http)
            client.discover()
            user = client.get_resource_model("User")
            assert user is not None
            # A directory makes its own people alone, which the tester cannot know.
            user.model_fields["user_name"].examples = [f"p{n}@acme.example" for n in range(9999)]
            results = check_server(client)
    bad = [one for one in results if one.status in (Status.ERROR, Status.CRITICAL)]
    assert [(one.title, one.reason) for one in bad] == []
    done = {one.title for one in results if one.status == Status.SUCCESS}
    assert {"object_creation", "object_query", "object_replacement", "object_deletion"} <= done
    assert {"check_add_attribute", "check_replace_attribute"} <= done
