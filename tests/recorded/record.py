"""Record what a version keeps, for the versions to come.

    git worktree add ../released v0.1.0
    cp -r tests/recorded ../released/tests && cd ../released
    python -m tests.recorded.record > 0.1.0.json

It is run by the code of that version, which lets people do what leaves something behind: rows of
the database, and what browsers, phones and servers hold. So it uses public names alone, and what
all versions of `tests.support` have. `test_recorded` reads what it prints.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mintotp
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pwless_middleware
from pwless_middleware import EmailLogin, Passkeys, SecondFactors
from tests.features.passkeys.authenticator import Authenticator, b64
from tests.support import BASE, ROOMY, Browser, Clock, Site, make_site

JO, KIM, LEE, MAX, NEW, PAT = (
    f"{name}@example.com" for name in ("jo", "kim", "lee", "max", "new", "pat")
)
MEMBER = "mia@alder.example"
LIFETIME = 240
PERIOD = 30
STEP = "/auth/step/second-factor"
HAS_ORGANIZATIONS = "Organizations" in pwless_middleware.__all__


def make_recorded_site(url: str, now: int | None = None) -> Site:
    """Make the site that is recorded, and later meets its own past.

    Args:
        url: of the database.
        now: unix seconds; `None` for the clock that each test begins with.
    """
    features: list[Any] = [
        EmailLogin(send_limits=ROOMY),
        Passkeys(),
        SecondFactors(trusted_days=30),
    ]
    if HAS_ORGANIZATIONS:
        features.append(pwless_middleware.Organizations())
    clock = Clock() if now is None else Clock(now)
    return make_site(database=url, features=features, clock=clock)


async def open_step(browser: Browser, email: str) -> dict[str, str]:
    """Sign in by the code of a mail as far as the second factor; return the fields of its page."""
    done = await browser.sign_in(email)
    assert done.headers["location"].endswith(STEP), done.headers["location"]
    page = (await browser.get(STEP)).text
    found = re.search(r'name="login_id" value="([^"]+)"', page)
    return {"login_id": found[1]} if found else {}


def code_of(secret: str, now: int) -> str:
    """Return what an authenticator app shows."""
    return str(mintotp.hotp(secret, now // PERIOD))


async def add_passkey(browser: Browser) -> dict[str, str]:
    """Make a passkey for who is signed in; return it, with its private half."""
    authenticator, api = Authenticator(), "/auth/api/v1/passkeys"
    asked = (await browser.request("POST", f"{api}/options", json={})).json()
    credential = authenticator.create(asked["options"], origin=BASE)
    body = {"ceremony_id": asked["ceremony_id"], "credential": credential, "name": "Kim’s phone"}
    made = await browser.request("POST", api, json=body)
    assert made.status_code == 201, made.text
    (passkey,) = authenticator.passkeys
    key = passkey.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {
        "id": b64(passkey.id),
        "key": b64(key),
        "rp_id": passkey.rp_id,
        "user_handle": b64(passkey.user_handle),
    }


async def add_app(browser: Browser) -> tuple[str, list[str]]:
    """Add an authenticator app and recovery codes; return the app's secret and the codes."""
    api, site = "/auth/api/v1/factors", browser.home
    begun = (await browser.request("POST", f"{api}/totp")).json()
    body = {
        "enrollment_id": begun["enrollment_id"],
        "code": code_of(begun["secret"], site.clock.now),
    }
    done = await browser.request("POST", f"{api}/totp/confirm", json=body)
    assert done.status_code == 201, done.text
    codes = (await browser.request("POST", f"{api}/recovery-codes")).json()["recovery_codes"]
    return begun["secret"], codes


async def trust(browser: Browser, email: str, secret: str) -> None:
    """Sign in with an app, and have the browser trusted."""
    fields = await open_step(browser, email)
    browser.home.clock.advance(PERIOD)
    code = code_of(secret, browser.home.clock.now)
    done = await browser.post(STEP, {**fields, "method": "totp", "code": code, "trust": "yes"})
    assert done.status_code == 303, done.text
    await browser.post("/auth/logout", {})


