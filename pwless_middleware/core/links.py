"""Keep words from becoming links."""

from __future__ import annotations

import re

# What binds the parts of an address or URL; the wide forms are dots too (UTS #46 §2.3).
_BINDS = re.compile(r"([.@:\\/\uff0e\u3002\uff61])(?!\s)")

_PORT = re.compile(r":[0-9]{1,5}\Z")


def break_links(text: str) -> str:
    """Keep mail clients from making a link of somebody's words (security rule 16).

    Clients link whatever looks like `evil.example`, `jo@evil.example` or `tel:…`, no markup needed.
    An invisible WORD JOINER (U+2060), which no host name may hold (RFC 5892 §2.6), goes behind
    every mark that would bind the parts; the text reads as before.
    """
    return _BINDS.sub("\\1\u2060", text)


def break_foreign(name: str, host: str) -> str:
    """Return a name whose links are broken, unless it is a host, or a domain above it.

    Args:
        name: what somebody has called a site.
        host: the site's own; a link to it leads home.
    """
    named = _PORT.sub("", name.lower())
    return name if named == host or host.endswith(f".{named}") else break_links(name)
