"""Verify a provider's answer: SAML 2.0 Web Browser SSO, HTTP-POST (security rule 52).

The answer is a `Response` with one `Assertion`; either is signed, or both are. What is believed is
what `signatures` returns. The `Response` around a signed assertion is nobody's word: it can refuse
a login, which whoever sends one can do as well by sending none, and nothing else.

The checks (SAML 2.0 Profiles section 4.1.4.3) are one list, `check_response` and `check_assertion`:
a login fails at the first that finds a fault; the test of a connection tells all that they find.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.assertions import Assertion, read_assertion
from pwless_middleware.features.sso.saml.documents import (
    MOST_BYTES,
    Element,
    children_of,
    elements_of,
    parse_document,
    text_of,
)
from pwless_middleware.features.sso.saml.instants import format_instant, read_instant
from pwless_middleware.features.sso.saml.names import (
    ASSERTION,
    BEARER,
    PROTOCOL,
    SIGNATURE,
    STATUS,
    SUCCESS,
)
from pwless_middleware.features.sso.saml.settings import SAMLSettings, ServiceProvider
from pwless_middleware.features.sso.saml.signatures import signature_of, verify_signature

SKEW: Final = 60
"""Seconds by which a provider's clock may differ from ours (security rule 52)."""
MOST_AGE: Final = 86_400
"""Seconds from an assertion's issue for which it can be used, whatever it says: for so long it has
to be remembered that it was."""
MOST_CHARACTERS: Final = MOST_BYTES * 4 // 3 + 8192
"""Of the form's field: base64, with line breaks."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}", re.ASCII)
"""An NCName as providers make it (SAML 2.0 Core section 1.3.4); no other resolves here."""
_STATUS_FAULTS: Final = {
    "AuthnFailed": "status_login_failed",
    "InvalidNameIDPolicy": "status_name_id",
    "NoAuthnContext": "status_context",
    "NoPassive": "status_passive",
    "RequestDenied": "status_denied",
    "UnknownPrincipal": "status_denied",
    "RequestUnsupported": "status_requester",
    "Requester": "status_requester",
    "VersionMismatch": "status_requester",
    "Responder": "status_responder",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an answer is held against.

    Attributes:
        settings: of the connection that it came to.
        service_provider: who we are there.
        request_id: of the request that the browser was sent with; `None` where it was sent with
            none, and the provider began the login.
        now: unix seconds.
        login_since: unix second after which the person must have signed in there; `None` for any.
    """

    settings: SAMLSettings
    service_provider: ServiceProvider
    request_id: str | None
    now: int
    login_since: int | None = None


def decode_response(field: str) -> bytes:
    """Return the document in the form's field `SAMLResponse` (SAML 2.0 Bindings section 3.5.4).

    Raises:
        SSOFault: it is missing, too large, or no base64.
    """
    if len(field) > MOST_CHARACTERS:
        raise SSOFault("response_too_large", received=f"{len(field)} characters")
    # First without white space: a pattern that takes it in two places tries all that come between.
    text = "".join(field.split())
    if not text:
        raise SSOFault("response_missing")
    if not _BASE64.fullmatch(text):
        raise SSOFault("response_malformed", received="base64")
    try:
        return base64.b64decode(text)
    except binascii.Error as error:
        raise SSOFault("response_malformed", received="base64") from error


def verify_response(
    xml: bytes,
    settings: SAMLSettings,
    service_provider: ServiceProvider,
    *,
    request_id: str | None,
    now: int,
    login_since: int | None = None,
) -> Assertion:
    """Return what a provider says of a person, if it says so, to us, now, and because we asked.

    The caller accepts each `Assertion.id` of a connection once, until its `spent_until`.

    Args:
        xml: from `decode_response`.
        settings: of the connection that the answer came to.
        service_provider: who we are there.
        request_id: of the request that this browser was sent with (`AuthnRequest.id`); `None` if
            it was sent with none, which is refused unless the connection allows it.
        now: unix seconds.
        login_since: unix second after which the person must have signed in there, where they were
            asked anew (`make_request(force=True)`); `None` for any.

    Raises:
        SSOFault: what is wrong with it.
    """
    expected = Expected(
        settings=settings,
        service_provider=service_provider,
        request_id=request_id,
        now=now,
        login_since=login_since,
    )
    root = parse_document(xml, "response")
    for fault in check_response(root, expected):
        raise fault
    assertion = verify_signatures(root, settings)
    for fault in check_assertion(assertion, expected):
        raise fault
    until = min(latest_use(assertion), now + MOST_AGE) + 2 * SKEW
    return read_assertion(assertion, issuer=settings.entity_id, spent_until=until)


def verify_signatures(root: Element, settings: SAMLSettings) -> Element:
    """Return the assertion as a signature covers it: the response's, or its own if that has none.

    Raises:
        SSOFault: neither is signed, or the signature is not good. That of a response which is wrong
            is no less wrong because the assertion has a right one.
    """
    assertion = root.find(f"{ASSERTION}Assertion")
    if assertion is None:
        raise SSOFault("assertion_missing")
    signed = next((one for one in (root, assertion) if signature_of(one) is not None), None)
    if signed is None:
        raise SSOFault("signature_missing")
    found = verify_signature(root, signed, settings.certificates)
    inner = found.find(f"{ASSERTION}Assertion") if signed is root else found
    if inner is None or inner.get("ID") != assertion.get("ID"):
        raise SSOFault("signature_reference")
    return inner


