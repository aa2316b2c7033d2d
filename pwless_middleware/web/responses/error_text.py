"""What a page with a field for a code says went wrong, in the language of the request."""

from __future__ import annotations

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import (
    ApiError,
    InvalidArgument,
    InvalidCode,
    RateLimited,
    RequestExpired,
    TooManyAttempts,
)
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.responses.responses import public_message


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What a page says went wrong.

    Attributes:
        error: beside the field, which is then marked.
        problem: above the form, since nothing is wrong with what was typed.
        wait: seconds until a refusal for its number ends; 0 if it is none.
    """

    error: str | None = None
    problem: str | None = None
    wait: int = 0

    @classmethod
    def of(cls, error: ApiError | None) -> ErrorText:
        """Return the text of an error; `None` says nothing."""
        if error is None or isinstance(error, RequestExpired):
            return cls()
        if isinstance(error, InvalidArgument):
            return cls(error=translate(error.violations[0].description))
        if isinstance(error, InvalidCode):
            left = Text.for_count("%(n)s try left.", "%(n)s tries left.", error.attempts_left)
            return cls(error=f"{public_message(error)} {translate(left)}")
        if isinstance(error, RateLimited):
            return cls(problem=translate(error.brief), wait=error.retry_after)
        if isinstance(error, TooManyAttempts):
            return cls(problem=public_message(error), wait=error.retry_after)
        return cls(problem=public_message(error))


def is_last_try(error: ApiError | None) -> bool:
    """Whether no further code can be tried after this error."""
    return isinstance(error, TooManyAttempts) or (
        isinstance(error, InvalidCode) and error.attempts_left == 0
    )
