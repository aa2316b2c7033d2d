"""Read XML from outside, in bounded time and memory (security rule 52).

An attacker needs no signature to have a document parsed, copied and canonicalized. So, before any
of that: its size is bounded; it is UTF-8, so that what is looked for in its bytes is what a parser
finds; it has no DOCTYPE, and with it no entities; and it has no more elements, attributes and
namespaces than canonicalization, whose time grows by their products, deals with quickly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal, Protocol, cast

from lxml import etree

from pwless_middleware.features.sso.faults import SSOFault

MOST_BYTES: Final = 262_144
"""Of a response: 256 KiB."""
_MOST_MARKS: Final = 8000
"""`<` in a document: some 4,000 elements. A person in 1,500 groups has 3,000 of them."""
_MOST_ATTRIBUTES: Final = 32
"""Of one element: canonicalization sorts them one by one, 20,000 of them for seconds."""
_MOST_NAMESPACES: Final = 32
"""In scope of one element."""

_DECLARATION: Final = re.compile(rb"<!(?!--|\[CDATA\[)")

Kind = Literal["response", "metadata"]


class Element(Protocol):
    """What is used of an element of lxml, which has no types."""

    @property
    def tag(self) -> str:
        """Its name, `{namespace}local`; of a comment it is no text."""

    @property
    def text(self) -> str | None:
        """What stands before the first node within."""

    @property
    def tail(self) -> str | None:
        """What stands behind it."""

    @property
    def attrib(self) -> Mapping[str, str]:
        """Its attributes."""

    def get(self, key: str) -> str | None:
        """Return an attribute."""

    def find(self, path: str) -> Element | None:
        """Return the first element that a path leads to."""

    def findall(self, path: str) -> list[Element]:
        """Return all elements that a path leads to."""

    def iter(self, *tags: object) -> Iterator[Element]:
        """Go through it and all below it."""

    def getparent(self) -> Element | None:
        """Return the element around it."""

    def __iter__(self) -> Iterator[Element]: ...
    def __len__(self) -> int: ...


def parse_document(data: bytes, kind: Kind, *, most_bytes: int = MOST_BYTES) -> Element:
    """Return the root of a document from outside.

    Args:
        data: as it came.
        kind: what it should be, for the fault.
        most_bytes: that it may have.

    Raises:
        SSOFault: it is too large, no well-formed XML in UTF-8, has a DOCTYPE, or more elements or
            namespaces than any real one.
    """
    if len(data) > most_bytes:
        raise SSOFault(f"{kind}_too_large", received=f"{len(data)} bytes")
    if b"\0" in data:
        raise SSOFault(f"{kind}_malformed", received="NUL")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise SSOFault(f"{kind}_malformed", received=f"not UTF-8 at byte {error.start}") from error
    if _DECLARATION.search(data):
        raise SSOFault(f"{kind}_doctype")
    if data.count(b"<") > _MOST_MARKS:
        raise SSOFault(f"{kind}_too_complex")
    # The encoding is named, so that no declaration can have the bytes read as another one.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise SSOFault(f"{kind}_malformed", received=error.msg or "") from error
    # Nothing can have more of them than the document has.
    has_many_attributes = data.count(b"=") > _MOST_ATTRIBUTES
    has_many_namespaces = data.count(b"xmlns") > _MOST_NAMESPACES
    for element in root.iter(etree.Element) if has_many_attributes else ():
        if len(element.attrib) > _MOST_ATTRIBUTES:
            raise SSOFault(f"{kind}_too_complex")
        if has_many_namespaces and len(element.nsmap) > _MOST_NAMESPACES:
            raise SSOFault(f"{kind}_too_complex")
    return cast(Element, root)


def elements_of(root: Element) -> Iterator[Element]:
    """Go through an element and all below it; no comments, no processing instructions."""
    return root.iter(etree.Element)


def children_of(element: Element) -> list[Element]:
    """Return the elements directly below one."""
    return [child for child in element if isinstance(child.tag, str)]


def text_of(element: Element | None) -> str:
    """Return the text of an element, whole, without outer space; empty if elements are within.

    A comment within cuts nothing off: what stands before it alone was once taken for the name of
    somebody else (CVE-2017-11427 and its like).
    """
    if element is None:
        return ""
    parts = [element.text or ""]
    for child in element if len(element) else ():
        if isinstance(child.tag, str):
            return ""
        parts.append(child.tail or "")
    return "".join(parts).strip(" \t\r\n")
