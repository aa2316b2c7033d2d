"""What a page about passkeys says went wrong, in the language of the request."""

from __future__ import annotations

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import (
    ApiError,
    InvalidArgument,
    RateLimited,
    RequestExpired,
    TooManyAttempts,
)
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.responses.responses import public_message

_OVER = Text("That took too long, or was answered already. Please try again.")


@dataclass(frozen=True, slots=True)
class Problem:
    """What a page says, and how it is answered.

    Attributes:
        text: for people; `None` where nothing went wrong.
        wait: seconds until a refusal for its number ends; 0 if it is none.
        status: HTTP status of the page.
        retry_after: seconds for `Retry-After`; `None` sends none.
    """

    text: str | None = None
    wait: int = 0
    status: int = 200
    retry_after: int | None = None

    @classmethod
    def of(cls, error: ApiError | None) -> Problem:
        """Return what an error is to a page; `None` is no problem."""
        if error is None:
            return cls()
        wait = error.retry_after if isinstance(error, RateLimited | TooManyAttempts) else 0
        return cls(_text(error), wait or 0, error.status, error.retry_after)


def _text(error: ApiError) -> str:
    if isinstance(error, RequestExpired):
        return translate(_OVER)
    if isinstance(error, InvalidArgument):
        return translate(error.violations[0].description)
    return public_message(error)
