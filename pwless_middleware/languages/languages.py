"""The languages of a deployment, and the files that their catalogues are read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pwless_middleware.errors import ConfigError
from pwless_middleware.languages.catalogue import ENGLISH, Catalogue
from pwless_middleware.languages.negotiation import (
    LONGEST_HEADER,
    find_language,
    negotiate_language,
)
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from gettext import GNUTranslations, NullTranslations
    from importlib.resources.abc import Traversable

COMPLETE: Final = (
    "en",
    "ar",
    "cs",
    "da",
    "de",
    "el",
    "es",
    "fr",
    "he",
    "hi",
    "id",
    "it",
    "ja",
    "ko",
    "nl",
    "pl",
    "pt-BR",
    "sv",
    "tr",
    "uk",
    "vi",
    "zh-Hans",
    "zh-Hant",
)
"""The languages that have every message that people read; the tests hold them to that."""

DASHBOARD: Final = ("en", "de", "es", "fr", "ja")
"""Those of them that have what administrators alone read, too."""

REVIEWED: Final = ("en",)
"""Those that a native speaker has read through; the others are marked as beta where they are
chosen."""

_REMEMBERED = 256
"""`Accept-Language` headers whose answer is remembered; there are few different ones."""


def is_beta(code: str) -> bool:
    """Whether a language is one of ours that no native speaker has reviewed yet."""
    return code in COMPLETE and code not in REVIEWED


class Offer:
    """The languages that somebody gets, as of one moment; replaced as a whole.

    Args:
        catalogues: of each of them, the default's first.
    """

    def __init__(self, catalogues: Sequence[Catalogue]) -> None:
        self.codes = tuple(one.code for one in catalogues)
        self.catalogues = dict(zip(self.codes, catalogues, strict=True))
        self.default = catalogues[0]
        self._negotiate = lru_cache(_REMEMBERED)(self._find)

    def find(self, tag: str) -> Catalogue | None:
        """Return the catalogue that serves a language tag, or `None`."""
        code = find_language(tag, self.codes)
        return self.catalogues[code] if code is not None else None

    def negotiate(self, header: str) -> Catalogue:
        """Return the catalogue that an `Accept-Language` header likes best, else the default's."""
        # What is not read is not kept either; one character more says that it was cut.
        return self._negotiate(header[: LONGEST_HEADER + 1]) if header else self.default

    def _find(self, header: str) -> Catalogue:
        code = negotiate_language(header, self.codes)
        return self.default if code is None else self.catalogues[code]


class Languages:
    """Keep the catalogues of a deployment's languages.

    Args:
        codes: the languages, the default first; `None` is all that are complete, English first.
            They hold until `offer` says otherwise.
        folder: the host's folder of templates, whose `languages/*.mo` come before ours; `None` for
            none.

    Raises:
        ConfigError: one of `codes` has no catalogue, or there are none; or a file of the host's
            cannot be read, or would break a page.
    """

    def __init__(
        self, codes: Sequence[str] | None = None, *, folder: Path | str | None = None
    ) -> None:
        self._hosts: Mapping[str, GNUTranslations] = {}
        if folder is not None:
            from pwless_middleware.languages.host_files import read_host_files

            self._hosts = read_host_files(Path(folder) / "languages", COMPLETE)
        if codes is not None:
            self._check(codes)
        self._made: dict[str, Catalogue] = {}
        self.offer(tuple(codes) if codes is not None else COMPLETE)

    def offer(self, codes: Sequence[str]) -> None:
        """Offer these languages from now on; from any thread.

        Args:
            codes: some of `available`, the default first.
        """
        whole = [code for code in codes if self._is_whole(code)]
        self._offer = Offer([self._catalogue(code) for code in codes])
        self._for_administrators = Offer([self._catalogue(code) for code in whole or ["en"]])

    @property
    def for_administrators(self) -> Offer:
        """Those of them in which the dashboard is whole; English where it is in none."""
        return self._for_administrators

    @property
    def codes(self) -> tuple[str, ...]:
        """The languages that people get, the default first."""
        return self._offer.codes

    @property
    def default(self) -> Catalogue:
        """The catalogue of who asks for none of them."""
        return self._offer.default

    @cached_property
    def available(self) -> tuple[str, ...]:
        """All languages that could be offered: ours, and those that the host has a file of."""
        return tuple(sorted({*COMPLETE, *self._hosts}))

    def __getitem__(self, code: str) -> Catalogue:
        """Return a language's catalogue; the default's for a code that is none of ours."""
        offer = self._offer
        return offer.catalogues.get(code, offer.default)

    def find(self, tag: str) -> Catalogue | None:
        """Return the catalogue that serves a language tag, or `None`."""
        return self._offer.find(tag)

    def negotiate(self, header: str) -> Catalogue:
        """Return the catalogue that an `Accept-Language` header likes best, else the default's."""
        return self._offer.negotiate(header)

    def _check(self, codes: Sequence[str]) -> None:
        """Refuse what is no list of languages that there are."""
        if isinstance(codes, str) or not isinstance(codes, Sequence) or not codes:
            raise ConfigError("languages", 'set a list such as ["en", "de"], the default first')
        for code in codes:
            if code not in self.available:
                raise ConfigError(
                    "languages", f"there is no {code!r}; set some of {', '.join(self.available)}"
                )
        if len(set(codes)) < len(codes):
            raise ConfigError("languages", "name each language once")

    def _catalogue(self, code: str) -> Catalogue:
        """Return a catalogue, the same one each time: it is read once."""
        found = self._made.get(code)
        if found is None:
            found = self._made[code] = self._make(code)
        return found

    def _make(self, code: str) -> Catalogue:
        host = self._hosts.get(code)
        if code == "en" and host is None:
            return ENGLISH
        return Catalogue(code, lambda: _load(code, host))

    def _is_whole(self, code: str) -> bool:
        """Whether a language has what administrators alone read, too."""
        if code in COMPLETE:
            return code in DASHBOARD
        host = self._hosts.get(code)
        return host is not None and host.gettext(_OF_DASHBOARD) != _OF_DASHBOARD


_OF_DASHBOARD: Final = Text("Overview")
"""The title of its first page: who translates that has translated the dashboard."""


def _load(code: str, host: GNUTranslations | None) -> NullTranslations:
    """Read a language's translations: the host's, then ours, then the English."""
    from gettext import GNUTranslations, NullTranslations

    found, file = host or NullTranslations(), _own_folder() / f"{code}.mo"
    if file.is_file():
        with file.open("rb") as opened:
            ours = GNUTranslations(opened)
        if host is None:
            return ours
        found.add_fallback(ours)
    return found


def _own_folder() -> Traversable:
    from importlib import resources  # with the first catalogue

    return resources.files("pwless_middleware.languages") / "catalogues"
