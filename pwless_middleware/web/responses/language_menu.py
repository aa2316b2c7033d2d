"""The menu of languages on pages for who is not signed in, and where its form comes back to.

Who is signed in has the page *Profile* for it, and a choice there goes before what a menu would
say: so it is shown on no page that has asked who is signed in and found somebody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.paths import safe_next
from pwless_middleware.languages.current import current_language
from pwless_middleware.languages.languages import Languages
from pwless_middleware.rendering.renderer import Renderer

if TYPE_CHECKING:
    from pwless_middleware.languages.names import LanguageName

LANGUAGE_PATH: Final = "/language"
"""Where the form of the menu is sent, below the prefix."""

_is_for_strangers: ContextVar[bool] = ContextVar("pwless_is_for_strangers", default=False)


@contextmanager
def offer_languages() -> Iterator[None]:
    """Show the menu on the pages that are made within a `with` block."""
    token = _is_for_strangers.set(True)
    try:
        yield
    finally:
        _is_for_strangers.reset(token)


def offer_no_languages() -> None:
    """Show no menu until the block of `offer_languages` around the call ends."""
    _is_for_strangers.set(False)


@dataclass(frozen=True, slots=True)
class LanguageMenu:
    """What a page shows of the menu.

    Attributes:
        current: the language of the page.
        buttons: one for each language that is offered, as HTML.
        next: path and query of the page that it comes back to, with the root path.
    """

    current: LanguageName
    buttons: str
    next: str


class LanguageMenus:
    """Make the menus of pages; what is in one is made once for each language.

    Args:
        renderer: makes the HTML.
        languages: those that people read.
    """

    def __init__(self, renderer: Renderer, languages: Languages) -> None:
        self._renderer = renderer
        self._languages = languages
        self._codes: Sequence[str] = ()
        self._made: dict[str, tuple[LanguageName, str]] = {}

    def make(self, next: str | None) -> LanguageMenu | None:
        """Return the menu of a page in the language that is being written.

        Args:
            next: path and query that it comes back to, with the root path; `None` where there is no
                way back.

        Returns:
            The menu; `None` where there is nothing to choose, or somebody has chosen already.
        """
        codes = self._languages.codes
        if len(codes) < 2 or not _is_for_strangers.get() or safe_next(next) is None:
            return None
        if codes is not self._codes:  # an operator offers others
            self._codes, self._made = codes, {}
        code = current_language().code
        if code not in self._made:
            self._made[code] = self._make(code, codes)
        current, buttons = self._made[code]
        return LanguageMenu(current, buttons, next or "")

    def _make(self, code: str, codes: Sequence[str]) -> tuple[LanguageName, str]:
        from pwless_middleware.languages.names import language_names  # with the first menu

        names = language_names(codes)
        buttons = self._renderer.part("login/languages.html", languages=names, current=code)
        return language_names([code])[0], buttons
