"""The language of a request: its pages, its errors, and the mail that it asks for."""

from __future__ import annotations

import json

import pytest

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.languages.current import current_language
from tests.support import Site, make_site, retry_after, wrong

pytestmark = pytest.mark.anyio

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}
EMAIL = "jo@example.com"


@pytest.fixture
def site() -> Site:
    return make_site(roomy=True)


async def test_a_page_is_in_the_language_that_the_browser_asks_for(site: Site) -> None:
    page = await site.browser(headers=GERMAN).get("/auth/login")
    assert '<html lang="de" dir="ltr"' in page.text
    assert "E-Mail-Adresse" in page.text
    assert page.headers["content-language"] == "de"
    page = await site.browser().get("/auth/login")
    assert '<html lang="en" dir="ltr"' in page.text
    assert "Email address" in page.text


async def test_the_cookie_of_the_host_goes_before_what_the_browser_asks_for(site: Site) -> None:
    browser = site.browser(headers=GERMAN, cookies={"a": "b", "pwless-language": "en", "c": "d"})
    assert '<html lang="en"' in (await browser.get("/auth/login")).text
    for value in ("xx", "", "de;de", "x" * 4000):
        browser.cookies["pwless-language"] = value
        assert '<html lang="de"' in (await browser.get("/auth/login")).text


async def test_the_first_language_is_what_others_get() -> None:
    site = make_site(languages=["de", "en"])
    for headers in ({}, {"accept-language": "fr"}, {"accept-language": "~;;q"}):
        assert '<html lang="de"' in (await site.browser(headers=headers).get("/auth/login")).text
    english = site.browser(headers={"accept-language": "en-GB"})
    assert '<html lang="en"' in (await english.get("/auth/login")).text


async def test_errors_on_pages_are_in_the_language_of_the_page(site: Site) -> None:
    browser = site.browser(headers=GERMAN)
    page = await browser.post("/auth/login", {"email": "no address"})
    assert "Geben Sie eine E-Mail-Adresse ein" in page.text
    assert "<title>Fehler: Anmelden" in page.text
    await browser.ask(EMAIL)
    page = await browser.type_code(wrong(site.mail().code))
    assert "Dieser Code stimmt nicht." in page.text
    assert "Noch 4 Versuche." in page.text
    page = await browser.get("/auth/sso")
    assert page.status_code == 404
    assert "Seite nicht gefunden" in page.text


async def test_the_mail_is_in_the_language_of_who_asked_for_it(site: Site) -> None:
    """Whatever the worker that writes it was begun by."""
    await site.browser().ask("en@example.com")
    await site.browser(headers=GERMAN).ask("de@example.com")
    mail = site.mail("de@example.com")
    assert mail.subject == "Bei app.example.com anmelden"
    assert "Ihr Code:" in mail.text
    assert "2027, 08:00 Uhr UTC" in mail.text
    assert "5 Minuten" in mail.text
    assert '<html lang="de" dir="ltr">' in mail.html
    mail = site.mail("en@example.com")
    assert mail.subject == "Sign in to app.example.com"
    assert "Your code:" in mail.text
    assert current_language().code == "en"


async def test_a_mail_that_is_sent_again_keeps_its_language(site: Site) -> None:
    browser = site.browser(headers=GERMAN)
    await browser.ask(EMAIL)
    browser.headers.clear()
    await browser.post("/auth/resend", {})
    assert [m.subject for m in site.outbox.messages] == ["Bei app.example.com anmelden"] * 2


async def test_api_callers_choose_by_the_header_too(site: Site) -> None:
    backend = site.backend()
    answer = await backend.send("no address")
    violation = answer.json()["details"][0]["validation_error_info"]["field_violations"][0]
    assert violation["description"] == "Enter one email address, like jo@example.com."
    backend.browser.headers |= GERMAN
    answer = await backend.send("no address")
    violation = answer.json()["details"][0]["validation_error_info"]["field_violations"][0]
    assert violation["description"].startswith("Geben Sie eine E-Mail-Adresse ein")
    assert answer.json()["message"] == violation["description"]
    assert violation["constraint"] == "email"
    await backend.send(EMAIL)
    assert "Anmeldecode" in site.mail().subject


