"""The checks of passkeys: which host they belong to, and what a change of it would break.

A passkey is made for one relying party id, and for another one it is of no use: to nobody, and for
good. So the choice is told while it can still be changed, and what was made under another one is
counted.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pwless_middleware.cli.database_checks import PATIENCE
from pwless_middleware.cli.findings import Finding
from pwless_middleware.database.database import Database
from pwless_middleware.database.passkeys import SQLPasskeys
from pwless_middleware.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from pwless_middleware.features.passkeys.relying_party import RelyingParty
    from pwless_middleware.passwordless import Passwordless

_MOST_BYTES: Final = 65_536
"""Of the answer of `/.well-known/webauthn` that are read."""


async def check_passkeys(
    passwordless: Passwordless, *, is_ready: bool, is_live: bool
) -> list[Finding]:
    """Tell which host passkeys belong to, and what is wrong with those that there are.

    Args:
        passwordless: the login.
        is_ready: whether its database is there and up to date.
        is_live: whether the host of the relying party id may be asked.
    """
    database = passwordless.database
    if database is None:
        return []
    counts: Mapping[str, int] = await _count(database) if is_ready else {}
    party = _find_party(passwordless)
    if party is None:
        if not counts:
            return []
        text = f"the database has {_amount(sum(counts.values()))}, with which nobody can sign in: "
        return [Finding("warn", "passkeys", text + "add Passkeys() to the features")]
    findings = [_choice(party, passwordless), *_made_for_others(party, counts)]
    findings += _apps(party)
    if party.related_origins:
        findings.append(_related_origins(party, passwordless))
        if is_live and not passwordless.origin.is_development:
            findings.append(await asyncio.to_thread(_ask, party))
    return findings


def _find_party(passwordless: Passwordless) -> RelyingParty | None:
    from pwless_middleware.features.passkeys import Passkeys

    try:
        return passwordless.verbs(Passkeys).party
    except ConfigError:  # they are not among the features
        return None


async def _count(database: Database) -> Mapping[str, int]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await SQLPasskeys(database).count_by_rp_id()
    except StoreError:  # which the check of the database has told
        return {}
    finally:
        await database.aclose()


def _choice(party: RelyingParty, passwordless: Passwordless) -> Finding:
    host = passwordless.origin.host.partition(":")[0]
    if party.id == host:
        text = f"made for {host}: another rp_id makes all of them useless"
        if party.id.count(".") > 1:
            text += ", so set the domain above now if its other hosts are to use them one day"
    else:
        text = (
            f"made for {party.id}: every host below it can ask for them, not {host} alone, and "
            "another rp_id makes all of them useless"
        )
    return Finding("ok", "passkeys", text)


def _made_for_others(party: RelyingParty, counts: Mapping[str, int]) -> Iterator[Finding]:
    for rp_id, count in sorted(counts.items()):
        if rp_id != party.id:
            text = (
                f"{_amount(count)} belong to {rp_id}: with rp_id={party.id!r} nobody can sign in "
                f"with them. Set rp_id={rp_id!r} again if that is a mistake; else people sign in "
                "by mail and make new ones"
            )
            yield Finding("warn", "rp_id", text)


def _apps(party: RelyingParty) -> Iterator[Finding]:
    if any(origin.startswith("android:") for origin in party.origins):
        text = (
            f"Android apps use them if https://{party.id}/.well-known/assetlinks.json names their "
            "package and certificate, with delegate_permission/common.get_login_creds"
        )
        yield Finding("ok", "apps", text)


def _related_origins(party: RelyingParty, passwordless: Passwordless) -> Finding:
    from pwless_middleware.features.passkeys.related_origins import PATH, related_origins

    url = f"https://{party.id}{PATH}"
    pages = ", ".join(party.related_origins)
    origin = passwordless.origin
    if origin.is_development:
        text = f"{pages} may use them, where {url} says so; no browser asks localhost for it"
        return Finding("warn", "origins", text)
    if origin.origin != f"https://{party.id}":
        text = (
            f"{pages} may use them if {url} says so, and that is not this app: have that host "
            f"serve {json.dumps(related_origins(party))} there, as application/json"
        )
        return Finding("warn", "origins", text)
    if origin.path:
        text = (
            f"{pages} may use them if {url} says so, and the app is below {origin.path}: have the "
            "proxy hand that path on to the app, which answers it"
        )
        return Finding("warn", "origins", text)
    return Finding("ok", "origins", f"{pages} may use them, as the app says at {url}")


def _ask(party: RelyingParty) -> Finding:
    """Ask as a browser does: without credentials, and where a redirect leads to (§5.11.1)."""
    from pwless_middleware.features.passkeys.related_origins import PATH

    url = f"https://{party.id}{PATH}"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:  # https
            kind = response.headers.get_content_type()
            answer = response.read(_MOST_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            return Finding("fail", "well_known", f"{url} answers {error.code}")
    except OSError as error:
        reason = getattr(error, "reason", error)
        return Finding("skip", "well_known", f"{url} cannot be reached from here: {reason}")
    if kind != "application/json":
        return Finding("fail", "well_known", f"{url} is {kind}: it has to be application/json")
    missing = set(party.related_origins) - _read_origins(answer)
    if missing:
        named = ", ".join(sorted(missing))
        return Finding("fail", "well_known", f"{url} does not name {named}")
    return Finding("ok", "well_known", f"{url} names them all")


def _read_origins(answer: bytes) -> set[str]:
    try:
        listed = json.loads(answer)["origins"]
    except (ValueError, KeyError, TypeError):
        return set()
    return {one for one in listed if isinstance(one, str)} if isinstance(listed, list) else set()


def _amount(count: int) -> str:
    return "1 passkey" if count == 1 else f"{count} passkeys"
