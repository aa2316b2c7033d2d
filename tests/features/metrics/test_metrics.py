"""What `/auth/metrics` shows, to whom, and what it never shows (security rule 66)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse

from pwless_middleware import (
    ConfigError,
    EmailLogin,
    Kit,
    MemoryStore,
    Metrics,
    Mounted,
    SendLimits,
)
from pwless_middleware.core.events.event import EventKind
from pwless_middleware.errors import StoreError
from pwless_middleware.features.metrics.labels import MOST_METHODS, MethodNames
from tests.support import API_KEY, ROOMY, Site, Slow, error_code, make_site, run, wrong

pytestmark = pytest.mark.anyio

HERE = {"host": "127.0.0.1:8000"}
KEY = {"authorization": f"Bearer {API_KEY}"}


@pytest.fixture
def site() -> Site:
    """A site that counts."""
    return make_site(features=[EmailLogin(send_limits=ROOMY), Metrics()])


async def read(site: Site, headers: Mapping[str, str] = KEY) -> dict[str, float]:
    """Return each sample's value by its name and labels, as a line of the text has them."""
    answer = await site.browser().get("/auth/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    families = list(parse(answer.text))
    return {
        sample.name
        + "".join(f"{{{k}={v}}}" for k, v in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


async def test_a_login_is_counted(site: Site) -> None:
    before = await read(site)
    assert before["pwless_logins_failed_total{reason=wrong_code}"] == 0, "a rate needs a first 0"
    browser = site.browser()
    await browser.ask("jo@example.com")
    await browser.type_code(wrong(site.mail().code))
    await browser.type_code(site.mail().code)
    await browser.post("/auth/logout", {})
    found = await read(site)
    assert found["pwless_logins_failed_total{reason=wrong_code}"] == 1
    assert found["pwless_logins_total{method=email_code}"] == 1
    assert found["pwless_mails_total{outcome=requested}"] == 1
    assert found["pwless_mails_total{outcome=sent}"] == 1
    assert found["pwless_sessions_begun_total"] == 1
    assert found["pwless_sessions_ended_total{reason=logout}"] == 1
    assert found["pwless_events_total{kind=session.created}"] == 1
    assert found["pwless_up{part=store}"] == 1
    assert found["pwless_up{part=delivery}"] == 1
    assert found["pwless_events_dropped_total"] == 0


async def test_a_limit_is_counted_by_which(site: Site) -> None:
    few = SendLimits(per_minute=1, per_quarter=9, per_day=18)
    site = make_site(features=[EmailLogin(send_limits=few), Metrics()])
    for _ in range(2):
        await site.browser().ask("jo@example.com")
    assert (await read(site))["pwless_limits_total{limit=send_by_address}"] == 1


async def test_nothing_of_a_person_is_in_it(site: Site) -> None:
    """Neither an address nor an id, a device, a client or an attempt is a label's value."""
    browser = site.browser(headers={"user-agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
    await browser.sign_in("jo@example.com")
    await browser.post("/auth/verify", {"code": "x'}\n# evil"})
    for _ in range(3):
        await site.browser(headers={"authorization": "Bearer jo"}).get("/auth/metrics")
    text = (await site.browser().get("/auth/metrics", headers=KEY)).text
    await browser.who()
    session = site.inner.scope["state"]["session"]
    secrets = ["jo@", "example", "203.0", "Firefox", session.user_id, session.id]
    secrets += [event.attempt for event in site.passwordless.events.recent() if event.attempt]
    assert len(secrets) > 6
    for secret in secrets:
        assert secret not in text
    labels = set(re.findall(r'(\w+)="', text))
    assert labels == {
        "kind",
        "le",
        "limit",
        "method",
        "outcome",
        "part",
        "reason",
        "state",
        "version",
    }


async def test_what_a_feature_calls_its_methods_and_events_makes_no_series_without_end() -> None:
    """A connection or a person in the name of a method is no label, and few names are."""
    names = MethodNames()
    assert names.label("jo@example.com") == "other"
    assert names.label("x" * 41) == "other"
    assert names.label(None) == "other"
    found = {names.label(f"method_{number}") for number in range(1000)}
    assert len(found) == MOST_METHODS + 1
    assert names.label("method_0") == "method_0"


class Chatty:
    """A feature with an event of its own, whose reason is any text."""

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        kind = EventKind("chat.said", "somebody said something", ("reason",))
        return Mounted(event_kinds=(kind,))


async def test_the_events_of_other_features_are_counted_by_kind_alone() -> None:
    chatty = Chatty()
    site = make_site(features=[EmailLogin(), chatty, Metrics()])
    await site.browser().get("/auth/login")
    chatty.kit.events.record("chat.said", reason="jo@example.com")
    site.passwordless._kit.events.flush()
    answer = await site.browser().get("/auth/metrics", headers=KEY)
    assert 'pwless_events_total{kind="chat.said"} 1.0' in answer.text
    assert "jo@" not in answer.text


# --- who may read it -----------------------------------------------------------------------------


async def test_this_machine_needs_no_key(site: Site) -> None:
    for ip in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"):
        answer = await site.browser(ip=ip).get("/auth/metrics", headers=HERE)
        assert answer.status_code == 200, ip
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:8000", "x-forwarded-for": "127.0.0.1"},
        {"host": "127.0.0.1:8000", "forwarded": "for=127.0.0.1"},
        {"host": "127.0.0.1:8000", "x-real-ip": "127.0.0.1"},
        {"host": "127.0.0.1:8000", "via": "1.1 proxy"},
        {"host": "app.example.com"},
        {"host": "rebound.evil.example:8000"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost."},
        {"host": "127.0.0.1:8000", "authorization": "Bearer pwk_no"},
    ],
)
async def test_a_proxy_or_a_rebound_page_on_this_machine_needs_one(
    site: Site, headers: Mapping[str, str]
) -> None:
    answer = await site.browser(ip="127.0.0.1").get("/auth/metrics", headers=headers)
    assert answer.status_code == 401


async def test_the_older_http_of_a_silent_proxy_needs_one(site: Site) -> None:
    scope = {
        "type": "http", "method": "GET", "path": "/auth/metrics", "raw_path": b"/auth/metrics",
        "query_string": b"", "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1),
        "http_version": "1.0", "scheme": "http", "server": ("127.0.0.1", 80), "root_path": "",
        "asgi": {"version": "3.0"},
    }  # fmt: skip
    assert (await run(site.app, scope))[0]["status"] == 401
    assert (await run(site.app, {**scope, "http_version": "1.1"}))[0]["status"] == 200
    for client in (None, ("testclient", 1), ("10.0.0.8", 1)):
        found = await run(site.app, {**scope, "http_version": "1.1", "client": client})
        assert found[0]["status"] == 401, client


async def test_a_stranger_hears_nothing(site: Site) -> None:
    answer = await site.browser().get("/auth/metrics")
    assert answer.status_code == 401
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    assert (await browser.get("/auth/metrics")).status_code == 401, "a session is no key"


async def test_a_key_needs_the_scope(tmp_path: Path) -> None:
    site = make_site(features=[EmailLogin(), Metrics()], database=f"sqlite:///{tmp_path}/pwless.db")
    keys = site.passwordless.api_keys
    for_events = await keys.create("events", scopes=["events"], by="python")
    for_metrics = await keys.create("prometheus", scopes=["metrics"], by="python")
    refused = await site.backend(for_events.text).browser.get("/auth/metrics")
    assert (refused.status_code, error_code(refused)) == (403, "MISSING_SCOPE")
    answer = await site.backend(for_metrics.text).browser.get("/auth/metrics")
    assert answer.status_code == 200


# --- formats, outages, registries ----------------------------------------------------------------


async def test_who_wants_openmetrics_gets_it(site: Site) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5"
    answer = await site.browser().get("/auth/metrics", headers={**KEY, "accept": accept})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert list(parse_openmetrics(answer.text))
    odd = "application/openmetrics-text;version=x\x0b;escaping=\x7f"
    answer = await site.browser().get("/auth/metrics", headers={**KEY, "accept": odd})
    assert answer.status_code == 200
    plain = await site.browser().get("/auth/metrics", headers=KEY)
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_a_store_that_is_down_is_shown_as_down_and_its_errors_are_counted() -> None:
    slow = Slow(MemoryStore())
    site = make_site(features=[EmailLogin(), Metrics()], store=slow)

    async def fail() -> None:
        raise StoreError("gone")

    await site.browser().ask("jo@example.com")
    assert (await read(site))["pwless_store_seconds_count{verb=admit}"] == 1
    slow.before = dict.fromkeys(("ping", "admit"), fail)
    await site.browser().ask("jo@example.com")
    found = await read(site)
    assert found["pwless_up{part=store}"] == 0
    assert found["pwless_store_errors_total{verb=admit}"] == 1
    assert found["pwless_store_seconds_count{verb=admit}"] == 1


async def test_the_hosts_registry_may_take_what_is_counted() -> None:
    registry = CollectorRegistry()
    site = make_site(features=[EmailLogin(), Metrics(registry=registry)])
    await site.browser().sign_in("jo@example.com")
    site.passwordless._kit.events.flush()
    assert registry.get_sample_value("pwless_logins_total", {"method": "email_code"}) == 1
    with pytest.raises(ConfigError, match="it has these metrics already"):
        make_site(features=[EmailLogin(), Metrics(registry=registry)])
    assert registry.get_sample_value("pwless_logins_total", {"method": "email_code"}) == 1


def test_a_registry_that_has_one_of_the_names_gets_none_of_the_others() -> None:
    from prometheus_client import Counter

    registry = CollectorRegistry()
    taken = Counter("pwless_store_errors", "The host's own.", registry=registry)
    with pytest.raises(ConfigError, match="registry"):
        make_site(features=[EmailLogin(), Metrics(registry=registry)])
    registry.unregister(taken)
    make_site(features=[EmailLogin(), Metrics(registry=registry)])


@pytest.mark.parametrize("registry", [True, "x", object()])
def test_what_is_no_registry_is_refused(registry: CollectorRegistry) -> None:
    with pytest.raises(ConfigError, match=r"^registry: set a prometheus_client\.Coll"):
        Metrics(registry=registry)


async def test_two_apps_count_apart(site: Site) -> None:
    other = make_site(features=[EmailLogin(), Metrics()])
    await site.browser().sign_in("jo@example.com")
    assert (await read(other))["pwless_sessions_begun_total"] == 0


def test_without_the_library_the_line_to_install_it_is_named() -> None:
    script = (
        "import sys; sys.modules['prometheus_client'] = None\n"
        "from pwless_middleware import Metrics\n"
        "try: Metrics()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("ConfigError features: ")
    assert "pip install 'pwless-middleware[metrics]'" in done.stdout


_SERVED = """
import asyncio
from pwless_middleware import EmailLogin, Metrics
from tests.support import API_KEY, make_site

async def main():
    site = make_site(features=[EmailLogin(), Metrics()])
    await site.browser().sign_in("jo@example.com")
    key = {"authorization": f"Bearer {API_KEY}"}
    print((await site.browser().get("/auth/metrics", headers=key)).text)

asyncio.run(main())
"""


def test_several_processes_are_added_up_where_prometheus_client_is_set_up_for_it(
    tmp_path: Path,
) -> None:
    """In processes of their own: the library decides as it is imported."""
    root = Path(__file__).parents[3]
    environment = {
        **os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(root),
    }  # fmt: skip

    def sign_in_and_read() -> str:
        return subprocess.run(
            [sys.executable, "-c", _SERVED],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "pwless_sessions_begun_total 1.0" in sign_in_and_read()
    text = sign_in_and_read()
    assert "pwless_sessions_begun_total 2.0" in text
    assert 'pwless_up{part="store"} 1.0' in text