def check_response(root: Element, expected: Expected) -> Iterator[SSOFault]:
    """Find what is wrong with a response besides its signature and its assertion."""
    if root.tag != f"{PROTOCOL}Response":
        yield SSOFault("response_other", expected="Response", received=_local(root))
        return
    refused = _check_status(root)
    if refused is not None:
        yield refused
        return
    yield from _check_shape(root)
    if root.get("Version") != "2.0":
        yield SSOFault("response_version", expected="2.0", received=root.get("Version") or "")
    acs_url = expected.service_provider.acs_url
    destination = root.get("Destination")
    if destination is not None and destination != acs_url:
        yield SSOFault("response_destination", expected=acs_url, received=destination)
    elif destination is None and signature_of(root) is not None:
        # SAML 2.0 Bindings section 3.5.5.2: a signed message says where it goes.
        yield SSOFault("response_destination", expected=acs_url)
    issuer = root.find(f"{ASSERTION}Issuer")
    if issuer is not None and text_of(issuer) != expected.settings.entity_id:
        yield SSOFault(
            "response_issuer", expected=expected.settings.entity_id, received=text_of(issuer)
        )
    answered = root.get("InResponseTo")
    if answered is not None and answered != expected.request_id:
        yield SSOFault("response_request", expected=expected.request_id or "", received=answered)


def check_assertion(assertion: Element, expected: Expected) -> Iterator[SSOFault]:
    """Find what is wrong with an assertion besides its signature."""
    issuer = text_of(assertion.find(f"{ASSERTION}Issuer"))
    if issuer != expected.settings.entity_id:
        yield SSOFault("response_issuer", expected=expected.settings.entity_id, received=issuer)
    issued = read_instant(assertion.get("IssueInstant"))
    if assertion.get("Version") != "2.0" or issued is None:
        yield SSOFault("assertion_malformed", received="Version, IssueInstant")
    elif issued > expected.now + SKEW:
        yield _early(issued, expected.now)
    elif issued + MOST_AGE + SKEW <= expected.now:
        yield SSOFault(
            "assertion_expired",
            expected=format_instant(expected.now),
            received=format_instant(issued),
        )
    yield from _check_confirmation(assertion, expected)
    yield from _check_conditions(assertion, expected)
    yield from _check_session(assertion, expected)


def latest_use(assertion: Element) -> int:
    """Return unix seconds after which nobody can confirm the assertion's subject any more."""
    ends = (read_instant(one.get("NotOnOrAfter")) for one in _confirmations(assertion))
    return max((end for end in ends if end is not None), default=0)


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _check_shape(root: Element) -> Iterator[SSOFault]:
    """Let there be one assertion, signatures where they belong, and no two elements of one id."""
    seen: set[str] = set()
    assertions = []
    for element in elements_of(root):
        name = element.tag
        if name == f"{ASSERTION}Assertion":
            assertions.append(element)
        elif name == f"{ASSERTION}EncryptedAssertion":
            yield SSOFault("assertion_encrypted")
            return
        elif name == f"{PROTOCOL}Response" and element is not root:
            yield SSOFault("response_shape", received="Response in a Response")
            return
        elif name == f"{SIGNATURE}Signature" and not _is_in_place(element, root):
            yield SSOFault("response_shape", received="Signature elsewhere")
            return
        for attribute, value in element.attrib.items():
            if attribute.rpartition("}")[2].lower() == "id":
                if value in seen:
                    yield SSOFault("response_shape", received="the same ID twice")
                    return
                seen.add(value)
    if len(assertions) > 1:
        yield SSOFault("assertion_several", received=len(assertions))
    elif not assertions:
        yield SSOFault("assertion_missing")
    elif assertions[0].getparent() is not root:
        yield SSOFault("response_shape", received="Assertion elsewhere")
    for element in (root, *assertions[:1]):
        if not _ID.fullmatch(element.get("ID") or ""):
            yield SSOFault("response_shape", received="ID")


def _is_in_place(signature: Element, root: Element) -> bool:
    """Whether a signature is the root's, or that of an assertion directly below it."""
    parent = signature.getparent()
    if parent is None or parent is root:
        return parent is root
    return parent.tag == f"{ASSERTION}Assertion" and parent.getparent() is root


def _check_status(root: Element) -> SSOFault | None:
    """Return what the provider says where it signs nobody in (Core section 3.2.2.2)."""
    code = root.find(f"{PROTOCOL}Status/{PROTOCOL}StatusCode")
    value = (code.get("Value") or "") if code is not None else ""
    if value == SUCCESS:
        return None
    inner = code.find(f"{PROTOCOL}StatusCode") if code is not None else None
    reason = (inner.get("Value") or "") if inner is not None else ""
    message = text_of(root.find(f"{PROTOCOL}Status/{PROTOCOL}StatusMessage"))
    words = [one.removeprefix(STATUS) for one in (reason, value)]
    fault = next((_STATUS_FAULTS[word] for word in words if word in _STATUS_FAULTS), "status_other")
    return SSOFault(fault, received=": ".join(one for one in (*words[::-1], message) if one))


