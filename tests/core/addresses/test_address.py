"""The canonical address: the grammar, written a second time in plain Python (security rule 3)."""

from __future__ import annotations

import string
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.addresses.address import (
    Address,
    covers,
    domain_of,
    fold_mailbox,
    matches,
    parse_address,
    parse_pattern,
)

ATEXT = set(string.ascii_letters + string.digits + "#$&'*+-/=?^_`{|}~")
LDH = set(string.ascii_letters + string.digits + "-")


def is_address(text: str) -> bool:
    """Whether the grammar takes it, by hand instead of by a regular expression."""
    text = text.strip(" ")
    if not 3 <= len(text) <= 254 or text.count("@") != 1 or "=?" in text:
        return False
    local, domain = text.split("@")
    if not 1 <= len(local) <= 64:
        return False
    if not all(part and set(part) <= ATEXT for part in local.split(".")):
        return False
    labels = domain.split(".")
    return (
        len(labels) >= 2
        and all(
            1 <= len(label) <= 63 and set(label) <= LDH and "-" not in (label[0], label[-1])
            for label in labels
        )
        and not labels[-1].isdigit()
    )


nasty = st.text(
    st.sampled_from("ab@.+-_ %!\"'()<>[],;:\\=?\x00\t\r\n\x7f\x85éıſK１0＠。"), max_size=16
)
# Other scripts' letters, dots and look-alikes in a domain are judged further below.
parts = st.text("abcXYZ019.+-_=?{}~#", min_size=1, max_size=70)
likely = st.builds("{}@{}.{}".format, parts, parts, st.text("abcZ09-", min_size=1, max_size=8))


@given(st.one_of(nasty, likely, st.text(max_size=20), likely.map(lambda text: f"  {text} ")))
def test_the_grammar_is_the_one_written_by_hand(text: str) -> None:
    found = parse_address(text)
    assert (found is not None) == is_address(text)
    if found is not None:
        assert found == text.strip(" ").lower()


@given(likely)
def test_canonical_is_canonical_again_and_safe_in_a_mail(text: str) -> None:
    address = parse_address(text)
    if address is None:
        return
    assert parse_address(address) == address
    assert parse_address(address.upper()) == address
    assert address.isascii()
    assert address.isprintable()
    assert not set(address) & set(' ,;:<>()[]\\"%!')
    assert address.count("@") == 1
    assert domain_of(address) == address.split("@")[1]


@given(likely)
def test_folding_is_for_limits_and_changes_no_domain(text: str) -> None:
    address = parse_address(text)
    if address is not None:
        again = fold_mailbox(address)
        assert again.endswith("@" + domain_of(address))
        assert "+" not in again.split("@")[0] or again.startswith("+")


def test_the_lengths_at_their_edges() -> None:
    def address(local: int, labels: list[int]) -> str:
        return "a" * local + "@" + ".".join("b" * n for n in labels) + ".com"

    assert parse_address(address(64, [63, 63])) is not None
    assert parse_address(address(65, [10])) is None
    assert parse_address(address(64, [64])) is None
    assert parse_address(address(64, [63, 63, 57])) is not None, "254 in all"
    assert parse_address(address(64, [63, 63, 58])) is None


def test_what_is_folded() -> None:
    for text, expected in (
        ("jo+x@example.com", "jo@example.com"),
        ("j.o@example.com", "j.o@example.com"),
        ("j.o+x+y@gmail.com", "jo@gmail.com"),
        ("+x@example.com", "+x@example.com"),
    ):
        assert fold_mailbox(Address(text)) == expected


def test_the_allow_list_takes_addresses_domains_and_everybody() -> None:
    jo = Address("jo@example.com")
    for allow in (("*",), ("jo@example.com",), ("*@example.com",), ("x@y.zz", "*@example.com")):
        assert matches(jo, allow)
    for other in ("*@xample.com", "*@sub.example.com", "kim@example.com"):
        assert not matches(jo, (other,))
    assert not matches(jo, ())
    assert not matches(Address("jo@sub.example.com"), ("*@example.com",))
    assert matches(Address("jo@sub.example.com"), ("*@*.example.com",))
    assert matches(Address("jo@a.sub.example.com"), ("*@*.example.com",))
    for stranger in ("jo@example.com", "jo@evilexample.com", "jo@example.com.evil.example"):
        assert not matches(Address(stranger), ("*@*.example.com",))


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("*", "*"),
        (" *@Example.com ", "*@example.com"),
        ("*@*.Example.com", "*@*.example.com"),
        ("*@straße.de", "*@xn--strae-oqa.de"),
        ("Jo@Example.com", "jo@example.com"),
        ("*@*", None),
        ("*@*.", None),
        ("*@*.*.com", None),
        ("jo@*.example.com", None),
        ("*.example.com", None),
        ("", None),
    ],
)
def test_an_entry_of_an_allow_list_has_one_spelling(text: str, pattern: str | None) -> None:
    assert parse_pattern(text) == pattern


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("jo@müller.de", "jo@xn--mller-kva.de"),
        ("jo@MÜLLER.DE", "jo@xn--mller-kva.de"),
        ("jo@mu\u0308ller.de", "jo@xn--mller-kva.de"),  # decomposed, as macOS types it
        ("info@straße.de", "info@xn--strae-oqa.de"),  # IDNA 2003 would reach strasse.de
        ("jo@例え.テスト", "jo@xn--r8jz45g.xn--zckzah"),
        ("jo@例え。テスト", "jo@xn--r8jz45g.xn--zckzah"),
        ("jo@مثال.إختبار", "jo@xn--mgbh0fb.xn--kgbechtv"),
        ("jo@example\uff0ecom", "jo@example.com"),
    ],
)
def test_a_domain_in_its_own_script_has_one_spelling(typed: str, canonical: str) -> None:
    assert parse_address(typed) == canonical
    assert parse_address(canonical) == canonical


def test_without_idna_an_international_domain_is_no_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)
    assert parse_address("jo@müller.de") is None
    assert parse_address("jo@xn--mller-kva.de") == "jo@xn--mller-kva.de"


@pytest.mark.parametrize(
    ("allow", "entry", "is_covered"),
    [
        (("*",), "*@acme.example", True),
        (("*@acme.example",), "*", False),
        (("*@acme.example",), "jo@acme.example", True),
        (("*@acme.example",), "*@*.acme.example", False),
        (("*@*.acme.example",), "*@a.acme.example", True),
        (("*@*.acme.example",), "*@*.a.acme.example", True),
        (("*@*.acme.example",), "*@acme.example", False),
        (("*@*.acme.example",), "*@xacme.example", False),
        (("jo@acme.example",), "kim@acme.example", False),
        ((), "jo@acme.example", False),
    ],
)
def test_a_list_covers_whom_it_serves_already(
    allow: tuple[str, ...], entry: str, is_covered: bool
) -> None:
    assert covers(allow, entry) is is_covered
