"""What the scripts add for who waits: nothing to press, nothing to reload, nothing sent twice."""

from __future__ import annotations

from playwright.sync_api import Request, Route, expect

from tests.browser.conftest import Demo, Visit

JO = "jo@example.com"


def test_the_waiting_tab_goes_on_when_the_link_is_opened_in_another(
    demo: Demo, visit: Visit
) -> None:
    visitor = visit()
    waiting = visitor.ask(JO, next="/notes?about=codes")
    expect(waiting.get_by_text("this page goes on by itself")).to_be_hidden()
    tab = visitor.open(demo.link(JO))
    tab.wait_for_url("**/notes?about=codes")
    waiting.wait_for_url("**/notes?about=codes")
    expect(waiting.get_by_text(f"Private to {JO}")).to_be_visible()


def test_a_link_that_fails_leaves_the_waiting_tab_where_it_is(demo: Demo, visit: Visit) -> None:
    visitor = visit()
    waiting = visitor.ask(JO)
    waiting.clock.install()
    looks: list[Request] = []
    waiting.on("request", lambda r: looks.append(r) if r.url.endswith("/auth/sessions") else None)
    tab = visitor.context.new_page()

    def too_late(route: Route) -> None:
        demo.clock.advance(301)  # between the landing page and its submit
        route.continue_()

    tab.route("**/auth/link", too_late)
    with waiting.expect_request("**/auth/sessions"):
        tab.goto(demo.link(JO))
        expect(tab.get_by_role("heading", level=1)).to_contain_text("no longer works")
    with waiting.expect_request("**/auth/sessions"):
        waiting.clock.fast_forward(2000)
    waiting.clock.fast_forward(60_000)
    waiting.evaluate("fetch('/auth/health')")  # one more turn of the network, then nothing new
    assert len(looks) == 2
    assert waiting.url.endswith("/auth/verify")
    expect(waiting.get_by_label("Code", exact=True)).to_be_visible()


def test_the_waiting_tab_never_asks_by_itself(demo: Demo, visit: Visit) -> None:
    """A tab that polls would let an attacker's tab wait for a victim's click."""
    visitor = visit()
    waiting = visitor.context.new_page()
    waiting.clock.install()
    waiting.goto("/auth/login")
    waiting.get_by_label("Email address").fill(JO)
    waiting.get_by_role("button").click()
    waiting.wait_for_url("**/auth/verify")
    asked: list[str] = []
    waiting.on("request", lambda request: asked.append(request.url))
    waiting.clock.fast_forward(299_000)
    expect(waiting.get_by_text("This email has expired by now")).to_be_hidden()
    waiting.clock.fast_forward(2_000)
    expect(waiting.get_by_text("This email has expired by now")).to_be_visible()
    assert asked == []


def test_the_resend_button_counts_down(demo: Demo, visit: Visit) -> None:
    page = visit().ask(JO)
    page.clock.install()
    button = page.get_by_role("button", name="Send the email again")
    button.click()
    expect(page.get_by_role("status").first).to_contain_text("Sent again")
    expect(button).to_be_disabled()
    expect(page.get_by_text("You can ask again in")).to_contain_text("60 seconds")
    page.clock.fast_forward(20_000)
    expect(page.get_by_text("You can ask again in")).to_contain_text("40 seconds")
    page.clock.fast_forward(41_000)
    expect(page.get_by_text("You can ask again in")).to_be_hidden()
    expect(button).to_be_enabled()
    demo.clock.advance(61)
    button.click()
    page.wait_for_load_state()
    expect(button).to_be_disabled()
    assert len(demo.outbox.messages) == 3


def test_a_form_is_sent_once_however_often_it_is_pressed(demo: Demo, visit: Visit) -> None:
    page = visit().open("/auth/login")
    page.get_by_label("Email address").fill(JO)
    page.evaluate(
        """() => {
            const button = document.querySelector("button");
            button.click(); button.click(); button.click();
        }"""
    )
    page.wait_for_url("**/auth/verify")
    assert len(demo.outbox.messages) == 1


def test_a_whole_code_is_sent_by_itself_once(demo: Demo, visit: Visit) -> None:
    """Typed digit by digit; a wrong one is then shown, not sent again in a loop."""
    page = visit().ask(JO)
    code = demo.code(JO)
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    with page.expect_navigation():
        page.get_by_label("Code", exact=True).press_sequentially(wrong)
    expect(page.get_by_role("alert")).to_contain_text("4 tries left")
    with page.expect_navigation():
        page.get_by_label("Code", exact=True).press_sequentially(code)
    page.wait_for_url("**/dashboard")


def test_back_does_not_submit_the_link_again(demo: Demo, visit: Visit) -> None:
    visitor = visit()
    visitor.ask(JO)
    tab = visitor.open("/")
    tab.goto(demo.link(JO))
    tab.wait_for_url("**/dashboard")
    tab.go_back()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("No password, ever")
