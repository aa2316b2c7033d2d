"""Pages and mails: what people get to read, and what no template may ever let through."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import UndefinedError

from pwless_middleware.core.addresses.mailboxes import Webmail
from pwless_middleware.core.brand import Brand
from pwless_middleware.errors import ConfigError
from pwless_middleware.languages.names import language_names
from pwless_middleware.rendering.renderer import Email, Renderer
from pwless_middleware.web.parts.parts import ShownPart
from tests.rendering.factor_pages import FACTOR_PAGES, PAGE_URL
from tests.rendering.organization_pages import ORGANIZATION_PAGES

Context = dict[str, Any]

EVIL = "<script>alert('x')</script>\"'&"

LOGIN: Context = {
    "email": "",
    "next": "",
    "error": None,
    "problem": None,
    "wait": 0,
    "notice": None,
}
VERIFY: Context = {
    "email": "ada@example.com",
    "kind": "LINK_OTP",
    "request_id": "req.1",
    "resend_after": 30,
    "expires_in": 300,
    "error": None,
    "problem": None,
    "wait": 0,
    "notice": None,
    "meant": None,
    "webmail": None,
    "in_development": False,
    "code_format": "digits",
    "can_try": True,
    "expired": False,
    "continue_url": "/app",
}
LINK: Context = {
    "state": "confirm",
    "kind": "LINK_OTP",
    "link_token": "tok.1",
    "email": "ada@example.com",
    "home": "/",
    "keeps_cookies": True,
    "can_resend": False,
    "request_id": "req.1",
}
SIGNED_OUT: Context = {"login_url": "/auth/login", "sent": True, "in_turbo_frame": False}
SIGNED_IN: Context = {
    "user_email": "ada@example.com",
    "continue_url": "/a?b=c",
    "next": "/a?b=c",
    "kind": "OTP",
}
SWITCH: Context = {"enter_path": "/account/organizations/enter", "organization": "org_a"}
SESSION: Context = {
    "id": "s1",
    "device": "Firefox on Linux",
    "current": True,
    "created_at": "20 November 2026",
    "created_iso": "2026-11-20T08:40:00Z",
    "seen_at": "23 November 2026",
    "seen_iso": "2026-11-23T06:12:00Z",
    "icon": "computer",
}
SESSIONS: Context = {
    "sessions": [
        SimpleNamespace(**SESSION),
        SimpleNamespace(**SESSION | {"id": "s2", "current": False, "device": "an unknown browser"}),
    ],
    "user_email": "ada@example.com",
    "user_name": "",
    "account_pages": [SimpleNamespace(title="Sessions", path="/sessions")],
    "current_path": "/sessions",
    "notice": None,
}
ERROR: Context = {
    "status": 404,
    "title": "There is nothing here",
    "message": "The address may be mistyped.",
    "action_label": "Sign in",
    "action_url": "/auth/login",
}
OUTBOX: Context = {
    "messages": [
        SimpleNamespace(
            id="0f1e2d3c",
            to="ada@example.com",
            subject="Sign in",
            text="text",
            sent_at="06:12",
            code="481902",
            link="https://app.example.com/auth/link?link_token=tok.1",
            is_mail=True,
        ),
        SimpleNamespace(
            id="1e2d3c0f",
            to="+4915112345678",
            subject="",
            text="481902 is your code.",
            sent_at="06:13",
            code="481902",
            link=None,
            is_mail=False,
        ),
    ],
    "token": "t0ken",
}
STEP_UP: Context = {
    "user_email": "ada@example.com",
    "email": "ada@example.com",
    "is_sent": True,
    "can_try": True,
    "request_id": "req.1",
    "resend_after": 30,
    "expires_in": 300,
    "code_format": "digits",
    "notice": None,
    "error": None,
    "problem": None,
    "wait": 0,
    "in_development": False,
}
ACCOUNT: Context = {
    "account_pages": [
        SimpleNamespace(title="Profile", path="/account/profile"),
        SimpleNamespace(title="Email address", path="/account/address"),
    ],
    "notice": None,
    "error": None,
}
PROFILE: Context = ACCOUNT | {
    "current_path": "/account/profile",
    "user_email": "ada@example.com",
    "has_name": True,
    "has_language": True,
    "user_name": "Ada",
    "most": 100,
    "languages": language_names(["en", "de"]),
    "chosen": "de",
    "address_path": "/account/address",
    "export_path": "/account/export",
    "delete_path": "/account/delete",
    "error_field": "",
}
ADDRESS: Context = ACCOUNT | {
    "current_path": "/account/address",
    "email": "ada@example.com",
    "new": "",
    "typed": "",
    "is_sent": False,
    "can_try": True,
    "request_id": "req.1",
    "resend_after": 30,
    "expires_in": 300,
    "code_format": "digits",
    "in_development": False,
    "problem": None,
    "wait": 0,
}
OBJECTION: Context = {
    "state": "confirm",
    "link_token": "tok.1",
    "asked_at": "3 May 2026",
    "due_at": "4 May 2026",
}
SIGN_IN: Context = {
    "state": "confirm",
    "link_token": "tok.1",
    "signed_in_at": "3 May 2026",
    "device": "Firefox on Linux",
}
UNDO: Context = {"state": "confirm", "link_token": "tok.1", "changed_at": "3 May 2026"}
PAGES: list[tuple[str, str, Context]] = [
    ("step-up", "step_up.html", STEP_UP | {"is_sent": False}),
    ("step-up-code", "step_up.html", STEP_UP),
    ("step-up-development", "step_up.html", STEP_UP | {"in_development": True}),
    ("step-up-error", "step_up.html", STEP_UP | {"error": "No."}),
    ("step-up-spent", "step_up.html", STEP_UP | {"can_try": False, "problem": "No.", "wait": 9}),
    ("step-up-letters", "step_up.html", STEP_UP | {"code_format": "letters"}),
    ("confirm-first", "confirm_first.html", {"step_url": "/auth/step/up?within=300"}),
    ("login", "login.html", LOGIN),
    ("login-code", "login.html", LOGIN | {"kind": "OTP"}),
    ("login-error", "login.html", LOGIN | {"error": "No.", "next": "/app", "notice": "Note."}),
    ("login-wait", "login.html", LOGIN | {"problem": "Too many.", "wait": 60}),
    ("verify", "verify.html", VERIFY),
    ("verify-development", "verify.html", VERIFY | {"in_development": True}),
    ("verify-typo", "verify.html", VERIFY | {"meant": "ada@gmail.com"}),
    ("verify-webmail", "verify.html", VERIFY | {"webmail": Webmail("Gmail", "https://g.example")}),
    ("verify-problem", "verify.html", VERIFY | {"problem": "No."}),
    ("verify-error", "verify.html", VERIFY | {"error": "No."}),
    ("verify-letters", "verify.html", VERIFY | {"kind": "OTP", "code_format": "letters"}),
    ("verify-link", "verify.html", VERIFY | {"kind": "LINK", "notice": "Sent."}),
    ("verify-spent", "verify.html", VERIFY | {"can_try": False, "problem": "No.", "wait": 9}),
    ("verify-spent-code", "verify.html", VERIFY | {"can_try": False, "kind": "OTP", "wait": 9}),
    ("verify-expired", "verify.html", VERIFY | {"expired": True}),
    ("link-confirm", "link.html", LINK),
    ("link-button", "link.html", LINK | {"state": "button"}),
    ("link-button-nobody", "link.html", LINK | {"state": "button", "email": ""}),
    ("link-elsewhere", "link.html", LINK | {"state": "elsewhere"}),
    (
        "link-elsewhere-no-cookies",
        "link.html",
        LINK | {"state": "elsewhere", "keeps_cookies": False},
    ),
    ("link-elsewhere-link", "link.html", LINK | {"state": "elsewhere", "kind": "LINK"}),
    ("link-done", "link.html", LINK | {"state": "done"}),
    ("link-expired", "link.html", LINK | {"state": "expired"}),
    ("link-expired-resend", "link.html", LINK | {"state": "expired", "can_resend": True}),
    ("signed-out", "signed_out.html", SIGNED_OUT),
    ("signed-out-look", "signed_out.html", SIGNED_OUT | {"sent": False, "in_turbo_frame": True}),
    ("signed-in", "signed_in.html", SIGNED_IN),
    ("signed-in-home", "signed_in.html", SIGNED_IN | {"next": "", "kind": "LINK"}),
    ("signed-in-elsewhere", "signed_in.html", SIGNED_IN | SWITCH),
    ("no-cookies", "no_cookies.html", {"next": "/a", "host": "app.example.com"}),
    ("no-cookies-home", "no_cookies.html", {"next": "", "host": "app.example.com"}),
    (
        "logout",
        "logout.html",
        {"user_email": "ada@example.com", "next": "/bye", "is_everywhere": False},
    ),
    (
        "logout-nobody",
        "logout.html",
        {"user_email": None, "next": "", "is_everywhere": True, "is_deleted": False},
    ),
    (
        "logout-deleted",
        "logout.html",
        {"user_email": None, "next": "", "is_everywhere": False, "is_deleted": True},
    ),
    ("profile", "profile.html", PROFILE),
    ("profile-wrong", "profile.html", PROFILE | {"error": "Too long.", "error_field": "name"}),
    ("address", "address.html", ADDRESS),
    ("address-wrong", "address.html", ADDRESS | {"error": "No address.", "typed": "jo@"}),
    ("address-code", "address.html", ADDRESS | {"new": "new@example.com", "is_sent": True}),
    ("address-expired", "address.html", ADDRESS | {"new": "new@example.com"}),
    ("undo-address", "undo_address.html", UNDO),
    ("undo-address-done", "undo_address.html", UNDO | {"state": "done"}),
    ("undo-address-expired", "undo_address.html", UNDO | {"state": "expired"}),
    ("objection", "second_factors/objection.html", OBJECTION),
    ("objection-kept", "second_factors/objection.html", OBJECTION | {"state": "kept"}),
    ("objection-removed", "second_factors/objection.html", OBJECTION | {"state": "removed"}),
    ("objection-expired", "second_factors/objection.html", OBJECTION | {"state": "expired"}),
    ("sign-in", "second_factors/sign_in.html", SIGN_IN),
    ("sign-in-one", "second_factors/sign_in.html", SIGN_IN | {"state": "one"}),
    ("sign-in-all", "second_factors/sign_in.html", SIGN_IN | {"state": "all"}),
    ("sign-in-expired", "second_factors/sign_in.html", SIGN_IN | {"state": "expired"}),
    ("delete-account", "delete_account.html", {"user_email": "jo@example.com", "problem": None}),
    ("sessions", "sessions.html", SESSIONS),
    ("sessions-one", "sessions.html", SESSIONS | {"sessions": [SimpleNamespace(**SESSION)]}),
    ("error", "error.html", ERROR),
    ("error-plain", "error.html", ERROR | {"action_label": None, "action_url": None}),
    ("outbox", "outbox.html", OUTBOX),
    ("outbox-empty", "outbox.html", {"messages": [], "token": "t0ken"}),
    ("outbox-closed", "outbox.html", {"messages": None, "token": ""}),
    *FACTOR_PAGES,
    *ORGANIZATION_PAGES,
]
every_page = pytest.mark.parametrize(
    ("template", "context"), [page[1:] for page in PAGES], ids=[page[0] for page in PAGES]
)

MAIL: Context = {
    "kind": "LINK_OTP",
    "code": "481902",
    "link": "https://app.example.com/auth/link?link_token=abc.def&more=1",
    "expiry_time_relative": "5 minutes",
    "asked_at": "23 November 2026, 06:12 UTC",
    "device": "Firefox on Linux",
    "email": "ada@example.com",
    "host": "app.example.com",
    "subject_code": None,
    "otp": "481902",
    "expire_time": "1795414500",
    "expiry_time": "06:17 UTC",
}


def renderer(templates: Path | str | None = None, **brand: str) -> Renderer:
    return Renderer(brand=Brand("Acme", **brand), templates=templates, prefix="/auth")


class Page(HTMLParser):
    """Hold a page's elements as (tag, attributes), and the text of its title."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.title = ""
        self._open = ""
        self.inline: list[str] = []
        # What a script shows later is a page of its own, and looked at as such.
        self.feed(re.sub(r"(?s)<template.*?</template>", "", text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "title":
            self.title += data
        if self._open in ("script", "style"):
            self.inline.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def fields(self) -> dict[str, dict[str, str]]:
        return {field["name"]: field for field in self.all("input")}


def render(made: Renderer, template: str, context: Context, **options: str) -> str:
    """Render a page; one that offers login methods with the email login's part."""
    if template == "step_up.html":
        values = STEP_UP | context | {"action": options.get("root_path", "") + "/auth/step/up"}
        context = context | {"parts": [made.part("step_up/email.html", **options, **values)]}
    base = options.get("root_path", "")
    for name in ("action", "page_url"):
        if str(context.get(name, "")).startswith(PAGE_URL):
            context = context | {name: base + context[name]}
    if template == "second_factors/step.html":
        action = {"action": base + "/auth/step/second-factor", "method": "totp"}
        html = made.part(context["part_of"], **options, **context | action)
        context = context | {"part": ShownPart(html, is_scripted=context["is_scripted"])}
    if template in ("login.html", "signed_in.html"):
        values = LOGIN | context | {"signed_in": template == "signed_in.html"}
        context = context | {"parts": [made.part("login/email.html", **options, **values)]}
    return made.page(template, **options, **context)


def page(template: str, context: Context, **options: str) -> Page:
    return Page(render(renderer(), template, context, **options))


# Every page


@every_page
def test_a_page_runs_under_the_strict_policy(template: str, context: Context) -> None:
    """No inline style, script or handler, nothing from another origin, no frame but a mail's."""
    made = page(template, context)
    assert not [text for text in made.inline if text.strip()]
    assert not {"style", "object", "base"} & {tag for tag, _ in made.elements}
    for attributes in made.all("iframe"):
        assert attributes["sandbox"] == "allow-top-navigation-by-user-activation"
        assert attributes["src"].startswith("/auth/outbox/")
    for tag, attributes in made.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], tag
    for attributes in made.all("script") + made.all("img"):
        assert attributes["src"].startswith("/auth/static/")
    for attributes in made.all("form"):
        assert attributes["method"] == "post"
        assert attributes["action"].startswith("/auth/")


@every_page
def test_a_page_has_its_landmarks(template: str, context: Context) -> None:
    """One h1, one main, a title, a language, unique ids, a label or name for every control."""
    made = page(template, context)
    assert len(made.all("h1")) == len(made.all("main")) == len(made.all("title")) == 1
    assert made.all("html")[0]["lang"] == "en"
    assert made.title.endswith(" · Acme")
    ids = [attributes["id"] for _, attributes in made.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {attributes["for"] for attributes in made.all("label")}
    for attributes in made.all("input"):
        assert attributes.get("type") == "hidden" or attributes["id"] in labelled
    for _, attributes in made.elements:
        described = attributes.get("aria-describedby") or attributes.get("aria-labelledby", "")
        assert set(described.split()) <= set(ids)


@every_page
def test_a_page_escapes_what_it_is_given(template: str, context: Context) -> None:
    def evil(value: object) -> object:
        return EVIL if isinstance(value, str) else value

    kept = {"state", "kind", "code_format", "part_of"}  # our own words, which pick the wording
    values: Context = {key: value if key in kept else evil(value) for key, value in context.items()}
    for group in ("sessions", "messages", "factors", "browsers", "ways", "others", "phones"):
        if context.get(group) is not None:
            values[group] = [
                SimpleNamespace(**{key: evil(value) for key, value in vars(row).items()})
                for row in context[group]
            ]
    html = render(renderer(), template, values)
    assert "<script>alert" not in html
    made = Page(html)
    assert len(made.all("script")) == len(page(template, context).all("script"))
    assert not any("alert" in name for _, attributes in made.elements for name in attributes)


@every_page
def test_a_page_says_email_and_breaks_no_word_at_a_hyphen(template: str, context: Context) -> None:
    """One word for one thing, and no "sign-" at the end of a line."""
    words = re.sub(r"<[^>]*>", " ", render(renderer(), template, context))
    assert not re.search(r"\b(?:e-mails?|mails?|sign-(?:in|up|out))\b", words, re.IGNORECASE)


@every_page
def test_every_link_and_form_stands_below_the_root_path(template: str, context: Context) -> None:
    made = page(template, context, root_path="/shop")
    asked = [form["action"] for form in made.all("form")]
    asked += [sheet["href"] for sheet in made.all("link") if sheet["rel"] == "stylesheet"]
    asked += [script["src"] for script in made.all("script")]
    assert asked
    assert all(url.startswith("/shop/auth/") for url in asked)


def test_a_button_with_an_element_in_its_label_has_it_as_a_whole() -> None:
    """A button is a flex container, which drops the spaces beside an element."""
    made = renderer()
    for name, template, context in PAGES:
        html = render(made, template, context)
        html = re.sub(r'(?s)<span class="unseen">.*?</span>', "", html)
        for _, label in re.findall(r'(?s)<(a|button)\b[^>]*class="button.*?>(.*?)</\1>', html):
            assert "<" not in re.sub(r"(?s)^\s*<span>.*</span>\s*$", "", label), name


def test_a_page_refuses_a_context_with_a_hole() -> None:
    with pytest.raises(UndefinedError):
        renderer().page("login.html", email="")


def test_an_error_is_told_in_title_and_field() -> None:
    made = page("login.html", LOGIN | {"error": "That is not an address."})
    assert made.title == "Error: Sign in · Acme"
    field = made.fields()["email"]
    assert (field["aria-invalid"], field["aria-describedby"]) == ("true", "email-error")
    assert next(p for p in made.all("p") if p.get("id") == "email-error")["role"] == "alert"


# Single pages


def test_login_asks_for_an_address_and_keeps_next() -> None:
    fields = page("login.html", LOGIN | {"email": "ada@example.com", "next": "/app?q=1"}).fields()
    assert fields["email"]["value"] == "ada@example.com"
    assert (fields["email"]["type"], fields["email"]["autocomplete"]) == ("email", "email")
    assert fields["next"]["value"] == "/app?q=1"
    assert "next" not in page("login.html", LOGIN).fields()


@pytest.mark.parametrize(("shape", "mode"), [("digits", "numeric"), ("letters", "text")])
def test_the_code_field_suits_phones(shape: str, mode: str) -> None:
    code = page("verify.html", VERIFY | {"code_format": shape}).fields()["code"]
    assert (code["autocomplete"], code["inputmode"]) == ("one-time-code", mode)
    assert (code["type"], code["maxlength"], code["dir"]) == ("text", "1000", "ltr")


@pytest.mark.parametrize("change", [{"kind": "LINK"}, {"expired": True}])
def test_there_is_no_code_field_where_there_is_no_code(change: Context) -> None:
    made = page("verify.html", VERIFY | change)
    assert [form["action"] for form in made.all("form")] == ["/auth/resend"]
    assert made.fields()["request_id"]["value"] == "req.1"


@pytest.mark.parametrize("kind", ["OTP", "LINK_OTP"])
def test_after_the_last_try_there_is_one_message_and_a_way_on(kind: str) -> None:
    """A resend would bring the same code, which can no longer be tried."""
    made = page(
        "verify.html", VERIFY | {"can_try": False, "kind": kind, "problem": "No.", "wait": 9}
    )
    assert made.all("form") == []
    assert len([at for _, at in made.elements if at.get("role") == "alert"]) == 1
    assert "/auth/login?another" in [a["href"] for a in made.all("a")]
    assert made.title == "Error: Too many wrong codes · Acme"


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        *((1, "1 second"), (30, "30 seconds"), (90, "90 seconds"), (91, "2 minutes")),
        *((5400, "90 minutes"), (5401, "2 hours"), (86400, "24 hours")),
    ],
)
def test_resend_says_how_long_to_wait_and_is_not_disabled_without_a_script(
    wait: int, words: str
) -> None:
    html = renderer().page("verify.html", **VERIFY | {"resend_after": wait})
    assert f'<span data-clock="resend" data-seconds="{wait}">{words}</span>' in html
    assert not [button for button in Page(html).all("button") if "disabled" in button]


