"""Certificates are read as people paste them, and warned of before they end."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.certificates import (
    read_certificates,
    warn_of_certificates,
)
from tests.identity_providers.saml import NOW, make_key

SECRET, PEM = make_key("one")
BODY = "".join(PEM.strip().split("\n")[1:-1])
DAY = 86_400


def fault_of(text: str) -> SSOFault:
    with pytest.raises(SSOFault) as caught:
        read_certificates(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        PEM.replace("\n", "\r\n"),
        f"  {PEM}\n\n",
        f"subject=CN = one\n{PEM}issuer=CN = one\n",
        BODY,
        "\n".join(BODY[n : n + 60] for n in range(0, len(BODY), 60)),
        PEM.replace("\n", " "),
        PEM + PEM,
    ],
    ids=range(8),
)
def test_a_certificate_is_read_however_it_was_pasted(text: str) -> None:
    (found,) = read_certificates(text)
    assert found.pem == PEM
    assert found.subject == "CN=one"
    assert len(found.fingerprint.split(":")) == 32
    assert found.ends_at == NOW + 400 * DAY


def test_several_are_read_in_their_order() -> None:
    other = make_key("two")[1]
    assert [one.subject for one in read_certificates(PEM + other)] == ["CN=one", "CN=two"]


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        BODY[:-8],
        BODY[4:],
        BODY + "!",
        base64.b64encode(b"no certificate").decode(),
        PEM.replace("CERTIFICATE", "PUBLIC KEY"),
        "A" * 70_000,
    ],
    ids=range(7),
)
def test_what_is_none_has_its_sentence(text: str) -> None:
    assert fault_of(text).code == "certificate_malformed"


def test_nothing_is_no_certificate() -> None:
    assert fault_of(" \n").code == "certificate_none"


def test_a_private_key_is_sent_back_and_not_repeated() -> None:
    fault = fault_of(PEM + SECRET.decode())
    assert fault.code == "certificate_private_key"
    assert fault.received == ""


def test_nine_are_too_many() -> None:
    many = "".join(make_key(f"many {n}")[1] for n in range(9))
    assert fault_of(many).code == "certificate_too_many"


def certify(key: dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    now = datetime.fromtimestamp(NOW, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    hashed = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    return builder.sign(key, hashed).public_bytes(Encoding.PEM).decode()


def test_keys_that_are_too_weak_are_refused() -> None:
    fault = fault_of(make_key("weak", "rsa-1024")[1])
    assert (fault.code, fault.received) == ("certificate_weak", "RSA 1024")
    fault = fault_of(certify(ec.generate_private_key(ec.SECP192R1())))
    assert (fault.code, fault.received) == ("certificate_weak", "secp192r1")


def test_keys_of_another_kind_are_refused() -> None:
    assert fault_of(certify(ed25519.Ed25519PrivateKey.generate())).code == "certificate_key_kind"


@pytest.mark.parametrize(
    ("ends", "code"), [(31, None), (30, "certificate_ends"), (0, "certificate_ends")]
)
def test_a_certificate_is_warned_of_thirty_days_ahead(ends: int, code: str | None) -> None:
    certificates = read_certificates(make_key("one")[1])
    found = list(warn_of_certificates(certificates, NOW + (400 - ends) * DAY))
    assert [fault.code for fault in found] == ([] if code is None else [code])


def test_one_that_has_ended_is_told_unless_another_lasts() -> None:
    old, new = make_key("old", ends=-10)[1], make_key("new")[1]
    (fault,) = warn_of_certificates(read_certificates(old), NOW)
    assert fault.code == "certificate_ended"
    assert list(warn_of_certificates(read_certificates(old + new), NOW)) == []
    assert list(warn_of_certificates((), NOW)) == []
