"""Signature wrapping: a real signature stays in the document, and somebody else is put beside it.

Security rule 52.

The shapes are those of Somorovsky, Mayer, Schwenk, Kampmann and Jensen, "On Breaking SAML: Be
Whoever You Want to Be" (USENIX Security 2012), numbered as SAML Raider does, and what was
found since. None may be accepted, not even with the name of the person who really signed in.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.responses import verify_response
from tests.identity_providers.saml import (
    ASSERTION,
    NOW,
    PROTOCOL,
    SERVICE,
    SIGNATURE,
    SAMLProvider,
    Signed,
)

IDP = SAMLProvider()
SETTINGS = IDP.settings()
VICTIM = "admin@acme.example"
Shape = Callable[[Any, Any, Any], Any]


def evil(assertion: Any, *, id: str | None = "_evil", keep_signature: bool = False) -> Any:
    """Return a copy of an assertion that names somebody else."""
    copied = copy.deepcopy(assertion)
    copied.tail = None
    if id is not None:
        copied.set("ID", id)
    copied.find(f"{ASSERTION}Subject/{ASSERTION}NameID").text = VICTIM
    signature = copied.find(f"{SIGNATURE}Signature")
    if signature is not None and not keep_signature:
        copied.remove(signature)
    return copied


def bare(element: Any) -> Any:
    """Return a copy of an element without its signature."""
    copied = copy.deepcopy(element)
    copied.remove(copied.find(f"{SIGNATURE}Signature"))
    return copied


def in_object(signature: Any, *inner: Any) -> None:
    holder = etree.SubElement(signature, f"{SIGNATURE}Object")
    holder.extend(inner)


def before(response: Any, assertion: Any, new: Any) -> None:
    response.insert(list(response).index(assertion), new)


# --- the assertion is signed ---------------------------------------------------------------------


def xsw3(response: Any, assertion: Any, signature: Any) -> None:
    before(response, assertion, evil(assertion))


def xsw4(response: Any, assertion: Any, signature: Any) -> None:
    other = evil(assertion)
    before(response, assertion, other)
    other.append(assertion)


def xsw5(response: Any, assertion: Any, signature: Any) -> None:
    before(response, assertion, evil(assertion, keep_signature=True))
    response.remove(assertion)
    response.append(bare(assertion))


def xsw6(response: Any, assertion: Any, signature: Any) -> None:
    other = evil(assertion, keep_signature=True)
    before(response, assertion, other)
    response.remove(assertion)
    other.find(f"{SIGNATURE}Signature").append(bare(assertion))


def xsw7(response: Any, assertion: Any, signature: Any) -> None:
    extensions = etree.Element(f"{PROTOCOL}Extensions")
    extensions.append(evil(assertion, id=None))
    before(response, assertion, extensions)


def xsw8(response: Any, assertion: Any, signature: Any) -> None:
    other = evil(assertion, keep_signature=True)
    before(response, assertion, other)
    response.remove(assertion)
    in_object(other.find(f"{SIGNATURE}Signature"), bare(assertion))


def behind(response: Any, assertion: Any, signature: Any) -> None:
    response.append(evil(assertion))


def same_id_before(response: Any, assertion: Any, signature: Any) -> None:
    before(response, assertion, evil(assertion, id=None))


def same_id_behind(response: Any, assertion: Any, signature: Any) -> None:
    response.append(evil(assertion, id=None, keep_signature=True))


def without_id(response: Any, assertion: Any, signature: Any) -> None:
    other = evil(assertion)
    del other.attrib["ID"]
    before(response, assertion, other)


def in_advice(response: Any, assertion: Any, signature: Any) -> None:
    other = evil(assertion, keep_signature=True)
    advice = etree.SubElement(other, f"{ASSERTION}Advice")
    before(response, assertion, other)
    advice.append(assertion)


def in_status(response: Any, assertion: Any, signature: Any) -> None:
    detail = etree.SubElement(response.find(f"{PROTOCOL}Status"), f"{PROTOCOL}StatusDetail")
    before(response, assertion, evil(assertion, keep_signature=True))
    detail.append(assertion)


def in_key_info(response: Any, assertion: Any, signature: Any) -> None:
    other = evil(assertion, keep_signature=True)
    before(response, assertion, other)
    response.remove(assertion)
    other.find(f"{SIGNATURE}Signature/{SIGNATURE}KeyInfo").append(bare(assertion))


def in_another_response(response: Any, assertion: Any, signature: Any) -> Any:
    inner = copy.deepcopy(response)
    new = inner.find(f"{ASSERTION}Assertion")
    outer = copy.deepcopy(response)
    outer.set("ID", "_outer")
    outer.remove(outer.find(f"{ASSERTION}Assertion"))
    outer.append(evil(new))
    etree.SubElement(outer, f"{PROTOCOL}Extensions").append(inner)
    return outer


def signature_elsewhere(response: Any, assertion: Any, signature: Any) -> None:
    """A detached signature over the real one, beside an assertion that has none."""
    response.insert(1, signature)
    holder = etree.SubElement(response, f"{PROTOCOL}Extensions")
    before(response, assertion, evil(assertion))
    holder.append(assertion)


def by_another_id_attribute(response: Any, assertion: Any, signature: Any) -> None:
    """The real one keeps the id, in an attribute that a parser may read as one."""
    other = evil(assertion, id=None, keep_signature=True)
    original = bare(assertion)
    original.set("Id", original.attrib.pop("ID"))
    before(response, assertion, other)
    response.remove(assertion)
    in_object(other.find(f"{SIGNATURE}Signature"), original)


def by_an_id_of_a_namespace(response: Any, assertion: Any, signature: Any) -> None:
    wrapped = etree.SubElement(response, f"{PROTOCOL}Extensions")
    wrapped.set("{urn:x}ID", assertion.get("ID"))


def second_signature(response: Any, assertion: Any, signature: Any) -> None:
    assertion.insert(0, copy.deepcopy(signature))


def other_case(response: Any, assertion: Any, signature: Any) -> None:
    """An assertion of another namespace is none, and of another case is none."""
    other = evil(assertion, keep_signature=True)
    before(response, assertion, other)
    response.remove(assertion)
    original = bare(assertion)
    original.tag = f"{ASSERTION}assertion"
    response.append(original)


ASSERTION_SHAPES: tuple[Shape, ...] = (
    xsw3,
    xsw4,
    xsw5,
    xsw6,
    xsw7,
    xsw8,
    behind,
    same_id_before,
    same_id_behind,
    without_id,
    in_advice,
    in_status,
    in_key_info,
    in_another_response,
    signature_elsewhere,
    by_another_id_attribute,
    by_an_id_of_a_namespace,
    second_signature,
    other_case,
)


# --- the response is signed ----------------------------------------------------------------------


def evil_response(response: Any, *, id: str = "_evil_response") -> Any:
    copied = copy.deepcopy(response)
    copied.set("ID", id)
    assertion = copied.find(f"{ASSERTION}Assertion")
    copied.replace(assertion, evil(assertion))
    return copied


def xsw1(response: Any, assertion: Any, signature: Any) -> Any:
    outer = evil_response(response)
    in_object(outer.find(f"{SIGNATURE}Signature"), bare(response))
    return outer


def xsw2(response: Any, assertion: Any, signature: Any) -> Any:
    outer = evil_response(response)
    outer.insert(1, bare(response))
    return outer


def response_with_the_same_id(response: Any, assertion: Any, signature: Any) -> Any:
    outer = evil_response(response, id=response.get("ID"))
    in_object(outer.find(f"{SIGNATURE}Signature"), bare(response))
    return outer


def another_assertion_inside(response: Any, assertion: Any, signature: Any) -> None:
    """Changes what is signed, so even a verifier that looks at nothing else has to see it."""
    response.append(evil(assertion))


def response_signature_on_the_assertion(response: Any, assertion: Any, signature: Any) -> None:
    assertion.insert(1, signature)


RESPONSE_SHAPES: tuple[Shape, ...] = (
    xsw1,
    xsw2,
    response_with_the_same_id,
    another_assertion_inside,
    response_signature_on_the_assertion,
)
CASES: list[tuple[Shape, Signed]] = [
    *((shape, "assertion") for shape in ASSERTION_SHAPES),
    *((shape, "both") for shape in ASSERTION_SHAPES),
    *((shape, "response") for shape in RESPONSE_SHAPES),
]


def wrap(shape: Shape, signed: Signed) -> bytes:
    response = etree.fromstring(IDP.answer(signed=signed))
    assertion = response.find(f"{ASSERTION}Assertion")
    holder = response if signed == "response" else assertion
    new = shape(response, assertion, holder.find(f"{SIGNATURE}Signature"))
    return bytes(etree.tostring(response if new is None else new))


@pytest.mark.parametrize(
    ("shape", "signed"), CASES, ids=[f"{shape.__name__}-{signed}" for shape, signed in CASES]
)
def test_no_wrapped_document_is_accepted(shape: Shape, signed: Signed) -> None:
    with pytest.raises(SSOFault) as caught:
        verify_response(wrap(shape, signed), SETTINGS, SERVICE, request_id="_request", now=NOW)
    assert caught.value.code in {
        "assertion_several",
        "response_shape",
        "signature_missing",
        "signature_shape",
        "signature_reference",
        "signature_wrong",
    }


def in_extensions(response: Any, assertion: Any, signature: Any) -> None:
    """The one assertion that there is, signed, where nobody looks for one."""
    etree.SubElement(response, f"{PROTOCOL}Extensions").append(assertion)


def beside_a_response(response: Any, assertion: Any, signature: Any) -> None:
    etree.SubElement(response, f"{PROTOCOL}Response", ID="_other")


def beside_a_signature(response: Any, assertion: Any, signature: Any) -> None:
    etree.SubElement(response, f"{PROTOCOL}Extensions").append(copy.deepcopy(signature))


@pytest.mark.parametrize(
    "shape", [in_extensions, beside_a_response, beside_a_signature, by_an_id_of_a_namespace]
)
def test_what_stands_where_it_does_not_belong_is_refused_for_that(shape: Shape) -> None:
    """Even where what is signed is whole: the document is none that a provider makes."""
    with pytest.raises(SSOFault) as caught:
        verify_response(wrap(shape, "assertion"), SETTINGS, SERVICE, request_id="_request", now=NOW)
    assert caught.value.code == "response_shape"


# --- what is read is what was signed -------------------------------------------------------------


def read(xml: bytes) -> str:
    found = verify_response(xml, SETTINGS, SERVICE, request_id="_request", now=NOW)
    return found.name_id


def test_a_comment_within_the_name_cuts_nothing_off() -> None:
    """CVE-2017-11427 and its like: `admin@acme.example<!---->.evil.example`.

    The comment is not part of what was signed, so anybody may put one in; the name stays whole.
    """
    xml = IDP.answer(name_id=f"{VICTIM}.evil.example")
    for comment in (b"<!---->", b"<!-- x -->"):
        assert read(xml.replace(VICTIM.encode(), VICTIM.encode() + comment)) == (
            f"{VICTIM}.evil.example"
        )
    with pytest.raises(SSOFault) as caught:  # a processing instruction is part of what is signed
        read(xml.replace(VICTIM.encode(), VICTIM.encode() + b"<?x?>"))
    assert caught.value.code == "signature_wrong"


def test_a_comment_that_the_provider_signed_cuts_nothing_off_either() -> None:
    def edit(response: Any) -> None:
        name_id = response.find(f".//{ASSERTION}NameID")
        name_id.text = VICTIM
        comment = etree.Comment("x")
        name_id.append(comment)
        comment.tail = ".evil.example"

    assert read(IDP.answer(edit=edit)) == f"{VICTIM}.evil.example"


def test_a_comment_between_elements_of_the_name_is_no_name() -> None:
    def edit(response: Any) -> None:
        etree.SubElement(response.find(f".//{ASSERTION}NameID"), "{urn:x}x").tail = VICTIM

    with pytest.raises(SSOFault) as caught:
        read(IDP.answer(edit=edit))
    assert caught.value.code == "assertion_subject"


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_every_byte_of_what_is_signed_matters(signed: Signed) -> None:
    xml = IDP.answer(signed=signed)
    for old, new in (
        (b"u-1001", b"u-1002"),
        (b"ada@acme", b"eve@acme"),
        (b'SessionIndex="_session"', b'SessionIndex="_sessiom"'),
    ):
        assert xml.count(old) == 1
        with pytest.raises(SSOFault) as caught:
            read(xml.replace(old, new))
        assert caught.value.code == "signature_wrong"


def test_a_signature_of_one_answer_is_none_of_another() -> None:
    first, second = (etree.fromstring(IDP.answer(name_id=name)) for name in ("u-1", VICTIM))
    theirs = first.find(f"{ASSERTION}Assertion")
    ours = second.find(f"{ASSERTION}Assertion")
    for same_id in (False, True):
        moved = copy.deepcopy(ours)
        moved.replace(
            moved.find(f"{SIGNATURE}Signature"),
            copy.deepcopy(theirs.find(f"{SIGNATURE}Signature")),
        )
        if same_id:
            moved.set("ID", theirs.get("ID"))
        response = copy.deepcopy(second)
        response.replace(response.find(f"{ASSERTION}Assertion"), moved)
        with pytest.raises(SSOFault) as caught:
            read(etree.tostring(response))
        assert caught.value.code == ("signature_wrong" if same_id else "signature_reference")


def test_a_wrong_signature_is_none_beside_a_right_one() -> None:
    """What an attacker signs around what the provider signed changes nothing of it."""
    response = etree.fromstring(IDP.answer())
    attacker = SAMLProvider(IDP.entity_id, key="attacker")
    with pytest.raises(SSOFault) as caught:
        read(attacker.sign_response(response, "response"))
    assert caught.value.code == "signature_key"