def test_resend_without_a_wait_says_nothing_of_one() -> None:
    assert "You can ask again" not in renderer().page("verify.html", **VERIFY | {"resend_after": 0})


@pytest.mark.parametrize("kind", ["OTP", "LINK", "LINK_OTP"])
def test_the_waiting_page_knows_where_to_go_on(kind: str) -> None:
    made = page("verify.html", VERIFY | {"kind": kind})
    assert [at["data-continue"] for _, at in made.elements if "data-continue" in at] == ["/app"]
    bare = page("verify.html", VERIFY | {"kind": kind, "continue_url": ""})
    assert not [at for _, at in bare.elements if "data-continue" in at]


def test_only_the_browser_that_asked_submits_the_link_by_itself() -> None:
    """Mail scanners run scripts (security rule 5): nowhere else may a script find that form."""
    for state, submits in [("confirm", True), ("button", False)]:
        [form] = page("link.html", LINK | {"state": state}).all("form")
        assert form["action"] == "/auth/link"
        assert ("data-auto-submit" in form) is submits
    for state in ("elsewhere", "expired", "done"):
        assert "tok.1" not in renderer().page("link.html", **LINK | {"state": state})


def test_a_session_is_revoked_by_its_id_and_the_own_one_by_signing_out() -> None:
    made = page("sessions.html", SESSIONS)
    sent = [(field["name"], field["value"]) for field in made.all("input")]
    assert sent == [("id", "s2"), ("others", "1"), ("all", "1")]
    assert "An unknown browser" in renderer().page("sessions.html", **SESSIONS)