async def add_organization(site: Site) -> str:
    """Make an organization with a domain and rules; return its id."""
    organizations = site.passwordless.organizations
    made = await organizations.create("Alder", external_id="alder", color="#7a3b1f")
    domain = await organizations.domains.claim(made.id, "alder.example")
    await organizations.domains.mark_verified(made.id, domain.name)
    await organizations.change_policy("alder", {"join": "domain", "idle": 3600})
    return made.id


async def record(url: str) -> dict[str, Any]:
    """Let people do what leaves something behind, and return what they hold."""
    site = make_recorded_site(url)
    passwordless = site.passwordless
    await passwordless.settings.set({"email_login.lifetime": LIFETIME})
    kept: dict[str, Any] = {}

    jo = site.browser()
    await jo.sign_in(JO)
    kept["jo"] = {"cookies": jo.cookies}

    kim = site.browser()
    await kim.sign_in(KIM)
    kept["kim"] = {"passkey": await add_passkey(kim)}

    lee, trusted, waiting = site.browser(), site.browser(), site.browser()
    await lee.sign_in(LEE)
    secret, codes = await add_app(lee)
    await trust(trusted, LEE, secret)
    await open_step(waiting, LEE)
    kept["lee"] = {
        "cookies": trusted.cookies,
        "pending_cookies": waiting.cookies,
        "secret": secret,
        "recovery_code": codes[0],
    }

    new = site.browser()
    await new.ask(NEW)
    kept["new"] = {"cookies": new.cookies, "code": site.mail(NEW).code, "link": site.mail(NEW).link}

    pat = site.browser()
    await pat.ask(PAT)
    spent = site.mail(PAT).code
    await pat.type_code(spent)
    kept["pat"] = {"cookies": pat.cookies, "code": spent}

    gone = await passwordless.people.create(MAX, by="python")
    await passwordless.people.disable(gone.id, by="python")

    key = await passwordless.api_keys.create("backend-2", scopes=["passwordless"])
    revoked = await passwordless.api_keys.create("backend-3", scopes=["passwordless"])
    await passwordless.api_keys.revoke("backend-3")
    kept["api_keys"] = {"good": key.text, "revoked": revoked.text}

    if HAS_ORGANIZATIONS:
        kept["organization"] = await add_organization(site)
        member = site.browser()
        await member.sign_in(MEMBER)
        kept["member"] = {"cookies": member.cookies}

    await passwordless.events.find(limit=1)  # what is still in memory is written first
    kept["now"] = site.clock.now
    await site.store.aclose()
    return kept


def rows_of(file: Path) -> dict[str, Any]:
    """Return the rows of all tables, bytes as base64url below `b64`."""

    def plain(value: object) -> object:
        return {"b64": b64(value)} if isinstance(value, bytes) else value

    found = {}
    with closing(sqlite3.connect(file)) as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'pwless_%'"
        for (name,) in connection.execute(names).fetchall():
            cursor = connection.execute(f"SELECT * FROM {name}")
            rows = [[plain(value) for value in row] for row in cursor]
            if rows:
                found[name] = {"columns": [one[0] for one in cursor.description], "rows": rows}
    return found


def written(recorded: dict[str, Any]) -> Iterator[str]:
    """Write JSON with a line for each row, so that a difference can be read."""
    yield '{"held": ' + json.dumps(recorded["held"], indent=1, ensure_ascii=False) + ","
    yield ' "tables": {'
    for number, (name, table) in enumerate(recorded["tables"].items()):
        yield f'{"," if number else ""}"{name}": {{"columns": {json.dumps(table["columns"])},'
        rows = [json.dumps(row, ensure_ascii=False) for row in table["rows"]]
        yield ' "rows": [\n  ' + ",\n  ".join(rows) + "]}"
    yield "}}"


def main() -> None:
    """Print the record."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "pwless.db")
        kept = asyncio.run(record(f"sqlite:///{file}"))
        for line in written({"held": kept, "tables": rows_of(file)}):
            print(line)


if __name__ == "__main__":
    main()
