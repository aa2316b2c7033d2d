"""What holds for every page of the dashboard, of whichever feature, as its links lead there."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pwless_middleware import EmailLogin, Organizations, Passkeys, SecondFactors, Webhooks
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.features.sso.options import SSO
from pwless_middleware.web.parts.setup_links import setup_url
from tests.features.dashboard.crawl import Crawl, Page, crawl
from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard, make_dashboard_site
from tests.features.second_factors.people import confirm_by_mail, enroll
from tests.guide import table
from tests.organizations import floor_of
from tests.own_account import JO, signed_in
from tests.support import API_KEY, KEY, Browser, Site, led_to, token_of

pytestmark = pytest.mark.anyio

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}${7*7}'
AGENT = "Mozilla/5.0 <script>alert(1)</script> Firefox/1.0 (X11; Linux)"


async def live_in(site: Site) -> tuple[Browser, dict[str, str]]:
    """Have people sign in, fail, and add what they can; return a browser, and every secret."""
    secrets: dict[str, str] = {"secret_key": KEY, "api_key": API_KEY}
    jo = site.browser(headers={"user-agent": AGENT, "accept-language": "de"})
    await jo.ask(JO, next="/private?x=<script>alert(1)</script>")
    mail = site.mail(JO)
    await jo.type_code("000000" if mail.code != "000000" else "111111")
    secrets["code"], secrets["link"] = mail.code or "", token_of(mail.link)
    await site.browser(headers={"accept": "*/*"}).get(mail.link or "")
    await jo.type_code(mail.code)
    secrets["session"] = jo.cookie() or ""
    secrets["device"] = jo.cookie("device") or ""
    app = await enroll(site, JO, name=EVIL[:40])
    secrets["totp"] = app._secret
    for number in range(3):
        waiting = site.browser()
        await waiting.ask(f"kim+{number}@example.com")
        mail = site.mail(f"kim+{number}@example.com")
        secrets[f"waiting code {number}"] = mail.code or ""
        secrets[f"waiting link {number}"] = token_of(mail.link)
        secrets[f"flow {number}"] = waiting.cookie("flow") or ""
    secrets |= await _make_organization(site)
    site.clock.advance(1)
    return jo, secrets


async def _make_organization(site: Site) -> dict[str, str]:
    """Have a customer with all that one can have; return every secret."""
    floor, jo = floor_of(site), await site.passwordless.people.find(JO)
    assert jo is not None
    acme = await floor.organizations.create(EVIL, external_id=EVIL)
    await floor.members.put(acme.id, jo.id, role=EVIL[:60])
    await floor.domains.claim(acme.id, "acme.example")
    await floor.invitations.create(acme.id, "new@acme.example", role=EVIL[:60])
    login = await floor.connections.create(
        acme.id, "oidc", EVIL, config={"preset": "oidc"}, secret=b"the-secret-of-a-client"
    )
    token = await floor.connections.create_scim_token(login.id)
    link = setup_url(site.passwordless._kit, await floor.setup_links.create(acme.id))
    return {
        "invitation": token_of(site.mail("new@acme.example").link),
        "client_secret": "the-secret-of-a-client",
        "scim": token,
        "setup_link": parse_qs(urlsplit(link).query)["setup_token"][0],
    }


def site_of(folder: Path, **options: Any) -> Site:
    """Make a site with everything that can be mounted."""
    features = [Passkeys(), SecondFactors(), Organizations(), SSO()]
    return make_dashboard_site(folder, features=features, **options)


@dataclass
class Crawled:
    """A site that people have lived in, as each role finds it."""

    secrets: dict[str, str]
    events: Sequence[StoredEvent]
    navigation: list[str]
    by: dict[str, Crawl]
    nowhere: list[str]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """Go through it once: nothing that is looked at here changes it."""
    return asyncio.run(_crawl_all(tmp_path_factory.mktemp("crawled")))


async def _crawl_all(folder: Path) -> Crawled:
    site = site_of(folder)
    ops = await signed_in(site, OPS)
    _, secrets = await live_in(site)
    secrets["own session"] = ops.cookie() or ""
    for address in ("=cmd_'{{7*7}}'a0@example.com", "'-alert-'@example.com", "+1+1@example.com"):
        await site.browser(headers={"user-agent": AGENT}).ask(address)
    await site.passwordless.people.set_profile(JO, name=EVIL)
    events = (await site.passwordless.events.find(limit=1000)).events
    others = {address: await signed_in(site, address) for address in (HELP, LOOK)}
    by = {address: await crawl(browser) for address, browser in {OPS: ops, **others}.items()}
    navigation = [page.path for page in site.passwordless._kit.offers.dashboard_pages]
    actions = {
        action
        for crawl in by.values()
        for url, page in crawl.pages.items()
        for action in Page(page.text).posts(f"{ops.origin}{url}")
    }
    routes = [site.passwordless.routes._match(path.removeprefix("/auth"))[0] for path in actions]
    nowhere = [
        path
        for path, route in zip(actions, routes, strict=True)
        if route is None or "POST" not in route.methods
    ]
    return Crawled(secrets, events, navigation, by, nowhere)


def test_every_form_is_sent_to_a_page_that_takes_it(crawled: Crawled) -> None:
    assert crawled.nowhere == []


def test_no_page_and_no_export_holds_a_secret(crawled: Crawled) -> None:
    """Security rule 62."""
    assert crawled.by[OPS].found
    for path, answer in crawled.by[OPS].found.items():
        text = unescape(answer.text)
        for name, secret in crawled.secrets.items():
            assert secret, name
            if name.startswith(("code", "waiting code")):  # six digits may be part of a number
                assert not re.search(rf"(?<!\d){secret}(?!\d)", text), f"{name} on {path}"
            else:
                assert secret not in text, f"{name} on {path}"
                # A cookie's value has several parts, each of which would be enough to look for.
                assert secret.split(".")[0][:40] not in text, f"{name} on {path}"


def test_no_event_holds_a_secret(crawled: Crawled) -> None:
    assert crawled.events
    for stored in crawled.events:
        text = json.dumps(stored.to_dict())
        for name, secret in crawled.secrets.items():
            if "code" not in name:
                assert secret not in text, (name, stored.event.kind)
            else:
                assert not re.search(rf'"{secret}"', text), (name, stored.event.kind)


def test_what_strangers_write_is_text_on_every_page(crawled: Crawled) -> None:
    """Security rule 61: names, devices, paths, addresses."""
    assert any(EVIL[:20] in unescape(answer.text) for answer in crawled.by[OPS].pages.values())
    for path, answer in crawled.by[OPS].pages.items():
        assert "<script>alert" not in answer.text, path
        assert "onerror=alert(2)>" not in answer.text, path
        for tag, attributes in Page(answer.text).elements:
            assert not any(name.startswith("on") for name in attributes), (path, tag)
            if tag == "script":
                assert attributes.get("src", "").startswith("/auth/static/"), path
            if tag in ("a", "form", "iframe", "img", "link"):
                url = attributes.get("href") or attributes.get("action") or attributes.get("src")
                assert not (url or "").strip().lower().startswith("javascript:"), path


def test_every_link_leads_somewhere_and_every_page_is_whole(crawled: Crawled) -> None:
    made = crawled.by[OPS]
    assert made.broken == []
    shown = {path.split("?")[0] for path in made.pages}
    for path in crawled.navigation:
        assert f"/auth{path}" in shown
    for path, answer in made.pages.items():
        _check_page(path, answer.text, answer.headers)


def _check_page(path: str, html: str, headers: Mapping[str, str]) -> None:
    assert "no-store" in headers["cache-control"], path
    page = Page(html)
    if "sandbox" in headers["content-security-policy"]:
        return  # a preview: it is in a frame, and by a policy of its own
    assert "default-src 'none'" in headers["content-security-policy"], path
    assert "'unsafe-inline'" not in headers["content-security-policy"], path
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == 1, path
    assert tags.count("main") == 1, path
    assert "style" not in tags, path
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids)), (path, sorted(i for i in ids if ids.count(i) > 1))
    labels = {label.get("for") for label in page.all("label")}
    for tag, attributes in page.elements:
        assert "style" not in attributes, (path, tag)
        if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden":
            is_named = attributes.get("id") in labels or "aria-label" in attributes
            assert is_named or "aria-labelledby" in attributes, (path, attributes)
        for name in ("aria-describedby", "aria-labelledby"):
            for wanted in attributes.get(name, "").split():
                assert wanted in ids, (path, tag, wanted)


@pytest.mark.parametrize("address", [HELP, LOOK])
def test_a_lesser_role_finds_no_link_that_is_not_for_it(crawled: Crawled, address: str) -> None:
    made = crawled.by[address]
    assert made.broken == []
    assert made.pages


async def test_whoever_has_a_second_factor_has_to_use_it(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, features=[SecondFactors()])
    app = await enroll(site, OPS)
    answer = await ops.get("/auth/dashboard")
    assert led_to(answer).startswith("/auth/step/up?within=43200&strength=second_factor")
    await confirm_by_mail(ops, OPS)
    assert led_to(await ops.get("/auth/dashboard")).startswith("/auth/step/up")
    assert app.code()


async def test_the_navigation_goes_from_what_is_seen_to_who_may_see_it(tmp_path: Path) -> None:
    site = make_dashboard_site(
        tmp_path,
        features=[EmailLogin(test_users=True), Webhooks(), Organizations()],
        secret_key=KEY,
    )
    page = (await (await signed_in(site, OPS)).get("/auth/dashboard/overview")).text
    navigation = page.split("<nav", 1)[1].split("</nav>", 1)[0]
    assert re.findall(r"<h2[^>]*>([^<]+)<|<span>([^<]+)</span>", navigation) == [
        *(("", title) for title in ("Overview", "Log", "People", "Organizations")),
        ("Configure", ""),
        *(("", title) for title in ("Settings", "Templates")),
        ("Operate", ""),
        *(("", title) for title in ("Delivery", "Webhooks")),
        ("Access", ""),
        *(("", title) for title in ("API keys", "Test addresses", "Operators")),
    ]
    # Which is also what the guide says there is.
    assert re.findall(r"<span>([^<]+)</span>", navigation) == [
        row[0] for row in table("dashboard pages")
    ]
