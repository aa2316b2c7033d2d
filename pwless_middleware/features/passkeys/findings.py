"""What `pwless check` and the dashboard say of passkeys: which host they belong to.

A passkey is made for one relying party id, and for another one it is of no use: to nobody, and for
good. So the choice is told while it can still be changed, and what was made under another one is
counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.errors import StoreError
from pwless_middleware.features.passkeys.related_origins import PATH, related_origins
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from pwless_middleware.text import Text
from pwless_middleware.web.routing.origin import Origin

if TYPE_CHECKING:
    from pwless_middleware.database.factors.passkeys import PasskeyRepository


class PasskeyFindings:
    """Look at the relying party, and at the passkeys that there are.

    Args:
        party: whose passkeys they are.
        origin: of the app.
        passkeys: those of the database.
    """

    def __init__(self, party: RelyingParty, origin: Origin, passkeys: PasskeyRepository) -> None:
        self._party = party
        self._origin = origin
        self._passkeys = passkeys

    async def find(self, *, may_ask: bool) -> list[Finding]:
        """Return what was found (`Mounted.findings`)."""
        counts: Mapping[str, int] = {}
        if may_ask:
            try:
                counts = await self._passkeys.count_by_rp_id()
            except StoreError:  # which is told elsewhere; the choice can be told all the same
                counts = {}
        findings = [_choice(self._party, self._origin), *_made_for_others(self._party, counts)]
        findings += _apps(self._party)
        if self._party.related_origins:
            findings.append(_related_origins(self._party, self._origin))
        return findings


def _choice(party: RelyingParty, origin: Origin) -> Finding:
    host = origin.host.partition(":")[0]
    if party.id != host:
        text = Text(
            "made for %(id)s: every host below it can ask for them, not %(host)s alone, and "
            "another rp_id makes all of them useless",
            id=party.id,
            host=host,
        )
    elif party.id.count(".") > 1:
        text = Text(
            "made for %(id)s: another rp_id makes all of them useless, so set the domain above now "
            "if its other hosts are to use them one day",
            id=party.id,
        )
    else:
        text = Text("made for %(id)s: another rp_id makes all of them useless", id=party.id)
    return Finding("ok", "passkeys", text)


def _made_for_others(party: RelyingParty, counts: Mapping[str, int]) -> Iterator[Finding]:
    for rp_id, count in sorted(counts.items()):
        if rp_id != party.id:
            text = Text.for_count(
                "%(n)s passkey belongs to %(other)s: with rp_id='%(id)s' nobody can sign in with "
                "it. Set rp_id='%(other)s' again if that is a mistake; else its owner signs in by "
                "mail and makes a new one",
                "%(n)s passkeys belong to %(other)s: with rp_id='%(id)s' nobody can sign in with "
                "them. Set rp_id='%(other)s' again if that is a mistake; else people sign in by "
                "mail and make new ones",
                count,
                other=rp_id,
                id=party.id,
            )
            yield Finding("warn", "rp_id", text)


def _apps(party: RelyingParty) -> Iterator[Finding]:
    if any(origin.startswith("android:") for origin in party.origins):
        url = f"https://{party.id}/.well-known/assetlinks.json"
        text = Text(
            "Android apps use them if %(url)s names their package and certificate, with "
            "delegate_permission/common.get_login_creds",
            url=url,
        )
        yield Finding("ok", "apps", text)


def _related_origins(party: RelyingParty, origin: Origin) -> Finding:
    url = f"https://{party.id}{PATH}"
    pages = ", ".join(party.related_origins)
    if origin.is_development:
        text = Text(
            "%(pages)s may use them, where %(url)s says so; no browser asks localhost for it",
            pages=pages,
            url=url,
        )
        return Finding("warn", "origins", text)
    if origin.origin != f"https://{party.id}":
        text = Text(
            "%(pages)s may use them if %(url)s says so, and that is not this app: have that host "
            "serve %(document)s there, as application/json",
            pages=pages,
            url=url,
            document=json.dumps(related_origins(party)),
        )
        return Finding("warn", "origins", text)
    if origin.path:
        text = Text(
            "%(pages)s may use them if %(url)s says so, and the app is below %(path)s: have the "
            "proxy hand that path on to the app, which answers it",
            pages=pages,
            url=url,
            path=origin.path,
        )
        return Finding("warn", "origins", text)
    text = Text("%(pages)s may use them, as the app says at %(url)s", pages=pages, url=url)
    return Finding("ok", "origins", text)
