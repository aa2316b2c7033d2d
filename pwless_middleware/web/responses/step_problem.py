"""What a part of a page says when an answer to a step was not taken."""

from __future__ import annotations

from pwless_middleware.errors import ApiError, RequestExpired
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.parts.parts import Part
from pwless_middleware.web.responses.error_text import ErrorText

_OVER = Text("That took too long, or was answered already. Please try again.")


def with_problem(part: Part, error: ApiError) -> Part:
    """Return a part with `error` (beside the field), `problem` (above the form) and `wait`.

    Args:
        part: as it is shown to who has not answered yet.
        error: what is wrong.
    """
    text = ErrorText.of(error)
    problem = translate(_OVER) if isinstance(error, RequestExpired) else text.problem
    return Part(
        context={**part.context, "error": text.error, "problem": problem, "wait": text.wait},
        next=part.next,
        status=error.status,
        retry_after=error.retry_after,
        is_begun=part.is_begun,
    )