# Brand and palette


def test_a_logo_replaces_the_first_letter() -> None:
    brand = Brand("Acme", logo="/static/logo.svg")
    made = Page(render(Renderer(brand=brand, templates=None, prefix="/auth"), "login.html", LOGIN))
    assert made.all("img") == [{"src": "/static/logo.svg", "alt": "Acme"}]
    assert page("login.html", LOGIN).all("img") == []


# The host's own templates


def test_a_hosts_texts_may_stand_in_loops_and_blocks(tmp_path: Path) -> None:
    """Jinja2 hands over the variables of both beside the values that the text names."""
    (tmp_path / "error.html").write_text(
        "{% block title %}{% set word = '<b>' %}{% for n in [1, 2] %}"
        "{% trans word, n %}{{ word }} no. {{ n }}{% endtrans %};"
        "{{ ngettext('%(num)s day', '%(num)s days', n) }};{{ duration(n * 60) }}\n"
        "{% endfor %}{{ _('Your code:') }}{% endblock %}"
    )
    made = renderer(tmp_path).page("error.html")
    assert made.splitlines() == [
        "&lt;b&gt; no. 1;1 day;60 seconds",
        "&lt;b&gt; no. 2;2 days;2 minutes",
        "Your code:",
    ]


def test_a_host_replaces_a_page_and_can_build_on_ours(tmp_path: Path) -> None:
    (tmp_path / "login.html").write_text(
        '{% extends "pwless/login.html" %}{% block title %}Hello{% endblock %}'
    )
    (tmp_path / "error.html").write_text("<p>{{ message }} {{ asset('pwless.css') }}</p>")
    made = renderer(tmp_path)
    assert "<title>Hello · Acme</title>" in render(made, "login.html", LOGIN)
    own = made.page("error.html", **ERROR | {"message": "<b>"})
    assert re.fullmatch(r"<p>&lt;b&gt; /auth/static/pwless\.[0-9a-f]{8}\.css</p>", own)
    assert "Check your email" in made.page("verify.html", **VERIFY)


