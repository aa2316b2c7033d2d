"""The gate of the dashboard: every route, every role, every method (security rule 60)."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path

import pytest

from pwless_middleware import ConfigError
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.operators.operator import ROLES, Role, covers
from pwless_middleware.features.dashboard import Dashboard
from pwless_middleware.web.routing.routes import Handler
from tests.features.dashboard.operators import (
    HELP,
    LOOK,
    OPERATORS,
    OPS,
    make_dashboard,
    make_dashboard_site,
)
from tests.features.dashboard.people.table import Table
from tests.own_account import JO, make_kept_site, signed_in
from tests.support import Browser, Site, led_to, make_site

pytestmark = pytest.mark.anyio

NOBODY = "/auth/dashboard/no-such-page"
LOOK_SECONDS, CHANGE_SECONDS = 12 * 3600, 300


def routes_of(site: Site) -> list[tuple[str, str]]:
    """Return method and path of every route of the dashboard, with an `x` for each name in it."""
    return [
        (method, "/auth" + re.sub(r"\{\w+\}", "x", route.path))
        for route in site.passwordless.routes.all
        if (route.path + "/").startswith("/dashboard/")
        for method in route.methods
    ]


async def ask(browser: Browser, method: str, path: str) -> tuple[int, str, dict[str, str]]:
    """Return the status, body and headers of an answer, without what each has its own of."""
    form: dict[str, str] | None = {} if method == "POST" else None
    answer = await browser.request(method, path, form=form)
    return answer.status_code, answer.text, dict(answer.headers)


async def test_for_somebody_else_nothing_of_it_is_there(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    jo = await signed_in(site, JO)
    nothing = await ask(jo, "GET", NOBODY)
    assert nothing[0] == 404
    routes = routes_of(site)
    assert ("GET", "/auth/dashboard") in routes
    for method, path in routes:
        assert await ask(jo, method, path) == nothing, f"{method} {path}"


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_no_method_and_no_origin_tells_somebody_else_of_it(
    tmp_path: Path, method: str
) -> None:
    """An answer of "not this method" says that there is a page (security rule 60)."""
    site = make_dashboard_site(tmp_path)
    jo, look = await signed_in(site, JO), await signed_in(site, LOOK)
    for headers in ({}, {"origin": "https://evil.example"}):
        nothing = await jo.request(method, NOBODY, headers=headers)
        for path in {path for _, path in routes_of(site)}:
            answer = await jo.request(method, path, headers=headers)
            assert answer.status_code == nothing.status_code, path
            assert dict(answer.headers) == dict(nothing.headers), path
            assert answer.text == nothing.text, path
        answer = await look.request(method, "/auth/dashboard/operators/lower", headers=headers)
        assert answer.status_code == nothing.status_code


async def test_a_stranger_is_sent_to_the_login_page(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    stranger = site.browser()
    for method, path in routes_of(site):
        answer = await stranger.request(method, path, form={} if method == "POST" else None)
        assert answer.status_code == 303, f"{method} {path}"
        assert led_to(answer).startswith("/auth/login"), f"{method} {path}"


async def test_looking_asks_for_a_proof_of_the_last_twelve_hours(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    looks = [path for method, path in routes_of(site) if method == "GET"]
    site.clock.now += LOOK_SECONDS + 1
    for path in looks:
        answer = await ops.get(path)
        assert answer.status_code == 303, path
        assert led_to(answer).startswith("/auth/step/up"), path


async def test_changing_asks_for_a_proof_of_the_last_five_minutes(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    site.clock.now += CHANGE_SECONDS + 1
    before = site.snapshot()
    for method, path in routes_of(site):
        if method != "POST":
            continue
        answer = await ops.post(path, {})
        assert answer.status_code == 303, path
        assert led_to(answer).startswith("/auth/step/up"), path
    assert site.snapshot()[2:] == before[2:]


async def test_a_change_from_another_site_is_refused_before_anything(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    for method, path in routes_of(site):
        if method == "POST":
            answer = await ops.post(path, {}, headers={"origin": "https://evil.example"})
            assert answer.status_code == 403, path


@pytest.mark.parametrize("address", [HELP, LOOK])
async def test_a_lesser_role_has_no_page_that_its_navigation_does_not_show(
    tmp_path: Path, address: str
) -> None:
    site = make_dashboard_site(tmp_path)
    operator = await signed_in(site, address)
    nothing = await ask(operator, "GET", NOBODY)
    for page in site.passwordless._kit.offers.dashboard_pages:
        may = covers(OPERATORS[address], page.role)
        answer = await ask(operator, "GET", f"/auth{page.path}")
        assert (answer == nothing) is not may, page.path


async def test_who_only_looks_changes_nothing(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    look = await signed_in(site, LOOK)
    nothing = await ask(look, "GET", NOBODY)
    for method, path in routes_of(site):
        if method == "POST":
            assert await ask(look, method, path) == nothing, path


async def test_an_address_that_a_table_gives_makes_nobody_an_operator(tmp_path: Path) -> None:
    """A host's table may take what people write into their profiles (security rule 63)."""
    table = Table()
    site = make_dashboard_site(tmp_path, users=table)
    jo = await signed_in(site, JO)
    for email in (OPS, OPS.upper(), f" {OPS} "):
        table.users[f"u-{JO}"] = email
        assert (await jo.get("/auth/dashboard/people")).status_code == 404, email
    ops = await signed_in(site, OPS)
    assert (await ops.get("/auth/dashboard/people")).status_code == 200


def test_each_handler_asks_the_gate_before_anything_else(tmp_path: Path) -> None:
    """A body, a query or a database that is read before would answer strangers."""
    site = make_dashboard_site(tmp_path)
    asked = re.compile(r"await self\._?(?:kit\.operators|operators)\.require")
    for route in site.passwordless.routes.all:
        if (route.path + "/").startswith("/dashboard/"):
            for method, handler in route.methods.items():
                lines = _statements(handler)
                assert lines, f"{method} {route.path}: no body"
                assert asked.search(lines[0]), f"{method} {route.path}: {lines[0]}"


def _statements(handler: Handler) -> list[str]:
    function = inspect.unwrap(handler)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    body = tree.body[0].body  # type: ignore[attr-defined]
    return [ast.unparse(one) for one in body if not _is_docstring(one)]


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


async def test_without_a_dashboard_its_paths_are_nothing(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site, JO)
    assert (await jo.get("/auth/dashboard")).status_code == 404


def test_a_role_holds_those_before_it() -> None:
    assert [[covers(one, other) for other in ROLES] for one in ROLES] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


@pytest.mark.parametrize(
    ("operators", "problem"),
    [
        (["nobody"], "'nobody' is not an email address"),
        ([OPS, "OPS@acme.example"], "stands there twice"),
        ({OPS: "owner"}, "view or support or admin"),
        (OPS, "list"),
        (None, "list"),
    ],
)
def test_wrong_operators_are_refused(operators: object, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Dashboard(operators=operators)  # type: ignore[arg-type]
    assert refused.value.option == "operators"
    assert problem in str(refused.value)


def test_a_dashboard_needs_a_database() -> None:
    with pytest.raises(ConfigError, match="database"):
        make_site(features=[Dashboard(operators=[OPS])], public=["*"])


async def test_an_operator_by_code_has_the_role_that_it_names(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    kit = site.passwordless._kit
    for address in OPERATORS:
        user = await kit.users.find(Address(address))
        if user is None:
            await signed_in(site, address)
            user = await kit.users.find(Address(address))
        assert user is not None
        role: Role | None = await kit.operators.role_of(user)
        assert role == OPERATORS[address]