def _confirmations(assertion: Element) -> list[Element]:
    """Return the data of the bearer confirmations of an assertion's subject."""
    found = []
    for one in assertion.findall(f"{ASSERTION}Subject/{ASSERTION}SubjectConfirmation"):
        data = one.find(f"{ASSERTION}SubjectConfirmationData")
        if one.get("Method") == BEARER and data is not None:
            found.append(data)
    return found


def _check_confirmation(assertion: Element, expected: Expected) -> Iterator[SSOFault]:
    """Let one bearer confirmation at least be without a fault; tell those of the first."""
    first: list[SSOFault] | None = None
    for data in _confirmations(assertion):
        faults = list(_check_data(data, expected))
        if not faults:
            return
        first = faults if first is None else first
    yield from [SSOFault("assertion_confirmation")] if first is None else first


def _check_data(data: Element, expected: Expected) -> Iterator[SSOFault]:
    """Find what is wrong with one confirmation (SAML 2.0 Profiles section 4.1.4.2)."""
    acs_url = expected.service_provider.acs_url
    if data.get("Recipient") != acs_url:
        yield SSOFault(
            "assertion_recipient", expected=acs_url, received=data.get("Recipient") or ""
        )
    yield from _check_times(data, expected.now, needs_end=True)
    answered, asked = data.get("InResponseTo"), expected.request_id
    if asked is None and not expected.settings.allow_unsolicited:
        yield SSOFault("response_unsolicited")
    elif answered is None and asked is not None:
        yield SSOFault("response_unsolicited", expected=asked)
    elif answered != asked:
        yield SSOFault("response_request", expected=asked or "", received=answered or "")


def _check_conditions(assertion: Element, expected: Expected) -> Iterator[SSOFault]:
    """Let it be for us, now, and on no condition that is not understood (Core section 2.5.1)."""
    found = assertion.findall(f"{ASSERTION}Conditions")
    if len(found) != 1:
        yield SSOFault("assertion_audience", expected=expected.service_provider.entity_id)
        return
    yield from _check_times(found[0], expected.now)
    entity_id, restricted = expected.service_provider.entity_id, False
    for condition in children_of(found[0]):
        if condition.tag == f"{ASSERTION}AudienceRestriction":
            restricted = True
            audiences = [text_of(one) for one in condition.findall(f"{ASSERTION}Audience")]
            if entity_id not in audiences:
                yield SSOFault(
                    "assertion_audience", expected=entity_id, received=", ".join(audiences)
                )
        elif condition.tag not in (f"{ASSERTION}OneTimeUse", f"{ASSERTION}ProxyRestriction"):
            yield SSOFault("assertion_condition", received=_local(condition))
    if not restricted:
        yield SSOFault("assertion_audience", expected=entity_id)


def _check_session(assertion: Element, expected: Expected) -> Iterator[SSOFault]:
    """Let somebody have signed in, recently where that is asked, to a session that is not over."""
    now, since = expected.now, expected.login_since
    statements = assertion.findall(f"{ASSERTION}AuthnStatement")
    if not statements:
        yield SSOFault("assertion_statement")
    for statement in statements:
        at = read_instant(statement.get("AuthnInstant"))
        ends = statement.get("SessionNotOnOrAfter")
        if at is None or (ends is not None and read_instant(ends) is None):
            yield SSOFault("assertion_malformed", received="AuthnStatement")
        elif at > now + SKEW:
            yield _early(at, now)
        elif since is not None and at < since - SKEW:
            yield SSOFault(
                "assertion_login", expected=format_instant(since), received=format_instant(at)
            )
        elif ends is not None and (read_instant(ends) or 0) + SKEW <= now:
            yield SSOFault("assertion_expired", expected=format_instant(now), received=ends)


def _check_times(element: Element, now: int, *, needs_end: bool = False) -> Iterator[SSOFault]:
    """Let now be within an element's `NotBefore` and `NotOnOrAfter`, with the skew of clocks."""
    before, after = element.get("NotBefore"), element.get("NotOnOrAfter")
    begins, ends = read_instant(before), read_instant(after)
    if (before is not None and begins is None) or (after is not None and ends is None):
        yield SSOFault("assertion_malformed", received=f"{before or ''} {after or ''}".strip())
        return
    if begins is not None and begins > now + SKEW:
        yield _early(begins, now)
    if ends is not None and ends + SKEW <= now:
        yield SSOFault("assertion_expired", expected=format_instant(now), received=after or "")
    if ends is None and needs_end:
        yield SSOFault("assertion_malformed", received="NotOnOrAfter")


def _early(at: int, now: int) -> SSOFault:
    return SSOFault("assertion_early", expected=format_instant(now), received=format_instant(at))
