"""Whatever is done to a signed answer, it is refused with a sentence or says what it said before.

Security rule 52.
"""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.metadata import read_metadata
from pwless_middleware.features.sso.saml.reports import explain_response
from pwless_middleware.features.sso.saml.responses import verify_response
from tests.identity_providers.saml import NOW, SERVICE, SAMLProvider, Signed, form_field

IDP = SAMLProvider()
SETTINGS = IDP.settings()
ANSWERS: dict[Signed, bytes] = {
    "assertion": IDP.answer(),
    "response": IDP.answer(signed="response"),
    "both": IDP.answer(signed="both"),
}
SIGNED = st.sampled_from(list(ANSWERS))
POSITION = st.integers(0, 10**6)
SPLICE = st.tuples(POSITION, POSITION, st.binary(max_size=12))
MOVE = st.tuples(st.sampled_from(["move", "copy", "remove", "rename"]), POSITION, POSITION)


def read(xml: bytes) -> tuple[object, ...]:
    found = verify_response(xml, SETTINGS, SERVICE, request_id="_request", now=NOW)
    return (found.id, found.name_id, found.attributes, found.authenticated_at, found.ends_at)


TRUTH = {signed: read(xml) for signed, xml in ANSWERS.items()}


def judge(signed: Signed, xml: bytes) -> None:
    try:
        found = read(xml)
    except SSOFault:
        report = explain_response(
            form_field(xml), SETTINGS, SERVICE, request_id="_request", now=NOW
        )
        assert report.faults
        assert report.person is None
    else:
        assert found == TRUTH[signed]


def splice(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, length, new in edits:
        place = at % (len(data) + 1)
        data = data[:place] + new + data[place + length % 8 :]
    return data


@settings(max_examples=60)
@given(SIGNED, st.lists(SPLICE, min_size=1, max_size=3))
def test_bytes_are_changed(signed: Signed, edits: list[tuple[int, int, bytes]]) -> None:
    judge(signed, splice(ANSWERS[signed], edits))


def rearrange(root: Any, moves: list[tuple[str, int, int]]) -> Any:
    for what, source, target in moves:
        elements = list(root.iter(etree.Element))
        moved = elements[source % len(elements)]
        place = elements[target % len(elements)]
        if what == "rename":
            moved.tag = place.tag
        elif what == "remove" and moved is not root:
            moved.getparent().remove(moved)
        elif what == "copy" or moved in (root, *place.iterancestors(), place):
            place.append(copy.deepcopy(moved))
        else:
            place.insert(source % (len(place) + 1), moved)
    return root


@settings(max_examples=60)
@given(SIGNED, st.lists(MOVE, min_size=1, max_size=4))
def test_elements_are_moved(signed: Signed, moves: list[tuple[str, int, int]]) -> None:
    judge(signed, etree.tostring(rearrange(etree.fromstring(ANSWERS[signed]), moves)))


@settings(max_examples=40)
@given(st.lists(SPLICE, min_size=1, max_size=3))
def test_metadata_are_changed(edits: list[tuple[int, int, bytes]]) -> None:
    with contextlib.suppress(SSOFault):
        found = read_metadata(splice(IDP.make_metadata(), edits), now=NOW)
        assert found.sso_url.startswith("https:")


def test_the_mutations_do_change_something() -> None:
    """Or all of this would say nothing."""
    xml = ANSWERS["assertion"]
    with pytest.raises(SSOFault):
        read(splice(xml, [(xml.index(b"u-1001"), 1, b"x")]))
    with pytest.raises(SSOFault):
        read(etree.tostring(rearrange(etree.fromstring(ANSWERS["both"]), [("copy", 4, 0)])))
