"""What a method of ours does in a step, as JSON, pages and Python use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from starlette.requests import Request

from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.web.parts.steps import StepMethod, StepSubject
from pwless_middleware.web.requests.fields import Values


class FactorStep(Protocol):
    """One method. The request is `None` where a host's own code asks.

    Attributes:
        method: how it is offered.
    """

    method: StepMethod

    async def ask(
        self, request: Request | None, subject: StepSubject
    ) -> Mapping[str, object] | None:
        """Return what a caller is told beforehand; `None` where the person cannot do it this way.

        Raises:
            Unavailable: it cannot be known.
        """
        ...

    async def check(
        self, request: Request | None, subject: StepSubject, values: Values
    ) -> StepProof | None:
        """Return what an answer proves, whose try was counted; `None` if it is wrong.

        Raises:
            Unavailable: it cannot be known.
        """
        ...


def proven_by(method: str, at: int, binding: str) -> Authentication:
    """Return what a right answer by a second factor proves.

    In a live session two things are proven at once, as in a login: the factor, and the session,
    which was begun by another one. So a fresh answer is worth a second factor by itself, and nobody
    has to prove the mailbox again before they change their factors.

    Args:
        method: by which it was given.
        at: unix seconds.
        binding: of the login or session (`StepSubject.binding`).
    """
    is_of_session = binding.startswith("session:")
    return Authentication(method, at, (method, "session") if is_of_session else ())
