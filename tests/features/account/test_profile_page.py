"""The page of a person's own profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import User
from tests.own_account import ADDRESS, DELETE, EXPORT, JO, PROFILE, make_kept_site, signed_in
from tests.support import led_to, make_site, said

pytestmark = pytest.mark.anyio


async def test_name_and_language_are_kept_and_shown(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo, phone = await signed_in(site), await signed_in(site)
    page = await jo.get(PROFILE)
    assert f"You sign in with {JO}" in said(page)
    for path in (ADDRESS, EXPORT, DELETE):
        assert f'href="{path}"' in page.text
    done = await jo.post(PROFILE, {"name": " Jo Ü ", "language": "de"})
    assert led_to(done) == f"{PROFILE}?done=saved"
    page = await jo.get(led_to(done))
    assert "Ihr Profil ist gespeichert." in said(page)
    assert 'value="Jo Ü"' in page.text
    assert '<option value="de" lang="de" dir="ltr" selected>Deutsch (Beta)<' in page.text
    assert '<option value="en" lang="en" dir="ltr">English<' in page.text
    assert "Beta: Diese Übersetzung hat noch niemand geprüft" in said(page)
    for browser in (jo, phone):
        await browser.get("/private")
        assert site.inner.scope["state"]["user"].display_name == "Jo Ü"


async def test_a_name_and_a_language_are_taken_away(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await jo.post(PROFILE, {"name": "Jo", "language": "de"})
    await jo.post(PROFILE, {"name": "", "language": ""})
    assert "pwless-language" not in jo.cookies
    await jo.get("/private")
    assert site.inner.scope["state"]["user"].display_name == JO
    assert "As my browser asks for" in said(await jo.get(PROFILE))


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "x" * 101, "language": ""}, "name"),
        ({"name": "Jo\nSmith", "language": ""}, "name"),
        ({"name": "Jo", "language": "tlh"}, "language"),
    ],
)
async def test_what_cannot_be_kept_is_told_beside_its_field(
    tmp_path: Path, form: dict[str, str], field: str
) -> None:
    jo = await signed_in(make_kept_site(tmp_path))
    page = await jo.post(PROFILE, form)
    assert page.status_code == 400
    assert f'id="{field}-error" role="alert"' in page.text
    assert "x" * 101 in page.text or "Jo" in page.text, "what was typed is still there"


async def test_the_person_s_own_language_comes_before_cookie_and_browser(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await jo.post(PROFILE, {"name": "", "language": "de"})
    phone = site.browser(headers={"accept-language": "en"})
    assert "Sign in" in said(await phone.get("/auth/login")), "nobody knows yet who it is"
    await phone.ask(JO)
    assert site.mail(JO).subject == "Bei app.example.com anmelden"
    await phone.type_code(site.mail(JO).code)
    assert phone.cookies["pwless-language"] == "de"
    assert "Ihr Profil" in said(await phone.get(PROFILE))
    phone.cookies["pwless-language"] = "en"
    assert "Ihr Profil" in said(await phone.get(PROFILE))
    assert "Sie sind angemeldet" in said(await phone.get("/auth/login"))


async def test_a_table_may_say_the_language(tmp_path: Path) -> None:
    class Table:
        user = User(id="1", email=JO, language="de")

        async def find(self, email: str) -> User | None:
            return self.user

        async def create(self, email: str) -> User | None:
            return self.user

        async def load(self, user_id: str) -> User | None:
            return self.user

    jo = await signed_in(make_kept_site(tmp_path, users=Table()))
    page = await jo.get(PROFILE)
    assert "Ihr Profil" in said(page)
    assert "<form" not in page.text, "nothing here is ours to change"
    assert EXPORT not in page.text


async def test_without_a_database_the_language_is_this_browser_s() -> None:
    site = make_site()
    jo = await signed_in(site)
    page = await jo.get(PROFILE)
    assert 'name="name"' not in page.text
    assert DELETE not in page.text
    done = await jo.post(PROFILE, {"language": "de"})
    cookie = done.headers["set-cookie"]
    assert cookie == "pwless-language=de; Max-Age=31536000; Path=/; SameSite=Lax; Secure"
    assert "Ihr Profil ist gespeichert." in said(await jo.get(led_to(done)))
    assert "Abmelden" in said(await site.browser(cookies=jo.cookies).get("/auth/logout"))
    assert (await jo.get(DELETE)).status_code == 404


async def test_with_one_language_and_no_database_there_is_no_such_page() -> None:
    jo = await signed_in(make_site(languages=["en"]))
    assert (await jo.get(PROFILE)).status_code == 404


async def test_a_page_of_another_site_changes_nothing(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    answer = await jo.post(PROFILE, {"name": "Evil"}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    await jo.get("/private")
    assert site.inner.scope["state"]["user"].display_name == JO
