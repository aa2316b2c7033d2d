"""The guide's search: an index of sections, by word, in memory.

Who searches types a word or two, the beginning of one, or pastes an error that a log has shown. So
words are found by their beginnings; a section that has all of them comes before one that has some;
a rare word counts more than a frequent one, a title more than a heading, a heading more than text;
and the sentence itself, where a section has it, counts most.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo_app.guide_site.markdown import Page, Section

MAX_QUERY = 300
"""Characters of a question that are looked at: a long line of a log, not a file."""
MAX_WORDS = 30
"""Words of a question that are looked at."""
MAX_RESULTS = 24
PER_PAGE = 4
"""Sections of one page among the results, so that a long page does not hide the others."""
EXCERPT = 180
"""Characters of an excerpt."""

_TITLE, _HEADING, _PAGE, _TEXT, _CODE = 9.0, 6.0, 1.5, 1.0, 0.5
_BEGINNING = 0.6
"""What a word's beginning counts beside the whole word."""
_LINE = 5
"""From so many words on, a question is taken for a line of a log."""
_PIECE = 3
"""So many words of a heading, between its placeholders, are known again in a line."""
_SENTENCE = 3.0
"""What it counts, for each word, that a text has the question as it is; a heading eight times."""
_GENERATED = 0.5
"""What a page counts that lists everything there is: it has every word, and explains few."""
_SMALL = re.compile(
    "a|an|and|are|at|be|by|can|do|does|for|how|i|in|is|it|my|of|on|or|that|the|this|to|we|what|"
    "when|where|which|why|with|you|your"
)
"""Words of a question that say nothing of what is asked for."""
_WORD = re.compile(r"\w+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, slots=True)
class Result:
    """Hold one section that was found.

    Attributes:
        address: where it is on the site.
        title: its page's title.
        heading: its heading; empty for the beginning of a page.
        excerpt: pieces of its text, each with whether it is one of the words that were asked for.
    """

    address: str
    title: str
    heading: str
    excerpt: tuple[tuple[str, bool], ...]


class Index:
    """Find sections by what they say."""

    def __init__(self, pages: Iterable[Page], *, generated: frozenset[str] = frozenset()) -> None:
        """Read the pages.

        Args:
            pages: in the order in which results that are equally good come.
            generated: the names of pages that list everything there is, and come later.
        """
        self._sections: list[tuple[Page, Section]] = []
        self._sentences: list[tuple[str, str]] = []
        self._pieces: list[list[str]] = []
        self._factors: list[float] = []
        self._weights: dict[str, dict[int, float]] = {}
        for page in pages:
            for section in page.sections:
                self._add(page, section, _GENERATED if page.name in generated else 1.0)
        self._words = sorted(self._weights)

    def search(self, question: str) -> list[Result]:
        """Return the sections that answer a question best, the best first.

        Args:
            question: words, beginnings of words, or the text of an error.
        """
        given = list(dict.fromkeys(_split(question[:MAX_QUERY])))
        asked = ([word for word in given if not _SMALL.fullmatch(word)] or given)[:MAX_WORDS]
        scores = self._scores(asked, _sentence(question[:MAX_QUERY]))
        results: list[Result] = []
        shown: dict[str, int] = {}
        for at in sorted(scores, key=lambda at: (-scores[at], at)):
            page, section = self._sections[at]
            shown[page.name] = shown.get(page.name, 0) + 1
            if shown[page.name] <= PER_PAGE:
                results.append(_result(page, section, asked))
            if len(results) == MAX_RESULTS:
                break
        return results

    def _add(self, page: Page, section: Section, factor: float) -> None:
        at = len(self._sections)
        is_top = section.heading.level == 1
        self._sections.append((page, section))
        self._sentences.append(
            (
                " ".join(_spellings(section.heading.text.replace("_", " "))),
                _sentence(f"{section.text} {section.code}"),
            )
        )
        pieces = section.heading.text.split("…")
        self._pieces.append([each for each in map(_sentence, pieces) if each])
        self._factors.append(factor)
        for weight, text in (
            (_CODE, section.code),
            (_TEXT, section.text),
            (_PAGE, page.title),
            (_TITLE if is_top else _HEADING, section.heading.text),
        ):
            for word in _spellings(text):
                held = self._weights.setdefault(word, {})
                held[at] = max(held.get(at, 0.0), weight)

    def _scores(self, asked: list[str], sentence: str) -> dict[int, float]:
        """Return what each section counts that has enough of the words."""
        total = len(self._sections)
        found: dict[int, float] = {}
        share: dict[int, float] = {}
        all_rarity = 0.0
        for word in asked:
            # A letter among words is a word: what begins with it is half of the guide.
            is_whole = len(word) == 1 < len(asked)
            matches = self._weights.get(word, {}) if is_whole else self._matches(word)
            rarity = math.log(1 + total / (1 + len(matches)))
            all_rarity += rarity
            for at, weight in matches.items():
                found[at] = found.get(at, 0.0) + weight * rarity
                share[at] = share.get(at, 0.0) + rarity
        # Few words are all meant. Of a pasted line some are the asker's own, and in no page.
        is_line = len(asked) >= _LINE
        enough = max(share.values(), default=0.0) * (0.6 if is_line else 0.999)
        scores = {}
        for at, score in found.items():
            heading, text = self._sentences[at]
            said = max((len(p.split()) for p in self._pieces[at] if p in sentence), default=0)
            if share[at] < enough and not (is_line and said >= _PIECE):
                continue
            if is_line and said >= _PIECE:
                score += 8 * _SENTENCE * said
            elif len(asked) > 1 and sentence in heading:
                score += 8 * _SENTENCE * len(asked)
            elif len(asked) > 1 and sentence in text:
                score += _SENTENCE * len(asked)
            if heading.startswith(sentence):
                score *= 1.5
            scores[at] = score * self._factors[at] * (1 if said else (share[at] / all_rarity) ** 2)
        return scores

    def _matches(self, word: str) -> Mapping[int, float]:
        """Return the sections with a word, or with one that begins so, and its weight."""
        found = dict(self._weights.get(word, {}))
        for at in range(bisect_left(self._words, word), len(self._words)):
            longer = self._words[at]
            if not longer.startswith(word):
                break
            for section, weight in self._weights[longer].items():
                found[section] = max(found.get(section, 0.0), weight * _BEGINNING)
        return found


def _split(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _sentence(text: str) -> str:
    """Return what makes `login_elsewhere` and "Login elsewhere." the same."""
    return " ".join(_split(text.replace("_", " ")))


def _spellings(text: str) -> Iterator[str]:
    """Return the words of a text, and the parts of names: `EmailLogin` is an email and a login."""
    for word in _WORD.findall(text):
        yield word.lower()
        parts = _PARTS.findall(word)
        if len(parts) > 1:
            yield from (part.lower() for part in parts)


def _result(page: Page, section: Section, asked: list[str]) -> Result:
    heading = section.heading
    is_top = heading.level == 1
    address = f"/guide/{page.name}" + ("" if is_top else f"#{heading.anchor}")
    text = " ".join((section.text or section.code).split())
    return Result(address, page.title, "" if is_top else heading.text, tuple(_excerpt(text, asked)))


def _excerpt(text: str, asked: list[str]) -> Iterator[tuple[str, bool]]:
    """Cut a text where it has most of the words, and mark them."""
    marks = re.compile(rf"\b(?:{'|'.join(map(re.escape, asked))})\w*", re.IGNORECASE)
    places = [found.start() for found in marks.finditer(text)]
    near = [sum(place <= other < place + EXCERPT - 40 for other in places) for place in places]
    start = max(places[near.index(max(near))] - 40, 0) if places else 0
    start = text.find(" ", start) + 1 if start else 0
    cut = text[start : start + EXCERPT]
    if start + EXCERPT < len(text):
        cut = (cut.rpartition(" ")[0] or cut) + " …"
    if start:
        cut = f"… {cut}"
    last = 0
    for found in marks.finditer(cut):
        if found.start() > last:
            yield cut[last : found.start()], False
        yield found.group(), True
        last = found.end()
    if last < len(cut):
        yield cut[last:], False
