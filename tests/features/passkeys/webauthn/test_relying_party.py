"""Whom passkeys belong to, and the origins that may use them, come from configuration alone.

Security rule 31.
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from pwless_middleware.errors import ConfigError
from pwless_middleware.features.passkeys.webauthn.relying_party import ANDROID, RelyingParty
from pwless_middleware.web.routing.origin import Origin
from tests.features.passkeys.authenticator import b64

APP = ANDROID + b64(bytes(range(32)))


def party(base_url: str = "https://app.example.com", **options: object) -> RelyingParty:
    origin = Origin(base_url, unsafe_http=True)
    return RelyingParty.of(origin, **options)  # type: ignore[arg-type]


def problem(base_url: str = "https://app.example.com", **options: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        party(base_url, **options)
    return caught.value


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://app.example.com", "app.example.com"),
        ("https://www.example.com", "example.com"),
        ("https://example.com/shop", "example.com"),
        ("https://example.com:8443", "example.com"),
        ("https://wwww.example.com", "wwww.example.com"),
        ("https://www.com", "www.com"),
        ("https://www.localhost", "www.localhost"),
        ("https://intranet", "intranet"),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("http://localhost:8000", "localhost"),
        ("http://app.localhost:8000", "app.localhost"),
    ],
)
def test_the_id_is_the_host_without_www(base_url: str, expected: str) -> None:
    found = party(base_url)
    assert found.id == expected
    assert found.id_hash == sha256(expected.encode()).digest()
    assert found.origins == (Origin(base_url, unsafe_http=True).origin,)
    assert found.related_origins == ()


@pytest.mark.parametrize(
    ("base_url", "rp_id"),
    [
        ("https://app.example.com", "app.example.com"),
        ("https://app.example.com", "example.com"),
        ("https://a.b.example.co.uk", "example.co.uk"),
        ("https://www.example.com", "www.example.com"),
        ("https://intranet", "intranet"),
        ("http://localhost:8000", "localhost"),
        ("http://app.localhost:8000", "localhost"),
    ],
)
def test_an_id_of_ones_own(base_url: str, rp_id: str) -> None:
    assert party(base_url, rp_id=rp_id).id == rp_id


@pytest.mark.parametrize(
    "rp_id",
    [
        "com",
        "ample.com",  # ends alike, and is another's
        "other.com",
        "login.app.example.com",
        "example.com.",
        ".example.com",
        "Example.com",
        "EXAMPLE.COM",
        "https://example.com",
        "example.com:443",
        "example.com/",
        "*.example.com",
        " example.com",
        "example.com\n",
        "bücher.example",
        "",
        1,
        b"example.com",
        ["example.com"],
    ],
)
def test_an_id_that_browsers_would_not_take(rp_id: object) -> None:
    assert problem(rp_id=rp_id).option == "rp_id"


@pytest.mark.parametrize(
    "base_url",
    [
        "https://192.0.2.1",
        "https://[2001:db8::1]:8443",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
        "https://192.0.2.0x1",
        "https://3221225985",
    ],
)
def test_an_address_has_no_passkeys(base_url: str) -> None:
    error = problem(base_url)
    assert error.option == "base_url"
    assert "http://localhost:8000" in str(error)


def test_http_has_no_passkeys_but_on_this_machine() -> None:
    error = problem("http://app.example.com")
    assert error.option == "base_url"
    assert "https" in str(error)


@pytest.mark.parametrize("base_url", ["https://example.com.", "https://ex..com", "https://."])
def test_a_host_that_is_no_name(base_url: str) -> None:
    assert problem(base_url).option == "base_url"


def test_further_origins() -> None:
    found = party(
        rp_id="example.com",
        origins=[
            "https://Shop.example.com/",
            "https://example.com:443",
            "https://example.org:8443",
            "http://localhost:3000",
            APP,
            "https://app.example.com",
            APP,
        ],
    )
    assert found.origins == (
        "https://app.example.com",
        "https://shop.example.com",
        "https://example.com",
        "https://example.org:8443",
        "http://localhost:3000",
        APP,
    )
    assert found.related_origins == ("https://example.org:8443", "http://localhost:3000")


@pytest.mark.parametrize(
    "origin",
    [
        "http://shop.example.com",
        "https://shop.example.com/path",
        "https://user@shop.example.com",
        "https://shop.example.com?x",
        "https://*.example.com",
        "https://192.0.2.1",
        "http://127.0.0.1:8000",
        "https://[::1]",
        "shop.example.com",
        "ftp://shop.example.com",
        "capacitor://localhost",
        "ios:bundle-id:com.example.app",
        "HTTPS://shop.example.com",
        "null",
        "",
        "*",
        ANDROID,
        APP + "=",
        APP[:-1],
        ANDROID + b64(bytes(20)),
        ANDROID + "A" * 42 + "B",  # the same bytes in another spelling
        ANDROID + ":".join(["AA"] * 32),  # as keytool prints it
        APP.upper(),
    ],
)
def test_an_origin_that_is_none(origin: str) -> None:
    error = problem(origins=[origin])
    assert error.option == "origins"
    if origin.startswith(ANDROID):
        assert "43 characters" in str(error)


@pytest.mark.parametrize("origins", ["https://example.org", 1, [1], b"x", None])
def test_origins_are_a_list(origins: object) -> None:
    assert problem(origins=origins).option == "origins"
