"""The spans that a tracer of OpenTelemetry hears of; none is of a person (security rule 66)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import INVALID_SPAN, StatusCode, get_current_span

from pwless_middleware import (
    ConfigError,
    DeliveryError,
    EmailLogin,
    MemoryStore,
    Message,
    Outbox,
    SendLimits,
    Tracing,
)
from pwless_middleware.errors import StoreError
from tests.support import ROOMY, Site, Slow, make_site, wrong

pytestmark = pytest.mark.anyio


class Traces:
    """Keep the spans that have ended."""

    def __init__(self) -> None:
        self.provider = TracerProvider()
        self._exporter = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def take(self) -> list[ReadableSpan]:
        spans = list(self._exporter.get_finished_spans())
        self._exporter.clear()
        return spans

    def named(self) -> dict[str, Mapping[str, Any]]:
        return {span.name: dict(span.attributes or {}) for span in self.take()}


@pytest.fixture
def traces() -> Traces:
    return Traces()


def make(traces: Traces, **options: Any) -> Site:
    tracing = Tracing(tracer_provider=traces.provider)
    limits = options.pop("limits", ROOMY)
    return make_site(features=[EmailLogin(send_limits=limits), tracing], **options)


async def test_a_login_is_a_send_a_delivery_and_a_proof(traces: Traces) -> None:
    site = make(traces)
    await site.browser().sign_in("jo@example.com")
    assert traces.named() == {
        "pwless.send": {"pwless.template": "SIGNIN", "pwless.outcome": "ok"},
        "pwless.deliver": {"pwless.channel": "mail", "pwless.tries": 1, "pwless.outcome": "ok"},
        "pwless.verify": {"pwless.method": "email_code", "pwless.outcome": "ok"},
    }
    await site.browser().sign_in("jo@example.com", by="link")
    assert traces.named()["pwless.verify"]["pwless.method"] == "email_link"


async def test_they_stand_within_the_span_of_the_request(traces: Traces) -> None:
    site = make(traces)
    tracer = traces.provider.get_tracer("app")
    with tracer.start_as_current_span("POST /auth/login") as request:
        await site.browser().ask("jo@example.com")
    by_name = {span.name: span for span in traces.take()}
    parent = by_name["pwless.send"].parent
    assert parent is not None
    assert parent.span_id == request.get_span_context().span_id


async def test_other_requests_have_none(traces: Traces) -> None:
    site = make(traces)
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    traces.take()
    for path in ("/private", "/auth/login", "/auth/account/sessions", "/auth/health"):
        await browser.get(path)
    assert traces.take() == []


async def test_a_refusal_is_an_outcome_and_a_failure_an_error(traces: Traces) -> None:
    slow = Slow(MemoryStore())
    few = SendLimits(per_minute=1, per_quarter=9, per_day=18)
    site = make(traces, store=slow, limits=few)
    browser = site.browser()
    await browser.ask("jo@example.com")
    await browser.type_code(wrong(site.mail().code))
    await site.browser().ask("jo@example.com")
    found = [(span.name, dict(span.attributes or {}), span.status) for span in traces.take()]
    outcomes = {attributes["pwless.outcome"] for _, attributes, _ in found}
    assert {"INVALID_CODE", "RATE_LIMITED"} <= outcomes
    assert all(status.status_code is StatusCode.UNSET for _, _, status in found)

    async def fail() -> None:
        raise StoreError("redis://:secret@db refused jo@example.com")

    slow.before["admit"] = fail
    await site.browser().ask("kim@example.com")
    (span,) = traces.take()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description is None


class Quoting(Outbox):
    """A mail server that says the address in its refusal."""

    async def send(self, message: Message) -> None:
        raise DeliveryError(f"550 <{message.to}>: unknown, code 271828", permanent=True)


async def test_nothing_of_a_person_is_in_them(traces: Traces) -> None:
    site = make(traces, outbox=Quoting())
    browser = site.browser(headers={"user-agent": "Firefox/140"})
    await browser.ask("jo@example.com")
    await site.passwordless.deliveries.run_due()
    await browser.ask("not an address <jo@example.com>")
    await browser.type_code("000000")
    spans = traces.take()
    assert {span.name for span in spans} >= {"pwless.send", "pwless.deliver", "pwless.verify"}
    for span in spans:
        assert not span.events, "an exception's text and traceback may quote anything"
        # Ids are random, and of times the microseconds may be those digits.
        text = re.sub(r'"0x[0-9a-f]+"|"[-0-9]{10}T[^"]+"', "", f"{span.to_json()}")
        for secret in ("jo@", "550", "271828", "203.0.113", "Firefox", "000000"):
            assert secret not in text, span.name


class Failing(SpanProcessor):
    """A span processor of an app, with a mistake in it."""

    def __init__(self, at: str) -> None:
        self.at = at

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if self.at == "start":
            raise RuntimeError("for jo@example.com")

    def on_end(self, span: ReadableSpan) -> None:
        if self.at == "end":
            raise RuntimeError("for jo@example.com")


@pytest.mark.parametrize("at", ["start", "end"])
async def test_a_tracer_that_fails_stops_no_login(
    at: str, caplog: pytest.LogCaptureFixture
) -> None:
    traces = Traces()
    traces.provider.add_span_processor(Failing(at))
    site = make(traces)
    browser = site.browser()
    await browser.ask("jo@example.com")
    refused = await browser.type_code(wrong(site.mail().code))
    assert refused.status_code == 400
    assert (await browser.type_code(site.mail().code)).status_code == 303
    assert get_current_span() is INVALID_SPAN
    assert "RuntimeError" in caplog.text
    assert "jo@" not in caplog.text


@pytest.mark.parametrize("provider", [True, "otlp", object()])
def test_what_is_no_provider_is_refused(provider: Any) -> None:
    with pytest.raises(ConfigError, match=r"^tracer_provider: set a TracerProvider"):
        Tracing(tracer_provider=provider)


async def test_without_a_tracer_of_the_app_it_does_no_harm() -> None:
    site = make_site(features=[EmailLogin(send_limits=ROOMY), Tracing()])
    await site.browser().sign_in("jo@example.com")


def test_without_the_library_the_line_to_install_it_is_named() -> None:
    script = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from pwless_middleware import Tracing\n"
        "try: Tracing()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("ConfigError features: ")
    assert "pip install 'pwless-middleware[otel]'" in done.stdout
