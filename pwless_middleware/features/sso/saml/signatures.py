"""Verify the signature of a response or an assertion, and return what it covers (rule 52).

Everything is read from what `verify_signature` returns, which is the canonical form of what was
signed, parsed anew, and never from the document that came: so it does not matter where else in
the document something stands, in whatever wrapping (Somorovsky et al., "On Breaking SAML", 2012).

What a signature may look like is a closed list here (SAML 2.0 Core section 5.4), checked before
any of it is worked through; the key is one of the connection's certificates, and what the document
says about its key is not used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, cast

from cryptography.exceptions import UnsupportedAlgorithm
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.certificates import Certificate, read_certificates
from pwless_middleware.features.sso.saml.documents import Element, children_of, text_of
from pwless_middleware.features.sso.saml.names import CANONICAL, ENVELOPED, EXCLUSIVE, SIGNATURE

_METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
    }
)
_DIGESTS: Final = frozenset(
    {DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512}
)
_METHOD_NAMES: Final = frozenset(method.value for method in _METHODS)
_DIGEST_NAMES: Final = frozenset(digest.value for digest in _DIGESTS)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{1,4096}={0,2}")
_PREFIXES: Final = 512
"""Characters of the list of prefixes that a canonicalization may have."""


def verify_signature(
    root: Element, signed: Element, certificates: Sequence[Certificate]
) -> Element:
    """Return what the signature of an element covers, which is that element and all of it.

    Args:
        root: of the document.
        signed: the root, or an element directly below it; it has a signature.
        certificates: of the connection; any of them may have signed.

    Raises:
        SSOFault: the signature is malformed, by an algorithm that is not accepted, covers another
            element, or was made by none of the certificates.
    """
    signature = _check_shape(signed)
    location = "./" if signed is root else f"./{signed.tag}/"
    named = certificate_within(signature)
    # The certificate that the document names is the one to try, if the connection has it.
    likely = [one for one in certificates if named and one.pem == named.pem]
    for certificate in likely or certificates:
        found = _verify_by(root, location, certificate)
        if found is not None:
            break
    else:
        if named and not likely:
            expected = ", ".join(one.fingerprint for one in certificates)
            raise SSOFault("signature_key", expected=expected, received=named.fingerprint)
        raise SSOFault("signature_wrong")
    if found.tag != signed.tag or found.get("ID") != signed.get("ID"):
        raise SSOFault("signature_reference", expected=signed.get("ID"), received=found.get("ID"))
    return found


def signature_of(element: Element) -> Element | None:
    """Return the signature directly below an element."""
    return element.find(f"{SIGNATURE}Signature")


def algorithm_of(signature: Element) -> str:
    """Return by which algorithm it says that it was made; empty if it does not say."""
    method = signature.find(f"{SIGNATURE}SignedInfo/{SIGNATURE}SignatureMethod")
    return (method.get("Algorithm") or "") if method is not None else ""


def certificate_within(signature: Element) -> Certificate | None:
    """Return the certificate that a signature names, which says nothing of whether it is good."""
    path = f"{SIGNATURE}KeyInfo/{SIGNATURE}X509Data/{SIGNATURE}X509Certificate"
    try:
        return read_certificates(text_of(signature.find(path)))[0]
    except SSOFault:
        return None


def _verify_by(root: Element, location: str, certificate: Certificate) -> Element | None:
    """Return what was signed by a certificate's key, or `None` if that did not sign it."""
    expected = SignatureConfiguration(
        location=location,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        ignore_ambiguous_key_info=True,  # nothing is taken from there
        # It is pinned, and may have ended.
        verification_time=certificate.x509.not_valid_before_utc,
    )
    try:
        result = XMLVerifier().verify(
            cast(str, root),
            x509_cert=certificate.x509,
            id_attribute="ID",
            expect_config=expected,
            validate_schema=False,  # `_check_shape` is narrower
        )
    except (SignXMLException, UnsupportedAlgorithm, etree.LxmlError, ValueError):
        return None
    return cast("Element | None", cast(VerifyResult, result).signed_xml)


def _check_shape(signed: Element) -> Element:
    """Return the one signature of an element, if it is of the form that SAML asks for."""
    signatures = signed.findall(f"{SIGNATURE}Signature")
    if len(signatures) != 1:
        raise SSOFault("signature_shape", received=f"{len(signatures)} signatures")
    signature = signatures[0]
    parts = _parts_of(signature, "SignedInfo SignatureValue", "KeyInfo")
    info = _parts_of(parts[0], "CanonicalizationMethod SignatureMethod Reference")
    if not _is_base64(parts[1]):
        raise SSOFault("signature_shape", received="SignatureValue")
    _check_canonicalization(info[0])
    method = info[1].get("Algorithm") or ""
    if method not in _METHOD_NAMES or len(info[1]):
        raise SSOFault("signature_algorithm", expected="RSA-SHA256", received=method)
    reference = _parts_of(info[2], "Transforms DigestMethod DigestValue")
    digest = reference[1].get("Algorithm") or ""
    if digest not in _DIGEST_NAMES or len(reference[1]):
        raise SSOFault("signature_algorithm", expected="SHA-256", received=digest)
    if not _is_base64(reference[2]):
        raise SSOFault("signature_shape", received="DigestValue")
    transforms = children_of(reference[0])
    if (
        not 1 <= len(transforms) <= 2
        or any(one.tag != f"{SIGNATURE}Transform" for one in transforms)
        or transforms[0].get("Algorithm") != ENVELOPED
        or len(transforms[0])
    ):
        raise SSOFault("signature_shape", received="Transforms")
    for transform in transforms[1:]:
        _check_canonicalization(transform)
    uri, id = info[2].get("URI"), signed.get("ID")
    if not id or uri != f"#{id}":
        raise SSOFault("signature_reference", expected=f"#{id}", received=uri or "")
    return signature


def _is_base64(element: Element) -> bool:
    """Whether the text of an element is base64, with whichever white space."""
    return _BASE64.fullmatch("".join(text_of(element).split())) is not None


def _parts_of(element: Element, required: str, optional: str = "") -> list[Element]:
    """Return the elements below one, which are those, once each and in that order."""
    names = [child.tag for child in children_of(element)]
    wanted = [f"{SIGNATURE}{name}" for name in required.split()]
    if names not in (wanted, [*wanted, f"{SIGNATURE}{optional}"]):
        raise SSOFault("signature_shape", received=element.tag.rpartition("}")[2])
    return children_of(element)


def _check_canonicalization(element: Element) -> None:
    """Let a canonicalization be one of the known, with a short list of prefixes at most."""
    algorithm, parts = element.get("Algorithm") or "", children_of(element)
    if algorithm not in CANONICAL:
        raise SSOFault("signature_algorithm", expected="exc-c14n", received=algorithm)
    if not parts:
        return
    prefixes = parts[0].get("PrefixList")
    if (
        len(parts) > 1
        or parts[0].tag != f"{EXCLUSIVE}InclusiveNamespaces"
        or len(parts[0])
        or prefixes is None
        or len(prefixes) > _PREFIXES
    ):
        raise SSOFault("signature_shape", received="InclusiveNamespaces")
