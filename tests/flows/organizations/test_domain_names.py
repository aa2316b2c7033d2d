"""Which names nobody can own."""

from __future__ import annotations

import pytest

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.organizations.domain_names import check_domain

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        (" @ACME.Example", "acme.example"),
        ("acme.co.uk", "acme.co.uk"),
        ("mail.eu.acme.com", "mail.eu.acme.com"),
        ("acme.github.io", "acme.github.io"),
        ("a.b.kobe.jp", "a.b.kobe.jp"),
    ],
)
async def test_a_domain_of_ones_own_can_be_claimed(typed: str, name: str) -> None:
    assert await check_domain(typed) == name


@pytest.mark.parametrize(
    ("typed", "constraint"),
    [
        *(("", "domain"), ("acme", "domain"), ("jo@acme.example", "domain")),
        (".".join(["a" * 50] * 4), "domain"),
        *(("co.uk", "public_suffix"), ("github.io", "public_suffix"), ("CO.UK.", "public_suffix")),
        *(("kobe.jp", "public_suffix"), ("xn--55qx5d.cn", "public_suffix")),
        *(("gmail.com", "mailbox_provider"), ("GMX.de", "mailbox_provider")),
        *(("mail.yahoo.com", "mailbox_provider"), ("tuta.com", "mailbox_provider")),
        *(("outlook.se", "mailbox_provider"), ("privaterelay.appleid.com", "mailbox_provider")),
    ],
)
async def test_what_is_nobodys_own_is_refused(typed: str, constraint: str) -> None:
    """Security rule 54: whoever owned it would decide for people of others."""
    with pytest.raises(InvalidArgument) as refused:
        await check_domain(typed)
    (violation,) = refused.value.violations
    assert (violation.field, violation.constraint) == ("domain", constraint)
