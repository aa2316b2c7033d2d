"""What a method of ours does in a step, as JSON, pages and Python use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from starlette.requests import Request

from pwless_middleware.flows.proofs import StepProof
from pwless_middleware.web.fields import Values
from pwless_middleware.web.offers import StepMethod, StepSubject


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
