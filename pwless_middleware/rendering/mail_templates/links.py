"""Where the links and images of a template may lead, and what a mail program would make a link of.

A mail program makes a link of whatever looks like one, in the HTML as in the plain part. So the
words of a template are read as such a program reads them: what looks like an address of the web or
a mailbox has to be one of ours, and holds no variable, which whoever is there would be told. The
one exception is `link`, which stands alone (security rules 16 and 64).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from pwless_middleware.rendering.mail_templates.nodes import (
    Choice,
    Literal,
    Nodes,
    Refused,
    Variable,
)
from pwless_middleware.text import Text

LINK: Final = "link"
"""The variable that is a URL."""

# The places of the link, of a variable that may be a host or a mailbox, and of any other.
_LINK, _NAME, _OTHER = "\U000f0000", "\U000f0001", "\U000f0002"
_NAMES: Final = frozenset({"brand.name", "email", "host"})
_VARIABLES: Final = f"{_NAME}{_OTHER}"
_PUNCTUATION: Final = "()[]<>{}\"'.,;:!?*_“”„‘’‚«»‹›…·–—-|"
_STANDS_ALONE = re.compile(rf"[{re.escape(_PUNCTUATION)}]*{_LINK}[{re.escape(_PUNCTUATION)}]*")

# RFC 3986 without what any reader might take for something else: no backslash, quote or brace.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>[/?#][!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*)?",
    re.IGNORECASE | re.ASCII,
)
_PATH = re.compile(r"/(?!/)[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*", re.ASCII)
_MENTION = re.compile(
    r"(?:[!#$%&'*+\-.0-9=A-Z_a-z~]+@)?(?P<host>[^\s/@:?#]+)(?::[0-9]{1,5})?(?:[/?#][!-~]*)?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}

# What mail programs make a link of: a scheme, a name with a dot and a top-level domain, an address.
_LINKISH = re.compile(
    rf"://|\\\\|\bwww\.|[\w{_VARIABLES}-]\.(?:[^\W\d_]{{2,}}|[{_VARIABLES}])|\.xn--"
    rf"|{_NAME}[/?#:@\\]*[{_VARIABLES}]|{_NAME}[/?#:@\\]+\w"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"
    r"|\b(?:mailto|tel|callto|sms|smsto|mms|geo|maps|javascript|vbscript|data|file|ftp|sip|sips"
    r"|xmpp|im|skype|whatsapp|tg|facetime|intent|market|itms|magnet|bitcoin|urn|view-source"
    r"|ms-[a-z]+):\S",
    re.IGNORECASE,
)
# What a reader does not see, and IDNA leaves out (UTS #46, "ignored").
_IGNORED = re.compile(r"[\u00ad\u034f\u115f\u1160\u180b-\u180f\u200b-\u200f\u2060-\u206f"
                      r"\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]")  # fmt: skip
_DOTS = re.compile("[\u3002\uff0e\uff61]")
# A full stop of Japanese or Chinese ends a sentence where one of their letters follows, without a
# space; behind a Latin name it takes more of them than a top-level domain has, say 公司. UTS #46
# reads it as a dot, but no mail program makes a link of a name written so.
_LETTER = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]"
_SENTENCE_END = re.compile(f"(?<![A-Za-z0-9])\u3002(?={_LETTER})|\u3002(?={_LETTER}{{5}})")
_SPACE = re.compile(r"[ \t\n]+")
_MOST_ENDS: Final = 64
_LONGEST: Final = 4000


class LinkRules:
    """Judge where a template leads.

    Args:
        origin: of the app: where images come from, and what a path is below.
        origins: further ones that links may lead to.
    """

    def __init__(self, origin: str, origins: Iterable[str] = ()) -> None:
        self._origin = origin
        self._origins = {origin, *(one for one in origins if one.startswith(("http:", "https:")))}
        hosts = {_host_of(one) for one in self._origins}
        self._hosts = hosts | {parent for host in hosts for parent in _parents(host)}

    @property
    def _listed(self) -> str:
        return ", ".join(sorted(self._origins))

    def link(self, url: str, line: int) -> str:
        """Return a link's absolute URL.

        Args:
            url: as it was typed, after HTML's references: absolute, or a path of the app.
            line: where it stands.

        Raises:
            Refused: it leads elsewhere, or signs somebody in.
        """
        found, origin = self._resolve(url)
        if origin not in self._origins:
            raise Refused(
                line,
                Text("A link may lead to %(origins)s, or be {{ link }}.", origins=self._listed),
            )
        if "link_token" in unquote(unquote(found)).lower():
            # A link of the writer's own would sign the reader in to the writer's account.
            raise Refused(line, Text("A link cannot hold a link_token: write {{ link }}."))
        return found

    def image(self, url: str, line: int) -> str:
        """Return an image's absolute URL.

        Raises:
            Refused: it is not of the app's own origin.
        """
        found, origin = self._resolve(url)
        if origin != self._origin:
            raise Refused(line, Text("An image has to come from %(origin)s.", origin=self._origin))
        return found

    def _resolve(self, url: str) -> tuple[str, str]:
        """Return a URL, absolute, and its origin; an empty one where it is no plain URL."""
        url = url.strip(" \t\n")
        if _PATH.fullmatch(url):
            url = self._origin + url
        found = _URL.fullmatch(url)
        if found is None:
            return url, ""
        scheme, host = found["scheme"].lower(), found["host"].lower()
        port = found["port"]
        shown = "" if port is None or port == _DEFAULT_PORTS[scheme] else f":{port}"
        return url, f"{scheme}://{host}{shown}"

    def check_words(self, nodes: Nodes) -> None:
        """Refuse words that a mail program would make a foreign link of, or one with a variable.

        Args:
            nodes: what a reader sees.

        Raises:
            Refused: there is one; or the link does not stand alone.
        """
        for word in self._check(nodes, {""}):
            self._judge(word, _last_line(nodes))

    def _check(self, nodes: Nodes, ends: set[str]) -> set[str]:
        """Judge all words but the last, for each beginning that the first can have.

        A word can be made of several nodes, in as many ways as choices can be made.

        Returns:
            The last word, in each of its forms.
        """
        for node in nodes:
            if isinstance(node, Variable):
                place = _NAME if node.name in _NAMES else _OTHER
                place = _LINK if node.name == LINK else place
                ends = {end + place for end in ends}
            elif isinstance(node, Choice):
                ends = self._check(node.then, ends) | self._check(node.otherwise, ends)
                if len(ends) > _MOST_ENDS:
                    raise Refused(
                        node.line, Text("Too many ifs stand within one word: put spaces between.")
                    )
            elif isinstance(node, Literal):
                ends = self._check_literal(node, ends)
            if any(len(end) > _LONGEST for end in ends):
                raise Refused(node.line, Text("This word is too long: put spaces between."))
        return ends

    def _check_literal(self, node: Literal, ends: set[str]) -> set[str]:
        first, *words = _SPACE.split(node.text)
        firsts = {end + first for end in ends}
        if not words:
            return firsts
        for word in firsts:
            self._judge(word, node.line)
        line = node.line
        for gap, word in zip(_SPACE.findall(node.text), words[:-1], strict=False):
            line += gap.count("\n")
            self._judge(word, line)
        return {words[-1]}

    def _judge(self, word: str, line: int) -> None:
        word = unicodedata.normalize("NFKC", _IGNORED.sub("", word))
        # What may be an address or a link in any case is read as strictly as can be.
        may_lead = "@" in word or "/" in word or "\\" in word
        for part in [word] if may_lead else _SENTENCE_END.split(word):
            self._judge_part(_DOTS.sub(".", part), line)

    def _judge_part(self, word: str, line: int) -> None:
        if _LINK in word:
            if not _STANDS_ALONE.fullmatch(word):
                raise Refused(line, Text("Put spaces or line ends around {{ link }}."))
        elif _LINKISH.search(word):
            if _OTHER in word or _NAME in word:
                raise Refused(
                    line,
                    Text(
                        "Mail programs make a link of this, and a link cannot hold a variable: "
                        "put a space between."
                    ),
                )
            if not self._is_ours(word.strip(_PUNCTUATION)):
                raise Refused(
                    line,
                    Text(
                        "Mail programs make a link of %(word)s. A link may lead to %(origins)s; "
                        "of what is none, part the words by a space.",
                        word=word[:60],
                        origins=self._listed,
                    ),
                )

    def _is_ours(self, word: str) -> bool:
        if "://" in word:
            url, origin = self._resolve(word)
            return origin in self._origins and "link_token" not in unquote(unquote(url)).lower()
        found = _MENTION.fullmatch(word)
        return found is not None and found["host"].lower() in self._hosts


def _host_of(origin: str) -> str:
    host = origin.partition("://")[2]
    return re.sub(r":\d+\Z", "", host)


def _parents(host: str) -> list[str]:
    """Return the domains above a host, those of one label left out."""
    labels = host.split(".")
    return [".".join(labels[n:]) for n in range(1, len(labels) - 1)]


def _last_line(nodes: Nodes) -> int:
    return nodes[-1].line if nodes else 1