async def test_a_wait_is_told_in_the_language_with_its_number() -> None:
    site = make_site()
    browser = site.browser(headers=GERMAN)
    for _ in range(30):
        answer = await browser.call("send", {"email": EMAIL})
        if answer.status_code == 429:
            break
    seconds = retry_after(answer)
    assert answer.json()["message"].startswith("Es wurden zu viele E-Mails angefordert.")
    assert f"in {seconds} Sekunden" in answer.json()["message"]


async def test_the_gate_answers_in_the_language(site: Site) -> None:
    browser = site.browser(headers=GERMAN)
    answer = await browser.get("/private", headers={"accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json()["message"] == "Melden Sie sich zuerst an."
    assert "Accept-Language" in answer.headers["vary"]


async def test_an_api_caller_names_the_language_of_mail_and_message(site: Site) -> None:
    backend = site.backend()
    sent = await backend.send(EMAIL, locale="de-AT")
    assert site.mail().subject == "Ihr Anmeldecode für app.example.com"
    id = sent.json()["auth_request_id"]
    again = await backend.resend(id)
    assert site.mail().subject == "Ihr Anmeldecode für app.example.com", (
        "as before, where it names none"
    )
    fields = {"auth_request_id": again.json()["auth_request_id"], "locale": "en"}
    await backend.browser.call("resend", fields)
    assert site.mail().subject == "Your sign-in code for app.example.com"
    wrong_field = await backend.send("no address", locale="de_DE")
    assert "Geben Sie eine E-Mail-Adresse ein" in wrong_field.text
    for locale in ("de", None, "tlh"):
        await backend.send("other@example.com", locale=locale)
        subject = site.mail("other@example.com").subject
        assert subject.startswith("Ihr" if locale == "de" else "Your"), locale


@pytest.mark.parametrize("locale", ["", "de DE", "de;q=1", "../de", "de\n", "x" * 9, "a" * 4000])
async def test_what_is_no_locale_is_told_by_the_name_of_its_field(site: Site, locale: str) -> None:
    answer = await site.backend().send(EMAIL, locale=locale)
    assert answer.status_code == 400
    (violation,) = answer.json()["details"][0]["validation_error_info"]["field_violations"]
    assert violation == {
        "field": "locale",
        "description": "Send a language tag such as de or pt-BR.",
        "constraint": "pattern",
    }


async def test_a_resend_is_in_the_language_that_was_chosen_since(site: Site) -> None:
    browser = site.browser(headers=GERMAN)
    await browser.ask(EMAIL)
    assert site.mail().subject.startswith("Bei")
    browser.cookies["pwless-language"] = "en"
    site.clock.advance(61)
    await browser.post("/auth/resend", {})
    assert site.mail().subject.startswith("Sign in")


async def test_python_resends_in_another_language(site: Site) -> None:
    verbs = site.passwordless
    sent = await verbs.send(EMAIL, language="de")
    await verbs.resend(sent.auth_request_id)
    assert site.mail().subject.startswith("Ihr")
    site.clock.advance(61)
    await verbs.resend(sent.auth_request_id, language="en-GB")
    assert site.mail().subject.startswith("Your")
    with pytest.raises(InvalidArgument, match="language tag"):
        await verbs.resend(sent.auth_request_id, language=7)  # type: ignore[arg-type] # as above


async def test_python_names_the_language_or_takes_the_default(site: Site) -> None:
    send = site.passwordless.send
    await send("a@example.com", language="de-CH")
    await send("b@example.com", language=GERMAN["accept-language"])
    await send("c@example.com", language="tlh")
    await send("d@example.com")
    words = [m.subject.split()[1] for m in site.outbox.messages]
    assert words == ["Anmeldecode", "Anmeldecode", "sign-in", "sign-in"]
    with pytest.raises(InvalidArgument, match="language tag"):
        await send("e@example.com", language=7)  # type: ignore[arg-type] # untyped hosts may


async def test_no_language_of_ours_reaches_the_app(site: Site) -> None:
    seen = []

    async def app(scope, receive, send):  # type: ignore[no-untyped-def] # an app
        seen.append(current_language().code)
        await site.inner(scope, receive, send)

    site.app.app = app
    browser = site.browser(headers=GERMAN)
    await browser.sign_in(EMAIL)
    assert json.loads((await browser.get("/private")).text)["email"] == EMAIL
    assert set(seen) == {"en"}
