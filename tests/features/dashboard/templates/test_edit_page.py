"""The editor of templates: refusals beside their fields, warnings, previews, tests, conflicts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path

import httpx
import pytest

from pwless_middleware import DeliveryError, Outbox
from pwless_middleware.delivery.base import Message
from pwless_middleware.web.gates.operators import CHANGE_SECONDS
from tests.features.dashboard.crawl import Page
from tests.features.dashboard.operators import (
    HELP,
    LOOK,
    OPS,
    make_dashboard,
    make_dashboard_site,
)
from tests.own_account import JO, signed_in
from tests.support import Browser, Site, led_to

pytestmark = pytest.mark.anyio

ONE = "/auth/dashboard/templates/signin/en"
GOOD = {
    "subject": "Hello from {{ brand.name }}",
    "text": "Your code is {{ code }}\n\n{{ link }}",
    "html": '<p>Your code is <b>{{ code }}</b></p>\n<a href="{{ link }}">Go on</a>',
    "seen": "0",
}


async def save(ops: Browser, path: str = ONE, **fields: str) -> httpx.Response:
    return await ops.post(f"{path}/edit", {**GOOD, **fields})


def text_of(answer: httpx.Response) -> str:
    return " ".join("".join(Page(answer.text).text).split())


def typed(answer: httpx.Response) -> Mapping[str, str]:
    """Return what stands in the fields of the editor."""
    found = re.findall(r'<textarea id="f-(\w+)".*?>\n(.*?)</textarea>', answer.text, re.DOTALL)
    return {name: unescape(text) for name, text in found}


async def test_the_editor_begins_with_ours_in_the_closed_language(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    page = await ops.get(f"{ONE}/edit")
    assert page.status_code == 200
    texts = typed(page)
    assert "{{ code }}" in texts["text"]
    assert "{{ link }}" in texts["html"]
    saved = await save(ops, **texts)
    assert led_to(saved) == f"{ONE}?done=saved"


async def test_what_is_saved_is_sent(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    assert led_to(await save(ops)) == f"{ONE}?done=saved"
    page = await ops.get(f"{ONE}?done=saved")
    assert "It is saved" in text_of(page)
    assert "Version 1 is sent." in text_of(page)
    await site.browser().ask(JO)
    assert site.mail(JO).subject == "Hello from app.example.com"
    assert "Version 1" in text_of(await ops.get("/auth/dashboard/templates"))


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("subject", "{{ code }}", "Subject, line 1: There is no variable code here."),
        ("text", "a\n{{ code|upper }}", "Plain text, line 2: A template cannot hold a filter"),
        ("html", "<p>\n<script>x</script></p>", "HTML, line 2: There is no <script> in a mail."),
        ("html", '<img src="/x?{{ code }}">', "HTML, line 1: src cannot hold a variable"),
        ("text", " ", "A mail needs its plain text"),
    ],
)
async def test_a_bad_template_is_refused_with_line_and_reason(
    tmp_path: Path, part: str, text: str, said: str
) -> None:
    site, ops = await make_dashboard(tmp_path)
    page = await save(ops, **{part: text})
    assert page.status_code == 422
    assert said in text_of(page)
    assert typed(page)[part] == text  # nothing that was typed is lost
    assert "The default is sent." in text_of(await ops.get(ONE))
    await site.browser().ask(JO)
    assert "Hello" not in site.mail(JO).subject


async def test_what_is_missing_is_asked_about_before_it_is_saved(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    page = await save(ops, text="Hello")
    assert page.status_code == 422
    assert "{{ code }} is missing" in text_of(page)
    assert "The default is sent." in text_of(await ops.get(ONE))
    fields = {
        field["name"]: field["value"] for field in Page(page.text).all("input") if "value" in field
    }
    assert fields["anyway"] == "yes"
    assert led_to(await save(ops, text="Hello", anyway="yes")) == f"{ONE}?done=saved"
    assert "{{ code }} is missing" in text_of(await ops.get(ONE))


async def test_an_image_without_alt_and_a_mail_too_large_are_warned_of(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    html = GOOD["html"] + '<img src="/x.png">' + f"<p>{'x ' * 1000}</p>" * 55
    said = text_of(await save(ops, html=html))
    assert "no alt text" in said
    assert "larger than 100 KB" in said


async def test_two_who_edit_at_once(tmp_path: Path) -> None:
    """The second is told, and nothing is overwritten; their text stays on the page."""
    site, ops = await make_dashboard(tmp_path)
    other = await signed_in(site, OPS)
    await save(other, subject="The other one's")
    page = await save(ops, subject="Mine")
    assert page.status_code == 409
    assert f"{OPS} has saved version 1 meanwhile" in text_of(page)
    assert typed(page)["subject"] == "Mine"
    await site.browser().ask(JO)
    assert site.mail(JO).subject == "The other one's"
    fields = {
        field["name"]: field["value"] for field in Page(page.text).all("input") if "value" in field
    }
    assert led_to(await save(ops, subject="Mine", seen=fields["seen"])) == f"{ONE}?done=saved"


@pytest.mark.parametrize("action", ["edit", "test"])
async def test_a_text_is_not_lost_to_a_proof_that_has_run_out(tmp_path: Path, action: str) -> None:
    site, ops = await make_dashboard(tmp_path)
    site.clock.now += CHANGE_SECONDS + 1
    before = len(site.outbox.messages)
    page = await ops.post(f"{ONE}/{action}", GOOD)
    assert page.status_code == 403
    assert typed(page)["subject"] == GOOD["subject"]
    steps = [link["href"] for link in Page(page.text).all("a") if "/step/up" in link["href"]]
    assert len(steps) == 1
    assert "The default is sent." in text_of(await ops.get(ONE))
    assert len(site.outbox.messages) == before
    assert led_to(await ops.get(f"{ONE}/edit")).startswith("/auth/step/up")


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30, "١", "1.5"])
async def test_a_form_of_no_version_is_refused(tmp_path: Path, seen: str) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await save(ops, seen=seen)).status_code == 400
    assert "The default is sent." in text_of(await ops.get(ONE))


@pytest.mark.parametrize(
    "path", ["nope/en", "signin/xx", "signin/en-GB", "base/en", "..%2fsignin/en"]
)
async def test_what_there_is_not(tmp_path: Path, path: str) -> None:
    _, ops = await make_dashboard(tmp_path)
    for rest in ("", "/edit", "/compare", "/reset", "/frame"):
        answer = await ops.get(f"/auth/dashboard/templates/{path}{rest}")
        assert answer.status_code == 404, rest
    for rest in ("edit", "preview", "test", "reset"):
        answer = await ops.post(f"/auth/dashboard/templates/{path}/{rest}", GOOD)
        assert answer.status_code == 404, rest


@pytest.mark.parametrize("address", [HELP, LOOK])
async def test_only_an_admin_edits(tmp_path: Path, address: str) -> None:
    site = make_dashboard_site(tmp_path)
    operator = await signed_in(site, address)
    page = await operator.get(ONE)
    assert page.status_code == 200
    assert not any(link["href"].endswith("/edit") for link in Page(page.text).all("a"))
    assert (await operator.get(f"{ONE}/edit")).status_code == 404
    for action in ("edit", "preview", "test", "reset"):
        assert (await operator.post(f"{ONE}/{action}", GOOD)).status_code == 404


async def test_a_form_that_is_too_large_is_refused(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await save(ops, html="x" * (1024 * 1024))).status_code == 413


# --- preview -------------------------------------------------------------------------------------


async def preview(ops: Browser, **fields: str) -> httpx.Response:
    return await ops.post(f"{ONE}/preview", {**GOOD, **fields})


async def test_a_preview_shows_what_would_be_sent(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    shown = await preview(ops)
    assert shown.status_code == 200
    assert "<b>271828</b>" in shown.text
    assert "https://app.example.com/auth/link?link_token=example" in shown.text
    assert "The default is sent." in text_of(await ops.get(ONE))
    await site.browser().ask(JO)
    assert "Hello" not in site.mail(JO).subject


async def test_a_preview_can_do_nothing(tmp_path: Path) -> None:
    """It stands in a sandboxed frame, and has a strict policy of its own."""
    _, ops = await make_dashboard(tmp_path)
    for shown in (
        await preview(ops),
        await preview(ops, html="<script>"),
        await ops.get(f"{ONE}/frame"),
    ):
        policy = shown.headers["content-security-policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "img-src https://app.example.com" in policy
        assert "form-action 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert not any(one.startswith("script-src") for one in policy)
        assert shown.headers["x-frame-options"] == "SAMEORIGIN"
        assert shown.headers["cache-control"] == "no-store"
    page = await ops.get(f"{ONE}/edit")
    assert page.headers["content-security-policy"].endswith("; frame-src 'self'")
    [frame] = Page(page.text).all("iframe")
    assert frame["sandbox"] == ""


async def test_the_views_of_a_preview(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    light, dark = await preview(ops, view="desktop"), await preview(ops, view="dark")
    assert "@media not all" in light.text
    assert "@media all" in dark.text
    text = await preview(ops, view="text")
    assert "Your code is 271828" in text.text
    assert "Hello from app.example.com" in text.text
    assert "<b>271828" not in text.text


async def test_the_kinds_of_a_preview(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    html = "<p>x {% if code %}C{% endif %}{% if link %}L{% endif %}</p>"
    for kind, said in (
        ("OTP", "x C<"),
        ("LINK", "x L<"),
        ("LINK_OTP", "x CL<"),
        ("other", "x CL<"),
    ):
        assert said in (await preview(ops, html=html, kind=kind)).text


async def test_a_preview_of_a_bad_template_says_what_is_bad(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    shown = await preview(ops, html='<img src="x" onerror="alert(1)">')
    assert shown.status_code == 422
    assert "<img" not in shown.text
    assert "HTML, line 1" in shown.text


# --- a test to oneself -------------------------------------------------------------------------


async def test_a_test_goes_to_oneself_with_samples(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    page = await ops.post(f"{ONE}/test", GOOD)
    assert page.status_code == 200
    assert f"A test was sent to {OPS}." in text_of(page)
    mail = site.mail(OPS)
    assert mail.subject == "Test: Hello from app.example.com"
    assert "271828" in mail.text
    assert typed(page)["html"] == GOOD["html"]
    assert "The default is sent." in text_of(await ops.get(ONE))
    [told] = [one for one in site.passwordless.events.recent() if one.kind == "template.tested"]
    assert told.details == {"name": "signin", "language": "en"}


async def test_tests_come_one_at_a_time(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await ops.post(f"{ONE}/test", GOOD)
    sent = len(site.outbox.messages)
    assert "Wait a moment" in text_of(await ops.post(f"{ONE}/test", GOOD))
    assert len(site.outbox.messages) == sent


async def test_no_bad_template_is_tested(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    sent = len(site.outbox.messages)
    page = await ops.post(f"{ONE}/test", {**GOOD, "html": "<script>"})
    assert page.status_code == 422
    assert len(site.outbox.messages) == sent


class Refusing(Outbox):
    """Take every mail but tests."""

    async def send(self, message: Message) -> None:
        if message.subject.startswith("Test"):
            raise DeliveryError("550 not here", permanent=True)
        await super().send(message)


async def test_a_test_that_is_not_taken_says_why(tmp_path: Path) -> None:
    site: Site = make_dashboard_site(tmp_path, outbox=Refusing())
    ops = await signed_in(site, OPS)
    page = await ops.post(f"{ONE}/test", GOOD)
    assert "The mail was not taken: 550 not here" in text_of(page)
    assert typed(page)["subject"] == GOOD["subject"]


# --- text messages -------------------------------------------------------------------------------

SMS = "/auth/dashboard/templates/sms_code/en"


async def test_a_text_message_is_edited_with_its_length(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    page = await ops.get(f"{SMS}/edit")
    assert "{{ code }} is your code" in typed(page)["text"]
    assert "1 part." in text_of(page)
    shown = await ops.post(
        f"{SMS}/preview", {"text": "{{ code }} ä" + "x" * 200, "subject": "", "html": ""}
    )
    assert "2 parts." in shown.text
    assert "@app.example.com #271828" in shown.text
    shown = await ops.post(f"{SMS}/preview", {"text": "{{ code }} ✓", "subject": "", "html": ""})
    assert "GSM alphabet" in shown.text
    saved = await ops.post(
        f"{SMS}/edit", {"text": "{{ code }}!", "subject": "", "html": "", "seen": "0"}
    )
    assert led_to(saved) == f"{SMS}?done=saved"
    assert (await ops.get(SMS)).status_code == 200
    assert "271828!" in (await ops.get(f"{SMS}/frame")).text


async def test_a_text_message_without_its_code_is_warned_of(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    page = await ops.post(f"{SMS}/edit", {"text": "Hi", "subject": "", "html": "", "seen": "0"})
    assert page.status_code == 422
    assert "{{ code }} is missing" in text_of(page)
