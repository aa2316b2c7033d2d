"""Texts that people read: the English message, which is its key in the catalogues, and its values.

A `Text` is the English text, so that logs, `str(error)` and programs have it as it is; whoever
shows it to a person translates it (`languages.current.translate`). A text without values may be a
plain `str`. The name `Text` also marks a message for the extraction of the catalogues.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class Text(str):
    """A text in English that knows what it was made of.

    Args:
        message: the English message, with `%(name)s` for each of the values.
        values: by name; one that is a `Text` is translated with it.

    Attributes:
        message: as given.
        plural: the English message for several; `None` where there is no number.
        number: the number that chooses among the plural forms of a language.
        values: as given.
    """

    __slots__ = ("message", "number", "plural", "values")

    message: str
    plural: str | None
    number: int
    values: Mapping[str, object]

    def __new__(cls, message: str, /, **values: object) -> Self:
        text = super().__new__(cls, message % values if values else message)
        text.message, text.plural, text.number, text.values = message, None, 0, values
        return text

    @classmethod
    def for_count(cls, one: str, several: str, number: int, /, **values: object) -> Self:
        """Make a text whose wording depends on a number, which is its value `n`.

        Args:
            one: the English message for 1.
            several: the English message for any other number.
            number: the number.
            values: the other values.
        """
        values = {"n": number, **values}
        text = super().__new__(cls, (one if number == 1 else several) % values)
        text.message, text.plural, text.number, text.values = one, several, number, values
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        """Let errors be copied and pickled with what their text was made of."""
        return _remake, (type(self), self.message, self.plural, self.number, dict(self.values))


def _remake(
    cls: type[Text], message: str, plural: str | None, number: int, values: dict[str, object]
) -> Text:
    if plural is None:
        return cls(message, **values)
    return cls.for_count(message, plural, number, **values)


def duration_text(seconds: int) -> Text:
    """Return a duration in words, rounded up: seconds to a minute and a half, then minutes."""
    if seconds > 5400:
        return Text.for_count("%(n)s hour", "%(n)s hours", -(-seconds // 3600))
    if seconds > 90:
        return Text.for_count("%(n)s minute", "%(n)s minutes", -(-seconds // 60))
    return Text.for_count("%(n)s second", "%(n)s seconds", seconds)