@pytest.mark.parametrize("kind", [str, Path])
def test_templates_that_are_no_folder_are_refused(tmp_path: Path, kind: type) -> None:
    (tmp_path / "file").touch()
    for wrong in ("missing", "file"):
        with pytest.raises(ConfigError, match=r"^templates: .* is not a folder"):
            renderer(kind(tmp_path / wrong))


def test_a_template_that_does_not_parse_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "unrelated.html").write_text("{% of another engine %}")
    renderer(tmp_path)
    (tmp_path / "login.html").write_text("fine\n{% if %}")
    with pytest.raises(ConfigError, match=r"^templates: correct login\.html, line 2: "):
        renderer(tmp_path)


def test_a_subject_that_names_a_callers_variable_is_refused(tmp_path: Path) -> None:
    """A header takes no user input (security rule 16)."""
    (tmp_path / "email").mkdir()
    subject = tmp_path / "email" / "signin.subject.txt"
    subject.write_text("Hello {{ first_name }} {{ code }}")
    with pytest.raises(ConfigError, match=r"^templates: take code, first_name out of email/sig"):
        renderer(tmp_path)
    subject.write_text("{{ brand.name }}:\n  {{ kind }} of\t{{ asked_at }}\n")
    subject_line = renderer(tmp_path).email("signin", **MAIL).subject
    assert subject_line == "Acme: LINK_OTP of 23 November 2026, 06:12 UTC"


