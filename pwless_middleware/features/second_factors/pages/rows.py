"""What the account's page lists: factors, those of other features, and trusted browsers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.logins.device import device_text, icon_of
from pwless_middleware.core.people.factor import Factor, FactorKind, TrustedBrowser
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_ago, format_date, format_iso
from pwless_middleware.text import Text

_KINDS: Final[Mapping[FactorKind, Text]] = {
    "totp": Text("Authenticator app"),
    "sms": Text("Text message"),
}


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A factor; the times as people read them, and as machines do.

    Attributes:
        id: of the factor.
        kind: `totp` or `sms`, by which its icon is found.
        name: what it is called.
        own_name: what the person calls it; empty for nothing.
        fact: what it is, where its name does not say that.
        created_at, created_iso: when it was added.
        used_at, used_iso: when it was last used; empty for never.
    """

    id: str
    kind: str
    name: str
    own_name: str
    fact: str
    created_at: str
    created_iso: str
    used_at: str
    used_iso: str

    @classmethod
    def of(cls, factor: Factor, now: int) -> FactorRow:
        """Return a factor as it is listed."""
        kind = translate(_KINDS[factor.kind])
        # All that is shown of a number, also to whoever has got into the account. It is kept from
        # left to right (UAX #9, isolates): the dots stand before the digits in every language.
        known_by = f"{kind} \u2066•••• {factor.phone[-2:]}\u2069" if factor.phone else kind
        used_at = factor.used_at
        return cls(
            id=factor.id,
            kind=factor.kind,
            name=factor.name or known_by,
            own_name=factor.name,
            fact=known_by if factor.name else "",
            created_at=format_ago(factor.created_at, now),
            created_iso=format_iso(factor.created_at),
            used_at=format_ago(used_at, now) if used_at is not None else "",
            used_iso=format_iso(used_at) if used_at is not None else "",
        )


@dataclass(frozen=True, slots=True)
class OtherRow:
    """What another feature keeps and counts as a second factor too.

    Attributes:
        name: of the method, by which its icon is found.
        title: in the language of the request.
        url: of the page where the person looks after it; empty for none.
        is_there: whether the person has it.
    """

    name: str
    title: str
    url: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class BrowserRow:
    """A trusted browser; the times as people read them, and as machines do.

    Attributes:
        id: as it stands in a form.
        device: which browser, in words.
        icon: `phone`, `tablet`, `computer` or `program`.
        is_this: whether it is the one that the page is shown in.
        created_at, created_iso: since when it is trusted.
        expires_at, expires_iso: until when.
    """

    id: str
    device: str
    icon: str
    is_this: bool
    created_at: str
    created_iso: str
    expires_at: str
    expires_iso: str

    @classmethod
    def of(cls, browser: TrustedBrowser, now: int, *, is_this: bool) -> BrowserRow:
        """Return a browser as it is listed."""
        return cls(
            id=b64(browser.id),
            device=translate(device_text(browser.device)),
            icon=icon_of(browser.device),
            is_this=is_this,
            created_at=format_ago(browser.created_at, now),
            created_iso=format_iso(browser.created_at),
            expires_at=format_date(browser.expires_at),
            expires_iso=format_iso(browser.expires_at),
        )
