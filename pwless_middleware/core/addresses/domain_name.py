"""The one canonical name of a mail domain: as the addresses in it have it (security rule 3)."""

from __future__ import annotations

from collections.abc import Iterator

from pwless_middleware.core.addresses.address import domain_of, parse_address


def parse_domain(text: str) -> str | None:
    """Make the name of a mail domain canonical: ASCII, lower-case, without a dot at its end.

    Args:
        text: as somebody typed it; an `@` before it, and a dot behind it, are left out.

    Returns:
        The part behind the `@` of the canonical addresses in it; `None` where no address can be in
        it, as with a host's address, one label, or an international name without the extra `[idn]`.
    """
    text = text.strip(" ").removeprefix("@").removesuffix(".")
    if "@" in text:
        return None
    address = parse_address(f"x@{text}")
    return None if address is None else domain_of(address)


def with_parents(domain: str) -> Iterator[str]:
    """Yield a canonical domain and each that it is below, down to the last label."""
    while domain:
        yield domain
        domain = domain.partition(".")[2]