# Mails


@pytest.mark.parametrize("name", ["signin", "signup", "step_up"])
def test_code_and_link_stand_on_lines_of_their_own(name: str) -> None:
    lines = renderer().email(name, **MAIL).text.splitlines()
    assert lines.count("481902") == 1
    assert lines.count(str(MAIL["link"])) == 1
    assert "Asked on 23 November 2026, 06:12 UTC, from Firefox on Linux." in lines
    assert all(len(line) <= 78 for line in lines if line != MAIL["link"])


@pytest.mark.parametrize("name", ["signin", "signup", "step_up"])
def test_no_other_number_in_a_mail_could_be_taken_for_the_code(name: str) -> None:
    mail = renderer().email(name, **MAIL)
    assert set(re.findall(r"\d{6,}", mail.text)) == {"481902"}
    assert set(re.findall(r"\d{6,}", mail.html)) == {"481902"}


@pytest.mark.parametrize("name", ["signin", "signup", "step_up"])
@pytest.mark.parametrize(("kind", "missing"), [("OTP", "link"), ("LINK", "code")])
def test_a_mail_speaks_only_of_what_it_holds(name: str, kind: str, missing: str) -> None:
    mail = renderer().email(name, **MAIL | {"kind": kind, missing: None})
    for part in (mail.text, mail.html):
        assert "None" not in part
        assert ("481902" in part) is (missing != "code")
        assert ("link_token" in part) is (missing != "link")
    assert "\n\n\n" not in mail.text


