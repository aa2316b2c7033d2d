"""The check of passkeys that asks the live host: which other hosts may use them."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from pwless_middleware.cli.checks.database_checks import PATIENCE
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.errors import ConfigError

if TYPE_CHECKING:
    from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
    from pwless_middleware.passwordless import Passwordless

_MOST_BYTES: Final = 65_536
"""Of the answer of `/.well-known/webauthn` that are read."""


async def ask_origins(passwordless: Passwordless) -> list[Finding]:
    """Ask the host of the relying party id which other hosts may use its passkeys, if any."""
    party = _find_party(passwordless)
    if party is None or not party.related_origins or passwordless.origin.is_development:
        return []
    return [await asyncio.to_thread(_ask, party)]


def _find_party(passwordless: Passwordless) -> RelyingParty | None:
    from pwless_middleware.features.passkeys import Passkeys

    try:
        return passwordless.verbs(Passkeys).party
    except ConfigError:  # they are not among the features
        return None


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
