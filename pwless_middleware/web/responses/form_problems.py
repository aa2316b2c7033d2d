"""What a form tells beside its fields, and what its query says was done."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query

_VERSION: Final = re.compile(r"[0-9]{1,9}")


def problems_of(error: InvalidArgument | None, fields: Sequence[str]) -> dict[str, str]:
    """Return what is said beside each field of a form; empty for nothing.

    Args:
        error: why the form was not taken; `None` where there is no reason.
        fields: the names of those that the form has.
    """
    bad = error.violations if error is not None else ()
    return dict.fromkeys(fields, "") | {one.field: translate(one.description) for one in bad}


def problem_above(error: InvalidArgument | None, fields: Sequence[str]) -> str | None:
    """Return what is said above a form: of fields that it does not show, e.g. its version."""
    bad = error.violations if error is not None else ()
    return next((translate(one.description) for one in bad if one.field not in fields), None)


def read_version(form: Mapping[str, str]) -> int:
    """Return the version that a form was made for; 0, which nothing has, for none."""
    version = form.get("version", "")
    return int(version) if _VERSION.fullmatch(version) else 0


def read_done(request: Request, words: Mapping[str, Text], *more: str) -> tuple[str | None, ...]:
    """Return what the query says was done, in words, and further texts of it.

    Args:
        request: to a page.
        words: what can be done, to the sentence that tells of it.
        more: names of further texts in the query.

    Raises:
        InvalidArgument: the query has another field, or says something else.
    """
    table = {"done": Field(about="What was done.", one_of=("", *words))}
    table |= {name: Field(about="Of the page's own.", longest=300) for name in more}
    values = read_query(request, Fields(table))
    done = values.get("done")
    return (translate(words[done]) if done else None, *(values.get(name) for name in more))