def test_signup_is_worded_differently() -> None:
    signin, signup = (renderer().email(name, **MAIL) for name in ("signin", "signup"))
    assert signin.subject == "Sign in to Acme"
    assert signup.subject == "Confirm your address for Acme"
    assert "Welcome to Acme" in signup.text
    assert "Welcome to Acme" in signup.html


def test_a_subject_is_one_line() -> None:
    for kind in ("OTP", "LINK", "LINK_OTP"):
        subject = renderer().email("signin", **MAIL | {"kind": kind}).subject
        assert subject.endswith("Acme")
        assert subject.isprintable()


@pytest.mark.parametrize(("code", "count"), [("481902", 1), (None, 2)])
def test_the_html_part_is_small_and_loads_nothing(code: str | None, count: int) -> None:
    """Beside a code the button is enough; a mail with a link alone spells it out, once."""
    html = renderer().email("signin", **MAIL | {"code": code}).html
    made = Page(html)
    assert [a["href"] for a in made.all("a")] == [MAIL["link"]] * count
    shown = re.sub(r"<[^>]*>", " ", html)
    assert ("link_token" in shown) is (code is None)
    assert not {"img", "script", "link", "form"} & {tag for tag, _ in made.elements}
    assert len(renderer().email("signin", **MAIL).html.encode()) <= 10_000


