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
    waiting.clock.fast_forward(280_000)
    expect(waiting.get_by_text("6 digits, good for")).to_be_visible()
    waiting.clock.fast_forward(30_000)
    expect(waiting.get_by_role("heading", level=1)).to_have_text("Your code has expired")
    assert asked == []


def test_a_page_that_expires_live_becomes_the_page_that_a_reload_would_show(
    demo: Demo, visit: Visit
) -> None:
    """Nothing of the old page stays: no field, no time left; the one button asks for a new mail."""
    page = visit().ask(JO)
    page.clock.install()
    page.reload()
    page.clock.fast_forward(225_000)
    expect(page.get_by_text("6 digits, good for")).to_contain_text("seconds")
    demo.clock.advance(301)
    page.clock.fast_forward(76_000)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Your code has expired")
    expect(heading).to_be_focused()
    assert page.title() == "Your code has expired · Fernway"
    expect(page.get_by_label("Code", exact=True)).to_have_count(0)
    expect(page.get_by_text("good for 1 second")).to_have_count(0)
    live = page.locator("main").inner_text()
    page.reload()
    assert page.locator("main").inner_text() == live
    page.get_by_role("button", name="Send a new email").click()
    expect(page.get_by_role("status").first).to_contain_text("Sent again")


def test_a_wait_that_runs_out_is_told_once(demo: Demo, visit: Visit) -> None:
    """The banner counts down beside a field that is not marked; no live region counts along."""
    visitor = visit()
    for _ in range(2):
        visitor.ask(JO)
    page = visitor.open("/auth/login")
    page.clock.install()
    page.get_by_label("Email address").fill(JO)
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("Too many emails were asked for.")
    field = page.get_by_label("Email address")
    expect(field).to_have_value(JO)
    expect(field).not_to_have_attribute("aria-invalid", "true")
    wait = page.get_by_text("Try again in")
    expect(wait).to_contain_text("60 seconds")
    assert wait.evaluate("e => e.closest('[role=alert], [role=status], [aria-live]') === null")
    page.clock.fast_forward(20_000)
    expect(wait).to_contain_text("40 seconds")
    page.clock.fast_forward(41_000)
    expect(wait).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("You can try again now.")


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


def test_the_scripts_do_the_rest_where_tabs_cannot_speak(demo: Demo, visit: Visit) -> None:
    """Firefox refuses a channel between tabs where cookies are blocked."""
    visitor = visit()
    visitor.context.add_init_script(
        "window.BroadcastChannel = function () { throw new DOMException('', 'SecurityError'); };"
    )
    page = visitor.ask(JO)
    with page.expect_navigation():
        page.get_by_label("Code", exact=True).press_sequentially(demo.code(JO))
    page.wait_for_url("**/dashboard")
    page.goto("/spa")
    expect(page.get_by_role("heading", level=2)).to_have_text(f"Hello, {JO}")


def test_a_code_that_is_pasted_with_spaces_fills_its_slots(demo: Demo, visit: Visit) -> None:
    page = visit().ask(JO)
    code = demo.code(JO)
    field = page.get_by_label("Code", exact=True)
    page.evaluate(
        """() => {
            const form = document.forms[0];
            form.requestSubmit = () => { form.dataset.asked = 1; };
        }"""
    )
    field.fill(f"\u200b{code[:3]} {code[3:]}\u00a0")
    expect(page.locator("form[data-asked]")).to_have_count(1)
    expect(field).to_have_value(code)
    box, frame = field.bounding_box(), page.locator(".slots").bounding_box()
    assert box is not None
    assert frame is not None
    assert box["width"] > frame["width"], "a caret behind the last slot pushes nothing"
    assert field.evaluate("e => e.scrollLeft") == 0


def test_back_does_not_submit_the_link_again(demo: Demo, visit: Visit) -> None:
    visitor = visit()
    visitor.ask(JO)
    tab = visitor.open("/")
    tab.goto(demo.link(JO))
    tab.wait_for_url("**/dashboard")
    tab.go_back()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("No password, ever")
