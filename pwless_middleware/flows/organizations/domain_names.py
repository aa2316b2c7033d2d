"""Which names an organization can claim as its mail domain (security rule 54).

Whoever owns a domain decides how the people in it sign in. So nobody can own a name that people
of several organizations have their addresses in: a public suffix (`co.uk`, `github.io`; see
publicsuffix.org) or the domain of a provider that gives mailboxes to anybody.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.domain_name import parse_domain
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.organizations.mailbox_providers import is_mailbox_provider
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

LENGTH: Final = 200
"""Characters of a domain, at most: names below it have to fit into DNS (RFC 1035 section 2.3.4)."""


async def check_domain(text: str, *, field: str = "domain") -> str:
    """Return the canonical name of a mail domain that an organization may claim.

    Args:
        text: as somebody typed it.
        field: what the error calls it.

    Raises:
        InvalidArgument: it is no domain, or nobody's own.
    """
    domain = parse_domain(text)
    if domain is None or len(domain) > LENGTH:
        problem = Text("This is not a domain. Enter what stands behind the @: acme.example")
        raise InvalidArgument.of(field, problem, "domain")
    if (await asyncio.to_thread(_public_suffixes)).is_public(domain):
        problem = Text(
            "Anybody can register names below %(domain)s: enter your own name.", domain=domain
        )
        raise InvalidArgument.of(field, problem, "public_suffix")
    if is_mailbox_provider(domain):
        problem = Text(
            "%(domain)s gives mailboxes to anybody: enter a domain of your own.", domain=domain
        )
        raise InvalidArgument.of(field, problem, "mailbox_provider")
    return domain


@cache
def _public_suffixes() -> PublicSuffixList:
    """Return the list. It takes 60 ms to read, so not in the event loop."""
    from publicsuffixlist import PublicSuffixList  # an extra

    return PublicSuffixList()