@pytest.mark.parametrize("name", ["signin", "signup", "step_up"])
def test_the_last_line_binds_the_code_to_its_host(name: str) -> None:
    """WICG, "Sender-bound one-time codes": phones fill the code in on that host alone."""
    assert renderer().email(name, **MAIL).text.endswith("\n\n@app.example.com #481902\n")
    assert "@app.example.com" not in renderer().email(name, **MAIL | {"code": None}).text


@pytest.mark.parametrize("name", ["signin", "signup", "step_up"])
def test_the_code_is_named_before_its_digits_and_previewed(name: str) -> None:
    html = renderer().email(name, **MAIL).html
    shown = " ".join(re.sub(r"<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL).split())
    assert "Your code: 481902" in shown
    assert "Your code is 481902. It works once, and for 5 minutes." in shown
    without = renderer().email(name, **MAIL | {"code": None, "kind": "LINK"}).html
    assert "Your code" not in without


@pytest.mark.parametrize("name", ["signin", "signup", "step_up"])
def test_the_subject_holds_the_code_only_where_that_is_wanted(name: str) -> None:
    assert "481902" not in renderer().email(name, **MAIL).subject
    subject = renderer().email(name, **MAIL | {"subject_code": "481902"}).subject
    assert subject.startswith("481902 ")
    assert subject.endswith("Acme")


@pytest.mark.parametrize("name", ["signin", "signup", "step_up"])
def test_padding_stands_in_cells(name: str) -> None:
    """Outlook for Windows pads neither `div`, nor `p`, nor `a`."""
    made = Page(renderer().email(name, **MAIL).html)
    padded = [(tag, a) for tag, a in made.elements if "padding:" in a.get("style", "")]
    assert {tag for tag, _ in padded} <= {"td", "body", "a"}
    cell = next(a for tag, a in padded if a.get("class") == "cell")
    assert "mso-padding-alt:13px 18px" in cell["style"]


def test_a_mails_repr_gives_nothing_away() -> None:
    """Secrets are in no log (security rule 13)."""
    assert repr(Email("Subject", "text", "html")) == "Email(subject='Subject')"
    assert "481902" not in repr(renderer().email("signin", **MAIL))


def write_mail(folder: Path, text: str, html: str, **more: str) -> Renderer:
    (folder / "email").mkdir()
    (folder / "email" / "signin.txt").write_text(text)
    (folder / "email" / "signin.html").write_text(html)
    for name, content in more.items():
        (folder / "email" / f"{name}.html").write_text(content)
    return renderer(folder)


def test_our_own_mails_want_nothing_of_a_caller() -> None:
    made = renderer()
    assert made.template_variables("signin") == made.template_variables("signup") == frozenset()


def test_a_callers_variables_are_found_wherever_they_stand(tmp_path: Path) -> None:
    made = write_mail(
        tmp_path,
        "{{ code }} {{ company }} {% for part in parts %}{{ part }}{% endfor %}",
        '{% extends "email/frame.html" %}{% set seen = 1 %}{% set block %}x{% endset %}'
        '{% block main %}{% include "email/part.html" %}{{ otp }}{% endblock %}',
        frame="{{ brand.name }}{{ frame_name }}{% block main %}{% endblock %}{{ range(2) }}",
        part="{{ part_name }}{{ seen }}{{ block }}"
        '{% if part_again %}{% include "email/part.html" %}{% endif %}'
        "{% include code ignore missing %}",
    )
    expected = {"company", "parts", "frame_name", "part_name", "part_again"}
    assert made.template_variables("signin") == expected


def test_a_callers_variables_are_escaped_in_html_and_plain_in_text(tmp_path: Path) -> None:
    made = write_mail(tmp_path, "{{ name }} {{ link }}", "<p>{{ name }}</p>")
    mail = made.email("signin", variables={"name": "<b>O'Hara</b>"}, **MAIL)
    assert mail.text == f"<b>O'Hara</b> {MAIL['link']}\n"
    assert mail.html == "<p>&lt;b&gt;O&#39;Hara&lt;/b&gt;</p>"


def test_a_callers_variable_never_replaces_one_of_ours(tmp_path: Path) -> None:
    stolen = {"link": "https://evil.example/", "code": "000000", "brand": "Evil", "palette": "x"}
    stolen |= dict.fromkeys(("_", "gettext", "ngettext", "duration"), "x")
    mail = renderer().email("signin", variables=stolen, **MAIL)
    assert mail == renderer().email("signin", **MAIL)


def test_a_mail_goes_out_though_a_page_has_no_variables(tmp_path: Path) -> None:
    made = write_mail(
        tmp_path,
        "{% if company %}For {{ company }}: {% endif %}{{ code }}",
        "{{ company }}{{ code }}",
    )
    assert made.email("signin", **MAIL).text == "481902\n"
    assert made.email("signin", variables={"company": "Acme"}, **MAIL).text == "For Acme: 481902\n"


def test_a_mail_that_lacks_one_of_ours_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        renderer().email("signin", **{k: v for k, v in MAIL.items() if k != "device"})
